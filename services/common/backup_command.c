#include "services/common/backup_command.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/file.h"
#include "common/text.h"
#include "services/common/restore.h"
#include "services/common/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRESS_EVERY_MS = 1000 };

int backup_command_failed(const backup_command_t *command, const err_t *err)
{
    (void)fprintf(stderr, "%s: %s: %s\n", command->program, err->where, err->text);
    switch (err->status) {
    case STATUS_CORRUPT:
    case STATUS_REFUSED:
        return EXIT_BAD_DATA;
    case STATUS_BUSY:
        return EXIT_IN_USE;
    case STATUS_INVALID:
        return EXIT_BAD_CONFIG;
    case STATUS_OK:
    case STATUS_UNKNOWN:
    case STATUS_CONFLICT:
    case STATUS_TOO_LARGE:
    case STATUS_TIMEOUT:
    case STATUS_CLOSED:
    case STATUS_FULL:
    case STATUS_SYSTEM:
        break;
    }
    return EXIT_FAILED;
}

/* Whoever copies a store need not be allowed to read the keys. */
static void not_known(const backup_command_t *command, const err_t *err)
{
    (void)fprintf(stderr, "%s: not known whether it is the right key: %s: %s\n", command->program,
                  err->where, err->text);
}

static void tell_hash_key(const backup_command_t *command, FILE *out)
{
    err_t err = {0};
    char check[BACKUP_CHECK_SIZE];
    if (command->check_hash_key == NULL)
        return;
    if (command->check_hash_key(command->hash_key_file, check, &err) == STATUS_OK)
        (void)fprintf(out, "key-check api-key-hash %s\n", check);
    else
        not_known(command, &err);
}

static void tell_seal_keys(const backup_command_t *command, FILE *out, const backup_facts_t *facts)
{
    AUTO(seal_close) seal_t *seal = NULL;
    err_t err = {0};
    uint8_t check[(BACKUP_CHECK_SIZE - 1) / 2];
    char hex[BACKUP_CHECK_SIZE];
    if (command->seal_key_file[0] == '\0' || facts->key_count == 0)
        return;
    if (seal_open_keys(command->seal_key_file, &seal, &err) != STATUS_OK) {
        not_known(command, &err);
        return;
    }
    for (size_t i = 0; i < facts->key_count; i++) {
        if (seal_derive_for(seal, facts->keys[i], "lk-check", check) != STATUS_OK)
            continue;
        text_hex(hex, check, sizeof(check));
        (void)fprintf(out, "key-check seal.key %u %s\n", (unsigned)facts->keys[i], hex);
    }
}

static int tell(const backup_command_t *command, FILE *out, const backup_facts_t *facts)
{
    (void)fprintf(out, "schema %lld\n", (long long)facts->version);
    for (size_t i = 0; i < facts->table_count; i++)
        (void)fprintf(out, "rows %s %lld\n", facts->tables[i].name,
                      (long long)facts->tables[i].rows);
    for (size_t i = 0; i < facts->key_count; i++)
        (void)fprintf(out, "sealed-with %u\n", (unsigned)facts->keys[i]);
    tell_seal_keys(command, out, facts);
    tell_hash_key(command, out);
    return fflush(out) == 0 ? EXIT_OK : EXIT_FAILED;
}

typedef struct {
    const char *what;
    int64_t next_ms;
} progress_t;

static void show_progress(void *context, int64_t done, int64_t all)
{
    progress_t *progress = context;
    if (clock_ms() < progress->next_ms || all == 0)
        return;
    progress->next_ms = clock_ms() + PROGRESS_EVERY_MS;
    (void)fprintf(stderr, "%s: %d%% copied\n", progress->what, (int)(done * 100 / all));
}

