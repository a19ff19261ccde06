/* What the stores of single sign-on keep, for how long, and how much of it; and what is told of a
 * session. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "services/auth-provider/sso/event_store.h"
#include "services/auth-provider/sso/expiry.h"
#include "tests/support/login_desk.h"

#include <string.h>

static login_desk_t at;

static int set_up(void **state)
{
    (void)state;
    login_desk_open(&at);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    login_desk_close(&at);
    return 0;
}

static int64_t number(const char *sql)
{
    return desk_query(&at.desk, sql);
}

/* ---- bounds ---- */

static void the_oldest_requests_go(void **state)
{
    (void)state;
    login_request_t first = at.request;
    (void)desk_query(
        &at.desk,
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT "
        "INTO authn_request SELECT '_' || i, provider_id, i, kind, relay_state, browser, "
        "return_to, expires_at, NULL FROM authn_request, n RETURNING 1");
    assert_int_equal(number("SELECT count(*) FROM authn_request"), LOGIN_REQUESTS_MAX);
    assert_int_equal(number("SELECT count(*) FROM authn_request WHERE number = 1"), 1);
    login_desk_ask(&at);
    assert_int_equal(number("SELECT count(*) FROM authn_request"), LOGIN_REQUESTS_MAX);
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    text_cut(at.claims.in_response_to, sizeof(at.claims.in_response_to), first.id);
    assert_int_equal(login_desk_commit(&at), SAML_REQUEST_UNKNOWN);
}

static void another_providers_requests_do_not_count(void **state)
{
    (void)state;
    (void)desk_query(&at.desk, "UPDATE authn_request SET provider_id = 'x', number = 200000 "
                               "RETURNING 1");
    login_desk_ask(&at);
    assert_int_equal(number("SELECT count(*) FROM authn_request"), 2);
}

static void note(saml_reason_t reason)
{
    err_t err = {0};
    char event_id[UUID_SIZE];
    store_t *writer = at.desk.writer;
    assert_int_equal(store_begin(writer, &err), STATUS_OK);
    assert_int_equal(login_deny(writer, at.provider_id, reason, "detail", "", at.desk.now_utc_ms,
                                event_id, &err),
                     STATUS_OK);
    assert_int_equal(store_commit(writer, &err), STATUS_OK);
}

static int64_t total(saml_reason_t reason)
{
    err_t err = {0};
    int64_t count = -1;
    assert_int_equal(event_store_total(at.desk.reader, at.provider_id, reason, &count, &err),
                     STATUS_OK);
    return count;
}

static size_t shown(saml_reason_t reason, int64_t page, int64_t size, sso_event_t *out)
{
    err_t err = {0};
    bool more = false;
    size_t count = 0;
    AUTO(query_end)
    query_t *rows = event_store_page(at.desk.reader, at.provider_id, reason, page, size);
    while (query_step(rows, &more, &err) == STATUS_OK && more) {
        assert_int_equal(event_store_read(rows, out, &err), STATUS_OK);
        count++;
    }
    return count;
}

static void the_latest_events_stay(void **state)
{
    (void)state;
    sso_event_t event;
    note(SAML_ISSUER_MISMATCH);
    (void)desk_query(
        &at.desk,
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT "
        "INTO sso_event SELECT printf('%08x', i) || substr(id, 9), provider_id, i, at, kind, "
        "'status', NULL, NULL, NULL FROM "
        "sso_event, n RETURNING 1");
    assert_int_equal(total(SAML_NONE), EVENTS_KEPT);
    assert_int_equal(total(SAML_ISSUER_MISMATCH), 1);
    note(SAML_REQUEST_USED);
    assert_int_equal(total(SAML_NONE), EVENTS_KEPT);
    assert_int_equal(total(SAML_ISSUER_MISMATCH), 0);
    assert_int_equal(shown(SAML_NONE, 1, 1, &event), 1);
    assert_int_equal(event.reason, SAML_REQUEST_USED);
    assert_string_equal(event.detail, "detail");
    assert_true(field_null(&event.fields, SSO_EVENT_CLIENT));
    assert_int_equal(shown(SAML_NONE, 4, 300, &event), 100);
    assert_int_equal(event.reason, SAML_STATUS);
    assert_true(field_null(&event.fields, SSO_EVENT_DETAIL));
    assert_int_equal(shown(SAML_REQUEST_USED, 1, 20, &event), 1);
    assert_int_equal(shown(SAML_REQUEST_USED, 2, 20, &event), 0);
    assert_int_equal(shown(SAML_NONE, INT32_MAX, 250, &event), 0);
}

