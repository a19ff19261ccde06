/* The bytes that a signature covers: the only ones that are believed. */
#ifndef LK_AUTH_PROVIDER_SAML_SIGNED_BYTES_H
#define LK_AUTH_PROVIDER_SAML_SIGNED_BYTES_H

#include "services/auth-provider/saml/keys.h"

/* Canonical bytes: what is signed, with what canonicalization adds to it. */
enum { SIGNED_BYTES_MAX = 2 * SAML_MESSAGE_MAX };

typedef struct {
    char *bytes; /* owned */
    size_t length, size;
    bool overflowed;
} signed_bytes_t;

/* Steps "digest" and "signature": canonicalizes the signature's parent without the signature,
 * compares its digest, verifies SignedInfo by one of the keys. On success *out holds the bytes that
 * were digested (the caller frees with signed_bytes_clear) and *out_key whose key it was. */
bool signed_bytes_check(const signature_t *signature, const keys_t *keys, saml_verdict_t *verdict,
                        signed_bytes_t *out, const signing_key_t **out_key);

/* For AUTO: frees and wipes. */
void signed_bytes_clear(signed_bytes_t *bytes);

#endif
