/* The assertion consumer service: what the identity provider's answer comes to. Verified in the
 * slow pool, decided in the write. Must never: log anybody in whom login_commit has not, or tell
 * the browser why. Next: saml/verify.c, login.c. */
#include "common/mem.h"
#include "proto/checks.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/browser.h"
#include "services/auth-provider/sso/login.h"
#include "services/auth-provider/sso/ops.h"
#include "services/common/prepared.h"

#include <sodium.h>
#include <string.h>

static const char refused[] = "You are not logged in";

/* What was found before the write. */
typedef struct {
    prepared_t prepared;
    trust_t trust;
    saml_verdict_t verdict;
} consume_t;

static void release(void *prepared)
{
    consume_t *consume = prepared;
    saml_verdict_clear(&consume->verdict);
    trust_clear(&consume->trust);
}

bool sso_consume_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

/* An inactive provider's answers are not worth the work. */
static void verify(const call_t *call, consume_t *consume)
{
    const saml_form_t *form = call->body;
    if (!consume->trust.provider.active)
        consume->verdict.reason = SAML_PROVIDER_INACTIVE;
    else
        saml_verify(&consume->trust.expect, form->saml_response, strlen(form->saml_response),
                    &consume->verdict);
}

void sso_consume_prepare(call_t *call, store_t *reader)
{
    const sso_path_t *path = call->path;
    const verdict_t none = {.outcome = OUTCOME_OK};
    err_t err = {0};
    if (!browser_may_log_in(call))
        return;
    consume_t *consume = prepared_keep(call, STATUS_OK, &none, &err, sizeof(*consume), release);
    status_t status = trust_by_name(reader, path->short_name, setup_public_url(call),
                                    call->now_utc_ms, &consume->trust, &err);
    if (status == STATUS_OK)
        verify(call, consume);
    else if (status == STATUS_UNKNOWN)
        browser_refuse_unknown(call);
    else
        call_fail(call, &err);
}

/* ---- the write ---- */

static status_t deny(call_t *call, store_t *writer, const consume_t *consume, err_t *err)
{
    const sso_head_t *head = call->head;
    const saml_verdict_t *verdict = &consume->verdict;
    char event_id[UUID_SIZE];
    const char *detail =
        verdict->detail[0] == '\0' ? saml_reason_message(verdict->reason) : verdict->detail;
    status_t status = login_deny(writer, consume->trust.provider.id, verdict->reason, detail,
                                 head->client, call->now_utc_ms, event_id, err);
    if (status == STATUS_OK)
        browser_fail(call, OUTCOME_DENIED, refused, event_id);
    return status;
}

/* A RelayState that we did not make says where to go on, if that is here. */
static const char *way_on(const call_t *call, const consume_t *consume,
                          const login_result_t *result)
{
    const saml_form_t *form = call->body;
    bool asked = consume->verdict.claims.in_response_to[0] != '\0';
    const char *path = asked ? result->return_to : form->relay_state;
    bool is_local = check_local_path(path, strlen(path)) == NULL;
    return is_local && strlen(path) <= SSO_RETURN_TO_MAX ? path : setup_return_to(call);
}

static status_t welcome(call_t *call, const consume_t *consume, const login_result_t *result,
                        err_t *err)
{
    const sso_session_t *session = &result->session.shown;
    if (!browser_wants_page(call)) {
        call_answer(call, session);
        return STATUS_OK;
    }
    browser_set_cookie(call, COOKIE_SESSION, session->token);
    status_t status = call_elsewhere(call, way_on(call, consume, result));
    return status == STATUS_OK ? status : err_set(err, status, "return_to", "can't be gone to");
}

/* The login's cookie stays until it expires: other tabs may need it. */
static status_t commit(call_t *call, store_t *writer, const consume_t *consume, err_t *err)
{
    const sso_head_t *head = call->head;
    const saml_form_t *form = call->body;
    char secret[SSO_TOKEN_SIZE];
    uint8_t browser[LOGIN_HASH_SIZE];
    bool came = browser_cookie(call, COOKIE_LOGIN, secret);
    if (came)
        login_hash(secret, strlen(secret), browser);
    const login_t login = {.trust = &consume->trust,
                           .claims = &consume->verdict.claims,
                           .browser = came ? browser : NULL,
                           .relay_state = form->relay_state,
                           .client = head->client,
                           .now_utc_ms = call->now_utc_ms,
                           .session_ms = setup_session_ms(call)};
    login_result_t *result = mem_zalloc(sizeof(*result));
    result->reason = SAML_PROVIDER_INACTIVE; /* until it is said otherwise */
    status_t status = login_commit(writer, &login, result, err);
    if (status == STATUS_OK && result->reason == SAML_NONE)
        status = welcome(call, consume, result, err);
    else if (status == STATUS_OK)
        browser_fail(call, OUTCOME_DENIED, refused, result->event_id);
    sodium_memzero(result, sizeof(*result));
    mem_free(result);
    sodium_memzero(secret, sizeof(secret));
    return status;
}

void sso_consume(call_t *call, store_t *writer)
{
    const consume_t *consume = call->state;
    err_t err = {0};
    if (!prepared_passes(call))
        return;
    bool is_good = consume->verdict.reason == SAML_NONE;
    status_t status =
        is_good ? commit(call, writer, consume, &err) : deny(call, writer, consume, &err);
    if (status == STATUS_UNKNOWN)
        browser_refuse_unknown(call);
    else if (status != STATUS_OK)
        call_fail(call, &err);
}