static void a_long_detail_is_cut(void **state)
{
    (void)state;
    err_t err = {0};
    char detail[1000], id[UUID_SIZE];
    sso_event_t event;
    memset(detail, 'x', sizeof(detail));
    detail[sizeof(detail) - 1] = '\0';
    assert_int_equal(store_begin(at.desk.writer, &err), STATUS_OK);
    assert_int_equal(
        login_deny(at.desk.writer, at.provider_id, SAML_STATUS, detail, "", 1, id, &err),
        STATUS_OK);
    assert_int_equal(login_deny(at.desk.writer, "x", SAML_STATUS, detail, "", 1, id, &err),
                     STATUS_UNKNOWN);
    assert_int_equal(store_commit(at.desk.writer, &err), STATUS_OK);
    assert_int_equal(shown(SAML_NONE, 1, 1, &event), 1);
    assert_int_equal(strlen(event.detail), sizeof(event.detail) - 1);
}

/* ---- expiry ---- */

static bool expire(int64_t now_utc_ms, int64_t most)
{
    err_t err = {0};
    bool more = false;
    assert_int_equal(store_begin(at.desk.writer, &err), STATUS_OK);
    assert_int_equal(login_store_expire(at.desk.writer, now_utc_ms, most, &more, &err), STATUS_OK);
    assert_int_equal(store_commit(at.desk.writer, &err), STATUS_OK);
    return more;
}

static bool any_expired(int64_t now_utc_ms)
{
    err_t err = {0};
    bool any = false;
    assert_int_equal(login_store_any_expired(at.desk.reader, now_utc_ms, &any, &err), STATUS_OK);
    return any;
}

/* A moment before each time, and at it. */
static void each_kind_goes_when_it_is_of_no_use(void **state)
{
    (void)state;
    static const char *const tables[] = {"authn_request", "assertion_used", "sso_session"};
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    const int64_t ends[] = {at.request.expires_utc_ms + LOGIN_REQUEST_MS,
                            at.claims.replay_until_utc_ms + SAML_SKEW_MS,
                            at.result.session.shown.expires_at};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        char sql[64];
        tear_down(NULL);
        set_up(NULL);
        assert_int_equal(login_desk_commit(&at), SAML_NONE);
        assert_int_equal(text_format(sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]),
                         STATUS_OK);
        assert_false(expire(ends[i] - 1, EXPIRY_BATCH));
        assert_int_equal(number(sql), 1);
        assert_true(any_expired(ends[i]));
        assert_false(expire(ends[i], EXPIRY_BATCH));
        assert_int_equal(number(sql), 0);
        assert_false(any_expired(ends[i]));
    }
}

static void expiry_goes_in_batches(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        login_desk_ask(&at);
    int64_t end = at.request.expires_utc_ms + LOGIN_REQUEST_MS;
    assert_true(expire(end, 2));
    assert_int_equal(number("SELECT count(*) FROM authn_request"), 3);
    assert_true(expire(end, 2));
    assert_false(expire(end, 2));
    assert_int_equal(number("SELECT count(*) FROM authn_request"), 0);
}

static void the_chore_does_it(void **state)
{
    (void)state;
    err_t err = {0};
    bool more = true;
    chore_t chore = expiry_chore();
    /* The desk's requests are of 2023. */
    assert_true(chore.is_due(chore.context, at.desk.reader, false));
    assert_int_equal(store_begin(at.desk.writer, &err), STATUS_OK);
    assert_int_equal(chore.run(chore.context, at.desk.writer, &more, &err), STATUS_OK);
    assert_int_equal(store_commit(at.desk.writer, &err), STATUS_OK);
    assert_false(more);
    assert_false(chore.is_due(chore.context, at.desk.reader, false));
    assert_int_equal(number("SELECT count(*) FROM authn_request"), 0);
}

/* ---- sessions ---- */

static int64_t end_named(const char *name_id, const char *session_index)
{
    err_t err = {0};
    int64_t count = -1;
    const login_name_t name = {.name_id = name_id,
                               .format = "urn:format",
                               .name_qualifier = "q",
                               .sp_name_qualifier = "s",
                               .idp_entity_id = "https://idp.example/",
                               .sp_entity_id = "https://lk.example/sso/saml/metadata/okta"};
    assert_int_equal(store_begin(at.desk.writer, &err), STATUS_OK);
    assert_int_equal(
        login_store_end_named(at.desk.writer, at.provider_id, &name, session_index, &count, &err),
        STATUS_OK);
    assert_int_equal(store_commit(at.desk.writer, &err), STATUS_OK);
    return count;
}