static int back_up(const backup_command_t *command, const char *target)
{
    err_t err = {0};
    backup_facts_t facts;
    progress_t progress = {.what = command->spec->file, .next_ms = clock_ms() + PROGRESS_EVERY_MS};
    bool streamed = strcmp(target, "-") == 0;
    status_t status = streamed ? backup_send(command->spec, command->directory, STDOUT_FILENO,
                                             show_progress, &progress, &facts, &err)
                               : backup_write(command->spec, command->directory, target,
                                              show_progress, &progress, &facts, &err);
    return status == STATUS_OK ? tell(command, streamed ? stderr : stdout, &facts)
                               : backup_command_failed(command, &err);
}

static int check(const backup_command_t *command, const char *file)
{
    err_t err = {0};
    backup_facts_t facts;
    status_t status = backup_check(command->spec, file, file, command->seal_key_file, &facts, &err);
    return status == STATUS_OK ? tell(command, stdout, &facts)
                               : backup_command_failed(command, &err);
}

static void tell_aside(const backup_command_t *command, const char *aside)
{
    if (aside[0] != '\0')
        (void)fprintf(stderr, "%s: what was there is now %s\n", command->program, aside);
}

static int restore(const backup_command_t *command, const char *name, restore_depth_t depth)
{
    err_t err = {0};
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    bool streamed = strcmp(name, "-") == 0;
    AUTO(file_close)
    int file = streamed ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    const restore_t how = {.copy = file,
                           .name = streamed ? "standard input" : name,
                           .seal_key_file = command->seal_key_file,
                           .depth = depth};
    status_t status = file < 0 ? err_errno(&err, name, "cannot be opened") : STATUS_OK;
    if (status == STATUS_OK && mkdir(command->directory, 0700) != 0 && errno != EEXIST)
        status = err_errno(&err, command->directory, "cannot be made");
    if (status == STATUS_OK)
        status = restore_store(command->spec, command->directory, &how, &facts, aside, &err);
    if (status != STATUS_OK)
        return backup_command_failed(command, &err);
    tell_aside(command, aside);
    return tell(command, stdout, &facts);
}

static int put_staged(const backup_command_t *command)
{
    err_t err = {0};
    char aside[STORE_PATH_SIZE];
    if (restore_staged(command->spec, command->directory, aside, &err) != STATUS_OK)
        return backup_command_failed(command, &err);
    tell_aside(command, aside);
    return EXIT_OK;
}

static int unstage(const backup_command_t *command)
{
    err_t err = {0};
    status_t status = restore_unstage(command->spec, command->directory, &err);
    return status == STATUS_OK ? EXIT_OK : backup_command_failed(command, &err);
}

bool backup_is_meant(int argc, char *const argv[])
{
    return argc > 1 && (strcmp(argv[1], "backup") == 0 || strcmp(argv[1], "restore") == 0);
}

static int wrong(const backup_command_t *command)
{
    (void)fprintf(stderr, "%s: wrong arguments; see %s --help\n", command->program,
                  command->program);
    return EXIT_BAD_USAGE;
}

static int restore_as(const backup_command_t *command, const char *option, const char *file)
{
    if (strcmp(option, "--dry-run") == 0)
        return restore(command, file, RESTORE_TRY);
    if (strcmp(option, "--stage") == 0)
        return restore(command, file, RESTORE_STAGE);
    if (strcmp(option, "--check") == 0)
        return strcmp(file, "-") == 0 ? restore(command, file, RESTORE_CHECK)
                                      : check(command, file);
    return wrong(command);
}

/* Who stops reading is told of as an error, and what was made is cleared away: not by a signal. */
int backup_command(const backup_command_t *command, int argc, char *const argv[])
{
    const char *last = argv[argc - 1];
    bool plain = argc == 3 && (last[0] != '-' || last[1] == '\0') && last[0] != '\0';
    (void)signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "backup") == 0)
        return plain ? back_up(command, last) : wrong(command);
    if (plain)
        return restore(command, last, RESTORE_DO);
    if (argc == 3 && strcmp(last, "--staged") == 0)
        return put_staged(command);
    if (argc == 3 && strcmp(last, "--unstage") == 0)
        return unstage(command);
    return argc == 4 ? restore_as(command, argv[2], last) : wrong(command);
}
