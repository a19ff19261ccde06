/* Nonces of ours, for servers that want one: POST /nonce. Nothing of them is kept; whoever has the
 * seal's key knows one again, and when it was made. */
#ifndef LK_SERVICES_COMMON_SIP_NONCE_H
#define LK_SERVICES_COMMON_SIP_NONCE_H

#include "services/common/seal.h"

#include <stdbool.h>

/* "lk." and base64url (RFC 4648 section 5) of key id, milliseconds, random bytes, MAC. */
enum { NONCE_BYTES = 4 + 8 + 12 + 24, NONCE_TEXT_SIZE = 3 + NONCE_BYTES / 3 * 4 + 1 };

/* purpose: a service's name; its nonces are no other's. */
void nonce_make(const seal_t *seal, const char *purpose, int64_t now_utc_ms,
                char out[NONCE_TEXT_SIZE]);

typedef enum {
    NONCE_OURS,
    NONCE_FORGED, /* it looks like ours: altered, another service's, or of a key that is gone */
    NONCE_FOREIGN,
} nonce_origin_t;

/* *out_made_utc_ms: of NONCE_OURS alone. seal may be NULL: nothing is ours then.
 */
nonce_origin_t nonce_read(const seal_t *seal, const char *purpose, const char *nonce,
                          int64_t *out_made_utc_ms);

#endif