static void sessions_end_by_name_and_index(void **state)
{
    (void)state;
    static const char *const indexes[] = {"a", "b", "b"};
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
        login_desk_ask(&at);
        text_cut(at.claims.session_index, sizeof(at.claims.session_index), indexes[i]);
        assert_int_equal(login_desk_commit(&at), SAML_NONE);
    }
    assert_int_equal(end_named("bob@example.org", ""), 0);
    assert_int_equal(end_named(LOGIN_NAME, "c"), 0);
    assert_int_equal(end_named(LOGIN_NAME, "b"), 2);
    assert_false(login_desk_is_in(&at));
    assert_int_equal(end_named(LOGIN_NAME, ""), 1);
}

static outcome_t ask(unsigned operation, const char *before, const char *token)
{
    static char head[256];
    assert_int_equal(text_format(head, sizeof(head), "{%s%s'}", before, token), STATUS_OK);
    at.desk.head = head;
    return desk_ask(&at.desk, operation, NULL, NULL, NULL);
}

#define BEARER "'Authorization': 'Bearer "
#define COOKIE "'Cookie': '__Host-lk-session="

static void a_token_says_who_it_is(void **state)
{
    (void)state;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    const char *token = at.result.session.shown.token;
    static const char *const ways[] = {BEARER, COOKIE};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        assert_int_equal(ask(SSO_SESSION_READ, ways[i], token), OUTCOME_OK);
        assert_string_equal(desk_text(&at.desk, "name_id"), LOGIN_NAME);
        assert_string_equal(desk_text(&at.desk, "provider"), "okta");
        assert_false(desk_has(&at.desk, "token"));
    }
    assert_int_equal(ask(SSO_SESSION_READ, "'Accept': 'text/html', " COOKIE, token), OUTCOME_OK);
    assert_int_equal(at.desk.media, MEDIA_HTML);
}

/* Whoever asks learns nothing from the answer. */
static void all_that_is_no_session_is_answered_alike(void **state)
{
    (void)state;
    static const char other[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    char expected[REPLY_MESSAGE_SIZE], token[SSO_TOKEN_SIZE];
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    text_cut(token, sizeof(token), at.result.session.shown.token);
    assert_int_equal(ask(SSO_SESSION_READ, "'Cookie': '", ""), OUTCOME_UNAUTHENTICATED);
    text_cut(expected, sizeof(expected), at.desk.message);
    const struct {
        const char *way, *token;
    } cases[] = {{BEARER, other},
                 {COOKIE, other},
                 {BEARER, "x"},
                 {BEARER, ""},
                 {COOKIE, "%20"},
                 {BEARER, token},
                 {"'Authorization': 'Basic ", token}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool expired = strcmp(cases[i].token, token) == 0;
        at.desk.now_utc_ms += expired ? 3600 * 1000 : 0;
        assert_int_equal(ask(SSO_SESSION_READ, cases[i].way, cases[i].token),
                         OUTCOME_UNAUTHENTICATED);
        assert_string_equal(at.desk.message, expected);
        assert_int_equal(ask(SSO_SESSION_END, cases[i].way, cases[i].token),
                         OUTCOME_UNAUTHENTICATED);
        assert_string_equal(at.desk.message, expected);
    }
    assert_int_equal(number("SELECT count(*) FROM sso_session"), 1);
}

static void a_session_ends_once(void **state)
{
    (void)state;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    const char *token = at.result.session.shown.token;
    assert_int_equal(ask(SSO_SESSION_END, COOKIE, token), OUTCOME_OK);
    assert_null(desk_text(&at.desk, "logout_url"));
    assert_non_null(strstr(desk_header(&at.desk, "Set-Cookie"), "__Host-lk-session=;"));
    assert_int_equal(number("SELECT count(*) FROM sso_event WHERE kind = 'logout'"), 1);
    assert_false(login_desk_is_in(&at));
    assert_int_equal(ask(SSO_SESSION_END, COOKIE, token), OUTCOME_UNAUTHENTICATED);
    assert_int_equal(number("SELECT count(*) FROM sso_event WHERE kind = 'logout'"), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_oldest_requests_go),
        CASE(another_providers_requests_do_not_count),
        CASE(the_latest_events_stay),
        CASE(a_long_detail_is_cut),
        CASE(each_kind_goes_when_it_is_of_no_use),
        CASE(expiry_goes_in_batches),
        CASE(the_chore_does_it),
        CASE(sessions_end_by_name_and_index),
        CASE(a_token_says_who_it_is),
        CASE(all_that_is_no_session_is_answered_alike),
        CASE(a_session_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
