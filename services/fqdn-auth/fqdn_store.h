/* FQDNs in the store. Knows nothing of requests: visibility and rules are fqdn_ops's.
 *
 * err->where names what failed; statuses are those of query_step. Next: sql.c. */
#ifndef LK_SERVICES_FQDN_AUTH_FQDN_STORE_H
#define LK_SERVICES_FQDN_AUTH_FQDN_STORE_H

#include "services/common/page.h"
#include "services/fqdn-auth/sql.h"

typedef struct {
    fqdn_t shown;
    char organization_id[UUID_SIZE]; /* the connection's */
} stored_fqdn_t;

/* Only those that fit; NULL, and 0 for the port: all do. */
typedef struct {
    const char *organization_id;
    const char *connection_id; /* folded */
    const char *fqdn;          /* folded */
    int64_t port;
    const char *dns_record_type;
} fqdn_filter_t;

/* Gives it its times too. In the write transaction. STATUS_CONFLICT: its connection has it already,
 * or is not there. */
status_t fqdn_store_add(store_t *store, stored_fqdn_t *fqdn, int64_t now_utc_ms, err_t *err)
    MUST_CHECK;

/* STATUS_UNKNOWN if there is none; err is not set then. */
status_t fqdn_store_get(store_t *store, const char *id, stored_fqdn_t *out, err_t *err) MUST_CHECK;

/* Writes all but id and time of creation; owner: whose it was before. STATUS_CONFLICT as above. */
status_t fqdn_store_change(store_t *store, stored_fqdn_t *fqdn, const char *owner,
                           int64_t now_utc_ms, err_t *err) MUST_CHECK;

status_t fqdn_store_delete(store_t *store, const stored_fqdn_t *fqdn, err_t *err) MUST_CHECK;

/* Takes a connection's FQDNs out of the totals: they go along with it. */
status_t fqdn_store_forget(store_t *store, const char *connection_id, const char *owner, err_t *err)
    MUST_CHECK;

/* How many a connection has. */
status_t fqdn_store_count(store_t *store, const char *connection_id, int64_t *out, err_t *err)
    MUST_CHECK;
/* A connection's first `limit`, oldest first. The caller frees out->items (mem_free). */
status_t fqdn_store_all(store_t *store, const char *connection_id, int64_t limit, records_t *out,
                        err_t *err) MUST_CHECK;

/* ---- Lists, newest first; the caller ends the query. organization_id NULL: of all. ---- */

query_t *fqdn_store_list(store_t *store, const char *organization_id, const page_t *page);
query_t *fqdn_store_find(store_t *store, const fqdn_filter_t *filter, int64_t limit,
                         int64_t offset);
/* How many rows these have. */
status_t fqdn_store_total(store_t *store, const char *organization_id, int64_t *out, err_t *err)
    MUST_CHECK;
status_t fqdn_store_found(store_t *store, const fqdn_filter_t *filter, int64_t *out, err_t *err)
    MUST_CHECK;

/* The row that a list stands on. */
status_t fqdn_store_read(query_t *row, stored_fqdn_t *out, err_t *err) MUST_CHECK;

#endif
