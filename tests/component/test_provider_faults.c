/* Every operation with each of its SQLite calls failing once: nothing half done, a clear answer,
 * and the store goes on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "tests/support/issuer.h"
#include "tests/support/provider_desk.h"
#include "tests/support/sqlite_fault.h"

#include <sqlite3.h>

typedef struct {
    unsigned operation;
    const char *input; /* with a certificate in the place of %s */
    unsigned least;    /* calls that can fail: fewer, and the test has lost its grip */
} case_t;

typedef struct {
    desk_t desk;
    char id[UUID_SIZE];
} fixture_t;

static issued_t issued[2];

static int set_up_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(issued); i++)
        issuer_make("idp.example.com", 1600000000, 2000000000, &issued[i]);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(issued); i++)
        issuer_free(&issued[i]);
    return 0;
}

/* Changes with every change that an operation can make. */
static int64_t mark(const fixture_t *f)
{
    return desk_query(&f->desk,
                      "SELECT (SELECT count(*) * 1000003 + sum(length(name)) FROM provider) "
                      "+ (SELECT coalesce(sum(total), 0) * 10007 FROM page_total) "
                      "+ (SELECT count(*) * 101 + count(retired_at) FROM certificate)");
}

static bool ask(fixture_t *f, const case_t *asked, size_t which)
{
    char body[4096];
    const char *input = asked->input;
    if (input != NULL && asked->operation != PROVIDER_LIST) {
        assert_int_equal(text_format(body, sizeof(body), "%s'idp_certificate': '%s'}}", input,
                                     issued[which].base64),
                         STATUS_OK);
        input = body;
    }
    return desk_ask(&f->desk, asked->operation, f->id, NULL, input) == OUTCOME_OK;
}

static void open_fixture(fixture_t *f)
{
    static const case_t given = {PROVIDER_CHANGE, "{'settings': {", 0};
    provider_desk_open(&f->desk);
    desk_provider(&f->desk, "okta", f->id);
    assert_true(ask(f, &given, 0));
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

/* Fails the 1st, 2nd, ... call until a run succeeds without; how many have failed. */
static unsigned fail_each(const case_t *asked, int code)
{
    fixture_t f;
    open_fixture(&f);
    int64_t before = mark(&f);
    unsigned met = 0;
    for (bool fired = true; fired;) {
        sqlite_fault_arm(met + 1, code);
        bool done = ask(&f, asked, 1);
        fired = sqlite_fault_disarm();
        met += fired;
        if (!done) {
            assert_true(fired);
            assert_nothing_done(&f, code, before);
        } else if (fired) {
            provider_desk_close(&f.desk);
            open_fixture(&f);
            before = mark(&f);
        }
    }
    bool writes = asked->operation != PROVIDER_READ && asked->operation != PROVIDER_LIST;
    assert_int_equal(mark(&f) != before, writes);
    provider_desk_close(&f.desk);
    return met;
}

static void each_call_fails_once(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {PROVIDER_READ, NULL, 4},
        {PROVIDER_LIST, "page[size]=5", 8},
        {PROVIDER_CREATE, "{'name': 'n', 'short_name': 'n', 'settings': {" SETTINGS_NEEDED ", ",
         30},
        {PROVIDER_CHANGE, "{'name': 'longer', 'settings': {", 40},
        {PROVIDER_DELETE, NULL, 10},
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
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
