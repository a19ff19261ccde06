/* Who is locked out, for how long, and who is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/memory_desk.h"

#include <pthread.h>
#include <stdio.h>

enum { FIRST = 10, LONGEST = 80 };

#define S INT64_C(1000)

static const int64_t now = MEMORY_NOW_MS;

static void fail_at(memory_desk_t *f, const char *username, const char *source, int times,
                    int64_t at_ms)
{
    ipnet_t net = memory_net(source);
    for (int i = 0; i < times; i++)
        sip_lockout_fail(f->memory, "o", username, &net, at_ms);
}

static bool is_out(memory_desk_t *f, const char *username, const char *source, int64_t at_ms)
{
    ipnet_t net = memory_net(source);
    return sip_lockout_holds(f->memory, "o", username, &net, at_ms, NULL);
}

static int64_t out_until(memory_desk_t *f, const char *username, const char *source, int64_t at_ms)
{
    ipnet_t net = memory_net(source);
    int64_t until = 0;
    return sip_lockout_holds(f->memory, "o", username, &net, at_ms, &until) ? until : 0;
}

static void a_pair_is_locked_out_and_nobody_else(void **state)
{
    memory_desk_t *f = *state;
    uint64_t version = board_version(f->board);
    fail_at(f, "u", "203.0.113.1", 2, now);
    assert_false(is_out(f, "u", "203.0.113.1", now));
    assert_true(board_version(f->board) == version);
    fail_at(f, "u", "203.0.113.1", 1, now);
    assert_true(is_out(f, "u", "203.0.113.1", now));
    assert_true(board_version(f->board) != version);
    assert_int_equal(out_until(f, "u", "203.0.113.1", now), now + FIRST * S);
    /* its owner calls from elsewhere, and others call from there */
    assert_false(is_out(f, "u", "203.0.113.2", now));
    assert_false(is_out(f, "U", "203.0.113.1", now));
    assert_false(is_out(f, "", "203.0.113.1", now));
    ipnet_t net = memory_net("203.0.113.1");
    assert_false(sip_lockout_holds(f->memory, "another", "u", &net, now, NULL));
    assert_false(sip_lockout_holds(f->memory, "", "u", &net, now, NULL));
    assert_true(is_out(f, "u", "203.0.113.1", now + FIRST * S - 1));
    assert_false(is_out(f, "u", "203.0.113.1", now + FIRST * S));
}

static void a_source_is_locked_out_for_all_names(void **state)
{
    memory_desk_t *f = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_false(is_out(f, "stranger", "203.0.113.1", now));
        fail_at(f, names[i], "203.0.113.1", 1, now);
    }
    assert_true(is_out(f, "stranger", "203.0.113.1", now));
    assert_false(is_out(f, "a", "203.0.113.2", now));
}

static void of_ipv6_the_64_counts(void **state)
{
    memory_desk_t *f = *state;
    char source[64];
    for (int i = 0; i < 3; i++) {
        (void)snprintf(source, sizeof(source), "2001:db8:0:1::%d", i);
        fail_at(f, "u", source, 1, now);
    }
    assert_true(is_out(f, "u", "2001:db8:0:1:ffff::1", now));
    assert_false(is_out(f, "u", "2001:db8:0:2::1", now));
    fail_at(f, "v", "2001:db8:0:1::9", 2, now);
    assert_true(is_out(f, "w", "2001:db8:0:1::8", now));
    assert_false(is_out(f, "w", "2001:db8:0:2::8", now));
}

static void exempt_and_unknown_sources_count_nothing(void **state)
{
    memory_desk_t *f = *state;
    fail_at(f, "u", "192.0.2.7", 100, now);
    assert_false(is_out(f, "u", "192.0.2.7", now));
    for (int i = 0; i < 100; i++)
        sip_lockout_fail(f->memory, "o", "u", NULL, now);
    assert_false(sip_lockout_holds(f->memory, "o", "u", NULL, now, NULL));
    sip_lockout_succeed(f->memory, "o", "u", NULL, now);
    f->settings.lockout_exempt[0] = '\0';
    AUTO(sip_memory_close) sip_memory_t *strict = memory_open_again(f, false);
    ipnet_t net = memory_net("192.0.2.7");
    assert_false(sip_lockout_holds(strict, "o", "u", &net, now, NULL));
    for (int i = 0; i < 3; i++)
        sip_lockout_fail(strict, "o", "u", &net, now);
    assert_true(sip_lockout_holds(strict, "o", "u", &net, now, NULL));
    assert_false(is_out(f, "u", "192.0.2.7", now));
}

static void zero_is_no_lock_out(void **state)
{
    memory_desk_t *f = *state;
    f->settings.lockout_failures = 0;
    fail_at(f, "u", "203.0.113.1", 4, now);
    assert_false(is_out(f, "u", "203.0.113.1", now));
    fail_at(f, "u", "203.0.113.1", 1, now);
    assert_true(is_out(f, "u", "203.0.113.1", now)); /* the source */
    f->settings.lockout_source_failures = 0;
    fail_at(f, "u", "203.0.113.2", 200, now);
    assert_false(is_out(f, "u", "203.0.113.2", now));
    assert_false(is_out(f, "u", "203.0.113.1", now));
}

