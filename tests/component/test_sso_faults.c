/* A login, and the end of a session, with each of their SQLite calls failing once: fault_drill.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "tests/support/fault_drill.h"
#include "tests/support/login_desk.h"

#include <string.h>

/* Changes with every change that a login can make. */
static int64_t mark(const void *fixture)
{
    const login_desk_t *at = fixture;
    return desk_query(&at->desk,
                      "SELECT (SELECT count(*) FROM sso_session) * 1000003 + (SELECT count(*) "
                      "FROM assertion_used) * 10007 + (SELECT count(used_at) FROM authn_request) * "
                      "1009 + (SELECT count(*) FROM sso_event) * 101 + (SELECT count(*) FROM "
                      "certificate)");
}

static void open_fixture(void *fixture)
{
    login_desk_open(fixture);
}

static void open_logged_in(void *fixture)
{
    login_desk_open(fixture);
    assert_int_equal(login_desk_commit(fixture), SAML_NONE);
}

static void close_fixture(void *fixture)
{
    login_desk_close(fixture);
}

/* The drill looks at what a handler would have answered. */
static bool commit(void *fixture, const void *asked)
{
    login_desk_t *at = fixture;
    saml_reason_t expected = *(const saml_reason_t *)asked;
    saml_reason_t reason = login_desk_commit(at);
    json_decref(at->desk.body);
    at->desk.body = NULL;
    at->desk.faults.count = 0;
    at->desk.outcome = call_failure(at->desk.status);
    return reason == expected;
}

static bool end(void *fixture, const void *asked)
{
    (void)asked;
    login_desk_t *at = fixture;
    char head[128];
    assert_int_equal(text_format(head, sizeof(head), "{'Authorization': 'Bearer %s'}",
                                 at->result.session.shown.token),
                     STATUS_OK);
    at->desk.head = head;
    return desk_ask(&at->desk, SSO_SESSION_END, NULL, NULL, NULL) == OUTCOME_OK;
}

static void a_login_is_whole_or_nothing(void **state)
{
    (void)state;
    static const saml_reason_t good = SAML_NONE;
    static const fault_drill_t drill = {sizeof(login_desk_t), open_fixture, close_fixture, commit,
                                        mark};
    fault_drill(&drill, &good, true, 60, "login");
}

static void a_log_out_is_whole_or_nothing(void **state)
{
    (void)state;
    static const fault_drill_t drill = {sizeof(login_desk_t), open_logged_in, close_fixture, end,
                                        mark};
    fault_drill(&drill, NULL, true, 15, "log-out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_login_is_whole_or_nothing),
                                       cmocka_unit_test(a_log_out_is_whole_or_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
