/* Who a token is, and its end. Next: session.c. */
#include "proto/record.h"
#include "services/auth-provider/sso/browser.h"
#include "services/auth-provider/sso/logout.h"
#include "services/auth-provider/sso/ops.h"
#include "services/auth-provider/sso/pages.h"
#include "services/auth-provider/sso/session.h"

/* No session, or none that can be had. */
static void fail(call_t *call, status_t status, const err_t *err)
{
    if (status == STATUS_UNKNOWN)
        session_refuse(call);
    else
        call_fail(call, err);
}

void sso_session_read(call_t *call, store_t *reader)
{
    err_t err = {0};
    login_session_t session;
    status_t status = session_find(call, reader, &session, &err);
    if (status != STATUS_OK)
        fail(call, status, &err);
    else if (browser_wants_page(call))
        page_session(call, &session.shown);
    else
        call_answer(call, &session.shown);
}

void sso_session_end(call_t *call, store_t *writer)
{
    err_t err = {0};
    sso_logout_t answer = {.logout_url = ""};
    const char *url = "";
    status_t status = logout_commit(call, writer, &url, &err);
    if (status != STATUS_OK) {
        fail(call, status, &err);
        return;
    }
    browser_take_session(call);
    if (url[0] == '\0')
        field_give_null(&answer.fields, SSO_LOGOUT_URL);
    else
        record_give_text(&sso_logout_schema, &answer, SSO_LOGOUT_URL, url);
    call_answer(call, &answer);
}
