/* What the identity provider's answer comes to, whatever the verifier says: it is put in its place
 * here, so that each of its verdicts can be had. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "proto/auth_provider.h"
#include "services/auth-provider/saml/verify.h"
#include "services/auth-provider/setup.h"
#include "tests/support/issuer.h"
#include "tests/support/provider_desk.h"

#include <string.h>

#define PAGE    "'Accept': 'text/html'"
#define JSON    "'Accept': 'application/json'"
#define SECRET  "0123456789-_abcdefghijklmnopqrstuvwxyzABCDE"
#define ANOTHER "A123456789-_abcdefghijklmnopqrstuvwxyzABCDE"
#define COOKIE  "'Cookie': '__Host-lk-login=" SECRET "'"
#define OTHERS  "'Cookie': '__Host-lk-login=" ANOTHER "'"
#define DETAIL  "the signer of 10.0.0.1 is unknown"

static desk_t desk;
static char provider_id[UUID_SIZE];
static issued_t issued;
static char relay_state[64];

/* What the verifier is to say, and what it was asked. */
static struct {
    saml_reason_t reason;
    char in_response_to[SAML_ID_MAX + 1], assertion_id[SAML_ID_MAX + 1];
    int calls;
    char asked[64];
} verifier;

void __wrap_saml_verify(const saml_expect_t *expect, const char *base64, size_t length,
                        saml_verdict_t *out);
void __wrap_saml_verify(const saml_expect_t *expect, const char *base64, size_t length,
                        saml_verdict_t *out)
{
    verifier.calls++;
    assert_string_equal(expect->idp_entity_id, "https://idp.example/");
    assert_string_equal(expect->sp_entity_id, "https://lk.example/sso/saml/metadata/myorg");
    assert_string_equal(expect->acs_url, "https://lk.example/sso/saml/auth/myorg");
    assert_string_equal(expect->fingerprint, PRINT_20);
    assert_int_equal(expect->now_utc_ms, desk.now_utc_ms);
    assert_null(expect->in_response_to);
    assert_int_equal(text_copy(verifier.asked, sizeof(verifier.asked), base64, length), STATUS_OK);
    *out = (saml_verdict_t){.reason = verifier.reason};
    if (verifier.reason != SAML_NONE) {
        text_cut(out->detail, sizeof(out->detail), DETAIL);
        return;
    }
    saml_claims_t *claims = &out->claims;
    text_cut(claims->name_id, sizeof(claims->name_id), "ann<b>@example.org");
    text_cut(claims->in_response_to, sizeof(claims->in_response_to), verifier.in_response_to);
    text_cut(claims->assertion_id, sizeof(claims->assertion_id), verifier.assertion_id);
    claims->authn_instant_utc_ms = desk.now_utc_ms - 1000;
    claims->replay_until_utc_ms = desk.now_utc_ms + 300000;
    claims->certificate = (uint8_t *)mem_copy(issued.der, issued.length);
    claims->certificate_length = issued.length;
    claims->by_fingerprint = true;
}

void __wrap_saml_verdict_clear(saml_verdict_t *verdict);
void __wrap_saml_verdict_clear(saml_verdict_t *verdict)
{
    mem_free(verdict->claims.certificate);
    *verdict = (saml_verdict_t){0};
}

