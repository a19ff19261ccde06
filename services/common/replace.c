/* Must never: leave a WAL beside a database that it does not belong to, or part one from its own
 * that holds more than it; delete what was there. */
#include "services/common/replace.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "services/common/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { BUSY_MS = 500 };

enum { DATABASE, WAL, JOURNAL, PART_COUNT };

/* A file of the store, and the name that it gets aside. */
typedef struct {
    char name[STORE_PATH_SIZE + 8];
    char aside[STORE_PATH_SIZE + 8];
} part_t;

static status_t name_parts(const char *store, part_t out[PART_COUNT], err_t *err)
{
    static const char *const suffixes[PART_COUNT] = {"", "-wal", "-journal"};
    char stamp[CLOCK_RFC3339_SIZE];
    clock_format_time(clock_utc_ms(), stamp);
    status_t status = STATUS_OK;
    for (size_t i = 0; i < PART_COUNT && status == STATUS_OK; i++) {
        status = text_format(out[i].name, sizeof(out[i].name), "%s%s", store, suffixes[i]);
        if (status == STATUS_OK)
            status = text_format(out[i].aside, STORE_PATH_SIZE + (i == DATABASE ? 0 : 8),
                                 "%s.before-%s%s", store, stamp, suffixes[i]);
    }
    return status == STATUS_OK ? STATUS_OK : err_set(err, status, store, "its name is too long");
}

/* Also what has both names: rename(2) does nothing with two names of one file. */
static void put_back(const part_t *part)
{
    (void)rename(part->aside, part->name);
    (void)unlink(part->aside);
}

static void put_all_back(const part_t parts[PART_COUNT])
{
    for (size_t i = 0; i < PART_COUNT; i++)
        put_back(&parts[i]);
}

static status_t add_name(const part_t *part, err_t *err)
{
    if (link(part->name, part->aside) == 0 || errno == ENOENT)
        return STATUS_OK;
    return errno == EEXIST ? err_set(err, STATUS_CONFLICT, part->aside, "is there already")
                           : err_errno(err, part->aside, "cannot be made");
}

/* Takes the database alone, and so finds processes that work with it without use.h's lock, too. */
static status_t leave_wal_mode(const char *path, err_t *err)
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

/* A second name for the WAL, since SQLite deletes that of a database that is too damaged to take it
 * up. After any other failure it is SQLite who knows whether the WAL is still needed. */
static status_t fold(const part_t parts[PART_COUNT], err_t *err)
{
    status_t status = add_name(&parts[WAL], err);
    if (status != STATUS_OK)
        return status;
    status = leave_wal_mode(parts[DATABASE].name, err);
    if (status == STATUS_CORRUPT) {
        put_back(&parts[WAL]);
        return STATUS_OK;
    }
    (void)unlink(parts[WAL].aside);
    return status;
}

/* Two names for the database, so that there is never none. */
static status_t put_aside(const part_t parts[PART_COUNT], err_t *err)
{
    status_t status = add_name(&parts[DATABASE], err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = WAL; i < PART_COUNT && status == STATUS_OK; i++)
        if (rename(parts[i].name, parts[i].aside) != 0 && errno != ENOENT)
            status = err_errno(err, parts[i].name, "cannot be put aside");
    if (status != STATUS_OK)
        put_all_back(parts);
    return status;
}

/* A WAL without a database, of somebody who deleted the wrong file, would be taken for the copy's.
 */
static status_t clear_orphans(const char *store, err_t *err)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char orphan[STORE_PATH_SIZE + 8];
        char kept[STORE_PATH_SIZE + 16];
        if (text_format(orphan, sizeof(orphan), "%s%s", store, suffixes[i]) != STATUS_OK ||
            text_format(kept, sizeof(kept), "%s.orphan", orphan) != STATUS_OK)
            return err_set(err, STATUS_TOO_LARGE, store, "its name is too long");
        if (rename(orphan, kept) != 0 && errno != ENOENT)
            return err_errno(err, orphan, "cannot be put aside");
    }
    return STATUS_OK;
}

static status_t find(const char *store, bool *out_there, err_t *err)
{
    *out_there = access(store, F_OK) == 0;
    return *out_there || errno == ENOENT ? STATUS_OK : err_errno(err, store, "cannot be looked at");
}

status_t replace_fold(const char *store, err_t *err)
{
    part_t parts[PART_COUNT];
    bool there = false;
    status_t status = find(store, &there, err);
    if (status == STATUS_OK && there)
        status = name_parts(store, parts, err);
    return status == STATUS_OK && there ? fold(parts, err) : status;
}

static status_t make_room(const part_t parts[PART_COUNT], bool there, err_t *err)
{
    if (!there)
        return clear_orphans(parts[DATABASE].name, err);
    status_t status = fold(parts, err);
    return status == STATUS_OK ? put_aside(parts, err) : status;
}

status_t replace_file(const char *store, const char *copy, char out_aside[STORE_PATH_SIZE],
                      err_t *err)
{
    part_t parts[PART_COUNT];
    bool there = false;
    status_t status = name_parts(store, parts, err);
    if (status == STATUS_OK)
        status = find(store, &there, err);
    if (status == STATUS_OK)
        status = make_room(parts, there, err);
    if (status != STATUS_OK)
        return status;
    status = rename(copy, store) == 0 ? file_sync_directory(store, err)
                                      : err_errno(err, store, "cannot be replaced");
    if (status == STATUS_OK)
        text_cut(out_aside, STORE_PATH_SIZE, there ? parts[DATABASE].aside : "");
    else if (there)
        put_all_back(parts);
    else
        (void)unlink(store);
    return status;
}
