/* A user's HA1, opened from the store: whoever has it can pose as the user within its realm.
 *
 * Must never: reach a log or an error. Whoever opens one wipes it (ha1_wipe, by AUTO). */
#ifndef LK_SERVICES_COMMON_SIP_HA1_H
#define LK_SERVICES_COMMON_SIP_HA1_H

#include "services/common/sip/family.h"

typedef struct {
    char hex[SIP_HA1_TEXT_MAX + 1]; /* 32 or 64 lower-case digits, as RFC 7616 hashes on */
} ha1_text_t;

/* That of one generation of the user's password (sip_user_t.generation, or previous_generation).
 * STATUS_UNKNOWN: there is none, and *out_reason says why: realm_not_served or
 * algorithm_not_available (err is not set then). Anything else but STATUS_OK: the store or the seal
 * failed. *out is wiped unless STATUS_OK. */
status_t ha1_open(const call_t *call, store_t *reader, const sip_user_t *user, int64_t generation,
                  const char *realm, digest_t algorithm, ha1_text_t *out, reason_t *out_reason,
                  err_t *err) MUST_CHECK;

/* The work of ha1_open for a user who has one, in vain: so that no time tells who has. out is no
 * HA1 of anybody; what is made of it must not be compared with anything that counts. */
status_t ha1_stand_in(const call_t *call, store_t *reader, const char *realm, digest_t algorithm,
                      ha1_text_t *out, err_t *err) MUST_CHECK;

/* For AUTO. */
void ha1_wipe(ha1_text_t *ha1);

/* Whether the realm is among those of the settings. */
bool ha1_serves_realm(const keeper_t *keeper, const char *realm);

#endif
