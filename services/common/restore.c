/* Must never: leave a WAL beside a database that it does not belong to; delete what was there. */
#include "services/common/restore.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "services/common/gate.h"
#include "services/common/sqlite.h"
#include "services/common/use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GATE_WAIT_MS = 5000, BUSY_MS = 500 };

typedef struct {
    char store[STORE_PATH_SIZE];
    char incoming[STORE_PATH_SIZE + sizeof(".incoming-XXXXXX")];
    char aside[STORE_PATH_SIZE];
} paths_t;

static status_t make_paths(const store_spec_t *spec, const char *directory, paths_t *out,
                           err_t *err)
{
    char stamp[CLOCK_RFC3339_SIZE];
    clock_format_time(clock_utc_ms(), stamp);
    status_t status = store_path(spec, directory, out->store, err);
    if (status == STATUS_OK && (text_format(out->incoming, sizeof(out->incoming),
                                            "%s.incoming-XXXXXX", out->store) != STATUS_OK ||
                                text_format(out->aside, sizeof(out->aside), "%s.before-%s",
                                            out->store, stamp) != STATUS_OK))
        status = err_set(err, STATUS_TOO_LARGE, out->store, "its name is too long");
    return status;
}

/* Beside the store, since only there can it become it in one step. */
static status_t receive(const restore_t *restore, paths_t *paths, err_t *err)
{
    AUTO(file_close) int file = mkostemp(paths->incoming, O_CLOEXEC); /* 0600 */
    if (file < 0)
        return err_errno(err, paths->incoming, "cannot be made");
    status_t status = file_adopt(file, paths->incoming, err);
    if (status == STATUS_OK)
        status = file_copy(restore->copy, file, paths->incoming, err);
    if (status != STATUS_OK)
        (void)unlink(paths->incoming);
    return status;
}

/* Its WAL goes into it: leaving WAL mode takes the database alone, and so finds processes that work
 * with it without use.h's lock, too. */
static status_t fold(const char *path, err_t *err)
{
    AUTO(sqlite_close) sqlite3 *db = NULL;
    status_t status = sqlite_open(path, BUSY_MS, &db, path, err);
    if (status == STATUS_OK)
        status = sqlite_execute(db, "PRAGMA journal_mode=DELETE", path, err);
    if (status == STATUS_BUSY)
        return err_set(err, STATUS_BUSY, path,
                       "is in use: stop every process that works with it first");
    return status;
}

typedef struct {
    char path[STORE_PATH_SIZE + 8];
    char aside[STORE_PATH_SIZE + 8];
} pair_t;

/* The store's file with that suffix, and the name that it gets aside. */
static status_t make_pair(const paths_t *paths, const char *suffix, pair_t *out, err_t *err)
{
    status_t status = text_format(out->path, sizeof(out->path), "%s%s", paths->store, suffix);
    if (status == STATUS_OK)
        status = text_format(out->aside, sizeof(out->aside), "%s%s", paths->aside, suffix);
    return status == STATUS_OK ? STATUS_OK
                               : err_set(err, status, paths->store, "its name is too long");
}

static status_t add_name(const pair_t *pair, err_t *err)
{
    if (link(pair->path, pair->aside) == 0 || errno == ENOENT)
        return STATUS_OK;
    return errno == EEXIST ? err_set(err, STATUS_CONFLICT, pair->aside, "is there already")
                           : err_errno(err, pair->aside, "cannot be made");
}

/* Two names for the database, so that there is never none; and for its WAL, since SQLite deletes
 * that of a database that is too damaged to take it up. */
static status_t put_aside(const paths_t *paths, err_t *err)
{
    pair_t store, wal, journal;
    status_t status = make_pair(paths, "", &store, err);
    if (status == STATUS_OK)
        status = make_pair(paths, "-wal", &wal, err);
    if (status == STATUS_OK)
        status = make_pair(paths, "-journal", &journal, err);
    if (status == STATUS_OK)
        status = add_name(&store, err);
    if (status != STATUS_OK)
        return status;
    status = add_name(&wal, err);
    status_t folded = status == STATUS_OK ? fold(paths->store, err) : status;
    if (folded == STATUS_OK || folded == STATUS_BUSY)
        (void)unlink(wal.aside);
    if (status != STATUS_OK || folded == STATUS_BUSY) {
        (void)unlink(store.aside);
        return folded;
    }
    if ((unlink(wal.path) != 0 && errno != ENOENT) ||
        (rename(journal.path, journal.aside) != 0 && errno != ENOENT))
        return err_errno(err, paths->store, "its WAL cannot be put aside");
    return STATUS_OK;
}

/* A WAL without a database, of somebody who deleted the wrong file, would be taken for the copy's.
 */
static status_t clear_orphans(const paths_t *paths, err_t *err)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char orphan[STORE_PATH_SIZE + 8];
        char kept[STORE_PATH_SIZE + 16];
        if (text_format(orphan, sizeof(orphan), "%s%s", paths->store, suffixes[i]) != STATUS_OK ||
            text_format(kept, sizeof(kept), "%s.orphan", orphan) != STATUS_OK)
            return err_set(err, STATUS_TOO_LARGE, paths->store, "its name is too long");
        if (rename(orphan, kept) != 0 && errno != ENOENT)
            return err_errno(err, orphan, "cannot be put aside");
    }
    return STATUS_OK;
}

static status_t replace(paths_t *paths, err_t *err)
{
    status_t status = STATUS_OK;
    if (access(paths->store, F_OK) == 0) {
        status = put_aside(paths, err);
    } else {
        paths->aside[0] = '\0';
        status = errno == ENOENT ? clear_orphans(paths, err)
                                 : err_errno(err, paths->store, "cannot be looked at");
    }
    if (status != STATUS_OK)
        return status;
    if (rename(paths->incoming, paths->store) != 0)
        return err_errno(err, paths->store, "cannot be replaced");
    return file_sync_directory(paths->store, err);
}

static status_t replace_alone(const store_spec_t *spec, const char *directory,
                              const restore_t *restore, paths_t *paths, err_t *err)
{
    AUTO(file_close) int use = -1;
    AUTO(gate_close) gate_t *gate = NULL;
    status_t status = use_take(spec, directory, USE_ALONE, &use, err);
    if (status != STATUS_OK || restore->depth == RESTORE_TRY)
        return status;
    status = gate_open(paths->store, &gate, err);
    if (status == STATUS_OK)
        status = gate_take(gate, clock_ms() + GATE_WAIT_MS, err);
    return status == STATUS_OK ? replace(paths, err) : status;
}

status_t restore_store(const store_spec_t *spec, const char *directory, const restore_t *restore,
                       backup_facts_t *out, char out_aside[STORE_PATH_SIZE], err_t *err)
{
    paths_t paths;
    backup_facts_t facts;
    status_t status = make_paths(spec, directory, &paths, err);
    if (status == STATUS_OK)
        status = receive(restore, &paths, err);
    if (status != STATUS_OK)
        return status;
    status = backup_check(spec, paths.incoming, restore->name, restore->seal_key_file, &facts, err);
    if (status == STATUS_OK && restore->depth != RESTORE_CHECK)
        status = replace_alone(spec, directory, restore, &paths, err);
    if (status != STATUS_OK || restore->depth != RESTORE_DO)
        (void)unlink(paths.incoming);
    if (status != STATUS_OK)
        return status;
    *out = facts;
    text_cut(out_aside, STORE_PATH_SIZE, restore->depth == RESTORE_DO ? paths.aside : "");
    return STATUS_OK;
}
