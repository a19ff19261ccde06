/* Connections as this project wants them, and SQLite's result codes as status_t.
 * Must never: turn automatic checkpoints back on (see gate.h). Next: store.c. */
#include "services/common/sqlite.h"

#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

/* Memory statistics cost a process-wide lock on every allocation, and nothing here reads them. */
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* synchronous=FULL: an acknowledged write survives a power cut. Double-quoted strings off: a
 * misspelt column must not turn into text. The size limit gives back the room of a WAL that readers
 * let grow. A cache bounded in KiB keeps a worker's memory flat. */
static const char connection_pragmas[] = "PRAGMA synchronous=FULL;"
                                         "PRAGMA foreign_keys=ON;"
                                         "PRAGMA wal_autocheckpoint=0;"
                                         "PRAGMA journal_size_limit=16777216;"
                                         "PRAGMA temp_store=MEMORY;"
                                         "PRAGMA cache_size=-16384;";

static int set_up_safety(sqlite3 *db)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    };
    int code = SQLITE_OK;
    for (size_t i = 0; i < ARRAY_LEN(options) && code == SQLITE_OK; i++)
        code = sqlite3_db_config(db, options[i].option, options[i].value, NULL);
    return code;
}

status_t sqlite_open(const char *path, int busy_ms, sqlite3 **out, const char *what, err_t *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, configure_library);
    AUTO(sqlite_close) sqlite3 *db = NULL;
    int code = sqlite3_open_v2(
        path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(db, busy_ms);
    if (code == SQLITE_OK)
        code = set_up_safety(db);
    if (code != SQLITE_OK)
        return sqlite_fail(db, code, what, err);
    status_t status = sqlite_execute(db, connection_pragmas, what, err);
    if (status == STATUS_OK)
        *out = TAKE(db);
    return status;
}

void sqlite_close(sqlite3 **db)
{
    if (*db == NULL)
        return;
    int code = sqlite3_close(*db);
    assert(code == SQLITE_OK);
    (void)code;
    *db = NULL;
}

void sqlite_finalize(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
    *statement = NULL;
}

status_t sqlite_execute(sqlite3 *db, const char *sql, const char *what, err_t *err)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : sqlite_fail(db, code, what, err);
}

status_t sqlite_number(sqlite3 *db, const char *sql, int64_t *out, const char *what, err_t *err)
{
    AUTO(sqlite_finalize) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(db, sql, -1, 0, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return err_set(err, STATUS_CORRUPT, what, "has no answer to %s", sql);
    if (code != SQLITE_ROW)
        return sqlite_fail(db, code, what, err);
    *out = sqlite3_column_int64(statement, 0);
    return STATUS_OK;
}

/* SQLite says "UNIQUE constraint failed: trunk.id", "...: index 'by_name'" or, for a CHECK, the
 * constraint's name; for foreign keys nothing. */
static status_t fail_constraint(status_t status, const char *message, err_t *err)
{
    const char *colon = strstr(message, ": ");
    const char *name = colon == NULL ? message : colon + 2;
    char where[sizeof(err->where)];
    text_cut(where, sizeof(where), name);
    const char index[] = "index '";
    if (strncmp(where, index, sizeof(index) - 1) == 0) {
        text_cut(where, sizeof(where), name + sizeof(index) - 1);
        char *quote = strchr(where, '\'');
        if (quote != NULL)
            *quote = '\0';
    }
    return err_set(err, status, where, "%s", message);
}

static status_t status_of(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* a lock of the WAL, tried a hundred times */
        return STATUS_BUSY;
    case SQLITE_FULL:
        return STATUS_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STATUS_CORRUPT;
    case SQLITE_IOERR: {
        int number = db == NULL ? 0 : sqlite3_system_errno(db);
        return number == ENOSPC || number == EDQUOT ? STATUS_FULL : STATUS_SYSTEM;
    }
    default:
        return STATUS_SYSTEM;
    }
}

status_t sqlite_fail(sqlite3 *db, int code, const char *what, err_t *err)
{
    /* The message belongs to the connection's latest failure: only if that is ours is it of use. */
    const char *message = db != NULL && sqlite3_extended_errcode(db) == code ? sqlite3_errmsg(db)
                                                                             : sqlite3_errstr(code);
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return fail_constraint(STATUS_CONFLICT, message, err);
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL:
        return fail_constraint(STATUS_SYSTEM, message, err);
    default:
        break;
    }
    status_t status = status_of(db, code);
    if (status == STATUS_FULL && (code & 0xff) == SQLITE_IOERR)
        message = "no space left on its disk";
    return err_set(err, status, what, "%s (SQLite %d)", message, code);
}
