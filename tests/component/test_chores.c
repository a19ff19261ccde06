/* Background work with the Nth SQLite call failing, N = 1, 2, ...: each unit of it is done once,
 * and whoever gave it is told whether it was kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/chores.h"
#include "tests/component/sample_store.h"
#include "tests/support/migrated.h"
#include "tests/support/scratch.h"
#include "tests/support/sqlite_fault.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNITS = 5, BATCH = 2, ROUNDS_MAX = 1000 };

typedef struct {
    scratch_t scratch;
    store_t *writer;
    chores_t chores;
    int written, done, taken; /* taken: in the transaction that is open */
    int kept, lost;           /* transactions */
} fixture_t;

static bool any_left(void *context, store_t *writer, bool at_end)
{
    (void)at_end;
    (void)writer;
    const fixture_t *f = context;
    return f->done < UNITS;
}

static status_t work(void *context, store_t *writer, bool *out_more, err_t *err)
{
    fixture_t *f = context;
    status_t status = STATUS_OK;
    for (f->taken = 0; f->taken < BATCH && f->done + f->taken < UNITS && status == STATUS_OK;) {
        char id[32];
        (void)snprintf(id, sizeof(id), "unit-%d", f->done + f->taken);
        status = sample_insert(writer, id, err);
        f->taken += status == STATUS_OK;
    }
    *out_more = f->done + f->taken < UNITS;
    return status;
}

static void settle(void *context, bool kept)
{
    fixture_t *f = context;
    f->done += kept ? f->taken : 0;
    f->taken = 0;
    f->kept += kept;
    f->lost += !kept;
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    err_t err = {0};
    *state = f;
    log_open("test_chores", LOG_ERROR + 1); /* failures are meant to be */
    f->scratch = scratch_make();
    chore_t chore = {
        .event = "units_failed", .context = f, .is_due = any_left, .run = work, .settle = settle};
    chores_add(&f->chores, &chore);
    return migrate_once(&sample_spec, f->scratch.path, NULL, &err) == STATUS_OK &&
                   store_open(&sample_spec, f->scratch.path, STORE_WRITER, &f->writer, &err) ==
                       STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    store_close(&f->writer);
    scratch_remove(&f->scratch);
    free(f);
    return 0;
}

static void whatever_fails_each_unit_is_done_once(void **state)
{
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY};
    int failures = 0;
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        bool failed = true;
        for (unsigned nth = 1; failed; nth++) {
            assert_int_equal(tear_down(state), 0);
            assert_int_equal(set_up(state), 0);
            fixture_t *f = *state;
            int rounds = 0;
            int told = 0;
            sqlite_fault_arm(nth, codes[i]);
            for (; chores_look(&f->chores, f->writer, false); rounds++) {
                told += !chores_run(&f->chores, f->writer);
                assert_true(rounds < ROUNDS_MAX);
            }
            failed = sqlite_fault_disarm();
            failures += failed;
            assert_int_equal(f->done, UNITS);
            assert_int_equal(f->kept, (UNITS + BATCH - 1) / BATCH);
            assert_int_equal(rounds, f->kept + told);
            assert_true(told >= f->lost && told <= failed);
            for (int unit = 0; unit < UNITS; unit++) {
                char id[16];
                (void)snprintf(id, sizeof(id), "unit-%d", unit);
                assert_true(sample_has(f->writer, id));
            }
        }
    }
    assert_true(failures > 3 * UNITS);
}

static void a_chore_waits_for_its_time(void **state)
{
    fixture_t *f = *state;
    chores_t chores = {0};
    assert_int_equal(chores_next_ms(&chores), INT64_MAX);
    chore_t chore = f->chores.items[0].chore;
    chore.every_ms = INT64_C(3600) * 1000;
    chores_add(&chores, &chore);
    int64_t first_ms = chores_next_ms(&chores);
    assert_false(chores_look(&chores, f->writer, false));
    assert_false(chores_look(&chores, f->writer, true)); /* it has no part in the end */
    chore.at_end = true;
    chore.every_ms *= 2;
    chores_add(&chores, &chore);
    assert_int_equal(chores_next_ms(&chores), first_ms);
    assert_true(chores_look(&chores, f->writer, true));
    assert_true(chores_run(&chores, f->writer));
    assert_int_equal(f->kept, 1);
    assert_int_equal(f->done, BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_fails_each_unit_is_done_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chore_waits_for_its_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
