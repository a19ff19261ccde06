/* Making, checking and upgrading a database at start.
 * Must never: open the database file outside SQLite once it exists (closing such a descriptor drops
 * this process's SQLite locks on it: POSIX locks work so). Next: store.c. */
#include "services/common/migrate.h"

#include "common/clock.h"
#include "services/common/gate.h"
#include "services/common/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { GATE_WAIT_MS = 30000, BUSY_MS = 10000, CHECK_WAIT_MS = 30000, CHECK_LOOK_MS = 20 };

/* Made here, so that nobody else can read it, and with O_EXCL: see above. SQLite gives its WAL the
 * same permissions. */
static status_t make_file(const char *path, err_t *err)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno != EEXIST)
        return err_errno(err, path, "the database cannot be made");
    if (file >= 0)
        (void)close(file);
    return STATUS_OK;
}

static status_t read_mode(sqlite3 *db, const char *sql, bool *out_wal, const char *path, err_t *err)
{
    AUTO(sqlite_finalize) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(db, sql, -1, 0, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return sqlite_fail(db, code, path, err);
    const unsigned char *mode = sqlite3_column_text(statement, 0);
    *out_wal = mode != NULL && strcmp((const char *)mode, "wal") == 0;
    return STATUS_OK;
}

/* The mode is part of the file: the next program to open it finds it. */
static status_t switch_to_wal(sqlite3 *db, const char *path, err_t *err)
{
    bool wal = false;
    status_t status = read_mode(db, "PRAGMA journal_mode=WAL", &wal, path, err);
    if (status == STATUS_OK && !wal)
        return err_set(err, STATUS_SYSTEM, path,
                       "its file system does not do shared memory: use a local disk");
    return status;
}

static status_t check_damage(sqlite3 *db, const char *path, err_t *err)
{
    AUTO(sqlite_finalize) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(db, "PRAGMA quick_check(1)", -1, 0, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return sqlite_fail(db, code, path, err);
    const unsigned char *found = sqlite3_column_text(statement, 0);
    if (found == NULL || strcmp((const char *)found, "ok") != 0)
        return err_set(err, STATUS_CORRUPT, path, "is damaged: restore a backup (quick_check: %s)",
                       found == NULL ? "no answer" : (const char *)found);
    return STATUS_OK;
}

/* Foreign keys are not enforced while a migration runs, so that it can rebuild a table. */
static status_t check_foreign_keys(sqlite3 *db, const migration_t *migration, err_t *err)
{
    AUTO(sqlite_finalize) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(db, "PRAGMA foreign_key_check", -1, 0, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return err_set(err, STATUS_CORRUPT, migration->name,
                       "would leave rows of table %s without their parent",
                       (const char *)sqlite3_column_text(statement, 0));
    return code == SQLITE_DONE ? STATUS_OK : sqlite_fail(db, code, migration->name, err);
}

static status_t change(sqlite3 *db, const migration_t *migration, err_t *err)
{
    status_t status = sqlite_execute(db, migration->sql, migration->name, err);
    if (status != STATUS_OK)
        return status;
    if (sqlite3_get_autocommit(db) != 0)
        return err_set(err, STATUS_INVALID, migration->name, "ends its own transaction");
    status = check_foreign_keys(db, migration, err);
    if (status != STATUS_OK)
        return status;
    char version[48];
    (void)sqlite3_snprintf(sizeof(version), version, "PRAGMA user_version=%d", migration->number);
    return sqlite_execute(db, version, migration->name, err);
}

static status_t apply(sqlite3 *db, const migration_t *migration, err_t *err)
{
    status_t status = sqlite_execute(db, "BEGIN IMMEDIATE", migration->name, err);
    if (status != STATUS_OK)
        return status;
    status = change(db, migration, err);
    if (status == STATUS_OK)
        status = sqlite_execute(db, "COMMIT", migration->name, err);
    if (status != STATUS_OK && sqlite3_get_autocommit(db) == 0)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static status_t apply_missing(const store_spec_t *spec, sqlite3 *db, size_t version,
                              const char *path, err_t *err)
{
    status_t status = check_damage(db, path, err);
    if (status == STATUS_OK)
        status = sqlite_execute(db, "PRAGMA foreign_keys=OFF", path, err);
    for (size_t i = version; i < spec->migration_count && status == STATUS_OK; i++) {
        assert(spec->migrations[i].number == (int)i + 1);
        status = apply(db, &spec->migrations[i], err);
    }
    return status;
}

status_t migrate_known(const store_spec_t *spec, int64_t version, const char *name, err_t *err)
{
    if (version >= 0 && version <= (int64_t)spec->migration_count)
        return STATUS_OK;
    return err_set(err, STATUS_REFUSED, name,
                   "has version %lld, this program knows up to %zu: use a newer program",
                   (long long)version, spec->migration_count);
}

/* Under the gate. */
static status_t bring_up(const store_spec_t *spec, const char *path, sqlite3 **out_db,
                         int64_t *out_version, err_t *err)
{
    int64_t version = 0;
    status_t status = make_file(path, err);
    if (status == STATUS_OK)
        status = sqlite_open(path, BUSY_MS, out_db, path, err);
    if (status == STATUS_OK)
        status = switch_to_wal(*out_db, path, err);
    if (status == STATUS_OK)
        status = sqlite_number(*out_db, "PRAGMA user_version", &version, path, err);
    if (status != STATUS_OK)
        return status;
    status = migrate_known(spec, version, path, err);
    if (status != STATUS_OK)
        return status;
    *out_version = version;
    return version < (int64_t)spec->migration_count
               ? apply_missing(spec, *out_db, (size_t)version, path, err)
               : STATUS_OK;
}

static status_t fail_damaged(status_t status, const char *path, err_t *err)
{
    if (status == STATUS_CORRUPT && err != NULL && strstr(err->text, "is damaged") == NULL &&
        strcmp(err->where, path) == 0) {
        char reason[sizeof(err->text)];
        memcpy(reason, err->text, sizeof(reason));
        return err_set(err, status, path, "is damaged or no database: restore a backup (%s)",
                       reason);
    }
    return status;
}

typedef struct {
    char path[STORE_PATH_SIZE];
    sqlite3 *db;
    int64_t version; /* that was found */
} upgrade_t;

static void end_upgrade(upgrade_t *upgrade)
{
    sqlite_close(&upgrade->db);
}

/* Whether there is nothing to bring up. Outside the gate: somebody may have been stopped in it, and
 * others can come and read nevertheless. */
static status_t look(const store_spec_t *spec, upgrade_t *upgrade, bool *out_ready, err_t *err)
{
    *out_ready = false;
    if (access(upgrade->path, F_OK) != 0)
        return STATUS_OK;
    bool wal = false;
    const char *path = upgrade->path;
    status_t status = sqlite_open(path, BUSY_MS, &upgrade->db, path, err);
    if (status == STATUS_OK)
        status = read_mode(upgrade->db, "PRAGMA journal_mode", &wal, path, err);
    if (status == STATUS_OK)
        status = sqlite_number(upgrade->db, "PRAGMA user_version", &upgrade->version, path, err);
    *out_ready = status == STATUS_OK && wal && upgrade->version == (int64_t)spec->migration_count;
    if (!*out_ready)
        sqlite_close(&upgrade->db);
    return status;
}

static status_t bring_up_in_gate(const store_spec_t *spec, upgrade_t *upgrade, err_t *err)
{
    AUTO(gate_close) gate_t *gate = NULL;
    status_t status = gate_open(upgrade->path, &gate, err);
    if (status == STATUS_OK)
        status = gate_take(gate, clock_ms() + GATE_WAIT_MS, err);
    if (status != STATUS_OK)
        return status;
    return bring_up(spec, upgrade->path, &upgrade->db, &upgrade->version, err);
}

/* Looks for damage, or waits for who does. */
static status_t settle(const upgrade_t *upgrade, int use, bool *out_first, err_t *err)
{
    int64_t until_ms = clock_ms() + CHECK_WAIT_MS;
    for (;;) {
        use_claim_t claim = use_claim(use);
        if (claim == USE_AMONG)
            return STATUS_OK;
        if (claim == USE_FIRST) {
            status_t status = check_damage(upgrade->db, upgrade->path, err);
            *out_first = status == STATUS_OK;
            if (status != STATUS_OK)
                use_settle(use, false);
            return status;
        }
        if (clock_ms() >= until_ms)
            return err_set(err, STATUS_TIMEOUT, upgrade->path,
                           "another process still looks for damage in it: is that one stopped?");
        (void)poll(NULL, 0, CHECK_LOOK_MS);
    }
}

status_t migrate(const store_spec_t *spec, const char *directory, int use, migrated_t *out,
                 err_t *err)
{
    AUTO(end_upgrade) upgrade_t upgrade = {.db = NULL};
    bool ready = false;
    bool first = false;
    status_t status = store_path(spec, directory, upgrade.path, err);
    if (status == STATUS_OK)
        status = look(spec, &upgrade, &ready, err);
    if (status == STATUS_OK && !ready)
        status = bring_up_in_gate(spec, &upgrade, err);
    if (status == STATUS_OK)
        status = settle(&upgrade, use, &first, err);
    if (status != STATUS_OK)
        return fail_damaged(status, upgrade.path, err);
    if (out != NULL)
        *out = (migrated_t){.version = upgrade.version, .first = first};
    else if (first)
        use_settle(use, true);
    return STATUS_OK;
}
