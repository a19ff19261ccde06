/* Every operation with each of its SQLite calls failing once: fault_drill.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/fault_drill.h"
#include "tests/support/fqdn_desk.h"

typedef struct {
    unsigned operation;
    bool on_fqdn;      /* the path names the FQDN, not the connection */
    const char *input; /* where it begins with a comma, behind a connection_id */
    unsigned least;
} case_t;

typedef struct {
    desk_t desk;
    char connection[UUID_SIZE], fqdn[UUID_SIZE];
} fixture_t;

#define FQDN ", 'fqdn': 'a.example', 'dns_record_type': 'a'}"
#define PAIR "'user_name': 'bob', 'password': 'correct horse'"

static int64_t mark(const void *fixture)
{
    const fixture_t *f = fixture;
    return desk_query(
        &f->desk,
        "SELECT (SELECT count(*) * 1000003 + coalesce(sum(length(connection_name) + "
        "length(inbound) + 7 * active + 11 * length(auth_type)), 0) FROM connection) "
        "+ (SELECT count(*) * 10007 + coalesce(sum(generation % 1000003 + "
        "101 * coalesce(length(tech_prefix), 0) + 13 * coalesce(length(webhook_url), 0)), 0) "
        "FROM authentication) "
        "+ (SELECT count(*) + coalesce(sum(generation % 1009), 0) FROM digest) "
        "+ (SELECT count(*) * 503 + coalesce(sum(port), 0) FROM fqdn) "
        "+ (SELECT coalesce(sum(total), 0) * 17 FROM page_total)");
}

static bool ask(void *fixture, const void *asked)
{
    fixture_t *f = fixture;
    const case_t *given = asked;
    char input[512];
    if (given->input != NULL && given->input[0] == ',')
        assert_int_equal(text_format(input, sizeof(input), "{'connection_id': '%s'%s",
                                     f->connection, given->input),
                         STATUS_OK);
    else if (given->input != NULL)
        text_cut(input, sizeof(input), given->input);
    outcome_t outcome =
        desk_ask(&f->desk, given->operation, given->on_fqdn ? f->fqdn : f->connection, NULL,
                 given->input == NULL ? NULL : input);
    return outcome_is_success(outcome);
}

static void open_fixture(void *fixture)
{
    static const case_t fqdn = {FQDN_V2_CREATE, false, FQDN, 0};
    static const case_t set = {FQDN_AUTH_V2_CHANGE, false, "{" PAIR "}", 0};
    fixture_t *f = fixture;
    fqdn_desk_open(&f->desk, true);
    fqdn_desk_connection_v2(&f->desk, f->connection);
    assert_true(ask(f, &set));
    assert_true(ask(f, &fqdn));
    fqdn_desk_id(&f->desk, f->fqdn);
}

static void close_fixture(void *fixture)
{
    fixture_t *f = fixture;
    desk_close(&f->desk);
}

static void each_call_fails_once(void **state)
{
    (void)state;
    static const fault_drill_t drill = {sizeof(fixture_t), open_fixture, close_fixture, ask, mark};
    static const case_t cases[] = {
        {CONNECTION_V1_LIST, false, "with_fqdns=true", 12},
        {CONNECTION_V1_CREATE, false, "{'connection_name': 'n'}", 23},
        {CONNECTION_V1_READ, false, NULL, 9},
        {CONNECTION_V1_CHANGE, false, "{'active': false}", 21},
        {CONNECTION_V1_DELETE, false, NULL, 20},
        {FQDN_AUTH_V1_SET, false, "{" PAIR ", 'tech_prefix': '0471'}", 78},
        {FQDN_AUTH_V1_CHANGE, false, "{'user_name': 'alice', 'webhook_url': 'http://a.b/'}", 37},
        {FQDN_AUTH_V1_READ, false, NULL, 6},
        {FQDN_AUTH_V1_REMOVE, false, NULL, 17},
        {CONNECTION_V2_LIST, false, "", 10},
        {CONNECTION_V2_LIST, false, "filter[connection_name][contains]=head", 12},
        {CONNECTION_V2_CREATE, false,
         "{'connection_name': 'n', 'outbound': {'tech_prefix': '1234'}}", 43},
        {CONNECTION_V2_CHANGE, false, "{'inbound': {'a': 1}, 'webhook_event_url': 'http://a.b/'}",
         36},
        {CONNECTION_V2_DELETE, false, NULL, 18},
        {FQDN_V2_LIST, false, "filter[port]=5060", 10},
        {FQDN_V2_CREATE, false, ", 'fqdn': 'b.example', 'dns_record_type': 'srv'}", 20},
        {FQDN_V2_READ, true, NULL, 4},
        {FQDN_V2_CHANGE, true, ", 'port': 5062}", 14},
        {FQDN_V2_DELETE, true, NULL, 10},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const operation_t *operation = &fqdn_auth_service.operations[cases[i].operation];
        fault_drill(&drill, &cases[i], (operation->flags & OPERATION_WRITES) != 0, cases[i].least,
                    operation->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
