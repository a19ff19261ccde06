/* ds:Signature in the one form that SAML allows (SAML V2.0 Core 5.4, XML Signature 1.1): enveloped,
 * one reference to the element around it, exclusive C14N. */
#ifndef LK_AUTH_PROVIDER_SAML_SIGNATURE_H
#define LK_AUTH_PROVIDER_SAML_SIGNATURE_H

#include "services/auth-provider/saml/element.h"
#include "services/auth-provider/saml/key.h"
#include "services/auth-provider/saml/steps.h"

#include <openssl/evp.h>

enum {
    SIGNATURE_PREFIXES_MAX = 16,
    SIGNATURE_PREFIX_LIST_MAX = 256, /* bytes */
};

typedef struct {
    const char *uri;
    const EVP_MD *(*hash)(void);
    bool is_sha1;
} digest_method_t;

/* Namespaces to be written even if they seem unused: InclusiveNamespaces of exclusive C14N. */
typedef struct {
    char text[SIGNATURE_PREFIX_LIST_MAX + 1];
    xmlChar *list[SIGNATURE_PREFIXES_MAX + 1]; /* into text; NULL at the end */
} prefixes_t;

typedef struct {
    const char *whose; /* "Response" or "Assertion" */
    xmlNode *parent, *element, *info;
    xmlNode *key_info; /* NULL: there is none */
    const key_algorithm_t *algorithm;
    const digest_method_t *digest;
    prefixes_t info_prefixes, parent_prefixes;
    uint8_t digest_value[EVP_MAX_MD_SIZE];
    size_t digest_length;
    uint8_t value[KEY_SIGNATURE_MAX];
    size_t value_length;
} signature_t;

/* Step "signature_shape". Of the signature that stands in parent; *out points into the tree and
 * into itself: it must not move. */
bool signature_read(xmlNode *parent, xmlNode *element, bool allow_sha1, saml_verdict_t *verdict,
                    signature_t *out);

#endif
