/* A login in its transaction: what it leaves behind, and for what reasons it leaves nothing but an
 * event. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "proto/auth_provider.h"
#include "services/auth-provider/sql.h"
#include "services/auth-provider/sso/event_store.h"
#include "services/common/gate.h"
#include "tests/support/login_desk.h"

#include <pthread.h>
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

static void read_latest_event(const char *kind, sso_event_t *out)
{
    err_t err = {0};
    bool found = false;
    AUTO(query_end)
    query_t *page = event_store_page(at.desk.reader, at.provider_id, SAML_NONE, 1, 20);
    assert_int_equal(query_step(page, &found, &err), STATUS_OK);
    while (found) {
        assert_int_equal(event_store_read(page, out, &err), STATUS_OK);
        if (strcmp(sso_event_kind_words[out->kind], kind) == 0)
            return;
        assert_int_equal(query_step(page, &found, &err), STATUS_OK);
    }
    fail_msg("no event of kind %s", kind);
}

static void a_good_one_makes_a_session(void **state)
{
    (void)state;
    sso_event_t event;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    const sso_session_t *shown = &at.result.session.shown;
    assert_true(login_desk_is_in(&at));
    assert_string_equal(at.result.return_to, "/portal");
    assert_string_equal(shown->name_id, LOGIN_NAME);
    assert_string_equal(shown->provider, "okta");
    assert_string_equal(shown->organization_id, DESK_ORGANIZATION);
    assert_int_equal(shown->expires_at, at.desk.now_utc_ms + 3600000);
    assert_int_equal(strlen(shown->token), SSO_TOKEN_SIZE - 1);
    assert_int_equal(number("SELECT count(*) FROM authn_request WHERE used_at IS NOT NULL"), 1);
    read_latest_event("login", &event);
    assert_string_equal(event.id, at.result.event_id);
    assert_string_equal(event.name_id, LOGIN_NAME);
    assert_string_equal(event.client, "192.0.2.7");
    assert_true(event.succeeded && field_null(&event.fields, SSO_EVENT_REASON));
}

/* What is read back is what was told, and is all that logging out needs. */
static void a_session_is_read_as_it_was_made(void **state)
{
    (void)state;
    err_t err = {0};
    uint8_t hash[LOGIN_HASH_SIZE];
    login_session_t session;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    const sso_session_t *made = &at.result.session.shown;
    login_hash(made->token, strlen(made->token), hash);
    assert_int_equal(login_store_seek(at.desk.reader, hash, at.desk.now_utc_ms, &session, &err),
                     STATUS_OK);
    assert_string_equal(session.shown.id, made->id);
    assert_string_equal(session.shown.name_id, LOGIN_NAME);
    assert_string_equal(session.shown.name_id_format, "urn:format");
    assert_string_equal(session.shown.organization_id, DESK_ORGANIZATION);
    assert_string_equal(session.shown.provider_id, at.provider_id);
    assert_int_equal(session.shown.authenticated_at, at.desk.now_utc_ms - 1000);
    assert_int_equal(session.shown.groups.length, at.claims.groups.length);
    assert_memory_equal(session.shown.groups.bytes, at.claims.groups.bytes,
                        at.claims.groups.length);
    assert_int_equal(session.shown.attributes.length, 1);
    assert_false(field_given(&session.shown.fields, SSO_SESSION_TOKEN));
    assert_string_equal(session.name_qualifier, "q");
    assert_string_equal(session.sp_name_qualifier, "s");
    assert_string_equal(session.session_index, "index");
    assert_int_equal(session.created_utc_ms, at.desk.now_utc_ms);
}

static void no_secret_is_stored(void **state)
{
    (void)state;
    char sql[256];
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(text_format(sql, sizeof(sql),
                                 "SELECT count(*) FROM sso_session WHERE length(token) = 32 AND "
                                 "instr(token, CAST('%s' AS BLOB)) = 0",
                                 at.result.session.shown.token),
                     STATUS_OK);
    assert_int_equal(number(sql), 1);
}

/* ---- what stands against one ---- */

static void unknown_request(void)
{
    text_cut(at.claims.in_response_to, sizeof(at.claims.in_response_to), "_never");
}

static void others_request(void)
{
    (void)desk_query(&at.desk, "UPDATE authn_request SET provider_id = 'x' RETURNING 1");
}

static void request_to_log_out(void)
{
    (void)desk_query(&at.desk, "UPDATE authn_request SET kind = 'logout' RETURNING 1");
}

static void late_answer(void)
{
    at.login.now_utc_ms += LOGIN_REQUEST_MS;
    at.claims.replay_until_utc_ms += LOGIN_REQUEST_MS;
}

static void no_cookie(void)
{
    at.login.browser = NULL;
}

static void others_cookie(void)
{
    static uint8_t other[LOGIN_HASH_SIZE];
    login_hash("another", 7, other);
    at.login.browser = other;
}

