/* Self-signed certificates, made when a test needs them. */
#ifndef LK_TESTS_SUPPORT_ISSUER_H
#define LK_TESTS_SUPPORT_ISSUER_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t der[4096];
    size_t length;
    char base64[8192]; /* of the DER, without line breaks */
} issued_t;

/* For this host name (also its common name), from not_before to not_after (UTC seconds). Aborts on
 * failure; freed by issuer_free. */
void issuer_make(const char *host, int64_t not_before, int64_t not_after, issued_t *out);
/* The same with an RSA key of so many bits. */
void issuer_make_rsa(unsigned bits, const char *host, int64_t not_before, int64_t not_after,
                     issued_t *out);
/* The same for a key of one's own, which is then the issued one's. */
void issuer_make_of(EVP_PKEY *key, const char *host, int64_t not_before, int64_t not_after,
                    issued_t *out);
/* The private key in PEM, and its certificate behind it. */
void issuer_pem(const issued_t *issued, bool with_certificate, char *out, size_t size);
void issuer_free(issued_t *issued);

#endif
