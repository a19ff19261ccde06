/* Our own key, for requests that identity providers want signed (LK_SAML_KEY_FILE). */
#ifndef LK_AUTH_PROVIDER_SAML_SIGN_H
#define LK_AUTH_PROVIDER_SAML_SIGN_H

#include "services/auth-provider/certificate.h"
#include "services/auth-provider/saml/verify.h"

typedef struct signer signer_t;

/* Reads a PEM file with an RSA (2048 bits or more) or NIST-curve key and its certificate.
 * STATUS_INVALID, STATUS_UNKNOWN (no such file), STATUS_REFUSED (readable by others). */
status_t signer_open(const char *path, signer_t **out, err_t *err) MUST_CHECK;
/* NULL-safe; clears *signer. */
void signer_close(signer_t **signer);

/* Borrowed. */
const certificate_t *signer_certificate(const signer_t *signer);
const char *signer_algorithm(const signer_t *signer); /* the URI of SigAlg, by SHA-256 */
/* Signs; *out_length is at most size. */
status_t signer_sign(const signer_t *signer, const void *bytes, size_t length, unsigned char *out,
                     size_t size, size_t *out_length, err_t *err) MUST_CHECK;

#endif
