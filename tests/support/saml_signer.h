/* An identity provider in a few lines: Responses, signed. It knows nothing of the verifier: what it
 * signs it writes in canonical form at once, and canonicalizes nothing. */
#ifndef LK_TESTS_SUPPORT_SAML_SIGNER_H
#define LK_TESTS_SUPPORT_SAML_SIGNER_H

#include "tests/support/issuer.h"

#include <stdbool.h>

#define SIGNER_RSA_SHA256 "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
#define SIGNER_SHA256     "http://www.w3.org/2001/04/xmlenc#sha256"

#define SIGNER_IDP      "https://idp.example.com/entity"
#define SIGNER_SP       "https://sp.example.com/sso/saml/metadata/acme"
#define SIGNER_ACS      "https://sp.example.com/sso/saml/auth/acme"
#define SIGNER_REQUEST  "_0123456789abcdef0123456789abcdef01234567"
#define SIGNER_NAME_ID  "alice@example.com"
#define SIGNER_NOW_TEXT "2026-03-01T12:00:00Z"
#define SIGNER_NOW_MS   INT64_C(1772366400000)

/* A good Response to SIGNER_REQUEST at SIGNER_NOW, in canonical form, with "@R" and "@A" where the
 * signatures of the Response (ID "_r1") and of the assertion (ID "_a1") go. */
extern const char signer_response[];

/* One text in the place of another, each time that it stands there. */
typedef struct {
    const char *find, *replace;
} signer_edit_t;

typedef struct {
    const issued_t *by;
    const char *method, *digest; /* URIs; NULL: RSA or ECDSA with SHA-256 by the key, SHA-256 */
    bool bare;                   /* without KeyInfo */
    const issued_t *shown;       /* the certificate in KeyInfo; NULL: by's */
    signer_edit_t info;          /* of SignedInfo, before it is signed; find NULL: none */
    signer_edit_t after;         /* of the signature, after that */
} signer_how_t;

/* The text with the edit made; aborts if there is nothing to edit. The caller frees (mem_free). */
char *signer_edited(const char *text, signer_edit_t edit);

/* The text with both signatures (NULL: not signed so) in their places; the caller frees. */
char *signer_signed(const char *text, const signer_how_t *response, const signer_how_t *assertion);

/* The signature of one canonical element, to be put into it; the caller frees. */
char *signer_signature(const char *element, const char *id, const signer_how_t *how);

/* Base64 without line breaks; the caller frees. */
char *signer_base64(const void *bytes, size_t length);

#endif
