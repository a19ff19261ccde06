/* The response of SIP digest: H(HA1:nonce:nc:cnonce:qop:HA2), or without qop H(HA1:nonce:HA2)
 * (RFC 7616 section 3.4.1, RFC 2617, RFC 2069; algorithms of RFC 8760). No I/O.
 *
 * Of qop there is "auth" alone: "auth-int" hashes a body that nobody hands to us. */
#ifndef LK_SERVICES_COMMON_SIP_RESPONSE_H
#define LK_SERVICES_COMMON_SIP_RESPONSE_H

#include "services/common/digest.h"

#include <stdbool.h>

enum { RESPONSE_TEXT_SIZE = 2 * HA1_SIZE_MAX + 1 };

typedef struct {
    digest_t hash;
    bool session; /* "-sess": HA1 is hashed once more, with nonce and cnonce */
} algorithm_t;

/* Reads "MD5", "SHA-256", "SHA-512-256", each also with "-sess", in any case of letters. False for
 * anything else, also for the empty name. */
bool algorithm_read(const char *name, algorithm_t *out) MUST_CHECK;

/* What a response is made of, byte for byte as it was sent, without the quotes. */
typedef struct {
    algorithm_t algorithm;
    const char *method;
    const char *uri;
    const char *nonce;
    const char *qop;    /* NULL: none, as in RFC 2069 */
    const char *nc;     /* with qop */
    const char *cnonce; /* with qop or "-sess" */
} response_facts_t;

/* ha1: lower-case hexadecimal, without "-sess". out: lower-case hexadecimal. STATUS_SYSTEM:
 * libcrypto refuses the algorithm. */
status_t response_compute(const response_facts_t *facts, const char *ha1,
                          char out[RESPONSE_TEXT_SIZE]) MUST_CHECK;

/* Whether that is the response that was given; no time tells how much of it is. Upper case is
 * wrong: a response has one form only, by which it can be known again. */
status_t response_matches(const response_facts_t *facts, const char *ha1, const char *given,
                          bool *out_right) MUST_CHECK;

#endif
