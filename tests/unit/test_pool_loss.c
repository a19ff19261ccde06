/* The broker's state machine when something goes wrong: deadlines, loss, poison, strangers. */
#include "tests/unit/pool_world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void ends_at_the_deadline(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 1);
    submit(&world, 0); /* sent */
    uint64_t id = last_sent(&world)->ids[0];
    submit(&world, 1); /* waits for room */
    for (int64_t passed = 0; passed < DEADLINE_MS; passed += 500) {
        assert_false(world.ended[0] || world.ended[1]);
        beat(&world, 'a');
        tick(&world, 500);
    }
    assert_int_equal(world.pending[0].end, PENDING_TIMEOUT);
    assert_true(world.ended[1]);
    assert_int_equal(world.pending[1].end, PENDING_UNAVAILABLE); /* it never ran */
    reply(&world, 'a', &id, 1);
    assert_int_equal(pool_counters(world.pool).late_replies, 1);
    end_world(&world);
}

static void silence_moves_requests(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 64);
    submit(&world, 0);
    uint64_t old_id = last_sent(&world)->ids[0];
    make_busy(&world);
    submit(&world, 1); /* gathers */
    join(&world, 'b', 64);
    for (int i = 0; i < 4; i++) {
        beat(&world, 'b');
        tick(&world, 250);
    }
    assert_int_equal(pool_live(world.pool, 0), 1);
    assert_int_equal(last_sent(&world)->to, 'b');
    assert_int_equal(last_sent(&world)->count, POOL_BUSY + 2);
    assert_true(last_sent(&world)->ids[0] == old_id); /* in their old order */
    assert_true(last_sent(&world)->again[0]);
    assert_false(last_sent(&world)->again[POOL_BUSY + 1]); /* a had not been sent it */
    assert_true(last_sent(&world)->ids[POOL_BUSY + 1] == world.pending[1].id);
    reply(&world, 'a', &old_id, 1); /* a wakes up: a stranger now, told to say READY */
    assert_false(world.ended[0]);
    assert_int_equal(last_sent(&world)->command, COMMAND_DISCONNECT);
    end_world(&world);
}

static void the_load_tells_who_is_busy_silent_and_draining(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 1);
    join(&world, 'a', 1);
    join(&world, 'b', 1);
    pool_load_t load = pool_load(world.pool, 0, world.now);
    assert_int_equal(load.live, 2);
    assert_int_equal(load.busy + load.silent + load.draining + load.held + load.queued, 0);
    submit(&world, 0);
    submit(&world, 1);
    submit(&world, 2); /* waits */
    submit(&world, 3); /* has no room to */
    assert_int_equal(world.pending[3].end, PENDING_UNAVAILABLE);
    assert_int_equal(pool_counters(world.pool).queue_full, 1);
    assert_int_equal(pool_counters(world.pool).unavailable, 0);
    load = pool_load(world.pool, 0, world.now);
    assert_int_equal(load.busy, 2);
    assert_int_equal(load.held, 2);
    assert_int_equal(load.queued, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pool_load(world.pool, 0, world.now).silent, 0);
        tick(&world, FRAMES_HEARTBEAT_MS);
        beat(&world, 'b');
    }
    load = pool_load(world.pool, 0, world.now);
    assert_int_equal(load.silent, 1);
    assert_int_equal(load.live, 2);
    for (int i = 0; i < 2; i++) {
        tick(&world, FRAMES_HEARTBEAT_MS);
        beat(&world, 'b');
    }
    load = pool_load(world.pool, 0, world.now);
    assert_int_equal(load.live, 1);
    assert_int_equal(load.silent, 0);
    assert_int_equal(load.queued, 2); /* one of them was the lost one's */
    assert_int_equal(pool_counters(world.pool).silent_workers, 1);
    assert_int_equal(pool_counters(world.pool).lost_workers, 1);
    pool_message(world.pool, &(sender_t){"b", 1, "", 0}, COMMAND_DISCONNECT, "", 0, world.now);
    load = pool_load(world.pool, 0, world.now);
    assert_int_equal(load.live, 0);
    assert_int_equal(load.busy, 0);
    assert_int_equal(load.draining, 1);
    assert_int_equal(load.held, 1);
    end_world(&world);
}

static void a_peer_that_is_gone_is_noticed_at_once(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 8);
    join(&world, 'b', 8);
    world.gone = 'a';
    submit(&world, 0);
    submit(&world, 1);
    assert_int_equal(pool_live(world.pool, 0), 1);
    reply(&world, 'b', NULL, 0);
    for (size_t i = 0; i < world.sent_count; i++)
        if (world.sent[i].command == COMMAND_REQUEST)
            assert_int_equal(world.sent[i].to, 'b');
    end_world(&world);
}

