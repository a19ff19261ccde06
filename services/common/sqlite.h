/* SQLite itself: how every connection of the project is set up, and what its errors mean.
 *
 * For store, query, migrate, backup and restore only: no other file includes sqlite3.h. */
#ifndef LK_SERVICES_COMMON_SQLITE_H
#define LK_SERVICES_COMMON_SQLITE_H

#include "common/status.h"

#include <sqlite3.h>
#include <stdint.h>

/* Opens an existing database for the one thread that will use it. what: its name in errors,
 * borrowed for the call. STATUS_SYSTEM if it can't be opened; STATUS_CORRUPT if it is no database.
 */
status_t sqlite_open(const char *path, int busy_ms, sqlite3 **out, const char *what, err_t *err)
    MUST_CHECK;
/* NULL-safe; clears *db. No statement may be left. */
void sqlite_close(sqlite3 **db);
/* For AUTO: finalizes and clears. */
void sqlite_finalize(sqlite3_stmt **statement);

/* Runs SQL text whose rows don't matter. */
status_t sqlite_execute(sqlite3 *db, const char *sql, const char *what, err_t *err) MUST_CHECK;
/* The first column of the first row of `sql`, as a number; STATUS_CORRUPT if there is no row. */
status_t sqlite_number(sqlite3 *db, const char *sql, int64_t *out, const char *what, err_t *err)
    MUST_CHECK;

/* What an (extended) result code of SQLite means, into err. Where a constraint stands against it,
 * err->where is its column list, index or name; else it is `what`. */
status_t sqlite_fail(sqlite3 *db, int code, const char *what, err_t *err);

#endif