static void a_success_forgets_the_pair_but_not_the_source(void **state)
{
    memory_desk_t *f = *state;
    ipnet_t net = memory_net("203.0.113.1");
    fail_at(f, "u", "203.0.113.1", 2, now);
    sip_lockout_succeed(f->memory, "o", "u", &net, now);
    fail_at(f, "u", "203.0.113.1", 2, now);
    assert_false(is_out(f, "u", "203.0.113.1", now));
    sip_lockout_succeed(f->memory, "o", "u", &net, now);
    fail_at(f, "v", "203.0.113.1", 1, now);
    assert_true(is_out(f, "u", "203.0.113.1", now));
}

/* Windows of 60 s: 3 within any of them, however they lie. */
static void the_window_slides(void **state)
{
    memory_desk_t *f = *state;
    fail_at(f, "slow", "203.0.113.1", 1, now);
    fail_at(f, "slow", "203.0.113.1", 1, now + 61 * S);
    fail_at(f, "slow", "203.0.113.1", 1, now + 122 * S);
    fail_at(f, "slow", "203.0.113.1", 1, now + 183 * S);
    assert_false(is_out(f, "slow", "203.0.113.1", now + 183 * S));
    fail_at(f, "over", "203.0.113.2", 1, now);
    fail_at(f, "over", "203.0.113.2", 1, now + 58 * S);
    assert_false(is_out(f, "over", "203.0.113.2", now + 58 * S));
    fail_at(f, "over", "203.0.113.2", 2, now + 61 * S); /* the window's edge is no way out */
    assert_true(is_out(f, "over", "203.0.113.2", now + 61 * S));
    fail_at(f, "late", "203.0.113.3", 2, now);
    fail_at(f, "late", "203.0.113.3", 2, now + 120 * S);
    assert_false(is_out(f, "late", "203.0.113.3", now + 120 * S));
}

static void each_lasts_twice_as_long(void **state)
{
    memory_desk_t *f = *state;
    int64_t at = now;
    static const int64_t lasts[] = {10, 20, 40, 80, 80, 80};
    for (size_t i = 0; i < ARRAY_LEN(lasts); i++) {
        fail_at(f, "u", "203.0.113.1", 3, at);
        assert_int_equal(out_until(f, "u", "203.0.113.1", at), at + lasts[i] * S);
        fail_at(f, "u", "203.0.113.1", 3, at); /* what fails meanwhile makes it no longer */
        assert_int_equal(out_until(f, "u", "203.0.113.1", at), at + lasts[i] * S);
        at += lasts[i] * S;
        assert_false(is_out(f, "u", "203.0.113.1", at));
        f->settings.lockout_source_failures = 0;
    }
    at += 2 * S * LONGEST; /* six, of which two are forgotten by then: the fifth follows */
    fail_at(f, "u", "203.0.113.1", 3, at);
    assert_int_equal(out_until(f, "u", "203.0.113.1", at), at + LONGEST * S);
    at += 5 * S * LONGEST; /* five, less four: the second */
    fail_at(f, "u", "203.0.113.1", 3, at);
    assert_int_equal(out_until(f, "u", "203.0.113.1", at), at + 2 * S * FIRST);
    at += INT64_C(100) * 24 * 3600 * S;
    fail_at(f, "u", "203.0.113.1", 3, at);
    assert_int_equal(out_until(f, "u", "203.0.113.1", at), at + FIRST * S);
}

static void a_clock_that_jumps_does_bounded_harm(void **state)
{
    memory_desk_t *f = *state;
    int64_t year = INT64_C(365) * 24 * 3600 * S;
    fail_at(f, "u", "203.0.113.1", 3, now + year);
    assert_true(is_out(f, "u", "203.0.113.1", now + year));
    assert_false(is_out(f, "u", "203.0.113.1", now)); /* put back: not out for a year */
    fail_at(f, "u", "203.0.113.1", 2, now);
    fail_at(f, "u", "203.0.113.1", 1, now - 3600 * S); /* what was counted stays counted */
    assert_true(is_out(f, "u", "203.0.113.1", now - 3600 * S));
    fail_at(f, "v", "203.0.113.2", 3, now);
    assert_false(is_out(f, "v", "203.0.113.2", now + year));
}

static void it_outlives_its_process(void **state)
{
    memory_desk_t *f = *state;
    fail_at(f, "u", "203.0.113.1", 3, now);
    fail_at(f, "v", "203.0.113.2", 2, now);
    sip_memory_close(&f->memory);
    f->memory = memory_open_again(f, true);
    assert_true(is_out(f, "u", "203.0.113.1", now));
    fail_at(f, "v", "203.0.113.2", 1, now);
    assert_true(is_out(f, "v", "203.0.113.2", now));
}

