/* Must never: checkpoint, or tell anything of a key but its id. Next: reseal.h. */
#include "services/common/seal_command.h"

#include "common/config.h"
#include "common/file.h"
#include "services/common/backup.h"
#include "services/common/reseal.h"
#include "services/common/seal.h"
#include "services/common/sqlite.h"
#include "services/common/use.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 10000, IDS_MAX = 2 * SEAL_KEYS_MAX };

typedef struct {
    size_t count;
    struct {
        uint32_t id;
        int64_t rows;
    } keys[IDS_MAX];
} tally_t;

static status_t add(tally_t *tally, uint32_t id, int64_t rows, const char *where, err_t *err)
{
    size_t at = 0;
    while (at < tally->count && tally->keys[at].id != id)
        at++;
    if (at == IDS_MAX)
        return err_set(err, STATUS_CORRUPT, where, "is sealed with more than %d keys", IDS_MAX);
    if (at == tally->count) {
        tally->keys[at].id = id;
        tally->keys[at].rows = 0;
        tally->count++;
    }
    tally->keys[at].rows += rows;
    return STATUS_OK;
}

static void free_text(char **text)
{
    sqlite3_free(*text);
}

/* Rows of ID (a blob's four bytes, or a number) and how many. */
static status_t add_groups(sqlite3 *db, const char *sql, const char *where, tally_t *tally,
                           err_t *err)
{
    AUTO(sqlite_finalize) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(db, sql, -1, 0, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            return STATUS_OK;
        if (code != SQLITE_ROW)
            break;
        bool is_blob = sqlite3_column_type(statement, 0) == SQLITE_BLOB;
        if (is_blob && sqlite3_column_bytes(statement, 0) != SEAL_KEY_ID_SIZE)
            return err_set(err, STATUS_CORRUPT, where, "holds a sealed value that is too short");
        uint32_t id = is_blob ? seal_key_id(sqlite3_column_blob(statement, 0))
                              : (uint32_t)sqlite3_column_int64(statement, 0);
        status_t status = add(tally, id, sqlite3_column_int64(statement, 1), where, err);
        if (status != STATUS_OK)
            return status;
    }
    return sqlite_fail(db, code, where, err);
}

/* Keys of fingerprints, too, until they are kept by themselves: replylog.h. */
static const char reply_log_groups[] =
    "SELECT key_id, count(*) FROM reply_log WHERE key_id > 0"
    " AND key_id NOT IN (SELECT key_id FROM reply_key) GROUP BY 1";

static status_t add_columns(sqlite3 *db, const char *where, tally_t *tally, err_t *err)
{
    AUTO(sqlite_finalize) sqlite3_stmt *columns = NULL;
    int code = sqlite3_prepare_v3(db, backup_sealed_columns, -1, 0, &columns, NULL);
    status_t status = code == SQLITE_OK ? STATUS_OK : sqlite_fail(db, code, where, err);
    while (status == STATUS_OK && (code = sqlite3_step(columns)) == SQLITE_ROW) {
        const unsigned char *table = sqlite3_column_text(columns, 0);
        const unsigned char *column = sqlite3_column_text(columns, 1);
        AUTO(free_text)
        char *sql = sqlite3_mprintf("SELECT substr(\"%w\", 1, 4), count(*) FROM \"%w\""
                                    " WHERE \"%w\" IS NOT NULL GROUP BY 1",
                                    column, table, column);
        status = add_groups(db, sql, where, tally, err);
    }
    if (status == STATUS_OK && code != SQLITE_DONE)
        status = sqlite_fail(db, code, where, err);
    return status;
}

/* Opened as for a copy: backup.c. */
static status_t count_rows(const char *path, tally_t *tally, err_t *err)
{
    AUTO(sqlite_close) sqlite3 *db = NULL;
    if (access(path, F_OK) != 0)
        return STATUS_OK; /* it has never run */
    status_t status = sqlite_open(path, BUSY_MS, &db, path, err);
    if (status == STATUS_OK &&
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
        status = err_set(err, STATUS_SYSTEM, path, "can't be opened without a checkpoint");
    if (status == STATUS_OK)
        status = sqlite_execute(db, "PRAGMA query_only=ON; BEGIN", path, err);
    if (status == STATUS_OK)
        status = add_columns(db, path, tally, err);
    return status == STATUS_OK ? add_groups(db, reply_log_groups, path, tally, err) : status;
}

static status_t look(const backup_command_t *command, seal_t *seal, tally_t *tally,
                     bool *out_others, err_t *err)
{
    AUTO(file_close) int use = -1;
    char path[STORE_PATH_SIZE];
    uint32_t ids[SEAL_KEYS_MAX];
    status_t status = STATUS_OK;
    for (size_t i = 0, count = seal_key_ids(seal, ids); i < count && status == STATUS_OK; i++)
        status = add(tally, ids[i], 0, command->seal_key_file, err);
    if (status == STATUS_OK)
        status = store_path(command->spec, command->directory, path, err);
    if (status == STATUS_OK)
        status = use_take(command->spec, command->directory, USE_SHARED, &use, err);
    if (status != STATUS_OK)
        return status;
    *out_others = reseal_others(use, seal); /* first: who tells of a key writes with no older one */
    return count_rows(path, tally, err);
}

bool seal_command_is_meant(int argc, char *const argv[])
{
    return argc > 1 && strcmp(argv[1], "seal-keys") == 0;
}

int seal_command(const backup_command_t *command, int argc, char *const argv[])
{
    AUTO(seal_close) seal_t *seal = NULL;
    err_t err = {0};
    tally_t tally = {.count = 0};
    bool others = true;
    if (argc != 2) {
        (void)fprintf(stderr, "%s %s: takes no arguments\n", command->program, argv[1]);
        return EXIT_BAD_USAGE;
    }
    status_t status = seal_open_keys(command->seal_key_file, &seal, &err);
    if (status == STATUS_OK)
        status = look(command, seal, &tally, &others, &err);
    if (status != STATUS_OK)
        return backup_command_failed(command, &err);
    (void)printf("front %u\n", (unsigned)seal_front(seal));
    for (size_t i = 0; i < tally.count; i++)
        (void)printf("key %u %lld\n", (unsigned)tally.keys[i].id, (long long)tally.keys[i].rows);
    (void)printf("workers %s\n", others ? "other" : "same");
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
