#include "services/common/backup_command.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/file.h"
#include "common/text.h"
#include "services/common/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRESS_EVERY_MS = 1000 };

static int failed(const backup_command_t *command, const err_t *err)
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

static int tell(FILE *out, const backup_facts_t *facts)
{
    (void)fprintf(out, "schema %lld\n", (long long)facts->version);
    for (size_t i = 0; i < facts->table_count; i++)
        (void)fprintf(out, "rows %s %lld\n", facts->tables[i].name,
                      (long long)facts->tables[i].rows);
    for (size_t i = 0; i < facts->key_count; i++)
        (void)fprintf(out, "sealed-with %u\n", (unsigned)facts->keys[i]);
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

static status_t write_copy(const backup_command_t *command, const char *target, backup_facts_t *out,
                           err_t *err)
{
    progress_t progress = {.what = command->spec->file, .next_ms = clock_ms() + PROGRESS_EVERY_MS};
    return backup_write(command->spec, command->directory, target, show_progress, &progress, out,
                        err);
}

/* By way of a file beside the store: what is written page by page can't be sent as it comes. */
static status_t send_copy(const backup_command_t *command, backup_facts_t *out, err_t *err)
{
    char path[STORE_PATH_SIZE];
    status_t status = text_format(path, sizeof(path), "%s/%s.outgoing-%ld", command->directory,
                                  command->spec->file, (long)getpid());
    if (status != STATUS_OK)
        return err_set(err, status, command->directory, "its name is too long");
    status = write_copy(command, path, out, err);
    if (status != STATUS_OK)
        return status;
    AUTO(file_close) int file = open(path, O_RDONLY | O_CLOEXEC);
    status = file < 0 ? err_errno(err, path, "cannot be opened")
                      : file_copy(file, STDOUT_FILENO, "standard output", err);
    (void)unlink(path);
    return status;
}

static int back_up(const backup_command_t *command, const char *target)
{
    err_t err = {0};
    backup_facts_t facts;
    bool streamed = strcmp(target, "-") == 0;
    status_t status =
        streamed ? send_copy(command, &facts, &err) : write_copy(command, target, &facts, &err);
    return status == STATUS_OK ? tell(streamed ? stderr : stdout, &facts) : failed(command, &err);
}

static int check(const backup_command_t *command, const char *file)
{
    err_t err = {0};
    backup_facts_t facts;
    status_t status = backup_check(command->spec, file, file, command->seal_key_file, &facts, &err);
    return status == STATUS_OK ? tell(stdout, &facts) : failed(command, &err);
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
        return failed(command, &err);
    if (aside[0] != '\0')
        (void)fprintf(stderr, "%s: what was there is now %s\n", command->program, aside);
    return tell(stdout, &facts);
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

int backup_command(const backup_command_t *command, int argc, char *const argv[])
{
    const char *last = argv[argc - 1];
    bool plain = argc == 3 && (last[0] != '-' || last[1] == '\0') && last[0] != '\0';
    if (strcmp(argv[1], "backup") == 0)
        return plain ? back_up(command, last) : wrong(command);
    if (plain)
        return restore(command, last, RESTORE_DO);
    if (argc == 4 && strcmp(argv[2], "--dry-run") == 0)
        return restore(command, last, RESTORE_TRY);
    if (argc == 4 && strcmp(argv[2], "--check") == 0)
        return strcmp(last, "-") == 0 ? restore(command, last, RESTORE_CHECK)
                                      : check(command, last);
    return wrong(command);
}
