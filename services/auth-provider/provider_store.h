/* Authentication providers in the store. Knows nothing of requests: visibility and rules are
 * provider_ops's and provider_change's. Organizations are members of the record.
 *
 * err->where names what failed; statuses are those of query_step. Next: certificate_store.h, sql.c.
 */
#ifndef LK_SERVICES_AUTH_PROVIDER_PROVIDER_STORE_H
#define LK_SERVICES_AUTH_PROVIDER_PROVIDER_STORE_H

#include "proto/auth_provider.h"
#include "services/common/page.h"

/* STATUS_CONFLICT with *out_taken set: another provider has the short name. Fields that are not
 * given are stored as null. */
status_t provider_store_add(store_t *store, const provider_t *provider, bool *out_taken, err_t *err)
    MUST_CHECK;

/* STATUS_UNKNOWN if there is none; err is not set then. On failure *out is of no use. What the
 * store does not hold (URLs that are derived, warnings) is not given. */
status_t provider_store_get(store_t *store, const char *id, provider_t *out, err_t *err) MUST_CHECK;

/* Whose the short name is; STATUS_UNKNOWN as provider_store_get. */
status_t provider_store_named(store_t *store, const char *short_name, char out_id[UUID_SIZE],
                              err_t *err) MUST_CHECK;

/* Writes all but id, organization and time of creation; as provider_store_add. */
status_t provider_store_change(store_t *store, const provider_t *provider, bool *out_taken,
                               err_t *err) MUST_CHECK;

/* With its certificates. */
status_t provider_store_delete(store_t *store, const provider_t *provider, err_t *err) MUST_CHECK;

/* The time of creation for the next provider: page_stamp. */
status_t provider_store_stamp(store_t *store, int64_t now_utc_ms, int64_t *out, err_t *err)
    MUST_CHECK;

/* How many an organization has; NULL: all together. */
status_t provider_store_total(store_t *store, const char *organization_id, int64_t *out, err_t *err)
    MUST_CHECK;

/* A page of an organization's providers (NULL: of all) in that order. The caller ends the query. */
query_t *provider_store_page(store_t *store, const char *organization_id, provider_sort_t sort,
                             const page_t *page);
/* The one it stands on; as provider_store_get. */
status_t provider_store_read(query_t *page, provider_t *out, err_t *err) MUST_CHECK;

#endif
