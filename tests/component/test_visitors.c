/* Connections at the worker port that are too many, or do what workers don't: they are cut, and
 * nobody else is. */
#include "tests/component/curve_desk.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/registry.h"
#include "tests/support/await.h"
#include "tests/support/raw_http.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { CROWD = 400, IDLERS = VISITORS_STRANGERS_MAX + 40 };

static int port_of(const curve_desk_t *desk)
{
    return (int)strtol(strrchr(broker_endpoint(desk->world.broker), ':') + 1, NULL, 10);
}

static visitors_counters_t visitors_of(const curve_desk_t *desk)
{
    return broker_visitors(desk->world.broker);
}

/* ---- those who never finish their handshake ---- */

static bool crowd_is_cut(void *context)
{
    return visitors_of(context).crowded_out == CROWD - VISITORS_STRANGERS_MAX;
}

static bool only_the_worker_is_left(void *context)
{
    return visitors_of(context).open == 1;
}

static void silent_connections_are_bounded(void **state)
{
    curve_desk_t *desk = *state;
    int lines[CROWD];
    for (size_t i = 0; i < CROWD; i++)
        lines[i] = raw_connect(port_of(desk));
    assert_true(await(crowd_is_cut, desk, WAIT_MS));
    for (size_t i = 0; i < CROWD - VISITORS_STRANGERS_MAX; i++)
        assert_true(raw_is_closed(lines[i], WAIT_MS)); /* the oldest */
    curve_desk_assert_works(desk);
    assert_true(await(only_the_worker_is_left, desk, WAIT_MS)); /* their time is over */
    for (size_t i = 0; i < CROWD; i++) {
        assert_true(raw_is_closed(lines[i], WAIT_MS));
        (void)close(lines[i]);
    }
    curve_desk_assert_works(desk);
    assert_int_equal(broker_strangers(desk->world.broker).admitted, 1);
}

static bool second_worker_is_in(void *context)
{
    const curve_desk_t *desk = context;
    return broker_live(desk->world.broker, 1) == 1;
}

static void a_worker_joins_in_the_middle_of_a_crowd(void **state)
{
    curve_desk_t *desk = *state;
    int lines[CROWD];
    size_t next = 0;
    memset(lines, -1, sizeof(lines));
    fake_worker_start_with(&desk->world.workers[1], broker_endpoint(desk->world.broker),
                           registry[1]->name, desk->keys[1], curve_public(desk->gateway));
    desk->world.worker_count = 2;
    do { /* a new one at every look, and never fewer than there is room for */
        for (size_t i = 0; i < 20; i++, next = (next + 1) % CROWD) {
            if (lines[next] >= 0)
                (void)close(lines[next]);
            lines[next] = raw_connect(port_of(desk));
        }
    } while (!second_worker_is_in(desk));
    /* It may have been cut before it could say READY, and has come again then. */
    asker_t asker = {.world = &desk->world, .word = "ask", .deadline_ms = LONG_MS};
    assert_int_equal(ask(&asker, 1), PENDING_ANSWERED);
    assert_int_equal(broker_live(desk->world.broker, 0), 1);
    for (size_t i = 0; i < CROWD; i++)
        if (lines[i] >= 0)
            (void)close(lines[i]);
}

/* ---- those who are let in ---- */

static bool idlers_are_cut(void *context)
{
    return visitors_of(context).crowded_out >= IDLERS - VISITORS_STRANGERS_MAX;
}

