#include "tests/unit/pool_world.h"

#include "common/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

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
    for (uint32_t i = 0; i < batch.count; i++) {
        sent->ids[i] = batch_item(&batch, i).id;
        sent->again[i] = batch_item(&batch, i).again;
    }
    batch_reader_free(&batch);
    return STATUS_OK;
}

void new_world(world_t *world, size_t queue_max)
{
    *world = (world_t){.now = 1000000};
    pool_limits_t limits = {.services = 1, .queue_max = queue_max, .in_flight_max = 64};
    pool_io_t io = {.send = fake_send, .context = world};
    world->pool = pool_new(&limits, &io);
}

void collect(world_t *world)
{
    for (pending_t *done = pool_take_done(world->pool); done != NULL; done = done->next)
        world->ended[done - world->pending] = true;
}

void end_world(world_t *world)
{
    pool_stop(world->pool);
    collect(world);
    for (size_t i = 0; i < REQUESTS; i++)
        mem_free(world->pending[i].reply);
    pool_destroy(&world->pool);
    assert_null(world->pool);
}

void join(world_t *world, char worker, uint32_t window)
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
    pool_message(world->pool, &(sender_t){&worker, 1, "", 0}, COMMAND_READY, body.data, body.size,
                 world->now);
    msgpack_sbuffer_destroy(&body);
}

void submit(world_t *world, size_t index)
{
    world->pending[index] =
        (pending_t){.request = "q", .request_length = 1, .deadline_ms = world->now + DEADLINE_MS};
    (void)pool_submit(world->pool, &world->pending[index], world->now);
    collect(world);
}

void reply(world_t *world, char worker, const uint64_t *ids, size_t count)
{
    batch_t batch;
    size_t length = 0;
    batch_init(&batch);
    for (size_t i = 0; i < count; i++)
        batch_add_reply(&batch, ids[i], "answer", 6);
    const void *body = batch_bytes(&batch, &length);
    pool_message(world->pool, &(sender_t){&worker, 1, "", 0}, COMMAND_REPLY, body, length,
                 world->now);
    batch_free(&batch);
    collect(world);
}

void tick(world_t *world, int64_t milliseconds)
{
    world->now += milliseconds;
    pool_tick(world->pool, world->now);
    collect(world);
}

void beat(world_t *world, char worker)
{
    pool_message(world->pool, &(sender_t){&worker, 1, "", 0}, COMMAND_HEARTBEAT, "", 0, world->now);
}

const sent_t *last_sent(const world_t *world)
{
    assert_true(world->sent_count > 0);
    return &world->sent[world->sent_count - 1];
}

size_t sent_of(const world_t *world, command_t command)
{
    size_t count = 0;
    for (size_t i = 0; i < world->sent_count; i++)
        count += world->sent[i].command == command;
    return count;
}

void make_busy(world_t *world)
{
    for (size_t i = REQUESTS - POOL_BUSY; i < REQUESTS; i++)
        submit(world, i);
}
