/* Whom it is about, and why whoever brings it may be taken for them. Next: conditions.c. */
#include "services/auth-provider/saml/claims.h"
#include "services/auth-provider/saml/times.h"

#include "common/text.h"

#include <string.h>

/* What was found of one bearer confirmation. */
typedef struct {
    saml_reason_t recipient, time, in_response_to;
    int64_t until_ms; /* 0: it does not say */
    char answers[SAML_ID_MAX + 1];
    char found_recipient[128 + 1]; /* for a person */
} confirmation_t;

static bool is_good(const confirmation_t *confirmation)
{
    return confirmation->recipient == SAML_NONE && confirmation->time == SAML_NONE &&
           confirmation->in_response_to == SAML_NONE;
}

static saml_reason_t take_attribute(const xmlNode *element, const char *name, char *out,
                                    size_t size)
{
    enum { CHARACTERS_MAX = 255 };
    AUTO(xml_release) char *text = xml_attribute(element, name);
    return claims_take(text, CHARACTERS_MAX, out, size);
}

/* Kept byte for byte, blanks too; nothing but blanks is no name. */
static saml_reason_t read_name_id(const xmlNode *subject, saml_claims_t *claims)
{
    const xmlNode *element = xml_first(subject, SAML_NS_ASSERTION, "NameID");
    AUTO(xml_release) char *text = element == NULL ? NULL : element_text(element);
    if (text == NULL || text[strspn(text, " \t\r\n")] == '\0' ||
        element_count(subject, SAML_NS_ASSERTION, "NameID") != 1)
        return SAML_NAME_ID_MISSING;
    const saml_reason_t reasons[] = {
        claims_take(text, SAML_NAME_ID_MAX, claims->name_id, sizeof(claims->name_id)),
        take_attribute(element, "Format", claims->name_id_format, sizeof(claims->name_id_format)),
        take_attribute(element, "NameQualifier", claims->name_qualifier,
                       sizeof(claims->name_qualifier)),
        take_attribute(element, "SPNameQualifier", claims->sp_name_qualifier,
                       sizeof(claims->sp_name_qualifier)),
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i] != SAML_NONE)
            return reasons[i];
    return SAML_NONE;
}

/* NotBefore should not be there at all (Profiles 4.1.4.2). It is, at some identity providers, and
 * does no harm once it has come. */
static saml_reason_t check_time(const saml_expect_t *expect, const xmlNode *data,
                                confirmation_t *out)
{
    int64_t from_ms = 0;
    status_t until = times_of(data, "NotOnOrAfter", &out->until_ms);
    status_t from = times_of(data, "NotBefore", &from_ms);
    if (until == STATUS_INVALID || from == STATUS_INVALID)
        return SAML_TIME_MALFORMED;
    if (until != STATUS_OK || expect->now_utc_ms - expect->skew_ms >= out->until_ms)
        return SAML_CONFIRMATION_EXPIRED;
    if (from == STATUS_OK && expect->now_utc_ms + expect->skew_ms < from_ms)
        return SAML_CONFIRMATION_NOT_YET;
    return SAML_NONE;
}

/* What it answers is what the signed bytes say. A Response that is not signed can't say it for
 * them, nor may it say something else. */
static saml_reason_t check_answer(const claims_source_t *source, const xmlNode *data,
                                  confirmation_t *out)
{
    const char *wanted = source->expect->in_response_to;
    AUTO(xml_release) char *outer = xml_attribute(source->response, "InResponseTo");
    AUTO(xml_release) char *inner = xml_attribute(data, "InResponseTo");
    if (outer != NULL && inner != NULL && strcmp(outer, inner) != 0)
        return SAML_IN_RESPONSE_TO_MISMATCH;
    if (outer != NULL && inner == NULL && !source->is_response_signed)
        return SAML_IN_RESPONSE_TO_MISMATCH;
    const char *answers = inner != NULL ? inner : outer;
    saml_reason_t reason = claims_take(answers, SAML_ID_MAX, out->answers, sizeof(out->answers));
    if (reason == SAML_NONE && answers != NULL && out->answers[0] == '\0')
        reason = SAML_IN_RESPONSE_TO_MISMATCH; /* "" answers nothing, and is not silence */
    if (reason == SAML_NONE && wanted != NULL && strcmp(out->answers, wanted) != 0)
        reason = SAML_IN_RESPONSE_TO_MISMATCH;
    return reason;
}

static confirmation_t read_confirmation(const claims_source_t *source, const xmlNode *element)
{
    confirmation_t found = {
        .recipient = SAML_RECIPIENT_MISMATCH,
        .time = SAML_CONFIRMATION_EXPIRED,
        .in_response_to = SAML_IN_RESPONSE_TO_MISMATCH,
    };
    const xmlNode *data = xml_first(element, SAML_NS_ASSERTION, "SubjectConfirmationData");
    if (data == NULL || element_count(element, SAML_NS_ASSERTION, "SubjectConfirmationData") != 1)
        return found;
    AUTO(xml_release) char *recipient = xml_attribute(data, "Recipient");
    if (recipient != NULL)
        text_cut(found.found_recipient, sizeof(found.found_recipient), recipient);
    if (recipient != NULL && strcmp(recipient, source->expect->acs_url) == 0)
        found.recipient = SAML_NONE;
    found.time = check_time(source->expect, data, &found);
    found.in_response_to = check_answer(source, data, &found);
    return found;
}

/* One that is good in all is enough; what two say together is not. With none, the first is shown.
 * An assertion that could come again by another of them is remembered until that ends. */
static bool choose(const claims_source_t *source, const xmlNode *subject, confirmation_t *out,
                   int64_t *out_until_ms)
{
    bool is_any = false;
    const xmlNode *at = xml_first(subject, SAML_NS_ASSERTION, "SubjectConfirmation");
    for (; at != NULL; at = xml_next(at, SAML_NS_ASSERTION, "SubjectConfirmation")) {
        if (!element_has(at, "Method", SAML_METHOD_BEARER))
            continue;
        confirmation_t found = read_confirmation(source, at);
        if (!is_any || (is_good(&found) && !is_good(out)))
            *out = found;
        if (found.until_ms > *out_until_ms)
            *out_until_ms = found.until_ms;
        is_any = true;
    }
    return is_any;
}

void claims_subject(const claims_source_t *source, saml_verdict_t *verdict)
{
    confirmation_t chosen = {0};
    int64_t until_ms = 0;
    const xmlNode *subject = xml_first(source->assertion, SAML_NS_ASSERTION, "Subject");
    if (!steps_add(verdict, "subject", subject == NULL ? SAML_SUBJECT_MISSING : SAML_NONE, NULL))
        return;
    steps_add(verdict, "name_id", read_name_id(subject, &verdict->claims), NULL);
    bool is_any = choose(source, subject, &chosen, &until_ms);
    if (!steps_add(verdict, "confirmation", is_any ? SAML_NONE : SAML_CONFIRMATION_MISSING, NULL))
        return;
    steps_add(verdict, "recipient", chosen.recipient, "%s",
              chosen.recipient == SAML_NONE ? "" : chosen.found_recipient);
    steps_add(verdict, "confirmation_time", chosen.time, NULL);
    steps_add(verdict, "in_response_to", chosen.in_response_to, NULL);
    memcpy(verdict->claims.in_response_to, chosen.answers, sizeof(chosen.answers));
    verdict->claims.replay_until_utc_ms = until_ms + source->expect->skew_ms;
}
