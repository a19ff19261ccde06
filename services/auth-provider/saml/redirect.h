/* SAML messages in URLs: the HTTP-Redirect binding (SAML V2.0 Bindings 3.4), DEFLATE encoding,
 * detached signatures. Any thread. */
#ifndef LK_AUTH_PROVIDER_SAML_REDIRECT_H
#define LK_AUTH_PROVIDER_SAML_REDIRECT_H

#include "services/auth-provider/saml/sign.h"
#include "services/auth-provider/saml/verify.h"

#include <stdbool.h>
#include <stddef.h>

enum { REDIRECT_XML_MAX = 64 * 1024 }; /* bytes of an inflated message */

/* Writes where + ("?" or "&") + "SAMLRequest=..." (or SAMLResponse) + "&RelayState=..." (NULL:
 * none) and, with a signer (NULL: none), "&SigAlg=...&Signature=..."; a fragment of where stays at
 * the end. STATUS_TOO_LARGE: it does not fit, the message is over its bound, relay_state over
 * SAML_RELAY_STATE_MAX; out is then "". */
status_t redirect_url(const char *where, bool is_request, const char *xml, const char *relay_state,
                      const signer_t *signer, char *out, size_t size, err_t *err) MUST_CHECK;

/* What came in a URL. */
typedef struct {
    bool is_request;
    bool has_relay_state;
    char relay_state[SAML_RELAY_STATE_MAX + 1]; /* decoded */
    size_t length;
    char *xml; /* owned: redirect_clear; not looked at, but for its signature */
} redirect_message_t;

/* Reads a query as it was sent, and checks the signature over its own octets (Bindings 3.4.4.1) by
 * the key of any certificate that is not retired. Nothing is inflated before that. SAML_NONE, or:
 * LOGOUT_MESSAGE (malformed; a parameter that stands twice; another SAMLEncoding), LOGOUT_UNSIGNED,
 * MESSAGE_NOT_BASE64, MESSAGE_TOO_LARGE, VALUE_TOO_LONG (RelayState), SIGNATURE_ALGORITHM,
 * SHA1_REFUSED, CERTIFICATE_MISSING (we know none: a fingerprint does not help, as no certificate
 * travels), CERTIFICATE_RETIRED, KEY_TYPE and KEY_TOO_WEAK of the one that there is,
 * SIGNATURE_INVALID. */
saml_reason_t redirect_read(const char *query, const saml_certificate_t *certificates, size_t count,
                            bool allow_sha1, redirect_message_t *out) MUST_CHECK;

/* For AUTO. Frees and wipes. */
void redirect_clear(redirect_message_t *message);

#endif
