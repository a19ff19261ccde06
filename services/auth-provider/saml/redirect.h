/* SAML messages in URLs: the HTTP-Redirect binding (SAML V2.0 Bindings 3.4), DEFLATE encoding,
 * detached signatures. */
#ifndef LK_AUTH_PROVIDER_SAML_REDIRECT_H
#define LK_AUTH_PROVIDER_SAML_REDIRECT_H

#include "common/status.h"
#include "services/auth-provider/saml/sign.h"

#include <stdbool.h>
#include <stddef.h>

enum { REDIRECT_XML_MAX = 64 * 1024 }; /* bytes of an inflated message */

/* Writes where + ("?" or "&") + "SAMLRequest=..." (or SAMLResponse) + "&RelayState=..." (NULL:
 * none) and, with a signer (NULL: none), "&SigAlg=...&Signature=...". STATUS_TOO_LARGE. */
status_t redirect_url(const char *where, bool is_request, const char *xml, const char *relay_state,
                      const signer_t *signer, char *out, size_t size, err_t *err) MUST_CHECK;

/* What came in a URL. xml: the caller frees with mem_free. */
typedef struct {
    bool is_request;
    char *xml;
    size_t length;
    char relay_state[2048 + 1]; /* decoded; "" if there is none */
} redirect_message_t;

/* Reads a query as it was sent, and checks its signature by the key of one of the certificates
 * (DER); each parameter stands once. STATUS_INVALID: malformed; STATUS_REFUSED: unsigned, another
 * key's, an algorithm that is not allowed; STATUS_TOO_LARGE. */
status_t redirect_read(const char *query, const saml_certificate_t *certificates, size_t count,
                       bool allow_sha1, redirect_message_t *out, err_t *err) MUST_CHECK;

#endif
