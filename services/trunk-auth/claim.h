/* The rules on the address of a method of type ip, as refusals. Next: ranges.h. */
#ifndef LK_SERVICES_TRUNK_AUTH_CLAIM_H
#define LK_SERVICES_TRUNK_AUTH_CLAIM_H

#include "proto/trunk_auth.h"
#include "services/common/verdict.h"

/* Rewrites a well-formed method->ip in canonical form. STATUS_CORRUPT if it is not well-formed:
 * contract and store have checked it. */
status_t claim_canonicalise(method_t *method, err_t *err) MUST_CHECK;

/* Whether this principal may claim the method's address at all. */
status_t claim_check_width(const call_t *call, const method_t *method, verdict_t *out, err_t *err)
    MUST_CHECK;

/* Whether another claim stands against the method's, which must not have expired. where: the field
 * of the body that brings it up. In the write transaction. */
status_t claim_check_free(const call_t *call, store_t *store, const char *trunk_uuid,
                          const method_t *method, const char *where, verdict_t *out, err_t *err)
    MUST_CHECK;

#endif
