/* Who may be given an HA1, or be answered for as a user: the rules before any password. Used
 * wherever a SIP server verifies by itself. Nothing here looks at a response; verify does. */
#ifndef LK_SERVICES_COMMON_SIP_ADMIT_H
#define LK_SERVICES_COMMON_SIP_ADMIT_H

#include "services/common/sip/family.h"

/* The user of that name, if nothing stands against it: not locked out; known, and the principal's
 * to see; live; and with policy all, the source is one of the subject's. source NULL: not given.
 * *out_reason: REASON_NONE, or what stands against it; *out then holds the user only where
 * out->subject is not "". */
status_t admit_user(const call_t *call, store_t *reader, const char *username,
                    const ipnet_t *source, sip_user_t *out, reason_t *out_reason, err_t *err)
    MUST_CHECK;

/* An address as a SIP server gives it. "": none, *out_given is then false. False: it can't be read,
 * which is to be denied. */
bool admit_source(const char *text, ipnet_t *out, bool *out_given) MUST_CHECK;

#endif
