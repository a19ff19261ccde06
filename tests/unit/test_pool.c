/* The broker's state machine: dispatch, batching, windows, deadlines, loss, poison. */
#include "gateway/pool.h"

#include "common/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { SENT_MAX = 256, REQUESTS = 32, DEADLINE_MS = 10000 };

/* What the pool sent, oldest first. */
typedef struct {
    char to;
    command_t command;
    uint32_t count;
    uint64_t ids[REQUESTS];
} sent_t;

typedef struct {
    pool_t *pool;
    int64_t now;
    sent_t sent[SENT_MAX];
    size_t sent_count;
    char gone;  /* a send to this worker finds nobody */
    char stuck; /* a send to this worker would block */
    pending_t pending[REQUESTS];
    bool ended[REQUESTS];
} world_t;

static status_t fake_send(void *context, const void *identity, size_t length, command_t command,
                          const void *body, size_t body_length)
{
    world_t *world = context;
    assert_int_equal(length, 1);
    char to = *(const char *)identity;
    if (to == world->gone)
        return STATUS_CLOSED;
    if (to == world->stuck)
        return STATUS_BUSY;
    assert_true(world->sent_count < SENT_MAX);
    sent_t *sent = &world->sent[world->sent_count++];
    *sent = (sent_t){.to = to, .command = command};
    if (command != COMMAND_REQUEST)
        return STATUS_OK;
    batch_reader_t batch;
    assert_int_equal(batch_read_requests(&batch, body, body_length), STATUS_OK);
    sent->count = batch.count;
    for (uint32_t i = 0; i < batch.count; i++)
        sent->ids[i] = batch_item(&batch, i).id;
    batch_reader_free(&batch);
    return STATUS_OK;
}

static void new_world(world_t *world, size_t queue_max)
{
    *world = (world_t){.now = 1000000};
    pool_limits_t limits = {.services = 1, .queue_max = queue_max, .in_flight_max = 64};
    pool_io_t io = {.send = fake_send, .context = world};
    world->pool = pool_new(&limits, &io);
}

static void collect(world_t *world)
{
    for (pending_t *done = pool_take_done(world->pool); done != NULL; done = done->next)
        world->ended[done - world->pending] = true;
}

static void end_world(world_t *world)
{
    pool_stop(world->pool);
    collect(world);
    for (size_t i = 0; i < REQUESTS; i++)
        mem_free(world->pending[i].reply);
    pool_destroy(&world->pool);
    assert_null(world->pool);
}

static void join(world_t *world, char worker, uint32_t window)
{
    ready_t ready = {.service = "trunk-auth",
                     .instance = "00000000-0000-7000-8000-00000000000x",
                     .window = window};
    ready.instance[35] = (char)('0' + worker % 10);
    msgpack_sbuffer body;
    msgpack_sbuffer_init(&body);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &body, msgpack_sbuffer_write);
    frames_write_ready(&ready, &packer);
    pool_message(world->pool, &worker, 1, COMMAND_READY, body.data, body.size, world->now);
    msgpack_sbuffer_destroy(&body);
}

static void submit(world_t *world, size_t index)
{
    world->pending[index] =
        (pending_t){.request = "q", .request_length = 1, .deadline_ms = world->now + DEADLINE_MS};
    (void)pool_submit(world->pool, &world->pending[index], world->now);
    collect(world);
}

static void reply(world_t *world, char worker, const uint64_t *ids, size_t count)
{
    batch_t batch;
    size_t length = 0;
    batch_init(&batch);
    for (size_t i = 0; i < count; i++)
        batch_add_reply(&batch, ids[i], "answer", 6);
    const void *body = batch_bytes(&batch, &length);
    pool_message(world->pool, &worker, 1, COMMAND_REPLY, body, length, world->now);
    batch_free(&batch);
    collect(world);
}

static void tick(world_t *world, int64_t milliseconds)
{
    world->now += milliseconds;
    pool_tick(world->pool, world->now);
    collect(world);
}

static void beat(world_t *world, char worker)
{
    pool_message(world->pool, &worker, 1, COMMAND_HEARTBEAT, "", 0, world->now);
}

static const sent_t *last_sent(const world_t *world)
{
    assert_true(world->sent_count > 0);
    return &world->sent[world->sent_count - 1];
}

static size_t sent_of(const world_t *world, command_t command)
{
    size_t count = 0;
    for (size_t i = 0; i < world->sent_count; i++)
        count += world->sent[i].command == command;
    return count;
}

/* ---- the tests ---- */

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

/* Submits as many as make the worker busy: the next ones gather. */
static void make_busy(world_t *world)
{
    for (size_t i = REQUESTS - POOL_BUSY; i < REQUESTS; i++)
        submit(world, i);
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
    assert_true(last_sent(&world)->ids[POOL_BUSY + 1] == world.pending[1].id);
    reply(&world, 'a', &old_id, 1); /* a wakes up: a stranger now, told to say READY */
    assert_false(world.ended[0]);
    assert_int_equal(last_sent(&world)->command, COMMAND_DISCONNECT);
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
    pool_message(world.pool, &a, 1, COMMAND_DISCONNECT, "", 0, world.now);
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
        pool_message(world.pool, &stranger, 1, bad[i].command, bad[i].body, bad[i].length,
                     world.now);
        assert_int_equal(last_sent(&world)->command, COMMAND_DISCONNECT);
        assert_int_equal(pool_counters(world.pool).bad_messages, i + 1);
    }
    assert_int_equal(pool_live(world.pool, 0), 0);
    join(&world, 'a', 8);
    submit(&world, 0);
    char a = 'a'; /* a worker that sends nonsense is lost; its requests wait for another */
    pool_message(world.pool, &a, 1, COMMAND_REPLY, "\xc1", 1, world.now);
    assert_int_equal(pool_live(world.pool, 0), 0);
    assert_int_equal(pool_queued(world.pool, 0), 1);
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
        cmocka_unit_test(ends_at_the_deadline),
        cmocka_unit_test(silence_moves_requests),
        cmocka_unit_test(a_peer_that_is_gone_is_noticed_at_once),
        cmocka_unit_test(only_its_holder_may_answer),
        cmocka_unit_test(poison_is_run_alone_and_then_refused),
        cmocka_unit_test(a_stopping_worker_finishes_what_it_holds),
        cmocka_unit_test(a_reconnected_worker_replaces_itself),
        cmocka_unit_test(a_busy_send_is_tried_again),
        cmocka_unit_test(strangers_are_told_to_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