static void no_relay_state(void)
{
    at.login.relay_state = "";
}

static void nobody_asked(void)
{
    at.claims.in_response_to[0] = '\0';
}

static void assertion_used(void)
{
    login_request_t first = at.request;
    login_desk_change(&at, "{'settings': {'allow_idp_initiated': true}}");
    nobody_asked();
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    text_cut(at.claims.in_response_to, sizeof(at.claims.in_response_to), first.id);
}

static void inactive(void)
{
    login_desk_change(&at, "{'active': false}");
}

static void other_entity(void)
{
    login_desk_change(&at, "{'settings': {'idp_entity_id': 'https://idp.example'}}");
}

static void other_name(void)
{
    login_desk_change(&at, "{'short_name': 'okta2'}");
}

static void other_fingerprint(void)
{
    login_desk_change(&at, "{'settings': {'idp_cert_fingerprint': '" PRINT_32 "'}}");
}

static void other_algorithm(void)
{
    login_desk_change(&at, "{'settings': {'idp_cert_fingerprint_algorithm': 'sha1'}}");
}

static void sha1_withdrawn(void)
{
    at.trust.provider.settings.allow_sha1_signatures = true;
}

static void not_by_fingerprint(void)
{
    at.claims.by_fingerprint = false;
}

static void retired(void)
{
    assert_int_equal(login_desk_commit(&at), SAML_NONE); /* learns it */
    (void)desk_query(&at.desk, "UPDATE certificate SET retired_at = 1 RETURNING 1");
    login_desk_ask(&at);
}

static void no_certificate(void)
{
    at.claims.certificate_length = 5;
}

static void too_old(void)
{
    at.claims.replay_until_utc_ms = at.login.now_utc_ms;
}

static void session_over(void)
{
    at.claims.session_until_utc_ms = at.login.now_utc_ms;
}

static void each_reason_keeps_out_and_spends_nothing(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(void);
        saml_reason_t reason;
    } cases[] = {
        {unknown_request, SAML_REQUEST_UNKNOWN},
        {others_request, SAML_REQUEST_UNKNOWN},
        {request_to_log_out, SAML_REQUEST_UNKNOWN},
        {late_answer, SAML_REQUEST_EXPIRED},
        {no_cookie, SAML_BROWSER_MISMATCH},
        {others_cookie, SAML_BROWSER_MISMATCH},
        {no_relay_state, SAML_RELAY_STATE_MISMATCH},
        {nobody_asked, SAML_IDP_INITIATED},
        {assertion_used, SAML_ASSERTION_REPLAYED},
        {inactive, SAML_PROVIDER_INACTIVE},
        {other_entity, SAML_ISSUER_MISMATCH},
        {other_name, SAML_DESTINATION_MISMATCH},
        {other_fingerprint, SAML_CERTIFICATE_UNKNOWN},
        {other_algorithm, SAML_CERTIFICATE_UNKNOWN},
        {sha1_withdrawn, SAML_SHA1_REFUSED},
        {not_by_fingerprint, SAML_CERTIFICATE_UNKNOWN},
        {retired, SAML_CERTIFICATE_RETIRED},
        {no_certificate, SAML_CERTIFICATE_MALFORMED},
        {too_old, SAML_CONFIRMATION_EXPIRED},
        {session_over, SAML_SESSION_EXPIRED},
    };
    static const char spent[] =
        "SELECT (SELECT count(*) FROM sso_session) * 1000003 + (SELECT count(*) FROM "
        "assertion_used) * 10007 + (SELECT count(used_at) FROM authn_request) * 101 + "
        "(SELECT count(*) FROM certificate)";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        sso_event_t event = {0};
        tear_down(NULL);
        set_up(NULL);
        cases[i].spoil();
        int64_t before = number(spent);
        saml_reason_t reason = login_desk_commit(&at);
        if (reason != cases[i].reason)
            fail_msg("case %zu: reason %d", i, (int)reason);
        assert_int_equal(number(spent), before);
        read_latest_event("login", &event);
        assert_string_equal(event.id, at.result.event_id);
        assert_int_equal(event.reason, cases[i].reason);
        assert_true(!event.succeeded && field_null(&event.fields, SSO_EVENT_NAME_ID));
    }
}

static void a_strangers_post_burns_no_login(void **state)
{
    (void)state;
    no_cookie();
    assert_int_equal(login_desk_commit(&at), SAML_BROWSER_MISMATCH);
    at.login.browser = at.browser;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
}

/* ---- once ---- */

static void the_same_answer_logs_in_once(void **state)
{
    (void)state;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(login_desk_commit(&at), SAML_REQUEST_USED);
    login_desk_change(&at, "{'settings': {'allow_idp_initiated': true}}");
    nobody_asked();
    assert_int_equal(login_desk_commit(&at), SAML_ASSERTION_REPLAYED);
    assert_int_equal(number("SELECT count(*) FROM sso_session"), 1);
}

