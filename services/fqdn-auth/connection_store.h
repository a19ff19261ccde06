/* Connections in the store, without their authentication (auth_store.h). Knows nothing of requests:
 * visibility and rules are connection_ops's.
 *
 * err->where names what failed; statuses are those of query_step. Next: sql.c. */
#ifndef LK_SERVICES_FQDN_AUTH_CONNECTION_STORE_H
#define LK_SERVICES_FQDN_AUTH_CONNECTION_STORE_H

#include "services/common/page.h"
#include "services/fqdn-auth/sql.h"

typedef struct {
    connection_v2_t shown; /* but for what its authentication says: spelling.h fills that in */
    char organization_id[UUID_SIZE];
    bool has_auth;
} stored_connection_t;

/* Only those that fit; NULL: all do. */
typedef struct {
    const char *organization_id;
    const char *name_pattern; /* of LIKE, folded */
    const char *fqdn;         /* folded */
} connection_filter_t;

/* Gives it its times too. In the write transaction. */
status_t connection_store_add(store_t *store, stored_connection_t *connection, int64_t now_utc_ms,
                              err_t *err) MUST_CHECK;

/* STATUS_UNKNOWN if there is none; err is not set then. */
status_t connection_store_get(store_t *store, const char *id, stored_connection_t *out, err_t *err)
    MUST_CHECK;

/* Writes all but id, organization and time of creation. */
status_t connection_store_change(store_t *store, stored_connection_t *connection,
                                 int64_t now_utc_ms, err_t *err) MUST_CHECK;

/* With its authentication and FQDNs. */
status_t connection_store_delete(store_t *store, const stored_connection_t *connection, err_t *err)
    MUST_CHECK;

/* ---- Lists; the caller ends the query. organization_id NULL: of all. ---- */

query_t *connection_store_list(store_t *store, const char *organization_id, order_t order,
                               const page_t *page);
query_t *connection_store_find(store_t *store, const connection_filter_t *filter, order_t order,
                               int64_t limit, int64_t offset);
/* How many rows these have. */
status_t connection_store_total(store_t *store, const char *organization_id, int64_t *out,
                                err_t *err) MUST_CHECK;
status_t connection_store_found(store_t *store, const connection_filter_t *filter, int64_t *out,
                                err_t *err) MUST_CHECK;

/* The row that a list stands on. */
status_t connection_store_read(query_t *row, stored_connection_t *out, err_t *err) MUST_CHECK;

#endif