/* One socket each, so that each is one connection that does not come again. */
static void idlers_are_bounded(void **state)
{
    curve_desk_t *desk = *state;
    static void *lines[IDLERS];
    int none = 0, never = -1;
    err_t err;
    void *context = zmq_ctx_new();
    for (size_t i = 0; i < IDLERS; i++) {
        lines[i] = zmq_socket(context, ZMQ_DEALER);
        (void)zmq_setsockopt(lines[i], ZMQ_LINGER, &none, sizeof(none));
        (void)zmq_setsockopt(lines[i], ZMQ_RECONNECT_IVL, &never, sizeof(never));
        assert_int_equal(curve_dial(desk->keys[1], curve_public(desk->gateway), lines[i], &err),
                         STATUS_OK);
        assert_int_equal(zmq_connect(lines[i], broker_endpoint(desk->world.broker)), 0);
    }
    assert_true(await(idlers_are_cut, desk, WAIT_MS));
    assert_true(visitors_of(desk).open <= VISITORS_STRANGERS_MAX + 1);
    curve_desk_assert_works(desk);
    for (size_t i = 0; i < IDLERS; i++)
        (void)zmq_close(lines[i]);
    (void)zmq_ctx_term(context);
}

/* ---- those who talk ---- */

static bool any_is_cut(void *context)
{
    return visitors_of(context).cut >= 1; /* the worker may have been silent, and be cut, too */
}

enum { SPIN = 2000 };

/* A stranger who never comes again, and says nonsense as fast as he can. */
static void spin(curve_desk_t *desk, stranger_t *stranger)
{
    for (size_t i = 0; i < SPIN && !any_is_cut(desk); i++)
        (void)zmq_send(stranger->socket, "nonsense", 8, ZMQ_DONTWAIT);
    assert_true(await(any_is_cut, desk, WAIT_MS));
}

static size_t answers(const stranger_t *stranger)
{
    char head[16];
    size_t count = 0;
    while (zmq_recv(stranger->socket, head, sizeof(head), ZMQ_DONTWAIT) >= 0)
        count++;
    return count;
}

static void nonsense_is_answered_a_few_times(void **state)
{
    curve_desk_t *desk = *state;
    stranger_t stranger;
    int never = -1;
    stranger_open(&stranger);
    (void)zmq_setsockopt(stranger.socket, ZMQ_RECONNECT_IVL, &never, sizeof(never));
    stranger_connect_with(&stranger, desk, desk->keys[1]);
    spin(desk, &stranger);
    assert_true(await(only_the_worker_is_left, desk, WAIT_MS));
    assert_true(answers(&stranger) <= VISITORS_STRIKES_MAX);
    stranger_close(&stranger);
    curve_desk_assert_works(desk);
}

static bool no_worker_is_left(void *context)
{
    return visitors_of(context).open == 0;
}

/* libzmq lets a connection stay whose key is good no more. */
static void a_revoked_key_is_not_answered(void **state)
{
    curve_desk_t *desk = *state;
    stranger_t stranger;
    int never = -1;
    stranger_open(&stranger);
    (void)zmq_setsockopt(stranger.socket, ZMQ_RECONNECT_IVL, &never, sizeof(never));
    stranger_connect_with(&stranger, desk, desk->keys[0]);
    assert_true(zmq_send(stranger.socket, "LKW1H", 5, 0) == 5);
    char head[16];
    assert_int_equal(zmq_recv(stranger.socket, head, sizeof(head), 0), 5); /* it is in */
    curve_desk_write(desk, false);
    curve_desk_refresh(desk);
    uint64_t before = broker_counters(desk->world.broker).bad_messages;
    spin(desk, &stranger);
    assert_int_equal(answers(&stranger), 0);
    assert_true(broker_counters(desk->world.broker).bad_messages > before);
    broker_recheck(desk->world.broker);
    /* The worker, sent away, says READY once more: it is cut, too, and not let in again. */
    assert_true(await(no_worker_is_left, desk, WAIT_MS));
    stranger_close(&stranger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, curve_desk_open, curve_desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(silent_connections_are_bounded),
        TEST(a_worker_joins_in_the_middle_of_a_crowd),
        TEST(idlers_are_bounded),
        TEST(nonsense_is_answered_a_few_times),
        TEST(a_revoked_key_is_not_answered),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("visitors", tests, NULL, NULL);
}
