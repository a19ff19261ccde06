/* The real broker over real sockets, between many asking threads and workers that the test plays.
 * LK_TEST_SECONDS: how long each storm lasts (default 1).
 *
 * One asking thread at a time receives for all. A wake-up that gets lost there is mended by the
 * broker's tick, so it shows as an ask of 50 ms: each storm prints its longest. */
#include "tests/component/asking.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tests/support/await.h"
#include "tests/support/scratch.h"

#include <sodium.h>
#include <stdio.h>

/* ---- storms ---- */

static void storm(world_t *world, size_t askers_count, const char *what)
{
    asker_t askers[ASKERS];
    asker_t like = {.word = "ask", .until_ms = clock_ms() + storm_ms(), .deadline_ms = LONG_MS};
    start_askers(world, askers, askers_count, &like);
    asker_t sum = join_askers(askers, askers_count);
    show_asker(what, &sum);
    assert_all_answered(&sum);
    assert_int_equal(broker_counters(world->broker).resent, 0);
}

static void everybody_gets_his_own_answer(void **state)
{
    world_start(*state, WORKERS);
    storm(*state, ASKERS, "tcp, 32 askers");
}

static void the_same_over_ipc(void **state)
{
    char listen[128];
    scratch_t scratch = scratch_make();
    (void)snprintf(listen, sizeof(listen), "ipc://%s/socket", scratch.path);
    world_start_at(*state, listen, 2);
    storm(*state, ASKERS, "ipc, 32 askers");
    scratch_remove(&scratch);
}

static void few_askers_are_not_forgotten(void **state)
{
    world_start(*state, 1);
    storm(*state, 1, "1 asker");
    storm(*state, 2, "2 askers");
    storm(*state, 3, "3 askers");
}

/* Whoever receives for all ends by his deadline, by his own answer, or with somebody else's
 * message: each hands receiving on in another way. */
static void receiving_is_handed_on(void **state)
{
    world_t *world = *state;
    asker_t held[4];
    asker_t others[ASKERS / 2];
    int64_t until_ms = clock_ms() + storm_ms();
    asker_t like_held = {.word = FAKE_HOLD, .until_ms = until_ms, .deadline_ms = 20};
    asker_t like = {.word = "ask", .until_ms = until_ms, .deadline_ms = LONG_MS};
    world_start(world, 2);
    start_askers(world, held, ARRAY_LEN(held), &like_held);
    start_askers(world, others, ARRAY_LEN(others), &like);
    asker_t sum = join_askers(others, ARRAY_LEN(others));
    show_asker("beside held ones", &sum);
    assert_all_answered(&sum);
    sum = join_askers(held, ARRAY_LEN(held));
    assert_int_equal(sum.ends[PENDING_ANSWERED], 0);
    assert_int_not_equal(sum.ends[PENDING_TIMEOUT], 0);
}

/* ---- workers that fail ---- */

typedef struct {
    world_t *world;
    unsigned at_least;
} asked_t;

static bool has_asked(void *context)
{
    asked_t *asked = context;
    return atomic_load(&asked->world->asks) >= asked->at_least;
}

static void await_asks(world_t *world, unsigned more)
{
    asked_t asked = {world, atomic_load(&world->asks) + more};
    assert_true(await(has_asked, &asked, WAIT_MS));
}

static bool is_one_less(void *context)
{
    world_t *world = context;
    return broker_live(world->broker, 0) < world->worker_count;
}

/* One that holds requests for good, a second to take them over, and askers that go on meanwhile. */
static void fail_in_mid_run(world_t *world, fake_manner_t manner)
{
    asker_t held[8];
    asker_t others[ASKERS / 2];
    asker_t like_held = {.word = FAKE_HOLD, .deadline_ms = LONG_MS};
    asker_t like = {.word = "ask", .until_ms = clock_ms() + storm_ms(), .deadline_ms = LONG_MS};
    world_start(world, WORKERS);
    start_askers(world, held, ARRAY_LEN(held), &like_held);
    start_askers(world, others, ARRAY_LEN(others), &like);
    await_asks(world, 100);
    atomic_store(&world->workers[0].manner, manner);
    assert_true(await(is_one_less, world, WAIT_MS));
    fake_worker_end(&world->workers[0]);
    world_start_worker(world, 0);
    assert_true(await(world_is_live, world, WAIT_MS));
    asker_t sum = join_askers(others, ARRAY_LEN(others));
    show_asker("with a worker lost", &sum);
    assert_all_answered(&sum);
    for (size_t i = 0; i < WORKERS; i++)
        atomic_store(&world->workers[i].manner, FAKE_LETS_GO);
    sum = join_askers(held, ARRAY_LEN(held));
    assert_all_answered(&sum);
    pool_counters_t counters = broker_counters(world->broker);
    assert_int_equal(counters.lost_workers, 1);
    assert_int_not_equal(counters.resent, 0);
    assert_int_equal(counters.poison, 0);
}

