#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/pool.h"
#include "proto/registry.h"

#include <stdio.h>
#include <string.h>

/* The pool's end of who may serve what: the key "key-N" may serve service N, until it is revoked.
 */
typedef struct {
    pool_t *pool;
    command_t sent; /* the last message */
    char to;
    bool revoked;
    unsigned place;    /* stands in the instance's last places but one */
    unsigned patience; /* strikes that are tolerated; 0: all */
    uint64_t line;     /* the last one's */
    int strikes;
    bool works;
} world_t;

static status_t fake_send(void *context, const void *identity, size_t identity_length,
                          command_t command, const void *body, size_t body_length)
{
    world_t *world = context;
    (void)identity_length;
    (void)body;
    (void)body_length;
    world->to = *(const char *)identity;
    world->sent = command;
    return STATUS_OK;
}

static bool may_serve(void *context, const char *key, size_t service)
{
    const world_t *world = context;
    return !world->revoked && strncmp(key, "key-", 4) == 0 && key[4] == (char)('0' + service);
}

static bool tolerate(void *context, const sender_t *sender)
{
    world_t *world = context;
    (void)sender;
    return (unsigned)++world->strikes <= world->patience || world->patience == 0;
}

static void works(void *context, uint64_t line, bool works)
{
    world_t *world = context;
    world->line = line;
    world->works = works;
}

static void new_world(world_t *world)
{
    *world = (world_t){.sent = COMMAND_REQUEST};
    pool_limits_t limits = {.services = registry_count, .queue_max = 8, .in_flight_max = 8};
    pool_io_t io = {.send = fake_send,
                    .may_serve = may_serve,
                    .tolerate = tolerate,
                    .works = works,
                    .context = world};
    world->pool = pool_new(&limits, &io);
}

static void join(world_t *world, char identity, const char *key, size_t service, char instance)
{
    ready_t ready = {.instance = "00000000-0000-7000-8000-00000000000x", .window = 1};
    msgpack_sbuffer body;
    msgpack_packer packer;
    (void)snprintf(ready.service, sizeof(ready.service), "%s", registry[service]->name);
    ready.instance[35] = instance;
    ready.instance[34] = "0123456789abcdef"[world->place % 16];
    ready.instance[33] = "0123456789abcdef"[world->place / 16];
    msgpack_sbuffer_init(&body);
    msgpack_packer_init(&packer, &body, msgpack_sbuffer_write);
    frames_write_ready(&ready, &packer);
    pool_message(world->pool, &(sender_t){&identity, 1, key, (unsigned char)identity},
                 COMMAND_READY, body.data, body.size, 1000);
    msgpack_sbuffer_destroy(&body);
}

static void a_key_serves_its_own_service(void **state)
{
    world_t world;
    pool_event_t event;
    (void)state;
    new_world(&world);
    join(&world, 'a', "key-0", 0, 'a');
    assert_int_equal(world.sent, COMMAND_HEARTBEAT);
    assert_true(pool_next_event(world.pool, &event) && event.joined);
    join(&world, 'b', "key-0", 1, 'b');
    assert_int_equal(world.sent, COMMAND_DISCONNECT);
    assert_int_equal(world.to, 'b');
    assert_true(pool_next_event(world.pool, &event) && event.refused == 1 && !event.joined);
    assert_string_equal(event.key, "key-0");
    assert_string_equal(event.service, registry[1]->name);
    join(&world, 'c', "", 0, 'c');
    assert_int_equal(world.to, 'c');
    assert_int_equal(world.sent, COMMAND_DISCONNECT);
    assert_int_equal(pool_counters(world.pool).refused_workers, 2);
    assert_int_equal(pool_live(world.pool, 0), 1);
    assert_int_equal(pool_live(world.pool, 1), 0);
    pool_destroy(&world.pool);
}

/* However many are refused: who comes is told of, and nobody else is called refused. */
static void refusals_take_no_other_events_place(void **state)
{
    enum { EVENTS = 64, REFUSED = 100 }; /* as many events as are kept, and more refusals */
    world_t world;
    pool_event_t event;
    (void)state;
    new_world(&world);
    for (int i = 0; i < REFUSED; i++)
        join(&world, 'x', "key-0", 1, 'a');
    for (int i = 0; i < EVENTS; i++)
        join(&world, (char)('0' + i), "key-0", 0, (char)('0' + i % 10));
    join(&world, 'x', "key-1", 0, 'f');
    for (int i = 0; i < EVENTS; i++) {
        assert_true(pool_next_event(world.pool, &event));
        assert_int_equal(event.refused, 0);
        assert_string_equal(event.service, registry[0]->name);
    }
    assert_true(pool_next_event(world.pool, &event));
    assert_int_equal(event.refused, REFUSED + 1);
    assert_string_equal(event.key, "key-1");
    assert_int_equal(event.instance[35], 'f');
    assert_false(event.joined);
    assert_false(pool_next_event(world.pool, &event));
    pool_destroy(&world.pool);
}

/* Whoever has one service's key can't keep the others' workers out. */
static void each_service_has_its_own_room(void **state)
{
    world_t world;
    (void)state;
    new_world(&world);
    for (; world.place < POOL_WORKERS_MAX; world.place++)
        join(&world, (char)(1 + world.place), "key-0", 0, 'a');
    assert_int_equal(pool_live(world.pool, 0), POOL_WORKERS_MAX);
    join(&world, 'z', "key-0", 0, 'a');
    assert_int_equal(world.sent, COMMAND_DISCONNECT);
    assert_int_equal(pool_live(world.pool, 0), POOL_WORKERS_MAX);
    join(&world, 'y', "key-1", 1, 'a');
    assert_int_equal(pool_live(world.pool, 1), 1);
    pool_destroy(&world.pool);
}