static int set_up(void **state)
{
    (void)state;
    provider_desk_open(&desk);
    desk_provider(&desk, "myorg", provider_id);
    issuer_make("idp.example", 1600000000, 2000000000, &issued);
    verifier.reason = SAML_NONE;
    verifier.calls = 0;
    text_cut(verifier.assertion_id, sizeof(verifier.assertion_id), "_a1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    issuer_free(&issued);
    provider_desk_close(&desk);
    return 0;
}

/* Begins a login in the browser with SECRET: the verifier's claims will answer it. */
static void login(const char *query)
{
    desk.head = "{" PAGE ", " COOKIE "}";
    assert_int_equal(desk_ask(&desk, SSO_LOGIN, "myorg", NULL, query), OUTCOME_ELSEWHERE);
    const char *at = strstr(desk_header(&desk, "Location"), "&RelayState=");
    text_cut(relay_state, sizeof(relay_state), at + strlen("&RelayState="));
    desk_text_of(&desk, "SELECT id FROM authn_request ORDER BY number DESC LIMIT 1",
                 verifier.in_response_to, sizeof(verifier.in_response_to));
}

static outcome_t post_as(const char *name, const char *head, const char *state)
{
    char body[1024];
    desk.head = head;
    assert_int_equal(
        text_format(body, sizeof(body), "{'SAMLResponse': 'PHNhbWw+', 'RelayState': '%s'}", state),
        STATUS_OK);
    return desk_ask(&desk, SSO_CONSUME, name, NULL, body);
}

static outcome_t post(const char *head)
{
    return post_as("myorg", head, relay_state);
}

static int64_t sessions(void)
{
    return desk_query(&desk, "SELECT COUNT(*) FROM sso_session");
}

/* The page has the event's number, and of the reason no word. */
static void assert_denied(const char *reason)
{
    char sql[256], id[64];
    assert_int_equal(desk.outcome, OUTCOME_DENIED);
    assert_null(desk_header(&desk, "Set-Cookie"));
    assert_null(desk_header(&desk, "Location"));
    assert_int_equal(text_format(sql, sizeof(sql),
                                 "SELECT CASE reason WHEN '%s' THEN id ELSE reason END FROM "
                                 "sso_event ORDER BY number DESC LIMIT 1",
                                 reason),
                     STATUS_OK);
    desk_text_of(&desk, sql, id, sizeof(id));
    const char *shown = desk.media == MEDIA_HTML ? json_string_value(desk.body) : desk.message;
    assert_non_null(shown);
    if (strstr(shown, id) == NULL)
        fail_msg("%s, not %s: %s", id, reason, shown);
    assert_null(strstr(shown, reason));
    assert_null(strstr(shown, "10.0.0.1"));
}

static void a_browser_goes_on_with_a_cookie(void **state)
{
    (void)state;
    login("return_to=/portal?a=b");
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_ELSEWHERE);
    assert_string_equal(verifier.asked, "PHNhbWw+");
    assert_string_equal(desk_header(&desk, "Location"), "/portal?a=b");
    const char *cookie = desk_header(&desk, "Set-Cookie");
    static const char name[] = "__Host-lk-session=",
                      end[] = "; Path=/; HttpOnly; Secure; SameSite=Lax";
    assert_memory_equal(cookie, name, strlen(name));
    assert_string_equal(cookie + strlen(name) + SSO_TOKEN_SIZE - 1, end);
    assert_int_equal(sessions(), 1);
    assert_int_equal(desk_query(&desk, "SELECT COUNT(*) FROM sso_event WHERE kind = 'login' AND "
                                       "reason IS NULL AND name_id = 'ann<b>@example.org'"),
                     1);
}

static void without_return_to_it_goes_to_the_settings(void **state)
{
    (void)state;
    login(NULL);
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_ELSEWHERE);
    assert_string_equal(desk_header(&desk, "Location"), "/sso/session");
}

static void a_program_gets_the_token(void **state)
{
    (void)state;
    login(NULL);
    assert_int_equal(post("{" JSON ", " COOKIE "}"), OUTCOME_OK);
    assert_int_equal(strlen(desk_text(&desk, "token")), SSO_TOKEN_SIZE - 1);
    assert_string_equal(desk_text(&desk, "name_id"), "ann<b>@example.org");
    assert_string_equal(desk_text(&desk, "provider"), "myorg");
    assert_string_equal(desk_text(&desk, "provider_id"), provider_id);
    assert_string_equal(desk_text(&desk, "organization_id"), DESK_ORGANIZATION);
    assert_null(desk_header(&desk, "Set-Cookie"));
    assert_int_equal(sessions(), 1);
}

static void another_browser_gets_nothing_and_spoils_nothing(void **state)
{
    (void)state;
    static const char *const heads[] = {"{" PAGE "}", "{" JSON "}", "{" PAGE ", " OTHERS "}"};
    login(NULL);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        assert_int_equal(post(heads[i]), OUTCOME_DENIED);
        assert_denied("browser_mismatch");
    }
    assert_int_equal(sessions(), 0);
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_ELSEWHERE);
    assert_int_equal(sessions(), 1);
}

static void a_wrong_relay_state_is_refused(void **state)
{
    (void)state;
    static const char *const states[] = {"", "x", "/portal", SECRET};
    login(NULL);
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        assert_int_equal(post_as("myorg", "{" PAGE ", " COOKIE "}", states[i]), OUTCOME_DENIED);
        assert_denied("relay_state_mismatch");
    }
    assert_int_equal(sessions(), 0);
}

static void an_answer_is_good_once(void **state)
{
    (void)state;
    login(NULL);
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_ELSEWHERE);
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_DENIED);
    assert_denied("request_used");
    login(NULL); /* another request, the same assertion */
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_DENIED);
    assert_denied("assertion_replayed");
    assert_int_equal(sessions(), 1);
}

