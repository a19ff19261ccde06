#include "services/auth-provider/sso/pages.h"

#include "common/clock.h"
#include "services/auth-provider/sso/browser.h"
#include "services/auth-provider/sso/ops.h"

/* Below /sso, under whatever path that is reached. */
#define LOGOUT_FORM                                                                                \
    "<form method=\"post\" action=\"logout\"><button type=\"submit\">Log out</button></form>\n"

enum { SENTENCE_SIZE = TEXT_SIZE(SAML_NAME_ID_MAX) + 256 };

void page_session(call_t *call, const sso_session_t *session)
{
    char sentence[SENTENCE_SIZE], until[CLOCK_RFC3339_SIZE];
    err_t err = {0};
    clock_format_time(session->expires_at, until);
    status_t status =
        text_format(sentence, sizeof(sentence), "As %s, by %s, until %.10s, %.5s UTC.",
                    session->name_id, session->provider, until, until + sizeof("2018-02-02T") - 1);
    if (status == STATUS_OK) {
        browser_page(call, OUTCOME_OK, "You are logged in", sentence, LOGOUT_FORM);
        return;
    }
    (void)err_set(&err, status, "page", "has no room for who is logged in");
    call_fail(call, &err);
}

void sso_logged_out(call_t *call, store_t *reader)
{
    static const char *const sentences[] = {
        [LOGGED_OUT_THERE] = "Here, and at your identity provider.",
        [NOT_LOGGED_OUT_THERE] = "Here, but not at your identity provider: whoever uses this "
                                 "browser next may get in again by it. Log out there too.",
    };
    const sso_logged_out_query_t *query = call->query;
    (void)reader;
    browser_page(call, OUTCOME_OK, "You are logged out",
                 field_set(&query->fields, SSO_LOGGED_OUT_IDENTITY_PROVIDER)
                     ? sentences[query->identity_provider]
                     : "Whoever uses this browser next can't go on as you here.",
                 NULL);
}