/* What a worker does once, a stranger with a key could do without end. */
static void who_is_not_tolerated_is_not_answered(void **state)
{
    world_t world;
    (void)state;
    new_world(&world);
    world.patience = 2;
    join(&world, 'a', "key-0", 0, 'a');
    assert_int_equal(world.strikes, 1); /* READY is for once */
    assert_true(world.works && world.line == 'a');
    char a = 'a';
    const sender_t sender = {&a, 1, "key-0", 'a'};
    pool_message(world.pool, &sender, COMMAND_DISCONNECT, "", 0, 1000);
    assert_int_equal(world.strikes, 2);
    assert_false(world.works);
    world.sent = COMMAND_REQUEST;
    join(&world, 'a', "key-0", 0, 'a');
    pool_message(world.pool, &sender, COMMAND_HEARTBEAT, "", 0, 1000);
    assert_int_equal(world.strikes, 4);
    assert_int_equal(world.sent, COMMAND_REQUEST);
    assert_int_equal(pool_live(world.pool, 0), 0);
    pool_destroy(&world.pool);
}

static void talk(world_t *world, char who, command_t command, size_t times, int64_t now_ms)
{
    const sender_t sender = {&who, 1, "key-0", (unsigned char)who};
    for (size_t i = 0; i < times; i++) /* a REPLY without a reply */
        pool_message(world->pool, &sender, command, "\x90", command == COMMAND_REPLY, now_ms);
}

static void who_talks_without_end_is_lost(void **state)
{
    static const command_t commands[] = {COMMAND_HEARTBEAT, COMMAND_REPLY};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        world_t world;
        new_world(&world);
        join(&world, 'a', "key-0", 0, 'a');
        talk(&world, 'a', commands[i], POOL_CHATTER_MAX, 2000);
        talk(&world, 'a', commands[i], POOL_CHATTER_MAX, 3000); /* another second */
        assert_int_equal(pool_live(world.pool, 0), 1);
        talk(&world, 'a', commands[i], 1, 3999);
        assert_int_equal(pool_live(world.pool, 0), 0);
        assert_int_equal(world.sent, COMMAND_DISCONNECT);
        pool_destroy(&world.pool);
    }
}

/* Neither an identity nor an instance is worth anything with another key. */
static void names_of_others_are_of_no_use(void **state)
{
    world_t world;
    (void)state;
    new_world(&world);
    join(&world, 'a', "key-0", 0, 'a');
    join(&world, 'a', "key-1", 1, 'b');
    assert_int_equal(world.sent, COMMAND_DISCONNECT);
    join(&world, 'b', "key-1", 1, 'a');
    assert_int_equal(world.sent, COMMAND_DISCONNECT);
    assert_int_equal(pool_live(world.pool, 0), 1);
    assert_int_equal(pool_live(world.pool, 1), 0);
    char a = 'a';
    pool_message(world.pool, &(sender_t){&a, 1, "key-1", 0}, COMMAND_DISCONNECT, "", 0, 1000);
    pool_message(world.pool, &(sender_t){&a, 1, "key-1", 0}, COMMAND_REPLY, "\xc1", 1, 1000);
    pool_message(world.pool, &(sender_t){&a, 1, "key-1", 0}, COMMAND_HEARTBEAT, "", 0, 100000);
    assert_int_equal(pool_live(world.pool, 0), 1);
    pool_tick(world.pool, 1000 + FRAMES_SILENCE_MS); /* that heartbeat was not its own */
    assert_int_equal(pool_live(world.pool, 0), 0);
    pool_destroy(&world.pool);
}

static void a_revoked_worker_is_sent_away(void **state)
{
    world_t world;
    (void)state;
    new_world(&world);
    join(&world, 'a', "key-0", 0, 'a');
    join(&world, 'b', "key-1", 1, 'b');
    pending_t pending = {.request = "x", .request_length = 1, .deadline_ms = 9000};
    assert_true(pool_submit(world.pool, &pending, 1000));
    pool_recheck(world.pool, 1000);
    assert_int_equal(pool_live(world.pool, 0), 1);
    world.revoked = true;
    pool_recheck(world.pool, 1000);
    assert_int_equal(world.sent, COMMAND_DISCONNECT);
    assert_int_equal(pool_live(world.pool, 0) + pool_live(world.pool, 1), 0);
    assert_int_equal(pool_queued(world.pool, 0), 1); /* what it held waits for another */
    assert_int_equal(pending.deaths, 0);
    pool_stop(world.pool);
    assert_ptr_equal(pool_take_done(world.pool), &pending);
    pool_destroy(&world.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_serves_its_own_service),
        cmocka_unit_test(refusals_take_no_other_events_place),
        cmocka_unit_test(names_of_others_are_of_no_use),
        cmocka_unit_test(each_service_has_its_own_room),
        cmocka_unit_test(who_is_not_tolerated_is_not_answered),
        cmocka_unit_test(who_talks_without_end_is_lost),
        cmocka_unit_test(a_revoked_worker_is_sent_away),
    };
    return cmocka_run_group_tests_name("pool_keys", tests, NULL, NULL);
}
