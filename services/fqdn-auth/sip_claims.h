/* Which connections claim a call by its source address and their methods: sip_family_t.find_claims.
 */
#ifndef LK_SERVICES_FQDN_AUTH_SIP_CLAIMS_H
#define LK_SERVICES_FQDN_AUTH_SIP_CLAIMS_H

#include "services/common/sip/family.h"

/* Those whose method the call satisfies, live or disabled; if there are none, others at that
 * address with what each of them lacks, some of them if they are many: for the reason. */
status_t sip_claims_find(const call_t *call, store_t *reader, const sip_source_t *source,
                         sip_claims_t *out, err_t *err) MUST_CHECK;

/* Whether an FQDN of the connection leads to the address. */
status_t sip_claims_comes_from(store_t *reader, const char *connection_id, const ipnet_t *address,
                               bool *out, err_t *err) MUST_CHECK;

#endif