static void a_closed_worker_loses_nothing(void **state)
{
    fail_in_mid_run(*state, FAKE_ENDS);
}

static void a_silent_worker_loses_nothing(void **state)
{
    fail_in_mid_run(*state, FAKE_SILENT);
}

static bool all_came_late(void *context)
{
    world_t *world = context;
    return broker_counters(world->broker).late_replies == ASKERS;
}

static void asks_end_at_their_deadline(void **state)
{
    enum { DEADLINE_MS = 200 };
    world_t *world = *state;
    asker_t askers[ASKERS];
    asker_t like = {.word = FAKE_HOLD, .deadline_ms = DEADLINE_MS};
    world_start(world, 1);
    int64_t begin_ms = clock_ms();
    start_askers(world, askers, ASKERS, &like);
    asker_t sum = join_askers(askers, ASKERS);
    assert_in_range(clock_ms() - begin_ms, DEADLINE_MS, DEADLINE_MS + 5000);
    print_message("deadline %d ms: the longest ask %lld us\n", DEADLINE_MS,
                  (long long)sum.longest_us);
    assert_int_equal(sum.ends[PENDING_TIMEOUT], ASKERS);
    atomic_store(&world->workers[0].manner, FAKE_LETS_GO);
    assert_true(await(all_came_late, world, WAIT_MS));
    asker_t after = {.world = world, .word = "ask", .deadline_ms = LONG_MS};
    assert_int_equal(ask(&after, 1), PENDING_ANSWERED);
    assert_int_equal(after.wrong, 0);
}

static void without_a_worker_asks_wait_for_one(void **state)
{
    world_t *world = *state;
    asker_t askers[ASKERS];
    asker_t like = {.word = "ask", .deadline_ms = LONG_MS};
    world_start(world, 0);
    start_askers(world, askers, ASKERS, &like);
    asker_t sum = join_askers(askers, ASKERS);
    assert_int_equal(sum.ends[PENDING_UNAVAILABLE], ASKERS);
    assert_true(sum.longest_us >= POOL_NO_WORKER_MS * INT64_C(1000));
    start_askers(world, askers, ASKERS, &like);
    world_start_worker(world, 0);
    world->worker_count = 1;
    sum = join_askers(askers, ASKERS);
    assert_all_answered(&sum);
}

static bool all_are_taken(void *context)
{
    world_t *world = context;
    return atomic_load(&world->workers[0].taken) == ASKERS;
}

static void stopping_ends_what_waits(void **state)
{
    world_t *world = *state;
    asker_t askers[ASKERS];
    asker_t like = {.word = FAKE_HOLD, .deadline_ms = LONG_MS};
    world_start(world, 1);
    start_askers(world, askers, ASKERS, &like);
    assert_true(await(all_are_taken, world, WAIT_MS));
    broker_stop(&world->broker); /* what a worker has may have been done */
    asker_t sum = join_askers(askers, ASKERS);
    assert_int_equal(sum.ends[PENDING_TIMEOUT], ASKERS);
}

static void an_address_is_taken_once(void **state)
{
    world_t *world = *state;
    world_start(world, 0);
    broker_settings_t settings = {
        .listen = broker_endpoint(world->broker), .queue_max = 1, .in_flight_max = 1};
    broker_t *second = NULL;
    err_t err;
    assert_int_equal(broker_start(&settings, &second, &err), STATUS_BUSY);
    settings.listen = "nothing://";
    assert_int_equal(broker_start(&settings, &second, &err), STATUS_INVALID);
    assert_null(second);
    broker_stop(&second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everybody_gets_his_own_answer), TEST(the_same_over_ipc),
        TEST(few_askers_are_not_forgotten),  TEST(receiving_is_handed_on),
        TEST(a_closed_worker_loses_nothing), TEST(a_silent_worker_loses_nothing),
        TEST(asks_end_at_their_deadline),    TEST(without_a_worker_asks_wait_for_one),
        TEST(stopping_ends_what_waits),      TEST(an_address_is_taken_once),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
