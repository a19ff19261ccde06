/* One SQLite database per service, shared by all replicas on a host: connections, prepared
 * statements, transactions, checkpoints.
 *
 * A store_t is one connection and belongs to one thread. Every statement of a service stands in one
 * array, is prepared once per connection, and is named by its index. Placeholders are $1, $2, ...,
 * first used in ascending order (store_open checks it), so that the same text runs on PostgreSQL.
 *
 * Must never: checkpoint outside the gate (see gate.h: SQLite before 3.51.3 can lose acknowledged
 * rows), check uniqueness before an insert (the database's constraints do that), or log.
 * Next: gate.h, writer.h, backup.h. */
#ifndef LK_SERVICES_COMMON_STORE_H
#define LK_SERVICES_COMMON_STORE_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct store store_t;
typedef struct query query_t;

/* A numbered change of the database's shape: SQL text, embedded at build time from NNN-name.sql. */
typedef struct {
    int number; /* 1, 2, 3, ... without gaps */
    const char *name;
    const char *sql;
} migration_t;

/* What a service stores. Static. */
typedef struct {
    const char *file; /* "trunk-auth.db", below LK_DATA_DIR */
    const migration_t *migrations;
    size_t migration_count;
    const char *const *statements; /* indexed by the service's enum */
    size_t statement_count;
} store_spec_t;

typedef enum {
    STORE_READER,         /* read-only connection: PRAGMA query_only */
    STORE_READER_AT_ONCE, /* the same; a lock is never waited for, it is STATUS_BUSY */
    STORE_WRITER,         /* used only while the gate is held */
} store_role_t;

enum {
    STORE_PATH_SIZE = 1024,
    STORE_FILES = 2,            /* that a connection has open: the database and its WAL */
    STORE_CACHE_MIB = 16,       /* pages that a connection keeps, at most */
    STORE_READER_CACHE_MIB = 4, /* the same of a STORE_READER, of which a pool has many */
};

/* Where the database stands: directory + "/" + file, for gate_open. STATUS_TOO_LARGE. */
status_t store_path(const store_spec_t *spec, const char *directory, char out[STORE_PATH_SIZE],
                    err_t *err) MUST_CHECK;

/* Opens a connection and prepares all statements. WAL, synchronous=FULL, foreign_keys=ON,
 * wal_autocheckpoint=0, trusted_schema=OFF; double-quoted strings off. The database must have been
 * migrated (migrate.h). STATUS_REFUSED if its version is not ours; STATUS_CORRUPT if it is damaged;
 * STATUS_INVALID if a statement's placeholders are out of order; STATUS_SYSTEM. */
status_t store_open(const store_spec_t *spec, const char *directory, store_role_t role,
                    store_t **out, err_t *err) MUST_CHECK;
/* NULL-safe; clears *store. */
void store_close(store_t **store);

/* ---- Queries. The query is the connection's own: borrowed, one use of a statement at a time. ----
 */

/* The statement at `index`, reset and with all parameters NULL. Never fails. A statement that still
 * stands on a row is a bug (its rows are being read somewhere), and asserted. */
query_t *store_query(store_t *store, size_t index);

/* Bind parameter $n (from 1). Text and blobs are borrowed until query_end. NULL text binds NULL. */
void query_text(query_t *query, int n, const char *text);
void query_blob(query_t *query, int n, const void *bytes, size_t length);
void query_number(query_t *query, int n, int64_t value);
void query_null(query_t *query, int n);
/* Binds value, or NULL when is_null. */
void query_number_or_null(query_t *query, int n, int64_t value, bool is_null);

/* Runs to the next row: *out_row tells whether there is one. Errors:
 * STATUS_CONFLICT (unique, primary key: err->where is "table.column[, table.column]" or the index
 * on an expression; foreign key: SQLite names none), STATUS_BUSY, STATUS_FULL, STATUS_CORRUPT,
 * STATUS_SYSTEM (a CHECK or NOT NULL too: values are checked before they come here; err->where
 * names it). A failed bind shows here. */
status_t query_step(query_t *query, bool *out_row, err_t *err) MUST_CHECK;

/* For statements without rows: steps to the end; *out_changes (may be NULL) is the number of rows
 * changed. */
status_t query_run(query_t *query, int64_t *out_changes, err_t *err) MUST_CHECK;

/* Steps to the only row of a look-up. STATUS_UNKNOWN: there is none; err is not set then. */
status_t query_only_row(query_t *query, err_t *err) MUST_CHECK;

/* The number in the first column of the first row, such as a COUNT; *out is untouched where there
 * is no row, or NULL in it. */
status_t query_read_number(query_t *query, int64_t *out, err_t *err) MUST_CHECK;

/* Columns of the current row, from 0. Text is NUL-terminated and borrowed until the next step;
 * NULL reads as NULL and 0, an empty blob as NULL too. out_length may be NULL. */
const char *query_column_text(query_t *query, int column, size_t *out_length);
const void *query_column_blob(query_t *query, int column, size_t *out_length);
int64_t query_column_number(query_t *query, int column);
bool query_column_is_null(query_t *query, int column);
/* Copies a text column into out[size]; NULL copies as "". STATUS_CORRUPT if it does not fit. */
status_t query_copy_text(query_t *query, int column, char *out, size_t size, err_t *err) MUST_CHECK;

/* Resets the statement, so that it pins nothing. For AUTO: AUTO(query_end) query_t *q = ...; */
void query_end(query_t **query);

/* ---- Transactions ---- */

/* A read transaction, so that several queries see one state: that of now. Reader connections.
 * STATUS_BUSY: another program has locked the database. */
status_t store_begin_read(store_t *store, err_t *err) MUST_CHECK;
void store_end_read(store_t *store);

/* A write transaction (BEGIN IMMEDIATE). The caller holds the gate. A commit that fails has rolled
 * back. A full disk or a failed write may end the transaction early: then nothing of it is kept,
 * and store_save, store_keep and store_commit fail with what ended it until the next store_begin.
 */
status_t store_begin(store_t *store, err_t *err) MUST_CHECK;
status_t store_commit(store_t *store, err_t *err) MUST_CHECK;
void store_rollback(store_t *store);
/* A savepoint around one request of a group. Not nested. If undoing should fail, the whole
 * transaction is given up, as above. */
status_t store_save(store_t *store, err_t *err) MUST_CHECK;
status_t store_keep(store_t *store, err_t *err) MUST_CHECK; /* RELEASE */
void store_undo(store_t *store);                            /* ROLLBACK TO, RELEASE */

/* Moves the WAL into the database if at least least_pages of it wait there after this connection's
 * latest commit (0: in any case). Cheap when there is nothing to do: call it after each commit. The
 * caller holds the gate and no transaction is open on this connection. Readers may leave part of it
 * undone. STATUS_BUSY: somebody checkpoints outside the gate. */
status_t store_checkpoint(store_t *store, int64_t least_pages, err_t *err) MUST_CHECK;

#endif
