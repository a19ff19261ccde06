/* The rows of a user's sealed HA1 values, which both services keep alike; the statements are
 * theirs. */
#ifndef LK_SERVICES_COMMON_SIP_DIGEST_ROWS_H
#define LK_SERVICES_COMMON_SIP_DIGEST_ROWS_H

#include "services/common/sip/family.h"

/* sip_family_t.find_digest. query: not bound; SELECT sealed by $1 auth_id, $2 generation, $3 realm,
 * $4 algorithm. The caller ends it. */
status_t digest_rows_find(query_t *query, const sip_user_t *user, int64_t generation,
                          const char *realm, const char *algorithm, uint8_t *out,
                          size_t *out_length, err_t *err) MUST_CHECK;
/* sip_family_t.has_realm. The same without $4; any row will do. */
status_t digest_rows_any(query_t *query, const sip_user_t *user, int64_t generation,
                         const char *realm, bool *out, err_t *err) MUST_CHECK;

#endif