/* Writers of several processes: each with its connection, in turn at the gate. */
enum { WRITERS = 4, POSTS = 4, WAIT_MS = 60 * 1000 };

typedef struct {
    pthread_t thread;
    const char *directory, *database;
    const login_t *login;
    int logged_in, used, others;
} post_t;

static status_t post_once(post_t *post, gate_t *gate, store_t *writer, saml_reason_t *out)
{
    err_t err = {0};
    login_result_t result = {.reason = SAML_REASON_COUNT};
    status_t status = gate_take(gate, clock_ms() + WAIT_MS, &err);
    if (status != STATUS_OK)
        return status;
    status = store_begin(writer, &err);
    if (status == STATUS_OK)
        status = login_commit(writer, post->login, &result, &err);
    if (status == STATUS_OK)
        status = store_commit(writer, &err);
    else
        store_rollback(writer);
    gate_leave(gate);
    *out = result.reason;
    return status;
}

static void *post_all(void *context)
{
    post_t *post = context;
    err_t err = {0};
    AUTO(gate_close) gate_t *gate = NULL;
    AUTO(store_close) store_t *writer = NULL;
    if (gate_open(post->database, &gate, &err) != STATUS_OK ||
        store_open(&auth_provider_store, post->directory, STORE_WRITER, &writer, &err) != STATUS_OK)
        return NULL;
    for (int i = 0; i < POSTS; i++) {
        saml_reason_t reason = SAML_REASON_COUNT;
        status_t status = post_once(post, gate, writer, &reason);
        if (status == STATUS_OK && reason == SAML_NONE)
            post->logged_in++;
        else if (status == STATUS_OK && reason == SAML_REQUEST_USED)
            post->used++;
        else
            post->others++;
    }
    return NULL;
}

static void several_writers_log_in_once(void **state)
{
    (void)state;
    char database[STORE_PATH_SIZE];
    err_t err = {0};
    post_t posts[WRITERS] = {0};
    int logged_in = 0, used = 0;
    assert_int_equal(store_path(&auth_provider_store, at.desk.scratch.path, database, &err),
                     STATUS_OK);
    for (size_t i = 0; i < WRITERS; i++) {
        posts[i].directory = at.desk.scratch.path;
        posts[i].database = database;
        posts[i].login = &at.login;
        assert_int_equal(pthread_create(&posts[i].thread, NULL, post_all, &posts[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(posts[i].thread, NULL), 0);
        assert_int_equal(posts[i].others, 0);
        logged_in += posts[i].logged_in;
        used += posts[i].used;
    }
    assert_int_equal(logged_in, 1);
    assert_int_equal(used, WRITERS * POSTS - 1);
    assert_int_equal(number("SELECT count(*) FROM sso_session"), 1);
    assert_int_equal(number("SELECT count(*) FROM sso_event WHERE kind = 'login'"),
                     WRITERS * POSTS);
}

/* An assertion's id is its provider's own. */
static void another_providers_assertion_may_have_the_same_id(void **state)
{
    (void)state;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    char used[SAML_ID_MAX + 1];
    text_cut(used, sizeof(used), at.claims.assertion_id);
    (void)desk_query(&at.desk, "UPDATE assertion_used SET short_name = 'x' RETURNING 1");
    login_desk_ask(&at);
    text_cut(at.claims.assertion_id, sizeof(at.claims.assertion_id), used);
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
}

static void what_nobody_asked_for_goes_where_it_is_allowed(void **state)
{
    (void)state;
    login_desk_change(&at, "{'settings': {'allow_idp_initiated': true}}");
    nobody_asked();
    no_cookie();
    at.login.relay_state = "/from/the/tile";
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_string_equal(at.result.return_to, "");
    assert_int_equal(number("SELECT count(used_at) FROM authn_request"), 0);
}

static void a_session_ends_when_the_identity_provider_says(void **state)
{
    (void)state;
    at.claims.session_until_utc_ms = at.login.now_utc_ms + 60000;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(at.result.session.shown.expires_at, at.claims.session_until_utc_ms);
    at.desk.now_utc_ms = at.claims.session_until_utc_ms - 1;
    assert_true(login_desk_is_in(&at));
    at.desk.now_utc_ms++;
    assert_false(login_desk_is_in(&at));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_good_one_makes_a_session),
        CASE(a_session_is_read_as_it_was_made),
        CASE(no_secret_is_stored),
        CASE(each_reason_keeps_out_and_spends_nothing),
        CASE(a_strangers_post_burns_no_login),
        CASE(the_same_answer_logs_in_once),
        CASE(several_writers_log_in_once),
        CASE(another_providers_assertion_may_have_the_same_id),
        CASE(what_nobody_asked_for_goes_where_it_is_allowed),
        CASE(a_session_ends_when_the_identity_provider_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
