/* Every operation with each of its SQLite calls failing once: fault_drill.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/trunk_auth.h"
#include "tests/support/fault_drill.h"
#include "tests/support/trunk_desk.h"

#define DIGEST                                                                                     \
    "{'username': 'bob', 'realm': 'linekeeper', 'nonce': 'n', 'uri': 'sip:x', 'method': 'INVITE'," \
    " 'response': '0123456789abcdef0123456789abcdef'}"

typedef struct {
    unsigned operation;
    bool on_user; /* the sipuser method, not the ip one */
    const char *input;
    unsigned least; /* calls that can fail: fewer, and the test has lost its grip */
} case_t;

typedef struct {
    desk_t desk;
    char trunk[UUID_SIZE], ip_uuid[UUID_SIZE], user_uuid[UUID_SIZE];
} fixture_t;

/* Changes with every change that an operation can make. */
static int64_t mark(const void *fixture)
{
    const fixture_t *f = fixture;
    return desk_query(
        &f->desk,
        "SELECT (SELECT count(*) FROM trunk) * 1000003 "
        "+ (SELECT coalesce(sum(length(name) + port), 0) FROM trunk) "
        "+ (SELECT coalesce(sum(generation % 1000003 + enabled + 7 * coalesce(length(ip), 0) "
        "+ 1001 * coalesce(length(label), 0)), 0) + count(*) * 10007 FROM method) "
        "+ (SELECT coalesce(sum(generation % 1009), 0) + count(*) FROM digest)");
}

static void open_fixture(void *fixture)
{
    fixture_t *f = fixture;
    trunk_desk_open(&f->desk, true);
    desk_trunk(&f->desk, f->trunk);
    (void)desk_ask(&f->desk, METHOD_CREATE, f->trunk, NULL, "{'type': 'ip', 'ip': '10.1.0.0/16'}");
    desk_uuid(&f->desk, f->ip_uuid);
    (void)desk_ask(&f->desk, METHOD_CREATE, f->trunk, NULL,
                   "{'type': 'sipuser', 'username': 'bob', 'password': 'secret'}");
    desk_uuid(&f->desk, f->user_uuid);
}

static bool ask(void *fixture, const void *asked_case)
{
    fixture_t *f = fixture;
    const case_t *asked = asked_case;
    outcome_t outcome = desk_ask(&f->desk, asked->operation, f->trunk,
                                 asked->on_user ? f->user_uuid : f->ip_uuid, asked->input);
    return outcome == OUTCOME_OK || outcome == OUTCOME_CREATED || outcome == OUTCOME_DELETED;
}

static void close_fixture(void *fixture)
{
    fixture_t *f = fixture;
    desk_close(&f->desk);
}

static void each_call_fails_once(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {TRUNK_CREATE, false, "{'name': 'New', 'domain': 'a.example', 'user': 'x'}", 20},
        {TRUNK_READ, false, NULL, 8},
        {TRUNK_LIST, false, "limit=5", 10},
        {TRUNK_REPLACE, false, "{'name': 'Other'}", 18},
        {METHOD_LIST, false, "limit=5", 8},
        {METHOD_READ, true, NULL, 5},
        {METHOD_CREATE, false, "{'type': 'ip', 'ip': '2001:db8:1::/48'}", 30},
        {METHOD_CREATE, false, "{'type': 'sipuser', 'username': 'u', 'password': 'secret'}", 57},
        {METHOD_CHANGE, false, "{'label': 'l', 'ip': '2001:db8:f:1::/64'}", 25},
        {METHOD_CHANGE, true, "{'password': 'secret 2'}", 57},
        {METHOD_ROTATE, true, "{'password': 'secret 2'}", 57},
        {METHOD_ROTATE, true, "{'password': 'secret 2', 'grace_seconds': 0}", 57},
        {METHOD_DELETE, true, NULL, 8},
        {TRUNK_DELETE, false, NULL, 8},
        {TRUNK_SIP + SIP_HA1, false, "username=bob", 5},
        {TRUNK_SIP + SIP_SOURCE, false, "ip=10.1.2.3", 5},
        {TRUNK_SIP + SIP_VERIFY, false, "{'source_address': '10.1.2.3'}", 5},
        {TRUNK_SIP + SIP_VERIFY, false, DIGEST, 10},
        {TRUNK_SIP + SIP_EXPLAIN, false, DIGEST, 10},
        {TRUNK_SIP + SIP_VERIFY, false,
         "{'scheme': 'basic', 'username': 'bob', 'password': 'secret'}", 4},
    };
    static const fault_drill_t drill = {sizeof(fixture_t), open_fixture, close_fixture, ask, mark};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const operation_t *operation = &trunk_auth_service.operations[cases[i].operation];
        fault_drill(&drill, &cases[i], (operation->flags & OPERATION_WRITES) != 0, cases[i].least,
                    operation->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