static void the_wait_for_a_worker_begins_when_the_last_is_lost(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 1);
    submit(&world, 0); /* held for longer than anything waits without a worker */
    submit(&world, 1); /* has no room */
    for (int64_t passed = 0; passed < 2 * (int64_t)POOL_NO_WORKER_MS;
         passed += FRAMES_HEARTBEAT_MS) {
        beat(&world, 'a');
        tick(&world, FRAMES_HEARTBEAT_MS);
    }
    world.gone = 'a';
    tick(&world, FRAMES_HEARTBEAT_MS);
    assert_int_equal(pool_live(world.pool, 0), 0);
    tick(&world, POOL_NO_WORKER_MS - 1);
    assert_false(world.ended[0] || world.ended[1]);
    join(&world, 'b', 1);
    assert_true(last_sent(&world)->ids[0] == world.pending[0].id);
    world.gone = 'b';
    tick(&world, FRAMES_HEARTBEAT_MS);
    tick(&world, POOL_NO_WORKER_MS);
    assert_int_equal(world.pending[0].end, PENDING_TIMEOUT); /* it may have run */
    assert_int_equal(world.pending[1].end, PENDING_UNAVAILABLE);
    end_world(&world);
}

static void only_its_holder_may_answer(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 8);
    submit(&world, 0);
    uint64_t id = last_sent(&world)->ids[0];
    join(&world, 'b', 8);
    reply(&world, 'b', &id, 1);
    assert_false(world.ended[0]);
    uint64_t forged[] = {0, UINT64_MAX, id + ((uint64_t)1 << 16)};
    reply(&world, 'a', forged, 3);
    assert_false(world.ended[0]);
    assert_int_equal(pool_counters(world.pool).late_replies, 4);
    reply(&world, 'a', &id, 1);
    assert_true(world.ended[0]);
    reply(&world, 'a', &id, 1); /* twice */
    assert_int_equal(pool_counters(world.pool).late_replies, 5);
    end_world(&world);
}

static void lose_holder(world_t *world)
{
    world->gone = last_sent(world)->to;
    tick(world, FRAMES_HEARTBEAT_MS);
    world->gone = 0;
}

static void poison_is_run_alone_and_then_refused(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 8);
    submit(&world, 0);
    lose_holder(&world);
    join(&world, 'b', 8);
    assert_int_equal(last_sent(&world)->to, 'b');
    join(&world, 'c', 8);
    submit(&world, 1); /* held by c, and harmless */
    assert_int_equal(last_sent(&world)->to, 'c');
    uint64_t harmless = last_sent(&world)->ids[0];
    world.gone = 'b';
    tick(&world, FRAMES_HEARTBEAT_MS); /* second death: wants a worker of its own */
    world.gone = 0;
    size_t requests = sent_of(&world, COMMAND_REQUEST);
    submit(&world, 2); /* c is kept */
    assert_int_equal(sent_of(&world, COMMAND_REQUEST), requests);
    reply(&world, 'c', &harmless, 1);
    assert_int_equal(last_sent(&world)->to, 'c');
    assert_int_equal(last_sent(&world)->count, 1);
    assert_true(last_sent(&world)->ids[0] == world.pending[0].id);
    lose_holder(&world);
    assert_true(world.ended[0]);
    assert_int_equal(world.pending[0].end, PENDING_POISON);
    assert_false(world.ended[2]);
    join(&world, 'd', 8); /* the harmless one that waited goes on */
    assert_true(last_sent(&world)->ids[0] == world.pending[2].id);
    end_world(&world);
}

static void a_worker_kept_for_a_request_is_free_when_that_gives_up(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 8);
    submit(&world, 0);
    lose_holder(&world);
    join(&world, 'b', 8);
    lose_holder(&world); /* the second death */
    world.pending[0].deadline_ms = world.now + 500;
    join(&world, 'c', 8);
    assert_int_equal(last_sent(&world)->to, 'c'); /* alone */
    lose_holder(&world);
    assert_int_equal(world.pending[0].end, PENDING_POISON);
    join(&world, 'd', 8);
    submit(&world, 1); /* keeps d busy */
    submit(&world, 2);
    world.pending[2].deaths = POOL_DEATHS_BEFORE_ALONE;
    join(&world, 'n', 8); /* 'n' - 'd' == 10: d again; 2 wants it alone and waits for 1 */
    size_t requests = sent_of(&world, COMMAND_REQUEST);
    submit(&world, 3);
    assert_int_equal(sent_of(&world, COMMAND_REQUEST), requests); /* kept */
    world.pending[2].deadline_ms = world.now;
    tick(&world, 0);
    assert_true(world.ended[2]);
    submit(&world, 4);
    assert_true(sent_of(&world, COMMAND_REQUEST) > requests);
    end_world(&world);
}

