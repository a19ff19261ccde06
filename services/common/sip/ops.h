/* Handlers of call authorization, and their rows for a service's table (proto/sip.h). */
#ifndef LK_SERVICES_COMMON_SIP_OPS_H
#define LK_SERVICES_COMMON_SIP_OPS_H

#include "services/common/call.h"

void sip_ha1(call_t *call, store_t *reader);
void sip_source(call_t *call, store_t *reader);
bool sip_acl_is_slow(const call_t *call); /* always: it lists */
void sip_acl(call_t *call, store_t *reader);
bool sip_verify_is_slow(const call_t *call); /* scheme basic hashes */
void sip_verify(call_t *call, store_t *reader);
void sip_report(call_t *call, store_t *reader);
void sip_nonce(call_t *call, store_t *reader);
void sip_freeswitch(call_t *call, store_t *reader);
bool sip_asterisk_is_slow(const call_t *call); /* multi lists a table */
void sip_asterisk(call_t *call, store_t *reader);
bool sip_explain_is_slow(const call_t *call);
void sip_explain(call_t *call, store_t *reader);
bool sip_decisions_is_slow(const call_t *call); /* reads all of the ring */
void sip_decisions(call_t *call, store_t *reader);

#define SIP_HANDLERS(first_)                                                                       \
    [(first_) +                                                                                    \
        SIP_HA1] = {.read = sip_ha1},                                                              \
        [(first_) + SIP_SOURCE] = {.read = sip_source},                                            \
        [(first_) + SIP_ACL] = {.is_slow = sip_acl_is_slow, .read = sip_acl},                      \
        [(first_) + SIP_VERIFY] = {.is_slow = sip_verify_is_slow, .read = sip_verify},             \
        [(first_) + SIP_REPORT] = {.read = sip_report},                                            \
        [(first_) + SIP_NONCE] = {.read = sip_nonce},                                              \
        [(first_) + SIP_FREESWITCH] = {.read = sip_freeswitch},                                    \
        [(first_) + SIP_ASTERISK] = {.is_slow = sip_asterisk_is_slow, .read = sip_asterisk},       \
        [(first_) + SIP_EXPLAIN] = {.is_slow = sip_explain_is_slow, .read = sip_explain},          \
        [(first_) + SIP_DECISIONS] = {.is_slow = sip_decisions_is_slow, .read = sip_decisions}

#endif
