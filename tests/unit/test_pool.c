/* The broker's state machine: dispatch, batches, windows, bounds. */
#include "tests/unit/pool_world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void answers_a_request(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 4);
    assert_int_equal(pool_live(world.pool, 0), 1);
    submit(&world, 0);
    assert_int_equal(last_sent(&world)->command, COMMAND_REQUEST);
    reply(&world, 'a', last_sent(&world)->ids, 1);
    assert_true(world.ended[0]);
    assert_int_equal(world.pending[0].end, PENDING_ANSWERED);
    assert_memory_equal(world.pending[0].reply, "answer", 6);
    end_world(&world);
}

static void without_a_worker_waits_two_seconds(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    submit(&world, 0);
    tick(&world, POOL_NO_WORKER_MS - 1);
    assert_false(world.ended[0]);
    tick(&world, 1);
    assert_true(world.ended[0]);
    assert_int_equal(world.pending[0].end, PENDING_UNAVAILABLE);
    submit(&world, 1);
    join(&world, 'a', 4); /* one that comes in time serves it */
    assert_int_equal(last_sent(&world)->command, COMMAND_REQUEST);
    end_world(&world);
}

static void sends_at_once_while_there_is_little(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 64);
    for (size_t i = 0; i < POOL_BUSY; i++)
        submit(&world, i);
    assert_int_equal(sent_of(&world, COMMAND_REQUEST), POOL_BUSY);
    assert_int_equal(last_sent(&world)->count, 1);
    end_world(&world);
}

static void gathers_for_a_busy_worker(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 64);
    make_busy(&world);
    size_t before = world.sent_count;
    for (size_t i = 0; i < 3; i++)
        submit(&world, i);
    assert_int_equal(world.sent_count, before);
    for (size_t i = 1; i < POOL_BUSY; i++)
        reply(&world, 'a', NULL, 0); /* taken, nothing ready yet */
    assert_int_equal(world.sent_count, before);
    reply(&world, 'a', NULL, 0); /* all are taken */
    assert_int_equal(world.sent_count, before + 1);
    assert_int_equal(last_sent(&world)->count, 3);
    assert_false(world.ended[0]);
    end_world(&world);
}

static void keeps_to_the_window(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 2);
    for (size_t i = 0; i < 4; i++) {
        submit(&world, i);
        reply(&world, 'a', NULL, 0);
    }
    assert_int_equal(sent_of(&world, COMMAND_REQUEST), 2);
    assert_int_equal(pool_queued(world.pool, 0), 2);
    reply(&world, 'a', world.sent[1].ids, 1);
    assert_int_equal(sent_of(&world, COMMAND_REQUEST), 3);
    end_world(&world);
}

static void chooses_the_fewest_waiting(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 8);
    join(&world, 'b', 8);
    submit(&world, 0);
    char first = last_sent(&world)->to;
    submit(&world, 1);
    assert_int_not_equal(last_sent(&world)->to, first);
    end_world(&world);
}

static void bounds_the_queue(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 2);
    for (size_t i = 0; i < 3; i++)
        submit(&world, i);
    assert_false(world.ended[0] || world.ended[1]);
    assert_true(world.ended[2]);
    assert_int_equal(world.pending[2].end, PENDING_UNAVAILABLE);
    end_world(&world);
}

static void a_message_has_a_size(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 32);
    join(&world, 'a', 64);
    make_busy(&world);
    static char large[POOL_MESSAGE_BYTES / 2 + 1];
    for (size_t i = 0; i < 3; i++) {
        world.pending[i] = (pending_t){.request = large,
                                       .request_length = sizeof(large),
                                       .deadline_ms = world.now + DEADLINE_MS};
        (void)pool_submit(world.pool, &world.pending[i], world.now);
    }
    for (size_t i = 0; i < POOL_BUSY; i++)
        reply(&world, 'a', NULL, 0);
    assert_int_equal(last_sent(&world)->count, 1);
    for (size_t i = 0; i < 3; i++)
        reply(&world, 'a', NULL, 0);
    assert_true(world.pending[0].sent && world.pending[1].sent && world.pending[2].sent);
    end_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_a_request),
        cmocka_unit_test(without_a_worker_waits_two_seconds),
        cmocka_unit_test(sends_at_once_while_there_is_little),
        cmocka_unit_test(gathers_for_a_busy_worker),
        cmocka_unit_test(keeps_to_the_window),
        cmocka_unit_test(chooses_the_fewest_waiting),
        cmocka_unit_test(bounds_the_queue),
        cmocka_unit_test(a_message_has_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
