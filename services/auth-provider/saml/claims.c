/* The message: who sent it, to whom, with which word. Next: subject.c. */
#include "services/auth-provider/saml/claims.h"

#include "common/text.h"
#include "proto/checks.h"
#include "services/auth-provider/saml/times.h"

#include <string.h>

saml_reason_t claims_take(const char *text, long characters_max, char *out, size_t size)
{
    out[0] = '\0';
    size_t length = text == NULL ? 0 : strlen(text);
    if (length == 0)
        return SAML_NONE;
    long characters = text_utf8_length(text, length);
    return characters < 0 || characters > characters_max || check_printable(text, length) != NULL ||
                   text_copy(out, size, text, length) != STATUS_OK
               ? SAML_VALUE_TOO_LONG
               : SAML_NONE;
}

static void check_version(const claims_source_t *source, saml_verdict_t *verdict)
{
    int64_t issued_ms = 0;
    saml_reason_t reason = SAML_NONE;
    if (!element_has(source->response, "Version", "2.0") ||
        !element_has(source->assertion, "Version", "2.0"))
        reason = SAML_VERSION;
    else if (times_of(source->response, "IssueInstant", &issued_ms) != STATUS_OK ||
             times_of(source->assertion, "IssueInstant", &issued_ms) != STATUS_OK)
        reason = SAML_TIME_MALFORMED;
    steps_add(verdict, "version", reason, "%s",
              reason == SAML_TIME_MALFORMED ? "IssueInstant" : "");
}

static void check_id(const claims_source_t *source, saml_verdict_t *verdict)
{
    saml_claims_t *claims = &verdict->claims;
    AUTO(xml_release) char *id = xml_attribute(source->assertion, "ID");
    saml_reason_t reason =
        claims_take(id, SAML_ID_MAX, claims->assertion_id, sizeof(claims->assertion_id));
    if (reason == SAML_NONE && claims->assertion_id[0] == '\0')
        reason = SAML_NOT_A_RESPONSE;
    steps_add(verdict, "assertion_id", reason, NULL);
}

static void check_status(const claims_source_t *source, saml_verdict_t *verdict)
{
    const xmlNode *status = xml_first(source->response, SAML_NS_PROTOCOL, "Status");
    const xmlNode *code = status == NULL ? NULL : xml_first(status, SAML_NS_PROTOCOL, "StatusCode");
    bool good = code != NULL && element_has(code, "Value", SAML_STATUS_SUCCESS) &&
                element_count(status, SAML_NS_PROTOCOL, "StatusCode") == 1;
    steps_add(verdict, "status", good ? SAML_NONE : SAML_STATUS, NULL);
}

static void check_issuer(const claims_source_t *source, saml_verdict_t *verdict)
{
    const char *wanted = source->expect->idp_entity_id;
    const xmlNode *outer = xml_first(source->response, SAML_NS_ASSERTION, "Issuer");
    const xmlNode *inner = xml_first(source->assertion, SAML_NS_ASSERTION, "Issuer");
    const xmlNode *wrong = NULL;
    if (outer != NULL && !element_says(outer, wanted))
        wrong = outer;
    if (inner != NULL && !element_says(inner, wanted))
        wrong = inner;
    AUTO(xml_release) char *found = wrong == NULL ? NULL : element_text(wrong);
    bool good = inner != NULL && wrong == NULL && wanted[0] != '\0';
    steps_add(verdict, "issuer", good ? SAML_NONE : SAML_ISSUER_MISMATCH, "%s",
              found == NULL ? "" : found);
}

static void check_destination(const claims_source_t *source, saml_verdict_t *verdict)
{
    saml_reason_t reason = SAML_NONE;
    AUTO(xml_release) char *found = xml_attribute(source->response, "Destination");
    if (found == NULL && source->is_response_signed)
        reason = SAML_DESTINATION_MISSING;
    else if (found != NULL && strcmp(found, source->expect->acs_url) != 0)
        reason = SAML_DESTINATION_MISMATCH;
    steps_add(verdict, "destination", reason, "%s",
              reason == SAML_DESTINATION_MISMATCH ? found : "");
}

void claims_message(const claims_source_t *source, saml_verdict_t *verdict)
{
    check_id(source, verdict);
    check_version(source, verdict);
    check_status(source, verdict);
    check_issuer(source, verdict);
    check_destination(source, verdict);
}
