/* Who calls, judged by the source address alone: one rule for both families (ADR 0029).
 *
 * Must never: look anything up, or end in anything but a denial where it does not know. */
#ifndef LK_SERVICES_COMMON_SIP_DECIDE_H
#define LK_SERVICES_COMMON_SIP_DECIDE_H

#include "services/common/sip/family.h"
#include "services/common/sip/trace.h"

/* Of all that claim a source (find_claims):
 *
 *   nobody                          unknown_source
 *   those that stand are of one     REASON_NONE: that one, by its narrowest claim
 *   those that stand are of several ambiguous_source; so are more claims than there is room for
 *   none stands                     the reason that is nearest to a yes, of its claim: what a call
 *                                   lacks (policy_needs_both, password_needed), what it has wrong
 *                                   (token, tech prefix), what is switched off, what has ended
 *
 * *out_claim: the one that decided; NULL where none did. trace may be NULL. */
reason_t decide_source(const sip_claims_t *claims, const sip_claim_t **out_claim,
                       sip_trace_t *trace);

#endif
