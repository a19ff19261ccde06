/* Connections, transactions and checkpoints of one service's database.
 * Must never: checkpoint or write outside the gate; commit what could not be rolled back.
 * Next: query.c, gate.c. */
#include "services/common/connection.h"

#include "common/mem.h"
#include "common/text.h"

#include <assert.h>

enum {
    READER_BUSY_MS = 1000,
    WRITER_BUSY_MS = 5000,
    RESTART_BUSY_MS = 100,
    RESTART_PAGES = 16000, /* 64 MiB: readers keep the WAL from starting over */
};

static const char *const control_sql[CONTROL_COUNT] = {
    [CONTROL_BEGIN_READ] = "BEGIN",      [CONTROL_LOOK] = "SELECT 1 FROM sqlite_schema LIMIT 1",
    [CONTROL_BEGIN] = "BEGIN IMMEDIATE", [CONTROL_COMMIT] = "COMMIT",
    [CONTROL_ROLLBACK] = "ROLLBACK",     [CONTROL_SAVE] = "SAVEPOINT request",
    [CONTROL_KEEP] = "RELEASE request",  [CONTROL_UNDO] = "ROLLBACK TO request",
};

status_t store_path(const store_spec_t *spec, const char *directory, char out[STORE_PATH_SIZE],
                    err_t *err)
{
    status_t status = text_format(out, STORE_PATH_SIZE, "%s/%s", directory, spec->file);
    if (status != STATUS_OK)
        return err_set(err, status, spec->file, "its directory's name is too long");
    return STATUS_OK;
}

/* SQLite numbers $1, $2, ... by first appearance; only in ascending order is $n parameter n. */
static bool placeholders_in_order(sqlite3_stmt *statement)
{
    int count = sqlite3_bind_parameter_count(statement);
    for (int n = 1; n <= count; n++) {
        char wanted[16];
        const char *name = sqlite3_bind_parameter_name(statement, n);
        if (text_format(wanted, sizeof(wanted), "$%d", n) != STATUS_OK || name == NULL ||
            sqlite3_stricmp(name, wanted) != 0)
            return false;
    }
    return true;
}

static status_t prepare_query(store_t *store, size_t index, err_t *err)
{
    char what[128];
    if (text_format(what, sizeof(what), "%s statement %zu", store->spec->file, index) != STATUS_OK)
        text_cut(what, sizeof(what), store->spec->file);
    const char *sql = store->spec->statements[index];
    if (sql == NULL)
        return err_set(err, STATUS_INVALID, what, "is missing");
    query_t *query = &store->queries[index];
    query->store = store;
    const char *rest = NULL;
    int code =
        sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &query->statement, &rest);
    if (code != SQLITE_OK)
        return sqlite_fail(store->db, code, what, err);
    if (query->statement == NULL || *rest != '\0')
        return err_set(err, STATUS_INVALID, what, "is not exactly one statement");
    if (!placeholders_in_order(query->statement))
        return err_set(err, STATUS_INVALID, what, "its placeholders are not $1, $2, ... in order");
    return STATUS_OK;
}

static status_t prepare_all(store_t *store, err_t *err)
{
    for (size_t i = 0; i < CONTROL_COUNT; i++) {
        int code = sqlite3_prepare_v3(store->db, control_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &store->controls[i], NULL);
        if (code != SQLITE_OK)
            return sqlite_fail(store->db, code, store->spec->file, err);
    }
    store->queries = mem_array(store->spec->statement_count, sizeof(*store->queries));
    status_t status = STATUS_OK;
    for (size_t i = 0; i < store->spec->statement_count && status == STATUS_OK; i++)
        status = prepare_query(store, i, err);
    return status;
}

static status_t check_version(store_t *store, err_t *err)
{
    int64_t version = 0;
    const char *file = store->spec->file;
    status_t status = sqlite_number(store->db, "PRAGMA user_version", &version, file, err);
    if (status == STATUS_OK && version != (int64_t)store->spec->migration_count)
        return err_set(err, STATUS_REFUSED, file,
                       "has version %lld, this program works with version %zu", (long long)version,
                       store->spec->migration_count);
    return status;
}

static status_t set_role(store_t *store, store_role_t role, err_t *err)
{
    char sql[64];
    int mib = role == STORE_READER ? STORE_READER_CACHE_MIB : STORE_CACHE_MIB;
    (void)sqlite3_snprintf(sizeof(sql), sql, "PRAGMA query_only=%d; PRAGMA cache_size=-%d",
                           role != STORE_WRITER, mib * 1024);
    return sqlite_execute(store->db, sql, store->spec->file, err);
}

static int note_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    store_t *store = context;
    store->wal_pages = pages;
    return SQLITE_OK;
}

status_t store_open(const store_spec_t *spec, const char *directory, store_role_t role,
                    store_t **out, err_t *err)
{
    char path[STORE_PATH_SIZE];
    status_t status = store_path(spec, directory, path, err);
    if (status != STATUS_OK)
        return status;
    AUTO(store_close) store_t *store = mem_zalloc(sizeof(*store));
    store->spec = spec;
    int busy_ms = role == STORE_WRITER ? WRITER_BUSY_MS : READER_BUSY_MS;
    status = sqlite_open(path, busy_ms, &store->db, spec->file, err);
    if (status == STATUS_OK)
        status = check_version(store, err);
    if (status == STATUS_OK)
        status = set_role(store, role, err);
    if (status == STATUS_OK)
        status = prepare_all(store, err);
    if (status != STATUS_OK)
        return status;
    if (role == STORE_READER_AT_ONCE)
        (void)sqlite3_busy_timeout(store->db, 0);
    (void)sqlite3_wal_hook(store->db, note_commit, store);
    *out = TAKE(store);
    return STATUS_OK;
}

