#include "tests/component/curve_desk.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "proto/registry.h"
#include "tests/support/await.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

void curve_desk_write(const curve_desk_t *desk, bool with_first)
{
    char list[256];
    (void)snprintf(list, sizeof(list), "%s%s %s\n%s %s\n", with_first ? "" : "#", registry[0]->name,
                   curve_public(desk->keys[0]), registry[1]->name, curve_public(desk->keys[1]));
    scratch_write(&desk->scratch, "workers", list, 0600);
}

/* A broker by CURVE, and a worker of service 0 that is in. */
int curve_desk_open(void **state)
{
    curve_desk_t *desk = mem_zalloc(sizeof(*desk));
    err_t err;
    *state = desk;
    desk->scratch = scratch_make();
    desk->gateway = curve_new();
    desk->keys[0] = curve_new();
    desk->keys[1] = curve_new();
    curve_desk_write(desk, true);
    if (allow_open(scratch_file(&desk->scratch, "workers"), &desk->allow, &err) != STATUS_OK)
        return -1;
    broker_settings_t settings = {.listen = "tcp://127.0.0.1:*",
                                  .queue_max = 1000,
                                  .in_flight_max = 2000,
                                  .curve = desk->gateway,
                                  .allow = desk->allow};
    if (broker_start(&settings, &desk->world.broker, &err) != STATUS_OK)
        return -1;
    fake_worker_start_with(&desk->world.workers[0], broker_endpoint(desk->world.broker),
                           registry[0]->name, desk->keys[0], curve_public(desk->gateway));
    desk->world.worker_count = 1;
    return await(world_is_live, &desk->world, WAIT_MS) ? 0 : -1;
}

int curve_desk_close(void **state)
{
    curve_desk_t *desk = *state;
    broker_stop(&desk->world.broker);
    for (size_t i = 0; i < desk->world.worker_count; i++)
        fake_worker_end(&desk->world.workers[i]);
    allow_close(&desk->allow);
    curve_close(&desk->keys[0]);
    curve_close(&desk->keys[1]);
    curve_close(&desk->gateway);
    scratch_remove(&desk->scratch);
    mem_free(desk);
    return 0;
}

/* ---- strangers ---- */

void stranger_open(stranger_t *stranger)
{
    int none = 0;
    int wait_ms = WAIT_MS;
    int slowly_ms = 200;
    stranger->context = zmq_ctx_new();
    stranger->socket = zmq_socket(stranger->context, ZMQ_DEALER);
    (void)zmq_setsockopt(stranger->socket, ZMQ_LINGER, &none, sizeof(none));
    (void)zmq_setsockopt(stranger->socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms));
    (void)zmq_setsockopt(stranger->socket, ZMQ_SNDTIMEO, &wait_ms, sizeof(wait_ms));
    (void)zmq_setsockopt(stranger->socket, ZMQ_RECONNECT_IVL, &slowly_ms, sizeof(slowly_ms));
}

void stranger_connect(const stranger_t *stranger, const curve_desk_t *desk)
{
    assert_int_equal(zmq_connect(stranger->socket, broker_endpoint(desk->world.broker)), 0);
}

void stranger_connect_with(const stranger_t *stranger, const curve_desk_t *desk, const curve_t *key)
{
    err_t err;
    assert_int_equal(curve_dial(key, curve_public(desk->gateway), stranger->socket, &err),
                     STATUS_OK);
    stranger_connect(stranger, desk);
}

void stranger_close(stranger_t *stranger)
{
    (void)zmq_close(stranger->socket);
    (void)zmq_ctx_term(stranger->context);
}

/* False: there is no connection to say it on, as a stranger finds. */
bool stranger_says_ready(const stranger_t *stranger, size_t service, int flags)
{
    ready_t ready = {.window = 1};
    msgpack_sbuffer bytes;
    msgpack_packer out;
    (void)snprintf(ready.service, sizeof(ready.service), "%s", registry[service]->name);
    uuid_new(ready.instance);
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    frames_write_ready(&ready, &out);
    bool said = zmq_send(stranger->socket, "LKW1R", 5, flags | ZMQ_SNDMORE) == 5 &&
                zmq_send(stranger->socket, bytes.data, bytes.size, flags) > 0;
    msgpack_sbuffer_destroy(&bytes);
    return said;
}

/* A list comes into force when it has been read twice. */
void curve_desk_refresh(const curve_desk_t *desk)
{
    bool changed = false;
    err_t err;
    for (int i = 0; i < 2; i++)
        assert_int_equal(allow_refresh(desk->allow, &changed, &err), STATUS_OK);
    assert_true(changed);
}

void curve_desk_assert_works(curve_desk_t *desk)
{
    asker_t asker = {.world = &desk->world, .word = "ask", .deadline_ms = LONG_MS};
    assert_int_equal(ask(&asker, 1), PENDING_ANSWERED);
    assert_int_equal(asker.wrong, 0);
    assert_int_equal(broker_live(desk->world.broker, 0), 1);
    assert_int_equal(broker_counters(desk->world.broker).lost_workers, 0);
}