/* More pairs than there is room for: the newest ones are out, and no stranger is. */
static void a_flood_locks_out_no_stranger(void **state)
{
    memory_desk_t *f = *state;
    enum { SOURCES = 40000, STRANGERS = 2000 };
    char source[32];
    for (int i = 0; i < SOURCES; i++) {
        (void)snprintf(source, sizeof(source), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        fail_at(f, "u", source, 3, now + i);
        fail_at(f, "v", source, 2, now + i); /* the source, too */
    }
    size_t out = 0;
    for (int i = 0; i < STRANGERS; i++) {
        (void)snprintf(source, sizeof(source), "11.0.%d.%d", i >> 8 & 255, i & 255);
        out += is_out(f, "u", source, now + SOURCES);
    }
    assert_true(out <= 1); /* tags of 27 bits: once in thousands of runs */
    fail_at(f, "w", "12.0.0.1", 3, now + SOURCES);
    assert_true(is_out(f, "w", "12.0.0.1", now + SOURCES));
}

enum { THREADS = 4, ROUNDS = 200 };

/* Whoever began a lock-out may be killed, or overtaken, before it has raised the board. */
static void whoever_finds_a_lock_out_sees_that_the_board_is_raised(void **state)
{
    memory_desk_t *f = *state;
    err_t err = {0};
    ipnet_t net = memory_net("203.0.113.1");
    AUTO(sip_memory_close) sip_memory_t *killed = NULL;
    assert_int_equal(
        sip_memory_open(f->scratch.path, "svc", false, &f->settings, NULL, &killed, &err),
        STATUS_OK);
    uint64_t version = board_version(f->board);
    for (int i = 0; i < 3; i++)
        sip_lockout_fail(killed, "o", "told", &net, now);
    assert_true(board_version(f->board) == version);
    assert_true(is_out(f, "told", "203.0.113.1", now));
    assert_true(board_version(f->board) != version);
    for (int i = 0; i < 3; i++)
        sip_lockout_fail(killed, "o", "reported", &net, now);
    version = board_version(f->board);
    fail_at(f, "reported", "203.0.113.1", 1, now);
    assert_true(board_version(f->board) != version);
    version = board_version(f->board);
    assert_true(is_out(f, "reported", "203.0.113.1", now)); /* once is enough */
    fail_at(f, "told", "203.0.113.1", 1, now);
    assert_true(board_version(f->board) == version);
}

static void *fail_much(void *argument)
{
    memory_desk_t *f = argument;
    char name[16];
    for (int i = 0; i < ROUNDS; i++) {
        (void)snprintf(name, sizeof(name), "u%d", i);
        fail_at(f, name, "203.0.113.1", 1, now);
        (void)is_out(f, name, "203.0.113.1", now);
    }
    return NULL;
}

/* Of failures that come at once none is lost, and none begins a second lock-out. */
static void threads_count_together(void **state)
{
    memory_desk_t *f = *state;
    f->settings.lockout_failures = THREADS + 1;
    f->settings.lockout_source_failures = 0;
    char name[16];
    for (int i = 0; i < ROUNDS; i++) { /* of first ones at once each could take a place */
        (void)snprintf(name, sizeof(name), "u%d", i);
        fail_at(f, name, "203.0.113.1", 1, now);
    }
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fail_much, f), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    size_t out = 0;
    for (int i = 0; i < ROUNDS; i++) {
        (void)snprintf(name, sizeof(name), "u%d", i);
        out += out_until(f, name, "203.0.113.1", now) == now + FIRST * S;
    }
    assert_int_equal(out, ROUNDS);
}

static void exempt_ranges_are_checked(void **state)
{
    memory_desk_t *f = *state;
    sip_memory_t *none = NULL;
    err_t err = {0};
    (void)snprintf(f->settings.lockout_exempt, sizeof(f->settings.lockout_exempt), "10.0.0.0/8,x");
    assert_int_equal(
        sip_memory_open(f->scratch.path, "svc", false, &f->settings, f->board, &none, &err),
        STATUS_INVALID);
    assert_string_equal(err.where, "LK_SIP_LOCKOUT_EXEMPT");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pair_is_locked_out_and_nobody_else, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(a_source_is_locked_out_for_all_names, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(of_ipv6_the_64_counts, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(exempt_and_unknown_sources_count_nothing, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(zero_is_no_lock_out, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(a_success_forgets_the_pair_but_not_the_source,
                                        memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(the_window_slides, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(each_lasts_twice_as_long, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_does_bounded_harm, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(it_outlives_its_process, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(a_flood_locks_out_no_stranger, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(whoever_finds_a_lock_out_sees_that_the_board_is_raised,
                                        memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(threads_count_together, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(exempt_ranges_are_checked, memory_set_up, memory_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
