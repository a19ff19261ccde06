/* Authentication methods in the store. Knows nothing of requests: visibility and rules are
 * method_ops's and method_change's.
 *
 * err->where names what failed; statuses are those of query_step. Next: ranges.h, sql.c. */
#ifndef LK_SERVICES_TRUNK_AUTH_METHOD_STORE_H
#define LK_SERVICES_TRUNK_AUTH_METHOD_STORE_H

#include "proto/trunk_auth.h"
#include "services/common/store.h"
#include "services/common/credentials.h"

/* A method as answers show it (whether there is a password, never the password), and what they
 * don't show. */
typedef struct {
    method_t shown;
    char organization_id[UUID_SIZE];
    int64_t generation; /* of the current password */
} stored_method_t;

/* Whether its claim or its right to authorize has ended. */
bool method_store_expired(const method_t *method, int64_t now_utc_ms);

/* credentials: of a sipuser method; NULL for type ip, whose ip must be well-formed.
 * STATUS_CONFLICT with *out_taken set: another method has the user name. */
status_t method_store_add(store_t *store, const char *trunk_uuid, const method_t *method,
                          const credentials_t *credentials, bool *out_taken, err_t *err) MUST_CHECK;

/* STATUS_UNKNOWN if the trunk has no such method; err is not set then. */
status_t method_store_get(store_t *store, const char *trunk_uuid, const char *uuid,
                          stored_method_t *out, err_t *err) MUST_CHECK;

/* A trunk's methods, oldest first. The caller ends the query. */
query_t *method_store_list(store_t *store, const char *trunk_uuid, int64_t limit, int64_t offset);
/* The one it stands on. */
status_t method_store_read(query_t *list, method_t *out, err_t *err) MUST_CHECK;
/* The first `limit` of them at once. The caller frees out->items (mem_free). */
status_t method_store_all(store_t *store, const char *trunk_uuid, int64_t limit, records_t *out,
                          err_t *err) MUST_CHECK;
/* How many methods a trunk has. */
status_t method_store_count(store_t *store, const char *trunk_uuid, int64_t *out, err_t *err)
    MUST_CHECK;

/* Writes label, enabled, expires_at, ip and updated_on. */
status_t method_store_change(store_t *store, const method_t *method, err_t *err) MUST_CHECK;

/* Replaces the password at once: older ones and their digests are gone. */
status_t method_store_set_password(store_t *store, const credentials_t *credentials, err_t *err)
    MUST_CHECK;
/* Makes the current password (of that generation) the previous one until then, and the new one
 * current; a still older one is gone. */
status_t method_store_rotate(store_t *store, const credentials_t *credentials, int64_t generation,
                             int64_t previous_until, err_t *err) MUST_CHECK;

/* With its digests. */
status_t method_store_delete(store_t *store, const char *uuid, err_t *err) MUST_CHECK;

/* Whether some method has the user name now: spares a hash, decides nothing. */
status_t method_store_has_username(store_t *store, const char *username, bool *out, err_t *err)
    MUST_CHECK;

#endif
