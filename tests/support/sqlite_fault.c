#include "tests/support/sqlite_fault.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned calls_left;
static int fault_code;
static bool fired;

void sqlite_fault_arm(unsigned nth, int code)
{
    calls_left = nth;
    fault_code = code;
    fired = false;
}

bool sqlite_fault_disarm(void)
{
    calls_left = 0;
    return fired;
}

static bool fails_now(void)
{
    if (calls_left == 0 || --calls_left > 0)
        return false;
    fired = true;
    return true;
}

int __real_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs);
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs);
int __real_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int length, unsigned flags,
                              sqlite3_stmt **out, const char **rest);
int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int length, unsigned flags,
                              sqlite3_stmt **out, const char **rest);
int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **message);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **message);
int __real_sqlite3_bind_text(sqlite3_stmt *statement, int n, const char *text, int length,
                             void (*destroy)(void *));
int __wrap_sqlite3_bind_text(sqlite3_stmt *statement, int n, const char *text, int length,
                             void (*destroy)(void *));
int __real_sqlite3_bind_blob64(sqlite3_stmt *statement, int n, const void *bytes,
                               sqlite3_uint64 length, void (*destroy)(void *));
int __wrap_sqlite3_bind_blob64(sqlite3_stmt *statement, int n, const void *bytes,
                               sqlite3_uint64 length, void (*destroy)(void *));
int __real_sqlite3_bind_int64(sqlite3_stmt *statement, int n, sqlite3_int64 value);
int __wrap_sqlite3_bind_int64(sqlite3_stmt *statement, int n, sqlite3_int64 value);
int __real_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *out_pages,
                                     int *out_moved);
int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *out_pages,
                                     int *out_moved);

/* Which failures of a statement SQLite answers with a rollback by itself:
 * sqlite.org/lang_transaction (response to errors within a transaction). */
static int fail_in(sqlite3 *db)
{
    int primary = fault_code & 0xff;
    if ((primary == SQLITE_FULL || primary == SQLITE_IOERR) && sqlite3_get_autocommit(db) == 0)
        (void)__real_sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return fault_code;
}

int __wrap_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs)
{
    if (!fails_now())
        return __real_sqlite3_open_v2(path, out, flags, vfs);
    *out = NULL;
    return fault_code;
}

int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int length, unsigned flags,
                              sqlite3_stmt **out, const char **rest)
{
    if (!fails_now())
        return __real_sqlite3_prepare_v3(db, sql, length, flags, out, rest);
    *out = NULL;
    return fault_code;
}

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    return fails_now() ? fail_in(sqlite3_db_handle(statement)) : __real_sqlite3_step(statement);
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **message)
{
    return fails_now() ? fail_in(db) : __real_sqlite3_exec(db, sql, row, context, message);
}

int __wrap_sqlite3_bind_text(sqlite3_stmt *statement, int n, const char *text, int length,
                             void (*destroy)(void *))
{
    return fails_now() ? fault_code : __real_sqlite3_bind_text(statement, n, text, length, destroy);
}

int __wrap_sqlite3_bind_blob64(sqlite3_stmt *statement, int n, const void *bytes,
                               sqlite3_uint64 length, void (*destroy)(void *))
{
    return fails_now() ? fault_code
                       : __real_sqlite3_bind_blob64(statement, n, bytes, length, destroy);
}

int __wrap_sqlite3_bind_int64(sqlite3_stmt *statement, int n, sqlite3_int64 value)
{
    return fails_now() ? fault_code : __real_sqlite3_bind_int64(statement, n, value);
}

int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *out_pages,
                                     int *out_moved)
{
    return fails_now() ? fault_code
                       : __real_sqlite3_wal_checkpoint_v2(db, name, mode, out_pages, out_moved);
}

void sqlite_fault_each(sqlite_fault_operation_t *operation, sqlite_fault_check_t *check,
                       void *context)
{
    static const int codes[] = {SQLITE_FULL, SQLITE_BUSY, SQLITE_IOERR_FSYNC, SQLITE_CORRUPT,
                                SQLITE_NOMEM};
    enum { MOST_CALLS = 100000 };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        for (unsigned nth = 1;; nth++) {
            if (nth > MOST_CALLS) {
                (void)fprintf(stderr, "an operation makes more than %d SQLite calls\n", MOST_CALLS);
                abort();
            }
            sqlite_fault_arm(nth, codes[i]);
            status_t status = operation(context);
            if (!sqlite_fault_disarm())
                break;
            check(context, codes[i], status);
        }
    }
}

status_t sqlite_fault_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return STATUS_FULL;
    case SQLITE_BUSY:
        return STATUS_BUSY;
    case SQLITE_CORRUPT:
        return STATUS_CORRUPT;
    default:
        return STATUS_SYSTEM;
    }
}
