/* The parts of a Response, by their places: SAML V2.0 Core 3.3.3, Profiles 4.1.4.2. */
#ifndef LK_AUTH_PROVIDER_SAML_RESPONSE_H
#define LK_AUTH_PROVIDER_SAML_RESPONSE_H

#include "services/auth-provider/saml/element.h"
#include "services/auth-provider/saml/steps.h"

typedef struct {
    xmlNode *element;
    xmlNode *assertion;
    xmlNode *signature, *assertion_signature; /* NULL: not signed */
} response_t;

/* Step "response": one Response, one assertion, each element in its place, signatures nowhere else
 * and one at least. Points into the document. */
bool response_read(xmlDoc *document, saml_verdict_t *verdict, response_t *out);

#endif
