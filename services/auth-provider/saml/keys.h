/* Whose key a signature may be by: certificates, trusted by their bytes or by their fingerprint. */
#ifndef LK_AUTH_PROVIDER_SAML_KEYS_H
#define LK_AUTH_PROVIDER_SAML_KEYS_H

#include "services/auth-provider/saml/signature.h"

enum {
    KEYS_BROUGHT_MAX = 8, /* certificates that a signature may bring */
    KEYS_MAX = 32,        /* stored ones that are tried for a signature that brings none */
};

typedef struct {
    EVP_PKEY *key;
    const uint8_t *der; /* of the certificate that it is from */
    size_t length;
} signing_key_t;

typedef struct {
    certificate_t brought; /* what the one key is from, if it is trusted by its fingerprint */
    bool by_fingerprint;
    size_t count;
    signing_key_t keys[KEYS_MAX];
} keys_t;

/* Steps "certificate" and "key": the key of the first certificate in KeyInfo that is trusted; if
 * KeyInfo has none, those of all stored ones that fit. Other ways to name a key are not looked at.
 * before: those of another signature, or of none. *out points into expect, and must not move; the
 * caller frees with keys_clear. */
bool keys_find(const saml_expect_t *expect, const signature_t *signature, const keys_t *before,
               saml_verdict_t *verdict, keys_t *out);
void keys_clear(keys_t *keys);

#endif
