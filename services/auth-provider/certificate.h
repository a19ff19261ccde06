/* X.509 certificates as bytes: read, written, fingerprinted. Whether one is to be trusted is
 * decided elsewhere. By OpenSSL's libcrypto (RFC 5280, RFC 7468). */
#ifndef LK_AUTH_PROVIDER_CERTIFICATE_H
#define LK_AUTH_PROVIDER_CERTIFICATE_H

#include "proto/fingerprint.h"

#include <stdbool.h>

enum { CERTIFICATE_DER_MAX = 16384 };

typedef struct {
    uint8_t *der; /* owned: certificate_clear */
    size_t length;
    int64_t not_before_ms, not_after_ms; /* UTC */
    char fingerprint[FINGERPRINT_SIZE];  /* SHA-256, "AB:CD:..." */
} certificate_t;

/* The certificate that fills the bytes; they are copied. STATUS_INVALID: no X.509, more behind it,
 * a time that is none; STATUS_TOO_LARGE. */
status_t certificate_from_der(const uint8_t *der, size_t length, certificate_t *out) MUST_CHECK;

/* Base64 without anything around it but blanks, as XML signatures and some clients have it. */
status_t certificate_from_base64(const char *text, size_t length, certificate_t *out) MUST_CHECK;

/* One certificate in PEM, or its bare base64; nothing but blanks before and behind. */
status_t certificate_from_text(const char *text, size_t length, certificate_t *out) MUST_CHECK;

/* PEM with lines of 64 characters. The caller frees with mem_free. */
char *certificate_to_pem(const certificate_t *certificate);

/* "AB:CD:..." STATUS_SYSTEM if libcrypto refuses the hash (SHA-1 may be). */
status_t certificate_fingerprint(const certificate_t *certificate,
                                 fingerprint_algorithm_t algorithm, char out[FINGERPRINT_SIZE])
    MUST_CHECK;

/* What keeps answers that are signed with its key from being accepted, to stand after a field's
 * name: it is no RSA key of 2048 bits or more, nor an ECDSA key on P-256, P-384 or P-521. NULL:
 * nothing. */
const char *certificate_key_flaw(const certificate_t *certificate);

/* Whether the text is the certificate's fingerprint under that algorithm. One of another length
 * never is. */
bool certificate_matches(const certificate_t *certificate, fingerprint_algorithm_t algorithm,
                         const char *text, size_t length);

/* NULL-safe; frees what it owns and leaves zeroes. */
void certificate_clear(certificate_t *certificate);

#endif
