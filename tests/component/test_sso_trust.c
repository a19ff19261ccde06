/* What a login leaves of the trust that it came by, and what ends with that trust: certificates
 * that were learned, sessions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "services/auth-provider/sso/event_store.h"
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

static int64_t certificates(void)
{
    return number("SELECT count(*) FROM certificate WHERE source = 'learned' AND retired_at IS "
                  "NULL");
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

static void other_fingerprint(void)
{
    login_desk_change(&at, "{'settings': {'idp_cert_fingerprint': '" PRINT_32 "'}}");
}

static void other_algorithm(void)
{
    login_desk_change(&at, "{'settings': {'idp_cert_fingerprint_algorithm': 'sha1'}}");
}

static void not_by_fingerprint(void)
{
    at.claims.by_fingerprint = false;
}

/* ---- certificates that are learned ---- */

static void a_certificate_is_learned_once(void **state)
{
    (void)state;
    sso_event_t event;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(certificates(), 1);
    read_latest_event("certificate", &event);
    assert_memory_equal(event.detail, "learned ", 8);
    login_desk_ask(&at);
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(certificates(), 1);
    assert_int_equal(number("SELECT count(*) FROM sso_event WHERE kind = 'certificate'"), 1);
}

static void one_that_was_given_stays_given(void **state)
{
    (void)state;
    char body[9000];
    assert_int_equal(text_format(body, sizeof(body), "{'certificate': '%s'}", at.issued.base64),
                     STATUS_OK);
    assert_int_equal(desk_ask(&at.desk, CERTIFICATE_ADD, at.provider_id, NULL, body), OUTCOME_OK);
    not_by_fingerprint();
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(certificates(), 0);
    assert_int_equal(number("SELECT count(*) FROM certificate"), 1);
}

static void it_never_outlives_the_fingerprint_that_admitted_it(void **state)
{
    (void)state;
    static void (*const changes[])(void) = {other_fingerprint, other_algorithm};
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        tear_down(NULL);
        set_up(NULL);
        assert_int_equal(login_desk_commit(&at), SAML_NONE);
        changes[i]();
        assert_int_equal(certificates(), 0);
        login_desk_ask(&at);
        not_by_fingerprint();
        assert_int_equal(login_desk_commit(&at), SAML_CERTIFICATE_RETIRED);
    }
}

/* ---- with the provider's end ---- */

static void sessions_end_with_the_trust_they_came_by(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "{'active': false}",
        "{'settings': {'idp_entity_id': 'https://idp.example'}}",
        "{'settings': {'idp_cert_fingerprint': '" PRINT_32 "'}}",
        "{'settings': {'idp_cert_fingerprint_algorithm': 'sha384'}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        tear_down(NULL);
        set_up(NULL);
        assert_int_equal(login_desk_commit(&at), SAML_NONE);
        assert_true(login_desk_is_in(&at));
        login_desk_change(&at, changes[i]);
        assert_false(login_desk_is_in(&at));
        login_desk_change(&at, "{'active': true}"); /* what has ended stays so */
        assert_false(login_desk_is_in(&at));
    }
}

static void sessions_end_with_a_new_certificate(void **state)
{
    (void)state;
    char body[9000];
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(text_format(body, sizeof(body), "{'settings': {'idp_certificate': '%s'}}",
                                 at.issued.base64),
                     STATUS_OK);
    login_desk_change(&at, body);
    assert_false(login_desk_is_in(&at));
}

static void other_changes_end_none(void **state)
{
    (void)state;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    login_desk_change(&at, "{'name': 'x', 'settings': {'idp_sso_target_url': 'https://x.example', "
                           "'allow_idp_initiated': true}}");
    assert_true(login_desk_is_in(&at));
}

static void sessions_go_with_the_provider(void **state)
{
    (void)state;
    assert_int_equal(login_desk_commit(&at), SAML_NONE);
    assert_int_equal(desk_ask(&at.desk, PROVIDER_DELETE, at.provider_id, NULL, NULL), OUTCOME_OK);
    assert_false(login_desk_is_in(&at));
    assert_int_equal(number("SELECT (SELECT count(*) FROM sso_session) + (SELECT count(*) FROM "
                            "sso_event)"),
                     0);
    login_desk_ask(&at);
    assert_int_equal(login_desk_commit(&at), SAML_REASON_COUNT);
    assert_int_equal(at.desk.status, STATUS_UNKNOWN);
    assert_int_equal(number("SELECT count(*) FROM sso_session"), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_certificate_is_learned_once),
        CASE(one_that_was_given_stays_given),
        CASE(it_never_outlives_the_fingerprint_that_admitted_it),
        CASE(sessions_end_with_the_trust_they_came_by),
        CASE(sessions_end_with_a_new_certificate),
        CASE(other_changes_end_none),
        CASE(sessions_go_with_the_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
