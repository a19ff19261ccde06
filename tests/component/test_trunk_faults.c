/* Every operation with each of its SQLite calls failing once: nothing half done, a clear answer,
 * and the store goes on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/trunk_auth.h"
#include "tests/support/sqlite_fault.h"
#include "tests/support/trunk_desk.h"

#include <sqlite3.h>

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
static int64_t mark(const fixture_t *f)
{
    return desk_query(&f->desk,
                      "SELECT (SELECT count(*) FROM trunk) * 1000003 "
                      "+ (SELECT coalesce(sum(length(name) + port), 0) FROM trunk) "
                      "+ (SELECT coalesce(sum(generation % 1000003 + enabled + 7 * length(ip) "
                      "+ 1001 * coalesce(length(label), 0)), 0) + count(*) * 10007 FROM method) "
                      "+ (SELECT coalesce(sum(generation % 1009), 0) + count(*) FROM digest)");
}

static void open_fixture(fixture_t *f)
{
    trunk_desk_open(&f->desk, true);
    desk_trunk(&f->desk, f->trunk);
    (void)desk_ask(&f->desk, METHOD_CREATE, f->trunk, NULL, "{'type': 'ip', 'ip': '10.1.0.0/16'}");
    desk_uuid(&f->desk, f->ip_uuid);
    (void)desk_ask(&f->desk, METHOD_CREATE, f->trunk, NULL,
                   "{'type': 'sipuser', 'username': 'bob', 'password': 'secret'}");
    desk_uuid(&f->desk, f->user_uuid);
}

static bool ask(fixture_t *f, const case_t *asked)
{
    outcome_t outcome = desk_ask(&f->desk, asked->operation, f->trunk,
                                 asked->on_user ? f->user_uuid : f->ip_uuid, asked->input);
    return outcome == OUTCOME_OK || outcome == OUTCOME_CREATED || outcome == OUTCOME_DELETED;
}

static void assert_nothing_done(const fixture_t *f, int code, int64_t before)
{
    status_t status = f->desk.status;
    assert_int_equal(status, sqlite_fault_status(code));
    assert_int_equal(f->desk.outcome, status == STATUS_BUSY || status == STATUS_FULL
                                          ? OUTCOME_UNAVAILABLE
                                          : OUTCOME_INTERNAL);
    assert_int_equal(mark(f), before);
    assert_int_equal(f->desk.faults.count, 0);
    assert_null(f->desk.body);
}

/* Fails the 1st, 2nd, ... call until a run succeeds without; how many have failed. The end of a
 * read transaction may fail without harm: `prepare` and reads then succeed all the same, and a
 * write that has been done can't be done again. */
static unsigned fail_each(const case_t *asked, int code)
{
    fixture_t f;
    open_fixture(&f);
    int64_t before = mark(&f);
    unsigned met = 0;
    for (bool fired = true; fired;) {
        sqlite_fault_arm(met + 1, code);
        bool done = ask(&f, asked);
        fired = sqlite_fault_disarm();
        met += fired;
        if (!done) {
            assert_true(fired);
            assert_nothing_done(&f, code, before);
        } else if (fired) {
            desk_close(&f.desk);
            open_fixture(&f);
            before = mark(&f);
        }
    }
    bool writes = (trunk_auth_service.operations[asked->operation].flags & OPERATION_WRITES) != 0;
    assert_int_equal(mark(&f) != before, writes);
    desk_close(&f.desk);
    return met;
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
    };
    static const int codes[] = {SQLITE_FULL, SQLITE_BUSY, SQLITE_IOERR_FSYNC, SQLITE_CORRUPT,
                                SQLITE_NOMEM};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t j = 0; j < ARRAY_LEN(codes); j++) {
            unsigned met = fail_each(&cases[i], codes[j]);
            if (met < cases[i].least)
                fail_msg("case %zu met %u failures", i, met);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
