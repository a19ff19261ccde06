/* The inside of store_t and query_t, for store and query only. */
#ifndef LK_SERVICES_COMMON_CONNECTION_H
#define LK_SERVICES_COMMON_CONNECTION_H

#include "services/common/sqlite.h"
#include "services/common/store.h"

struct query {
    store_t *store;
    sqlite3_stmt *statement;
    int bind_code; /* of the first bind that failed */
    bool used;     /* since its last reset */
    bool on_row;
};

typedef enum {
    CONTROL_BEGIN_READ,
    CONTROL_LOOK,
    CONTROL_BEGIN,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_SAVE,
    CONTROL_KEEP,
    CONTROL_UNDO,
    CONTROL_COUNT,
} control_t;

struct store {
    const store_spec_t *spec;
    sqlite3 *db;
    query_t *queries; /* one for each of the spec's statements */
    sqlite3_stmt *controls[CONTROL_COUNT];
    err_t lost;          /* what ended the transaction by itself; STATUS_OK: nothing did */
    bool doomed;         /* a rollback failed: nothing of this transaction may be committed */
    bool read_wrong;     /* what its cache holds must be read again */
    int64_t wal_pages;   /* in the WAL after our latest commit, of all processes */
    int64_t moved_pages; /* of these, already in the database */
};

/* What a call of SQLite's on this connection has come to. */
status_t store_fail(store_t *store, int code, err_t *err);
/* Forgets what was read wrong. At the start of whatever reads. */
void store_reread(store_t *store);

#endif