void store_close(store_t **store)
{
    store_t *closing = *store;
    if (closing == NULL)
        return;
    for (size_t i = 0; closing->queries != NULL && i < closing->spec->statement_count; i++)
        sqlite_finalize(&closing->queries[i].statement);
    for (size_t i = 0; i < CONTROL_COUNT; i++)
        sqlite_finalize(&closing->controls[i]);
    sqlite_close(&closing->db);
    mem_free(closing->queries);
    mem_free(closing);
    *store = NULL;
}

static int control(store_t *store, control_t which)
{
    sqlite3_stmt *statement = store->controls[which];
    int code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* SQLite ends a transaction by itself when a write fails for lack of room, and what follows would
 * then be committed one by one. */
static bool in_transaction(const store_t *store)
{
    return sqlite3_get_autocommit(store->db) == 0;
}

static status_t fail_lost(const store_t *store, err_t *err)
{
    if (store->lost.status != STATUS_OK)
        return err_set(err, store->lost.status, store->lost.where, "%s", store->lost.text);
    return err_set(err, STATUS_SYSTEM, store->spec->file, "the transaction was rolled back");
}

/* A page that was read wrong must not be believed for ever: SQLite keeps it until another
 * connection writes. */
status_t store_fail(store_t *store, int code, err_t *err)
{
    int kind = code & 0xff;
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_IOERR)
        store->read_wrong = true;
    if (!in_transaction(store))
        (void)sqlite_fail(store->db, code, store->spec->file, &store->lost);
    return sqlite_fail(store->db, code, store->spec->file, err);
}

void store_reread(store_t *store)
{
    if (store->read_wrong)
        (void)sqlite3_db_release_memory(store->db);
    store->read_wrong = false;
}

static status_t begin(store_t *store, control_t how, err_t *err)
{
    assert(!in_transaction(store) || store->doomed);
    if (store->doomed)
        store_rollback(store);
    store->lost.status = STATUS_OK;
    store_reread(store);
    int code = store->doomed ? SQLITE_BUSY : control(store, how);
    return code == SQLITE_OK ? STATUS_OK : store_fail(store, code, err);
}

status_t store_begin_read(store_t *store, err_t *err)
{
    status_t status = begin(store, CONTROL_BEGIN_READ, err);
    if (status != STATUS_OK)
        return status;
    int code = control(store, CONTROL_LOOK); /* BEGIN alone looks at nothing, and locks nothing */
    if (code == SQLITE_OK || code == SQLITE_ROW)
        return STATUS_OK;
    status = store_fail(store, code, err);
    store_rollback(store);
    return status;
}

void store_end_read(store_t *store)
{
    if (in_transaction(store) && control(store, CONTROL_COMMIT) != SQLITE_OK)
        store_rollback(store);
}

status_t store_begin(store_t *store, err_t *err)
{
    return begin(store, CONTROL_BEGIN, err);
}

void store_rollback(store_t *store)
{
    if (in_transaction(store))
        (void)control(store, CONTROL_ROLLBACK);
    store->lost.status = STATUS_OK;
    store->doomed = in_transaction(store);
}

status_t store_commit(store_t *store, err_t *err)
{
    status_t status = STATUS_OK;
    if (store->doomed || !in_transaction(store)) {
        status = fail_lost(store, err);
    } else {
        int code = control(store, CONTROL_COMMIT);
        if (code == SQLITE_OK)
            return STATUS_OK;
        status = store_fail(store, code, err);
    }
    store_rollback(store);
    return status;
}

static status_t within_transaction(store_t *store, control_t what, err_t *err)
{
    if (store->doomed || !in_transaction(store))
        return fail_lost(store, err);
    int code = control(store, what);
    return code == SQLITE_OK ? STATUS_OK : store_fail(store, code, err);
}

status_t store_save(store_t *store, err_t *err)
{
    return within_transaction(store, CONTROL_SAVE, err);
}

status_t store_keep(store_t *store, err_t *err)
{
    return within_transaction(store, CONTROL_KEEP, err);
}

void store_undo(store_t *store)
{
    if (!in_transaction(store) || store->doomed)
        return;
    int code = control(store, CONTROL_UNDO);
    if (code == SQLITE_OK)
        code = control(store, CONTROL_KEEP);
    if (code == SQLITE_OK)
        return;
    store_rollback(store);
    (void)sqlite_fail(store->db, code, store->spec->file, &store->lost);
}

/* A WAL that never is free of readers never starts over, and grows: then the readers that hold it
 * are waited for, a little. */
static int checkpoint(store_t *store, bool restart, int *out_pages, int *out_moved)
{
    if (!restart)
        return sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, out_pages,
                                         out_moved);
    (void)sqlite3_busy_timeout(store->db, RESTART_BUSY_MS);
    int code =
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_RESTART, out_pages, out_moved);
    (void)sqlite3_busy_timeout(store->db, WRITER_BUSY_MS);
    return code == SQLITE_BUSY ? SQLITE_OK : code;
}

status_t store_checkpoint(store_t *store, int64_t least_pages, err_t *err)
{
    assert(!in_transaction(store));
    if (store->wal_pages < store->moved_pages)
        store->moved_pages = 0; /* it has started over */
    if (store->wal_pages - store->moved_pages < least_pages)
        return STATUS_OK;
    int pages = 0;
    int moved = 0;
    int code = checkpoint(store, store->wal_pages >= RESTART_PAGES, &pages, &moved);
    if (code != SQLITE_OK)
        return store_fail(store, code, err);
    store->wal_pages = pages;
    store->moved_pages = moved;
    return STATUS_OK;
}
