/* What signed bytes say, and whether it is so: SAML V2.0 Core 2, Profiles 4.1.4.3. All of it is
 * checked, for a person to read. */
#ifndef LK_AUTH_PROVIDER_SAML_CLAIMS_H
#define LK_AUTH_PROVIDER_SAML_CLAIMS_H

#include "services/auth-provider/saml/element.h"
#include "services/auth-provider/saml/steps.h"

typedef struct {
    const saml_expect_t *expect;
    const xmlNode *response; /* as it was digested; if it is not signed, as it came: then it can
                                only stand against a login */
    bool is_response_signed;
    const xmlNode *assertion; /* as it was digested */
} claims_source_t;

/* Steps "assertion_id", "version", "status", "issuer", "destination". */
void claims_message(const claims_source_t *source, saml_verdict_t *verdict);
/* Steps "subject", "name_id", "confirmation", "recipient", "confirmation_time", "in_response_to".
 */
void claims_subject(const claims_source_t *source, saml_verdict_t *verdict);
/* Steps "conditions", "conditions_time", "audience", "authn_statement", "session_time". After
 * claims_subject. */
void claims_conditions(const claims_source_t *source, saml_verdict_t *verdict);
/* Step "attributes". */
void claims_attributes(const claims_source_t *source, saml_verdict_t *verdict);

/* Takes a value that is stored; "" if text is NULL. What is wrong with it, or SAML_NONE:
 * too many code points or bytes, control characters. */
saml_reason_t claims_take(const char *text, long characters_max, char *out, size_t size);

#endif
