/* Signatures over bytes, by the algorithms of XML Signature that we take (XML Signature 1.1 6.4,
 * RFC 9231): RSA (PKCS #1 v1.5, PSS) and ECDSA, with SHA-2, and with SHA-1 where a provider
 * opts in. HMAC never. Whose key is trusted is the caller's to know. Any thread. */
#ifndef LK_AUTH_PROVIDER_SAML_KEY_H
#define LK_AUTH_PROVIDER_SAML_KEY_H

#include "common/status.h"
#include "proto/saml_reason.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KEY_RSA_BITS_MIN = 2048,
    KEY_SIGNATURE_MAX = 2048, /* bytes of a signature: RSA with 16384 bits, which OpenSSL ends at */
};

typedef struct {
    const char *uri;
    const char *hash; /* OpenSSL's name */
    int key_type;     /* EVP_PKEY_RSA, EVP_PKEY_EC */
    bool is_sha1;
    bool is_pss; /* with MGF1 of the same hash and a salt as long as it: RFC 9231, 2.3.10 */
} key_algorithm_t;

/* The algorithm with that URI, static. SAML_NONE; SAML_SIGNATURE_ALGORITHM: none of ours;
 * SAML_SHA1_REFUSED. */
saml_reason_t key_algorithm(const char *uri, bool allow_sha1, const key_algorithm_t **out);

/* Whether a key fits the algorithm: SAML_NONE, SAML_KEY_TYPE, SAML_KEY_TOO_WEAK (RSA under
 * KEY_RSA_BITS_MIN, a curve that is none of P-256, P-384 and P-521). */
saml_reason_t key_check(const key_algorithm_t *algorithm, const EVP_PKEY *key);

/* Checks a SignatureValue by the key of a certificate, which must fill the DER: SAML_NONE; what
 * key_check says; SAML_CERTIFICATE_MALFORMED; SAML_SIGNATURE_INVALID. An ECDSA signature is r and s
 * side by side, each as long as the curve's order. */
saml_reason_t key_verify(const key_algorithm_t *algorithm, const uint8_t *der, size_t der_length,
                         const void *bytes, size_t length, const uint8_t *signature,
                         size_t signature_length);

/* The key of a certificate that fills the DER, or NULL; the caller frees with key_free. */
EVP_PKEY *key_read(const uint8_t *der, size_t length);
/* For AUTO. NULL-safe. */
void key_free(EVP_PKEY **key);

/* key_verify by a key that was read. */
saml_reason_t key_verify_by(const key_algorithm_t *algorithm, EVP_PKEY *key, const void *bytes,
                            size_t length, const uint8_t *signature, size_t signature_length);

/* Signs, in the same form. The key has passed key_check. STATUS_TOO_LARGE; STATUS_SYSTEM. */
status_t key_sign(const key_algorithm_t *algorithm, EVP_PKEY *key, const void *bytes, size_t length,
                  uint8_t *out, size_t size, size_t *out_length) MUST_CHECK;

#endif
