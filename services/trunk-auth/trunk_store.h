/* Trunks in the store. Knows nothing of requests: visibility and rules are trunk_ops's.
 *
 * err->where names what failed; statuses are those of query_step. Next: sql.c. */
#ifndef LK_SERVICES_TRUNK_AUTH_TRUNK_STORE_H
#define LK_SERVICES_TRUNK_AUTH_TRUNK_STORE_H

#include "proto/trunk_auth.h"
#include "services/common/store.h"

typedef struct {
    trunk_t shown; /* without its methods */
    char organization_id[UUID_SIZE];
} stored_trunk_t;

status_t trunk_store_add(store_t *store, const stored_trunk_t *trunk, err_t *err) MUST_CHECK;

/* STATUS_UNKNOWN if there is none; err is not set then. */
status_t trunk_store_get(store_t *store, const char *uuid, stored_trunk_t *out, err_t *err)
    MUST_CHECK;
/* Whose it is; as trunk_store_get. */
status_t trunk_store_organization(store_t *store, const char *uuid, char out[UUID_SIZE], err_t *err)
    MUST_CHECK;

/* Trunks of an organization (NULL: of all), oldest first. The caller ends the query. */
query_t *trunk_store_list(store_t *store, const char *organization_id, int64_t limit,
                          int64_t offset);
/* The one it stands on. */
status_t trunk_store_read(query_t *list, stored_trunk_t *out, err_t *err) MUST_CHECK;

/* Writes all but uuid, organization and time of creation. */
status_t trunk_store_replace(store_t *store, const trunk_t *trunk, err_t *err) MUST_CHECK;

/* With its methods and their digests. */
status_t trunk_store_delete(store_t *store, const char *uuid, err_t *err) MUST_CHECK;

#endif