static void a_stopped_pool_takes_nothing(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 1);
    submit(&world, 0);
    submit(&world, 1);
    pool_stop(world.pool);
    collect(&world);
    assert_int_equal(world.pending[0].end, PENDING_TIMEOUT); /* the worker may have done it */
    assert_int_equal(world.pending[1].end, PENDING_UNAVAILABLE);
    submit(&world, 2);
    assert_true(world.ended[2]);
    end_world(&world);
}

static void a_stopping_worker_finishes_what_it_holds(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 64);
    submit(&world, 0);
    uint64_t id = last_sent(&world)->ids[0];
    make_busy(&world);
    submit(&world, 1); /* not sent yet */
    char a = 'a';
    pool_message(world.pool, &(sender_t){&a, 1, "", 0}, COMMAND_DISCONNECT, "", 0, world.now);
    assert_int_equal(pool_live(world.pool, 0), 0);
    assert_true(pool_queued(world.pool, 0) > 0);
    assert_false(world.pending[1].sent);
    reply(&world, 'a', &id, 1);
    assert_true(world.ended[0]);
    join(&world, 'b', 8);
    assert_true(world.pending[1].sent);
    assert_int_equal(last_sent(&world)->to, 'b');
    assert_int_equal(world.pending[1].deaths, 0);
    end_world(&world);
}

static void a_reconnected_worker_replaces_itself(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 8);
    submit(&world, 0);
    join(&world, 'k', 8); /* 'k' - 'a' == 10: the same instance */
    assert_int_equal(pool_live(world.pool, 0), 1);
    assert_int_equal(last_sent(&world)->to, 'k');
    assert_int_equal(world.pending[0].deaths, 0);
    end_world(&world);
}

static void a_busy_send_is_tried_again(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    join(&world, 'a', 8);
    world.stuck = 'a';
    submit(&world, 0);
    assert_int_equal(sent_of(&world, COMMAND_REQUEST), 0);
    world.stuck = 0;
    tick(&world, 50);
    assert_int_equal(sent_of(&world, COMMAND_REQUEST), 1);
    end_world(&world);
}

static void strangers_are_told_to_leave(void **state)
{
    (void)state;
    world_t world;
    new_world(&world, 8);
    static const struct {
        command_t command;
        const char *body;
        size_t length;
    } bad[] = {
        {COMMAND_REPLY, "\x90", 1},
        {COMMAND_HEARTBEAT, "", 0},
        {COMMAND_REQUEST, "\x90", 1},
        {COMMAND_READY, "", 0},
        {COMMAND_READY, "\x93\xa4nope\xa1x\x01", 9},
        {COMMAND_READY, "\xdd\xff\xff\xff\xff", 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char stranger = 'x';
        pool_message(world.pool, &(sender_t){&stranger, 1, "", 0}, bad[i].command, bad[i].body,
                     bad[i].length, world.now);
        assert_int_equal(last_sent(&world)->command, COMMAND_DISCONNECT);
        assert_int_equal(pool_counters(world.pool).bad_messages, i + 1);
    }
    assert_int_equal(pool_live(world.pool, 0), 0);
    join(&world, 'a', 8);
    submit(&world, 0);
    char a = 'a'; /* a worker that sends nonsense is lost; its requests wait for another */
    pool_message(world.pool, &(sender_t){&a, 1, "", 0}, COMMAND_REPLY, "\xc1", 1, world.now);
    assert_int_equal(pool_live(world.pool, 0), 0);
    assert_int_equal(pool_queued(world.pool, 0), 1);
    end_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_at_the_deadline),
        cmocka_unit_test(silence_moves_requests),
        cmocka_unit_test(the_load_tells_who_is_busy_silent_and_draining),
        cmocka_unit_test(a_peer_that_is_gone_is_noticed_at_once),
        cmocka_unit_test(the_wait_for_a_worker_begins_when_the_last_is_lost),
        cmocka_unit_test(only_its_holder_may_answer),
        cmocka_unit_test(poison_is_run_alone_and_then_refused),
        cmocka_unit_test(a_worker_kept_for_a_request_is_free_when_that_gives_up),
        cmocka_unit_test(a_stopped_pool_takes_nothing),
        cmocka_unit_test(a_stopping_worker_finishes_what_it_holds),
        cmocka_unit_test(a_reconnected_worker_replaces_itself),
        cmocka_unit_test(a_busy_send_is_tried_again),
        cmocka_unit_test(strangers_are_told_to_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
