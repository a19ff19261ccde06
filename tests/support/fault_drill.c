#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/fault_drill.h"

#include "common/mem.h"
#include "tests/support/sqlite_fault.h"

#include <sqlite3.h>

static void assert_nothing_done(const fault_drill_t *drill, const void *fixture, int code,
                                int64_t before)
{
    const desk_t *desk = fixture;
    status_t status = desk->status;
    assert_int_equal(status, sqlite_fault_status(code));
    assert_int_equal(desk->outcome, status == STATUS_BUSY || status == STATUS_FULL
                                        ? OUTCOME_UNAVAILABLE
                                        : OUTCOME_INTERNAL);
    assert_int_equal(drill->mark(fixture), before);
    assert_int_equal(desk->faults.count, 0);
    assert_null(desk->body);
}

/* Fails the 1st, 2nd, ... call until a run succeeds without; how many have failed. The end of a
 * read transaction may fail without harm: `prepare` and reads then succeed all the same, and a
 * write that has been done can't be done again. */
static unsigned fail_each(const fault_drill_t *drill, const void *asked, bool writes, int code)
{
    void *fixture = mem_zalloc(drill->fixture_size);
    drill->open(fixture);
    int64_t before = drill->mark(fixture);
    unsigned met = 0;
    for (bool fired = true; fired;) {
        sqlite_fault_arm(met + 1, code);
        bool done = drill->ask(fixture, asked);
        fired = sqlite_fault_disarm();
        met += fired;
        if (!done) {
            assert_true(fired);
            assert_nothing_done(drill, fixture, code, before);
        } else if (fired) {
            drill->close(fixture);
            drill->open(fixture);
            before = drill->mark(fixture);
        }
    }
    assert_int_equal(drill->mark(fixture) != before, writes);
    drill->close(fixture);
    mem_free(fixture);
    return met;
}

void fault_drill(const fault_drill_t *drill, const void *asked, bool writes, unsigned least,
                 const char *what)
{
    static const int codes[] = {SQLITE_FULL, SQLITE_BUSY, SQLITE_IOERR_FSYNC, SQLITE_CORRUPT,
                                SQLITE_NOMEM};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        unsigned met = fail_each(drill, asked, writes, codes[i]);
        if (met < least)
            fail_msg("%s met %u failures", what, met);
    }
}