static void what_the_verifier_refuses_is_refused(void **state)
{
    (void)state;
    login(NULL);
    for (int reason = 0; reason < SAML_REASON_COUNT; reason++) {
        verifier.reason = (saml_reason_t)reason;
        assert_int_equal(post(reason % 2 ? "{" PAGE ", " COOKIE "}" : "{" JSON ", " COOKIE "}"),
                         OUTCOME_DENIED);
        assert_denied(saml_reason_words[reason]);
    }
    assert_int_equal(sessions(), 0);
    assert_int_equal(
        desk_query(&desk, "SELECT COUNT(*) FROM sso_event WHERE detail = '" DETAIL "'"),
        SAML_REASON_COUNT);
    verifier.reason = SAML_NONE;
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_ELSEWHERE);
}

static void who_was_not_asked_needs_leave(void **state)
{
    (void)state;
    static const char *const ways[][2] = {
        {"/portal?x", "/portal?x"},
        {"", "/sso/session"},
        {"//evil.example", "/sso/session"},
        {"https://evil.example/", "/sso/session"},
        {"/\\\\evil.example", "/sso/session"},
        {"opaque", "/sso/session"},
    };
    verifier.in_response_to[0] = '\0';
    assert_int_equal(post_as("myorg", "{" PAGE "}", "/portal"), OUTCOME_DENIED);
    assert_denied("idp_initiated");
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, provider_id, NULL,
                              "{'settings': {'allow_idp_initiated': true}}"),
                     OUTCOME_OK);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        verifier.assertion_id[1] = (char)('b' + i);
        assert_int_equal(post_as("myorg", "{" PAGE "}", ways[i][0]), OUTCOME_ELSEWHERE);
        assert_string_equal(desk_header(&desk, "Location"), ways[i][1]);
    }
    assert_int_equal(sessions(), ARRAY_LEN(ways));
}

static void an_inactive_provider_logs_nobody_in(void **state)
{
    (void)state;
    login(NULL);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, provider_id, NULL, "{'active': false}"),
                     OUTCOME_OK);
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_DENIED);
    assert_denied("provider_inactive");
    assert_int_equal(verifier.calls, 0);
    assert_int_equal(sessions(), 0);
}

static void what_changes_meanwhile_counts(void **state)
{
    (void)state;
    char body[256];
    login(NULL);
    desk.head = "{" PAGE ", " COOKIE "}";
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'SAMLResponse': 'PHNhbWw+', 'RelayState': '%s'}", relay_state),
                     STATUS_OK);
    desk_call_t *call = desk_prepare(&desk, SSO_CONSUME, "myorg", NULL, body);
    assert_int_equal(verifier.calls, 1);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, provider_id, NULL, "{'active': false}"),
                     OUTCOME_OK);
    assert_int_equal(desk_finish(&desk, call), OUTCOME_DENIED);
    assert_denied("provider_inactive");

    call = desk_prepare(&desk, SSO_CONSUME, "myorg", NULL, body);
    assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, provider_id, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_finish(&desk, call), OUTCOME_UNKNOWN);
    assert_int_equal(sessions(), 0);
}

static void a_provider_that_is_none_is_404(void **state)
{
    (void)state;
    assert_int_equal(post_as("nobody", "{" PAGE ", " COOKIE "}", ""), OUTCOME_UNKNOWN);
    assert_int_equal(verifier.calls, 0);
}

static void plain_http_logs_nobody_in(void **state)
{
    (void)state;
    const void *settings = desk.keeper.settings;
    setup_t other = *(const setup_t *)settings;
    login(NULL);
    text_cut(other.public_url, sizeof(other.public_url), "http://lk.example");
    desk.keeper.settings = &other;
    assert_int_equal(post("{" PAGE ", " COOKIE "}"), OUTCOME_INTERNAL);
    desk.keeper.settings = settings;
    assert_int_equal(verifier.calls, 0);
    assert_int_equal(sessions(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_browser_goes_on_with_a_cookie),
        TEST(without_return_to_it_goes_to_the_settings),
        TEST(a_program_gets_the_token),
        TEST(another_browser_gets_nothing_and_spoils_nothing),
        TEST(a_wrong_relay_state_is_refused),
        TEST(an_answer_is_good_once),
        TEST(what_the_verifier_refuses_is_refused),
        TEST(who_was_not_asked_needs_leave),
        TEST(an_inactive_provider_logs_nobody_in),
        TEST(what_changes_meanwhile_counts),
        TEST(a_provider_that_is_none_is_404),
        TEST(plain_http_logs_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
