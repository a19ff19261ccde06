/* A whole worker process that is asked for more slow work than it can do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/component/worker_desk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 64, LINGERING = 48 }; /* three quarters of the window */

static uint64_t ask_one(fixture_t *f, unsigned i, int64_t ms_left, bool again)
{
    char body[64];
    (void)snprintf(body, sizeof(body), "{'id':'%u','text':'T'}", i);
    ask_t hash = {.operation = "note_hash", .body = body, .ms_left = ms_left, .again = again};
    return fake_ask(&f->gateway, &hash);
}

static uint64_t ask_hash(fixture_t *f, unsigned i, int64_t ms_left)
{
    return ask_one(f, i, ms_left, false);
}

static uint64_t ask_hash_again(fixture_t *f, unsigned i, int64_t ms_left)
{
    return ask_one(f, i, ms_left, true);
}

static void expect(fixture_t *f, uint64_t id, outcome_t outcome)
{
    assert_true(fake_answer(&f->gateway, id, &f->reply));
    assert_int_equal(f->reply.outcome, outcome);
}

static off_t hashed(fixture_t *f)
{
    struct stat info;
    return stat(scratch_file(&f->scratch, "hashed"), &info) == 0 ? info.st_size : 0;
}

/* Has one measured that takes `ms` at least. Slow ones wait for their release again then. */
static void measure(fixture_t *f, int ms)
{
    uint64_t id =
        fake_ask(&f->gateway, &(ask_t){.operation = "note_read_slowly", .path = "{'id':'none'}"});
    fake_send(&f->gateway);
    fake_pump(&f->gateway, ms);
    assert_int_equal(f->gateway.times[id], 0);
    desk_release_slow(f);
    expect(f, id, OUTCOME_UNKNOWN);
    assert_int_equal(unlink(scratch_file(&f->scratch, "release")), 0);
}

/* Asks for three at once: the thread takes the first, the others are refused while it works. */
static void expect_one_of_three(fixture_t *f, int64_t ms_left)
{
    uint64_t first = ask_hash(f, 1, 60000);
    uint64_t second = ask_hash(f, 2, ms_left);
    uint64_t third = ask_hash(f, 3, ms_left);
    fake_send(&f->gateway);
    expect(f, second, OUTCOME_UNAVAILABLE);
    expect(f, third, OUTCOME_UNAVAILABLE);
    assert_int_equal(f->gateway.times[first], 0);
    desk_release_slow(f);
    expect(f, first, OUTCOME_CREATED);
    assert_int_equal(hashed(f), 1);
    assert_int_equal(desk_look(f, "{'id':'2'}"), OUTCOME_UNKNOWN);
}

static void slow_calls_leave_room_in_the_window(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_SLOW_WAIT_MS=600000");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    measure(f, 100); /* all of them take far less than they have, on a busy machine too */
    uint64_t ids[WINDOW];
    for (unsigned i = 0; i < WINDOW; i++)
        ids[i] = ask_hash(f, i, 60000);
    fake_send(&f->gateway);
    for (unsigned i = LINGERING; i < WINDOW; i++)
        expect(f, ids[i], OUTCOME_UNAVAILABLE);
    assert_int_equal(desk_look(f, "{'id':'none'}"), OUTCOME_UNKNOWN);
    assert_int_equal(desk_make(f, "{'id':'fast','text':'F'}"), OUTCOME_CREATED);
    for (unsigned i = 0; i < LINGERING; i++)
        assert_int_equal(f->gateway.times[ids[i]], 0);
    desk_release_slow(f);
    for (unsigned i = 0; i < LINGERING; i++)
        expect(f, ids[i], OUTCOME_CREATED);
    assert_int_equal(hashed(f), LINGERING);
    /* And there is room again. */
    uint64_t again = ask_hash(f, WINDOW, 60000);
    fake_send(&f->gateway);
    expect(f, again, OUTCOME_CREATED);
}

static void what_would_wait_too_long_is_refused_at_once(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_SLOW_WAIT_MS=100");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    measure(f, 300);
    expect_one_of_three(f, 60000);
}

static void what_could_not_be_done_in_time_is_refused_at_once(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_SLOW_WAIT_MS=600000");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    measure(f, 500);
    expect_one_of_three(f, 700); /* 500 ms until it is free, and as much for the work */
}

/* One that took long must not keep others out for ever: a free thread takes any call. */
static void a_bad_estimate_is_corrected(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_SLOW_WAIT_MS=0");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    measure(f, 4000);
    desk_release_slow(f);
    for (unsigned i = 0; i < 3; i++) {
        ask_t ask = {.operation = "note_read_slowly", .path = "{'id':'none'}", .ms_left = 3500};
        assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_UNKNOWN);
    }
}

/* Its worker has died, and its client waits: to refuse it would make an error of a wait. */
static void what_is_sent_again_is_refused_by_its_deadline_only(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_SLOW_WAIT_MS=0");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    measure(f, 500);
    uint64_t ids[LINGERING + 2];
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++) /* more than a crowd */
        ids[i] = ask_hash_again(f, i, 600000);
    uint64_t late = ask_hash_again(f, ARRAY_LEN(ids), 700);
    uint64_t new = ask_hash(f, ARRAY_LEN(ids) + 1, 600000);
    fake_send(&f->gateway);
    expect(f, late, OUTCOME_UNAVAILABLE);
    expect(f, new, OUTCOME_UNAVAILABLE);
    desk_release_slow(f);
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++)
        expect(f, ids[i], OUTCOME_CREATED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(slow_calls_leave_room_in_the_window),
        CASE(what_would_wait_too_long_is_refused_at_once),
        CASE(what_could_not_be_done_in_time_is_refused_at_once),
        CASE(a_bad_estimate_is_corrected),
        CASE(what_is_sent_again_is_refused_by_its_deadline_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
