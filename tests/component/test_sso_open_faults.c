/* What browsers ask for, with each of its SQLite calls failing once: fault_drill.h. The success of
 * a login is test_sso_faults.c's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "tests/support/fault_drill.h"
#include "tests/support/provider_desk.h"

typedef struct {
    unsigned operation;
    unsigned least; /* calls that can fail */
    outcome_t done;
    const char *input;
} case_t;

static void open_fixture(void *fixture)
{
    char id[UUID_SIZE];
    provider_desk_open(fixture);
    desk_provider(fixture, "okta", id);
}

static void close_fixture(void *fixture)
{
    provider_desk_close(fixture);
}

static bool ask(void *fixture, const void *asked)
{
    const case_t *given = asked;
    desk_t *desk = fixture;
    desk->head = "{'Accept': 'text/html', 'Cookie': "
                 "'__Host-lk-login=0123456789-_abcdefghijklmnopqrstuvwxyzABCDE'}";
    bool done = desk_ask(desk, given->operation, "okta", NULL, given->input) == given->done;
    assert_true(done ||
                (desk_header(desk, "Set-Cookie") == NULL && desk_header(desk, "Location") == NULL));
    return done;
}

static int64_t mark(const void *fixture)
{
    return desk_query(fixture, "SELECT (SELECT count(*) * 1009 FROM authn_request) + "
                               "(SELECT count(*) FROM sso_event)");
}

static void each_call_fails_once(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {SSO_METADATA, 6, OUTCOME_OK, NULL},
        {SSO_LOGIN, 15, OUTCOME_ELSEWHERE, "return_to=/portal"},
        {SSO_CONSUME, 15, OUTCOME_DENIED, "{'SAMLResponse': 'PHg+'}"},
    };
    static const fault_drill_t drill = {sizeof(desk_t), open_fixture, close_fixture, ask, mark};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const operation_t *operation = &auth_provider_service.operations[cases[i].operation];
        fault_drill(&drill, &cases[i], (operation->flags & OPERATION_WRITES) != 0, cases[i].least,
                    operation->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
