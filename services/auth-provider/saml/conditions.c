/* For whom and how long it is meant, and that somebody did log in. Next: attributes.c. */
#include "services/auth-provider/saml/claims.h"
#include "services/auth-provider/saml/times.h"

#include <string.h>

static saml_reason_t check_period(const saml_expect_t *expect, const xmlNode *conditions,
                                  saml_claims_t *claims)
{
    int64_t from_ms = 0, until_ms = 0;
    status_t from = times_of(conditions, "NotBefore", &from_ms);
    status_t until = times_of(conditions, "NotOnOrAfter", &until_ms);
    if (from == STATUS_INVALID || until == STATUS_INVALID)
        return SAML_TIME_MALFORMED;
    if (from == STATUS_OK && expect->now_utc_ms + expect->skew_ms < from_ms)
        return SAML_CONDITIONS_NOT_YET;
    if (until == STATUS_OK && expect->now_utc_ms - expect->skew_ms >= until_ms)
        return SAML_CONDITIONS_EXPIRED;
    /* beyond its conditions nothing can come again */
    if (until == STATUS_OK && until_ms + expect->skew_ms < claims->replay_until_utc_ms)
        claims->replay_until_utc_ms = until_ms + expect->skew_ms;
    return SAML_NONE;
}

/* OneTimeUse is what we do anyway; ProxyRestriction binds those who pass assertions on. */
static bool are_known(const xmlNode *conditions)
{
    for (const xmlNode *at = element_first(conditions); at != NULL; at = element_next(at))
        if (!xml_is(at, SAML_NS_ASSERTION, "AudienceRestriction") &&
            !xml_is(at, SAML_NS_ASSERTION, "OneTimeUse") &&
            !xml_is(at, SAML_NS_ASSERTION, "ProxyRestriction"))
            return false;
    return element_is_frame(conditions);
}

static bool names(const xmlNode *restriction, const char *audience)
{
    for (const xmlNode *at = xml_first(restriction, SAML_NS_ASSERTION, "Audience"); at != NULL;
         at = xml_next(at, SAML_NS_ASSERTION, "Audience"))
        if (element_says(at, audience))
            return true;
    return false;
}

/* Each restriction must name us: Core 2.5.1.4. */
static saml_reason_t check_audience(const xmlNode *conditions, const char *audience)
{
    const xmlNode *at = xml_first(conditions, SAML_NS_ASSERTION, "AudienceRestriction");
    if (at == NULL)
        return SAML_AUDIENCE_MISSING;
    for (; at != NULL; at = xml_next(at, SAML_NS_ASSERTION, "AudienceRestriction"))
        if (!names(at, audience))
            return SAML_AUDIENCE_MISMATCH;
    return SAML_NONE;
}

static void check_conditions(const claims_source_t *source, saml_verdict_t *verdict)
{
    const xmlNode *conditions = xml_first(source->assertion, SAML_NS_ASSERTION, "Conditions");
    if (conditions == NULL) {
        steps_add(verdict, "conditions", SAML_CONDITIONS_MISSING, NULL);
        return;
    }
    steps_add(verdict, "conditions", are_known(conditions) ? SAML_NONE : SAML_CONDITION_UNKNOWN,
              NULL);
    steps_add(verdict, "conditions_time",
              check_period(source->expect, conditions, &verdict->claims), NULL);
    steps_add(verdict, "audience", check_audience(conditions, source->expect->sp_entity_id), NULL);
}

/* The earliest end counts. */
static saml_reason_t check_session(const saml_expect_t *expect, const xmlNode *statement,
                                   saml_claims_t *claims)
{
    int64_t until_ms = 0;
    status_t until = times_of(statement, "SessionNotOnOrAfter", &until_ms);
    if (until == STATUS_UNKNOWN)
        return SAML_NONE;
    if (until != STATUS_OK)
        return SAML_TIME_MALFORMED;
    if (expect->now_utc_ms - expect->skew_ms >= until_ms)
        return SAML_SESSION_EXPIRED;
    if (claims->session_until_utc_ms == 0 || until_ms < claims->session_until_utc_ms)
        claims->session_until_utc_ms = until_ms;
    return SAML_NONE;
}

static void check_authentication(const claims_source_t *source, saml_verdict_t *verdict)
{
    saml_claims_t *claims = &verdict->claims;
    const xmlNode *first = xml_first(source->assertion, SAML_NS_ASSERTION, "AuthnStatement");
    if (first == NULL) {
        steps_add(verdict, "authn_statement", SAML_AUTHN_STATEMENT_MISSING, NULL);
        return;
    }
    AUTO(xml_release) char *index = xml_attribute(first, "SessionIndex");
    saml_reason_t reason =
        claims_take(index, SAML_ID_MAX, claims->session_index, sizeof(claims->session_index));
    if (times_of(first, "AuthnInstant", &claims->authn_instant_utc_ms) != STATUS_OK)
        reason = SAML_TIME_MALFORMED;
    steps_add(verdict, "authn_statement", reason, NULL);
    reason = SAML_NONE;
    for (const xmlNode *at = first; at != NULL && reason == SAML_NONE;
         at = xml_next(at, SAML_NS_ASSERTION, "AuthnStatement"))
        reason = check_session(source->expect, at, claims);
    steps_add(verdict, "session_time", reason, NULL);
}

void claims_conditions(const claims_source_t *source, saml_verdict_t *verdict)
{
    check_conditions(source, verdict);
    check_authentication(source, verdict);
}
