/* What a connection at the worker port may send that is no message yet, or has too many frames; and
 * words that are read when their connection is another's descriptor. */
#include "tests/component/curve_desk.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/registry.h"
#include "tests/support/await.h"

#include <sodium.h>
#include <string.h>
#include <zmq.h>

enum { PART = 1 << 20, PARTS = 640, WASTE = 100000, ROUNDS = 20, NONSENSE = 40, SIZES = 300 };

static visitors_counters_t visitors_of(const curve_desk_t *desk)
{
    return broker_visitors(desk->world.broker);
}

/* One that never comes again. */
static void open_once(stranger_t *stranger, const curve_desk_t *desk, size_t key)
{
    int never = -1;
    stranger_open(stranger);
    (void)zmq_setsockopt(stranger->socket, ZMQ_RECONNECT_IVL, &never, sizeof(never));
    stranger_connect_with(stranger, desk, desk->keys[key]);
}

static void expect(const stranger_t *stranger, const char *head)
{
    char heard[16];
    assert_int_equal(zmq_recv(stranger->socket, heard, sizeof(heard), 0), FRAMES_HEAD_SIZE);
    assert_memory_equal(heard, head, FRAMES_HEAD_SIZE);
}

static bool one_is_cut(void *context)
{
    return visitors_of(context).cut == 1;
}

static bool only_the_worker_is_left(void *context)
{
    return visitors_of(context).open == 1;
}

/* libzmq holds what has come of a message, and there is hardly an end to this one. */
static void an_endless_message_is_cut(void **state)
{
    curve_desk_t *desk = *state;
    stranger_t stranger;
    open_once(&stranger, desk, 1);
    static char part[PART];
    for (size_t i = 0; i < PARTS; i++) {
        zmq_msg_t frame;
        assert_int_equal(zmq_msg_init_data(&frame, part, PART, NULL, NULL), 0);
        assert_int_equal(zmq_msg_send(&frame, stranger.socket, ZMQ_SNDMORE), PART);
    }
    assert_int_equal(zmq_send(stranger.socket, "", 0, 0), 0);
    assert_true(await(one_is_cut, desk, WAIT_MS));
    assert_int_equal(broker_counters(desk->world.broker).bad_messages, 0); /* it never was whole */
    stranger_close(&stranger);
    curve_desk_assert_works(desk);
    assert_true(await(only_the_worker_is_left, desk, WAIT_MS));
}

/* It is whole, and so small that nothing else stops it. */
static void a_message_of_too_many_frames_is_cut(void **state)
{
    curve_desk_t *desk = *state;
    stranger_t stranger;
    open_once(&stranger, desk, 1);
    for (size_t i = 0; i < WASTE; i++)
        assert_int_equal(zmq_send(stranger.socket, "", 0, ZMQ_SNDMORE), 0);
    assert_int_equal(zmq_send(stranger.socket, "", 0, 0), 0);
    assert_true(await(one_is_cut, desk, WAIT_MS));
    curve_desk_assert_works(desk);
    assert_true(await(only_the_worker_is_left, desk, WAIT_MS));
    assert_int_equal(broker_counters(desk->world.broker).bad_messages, 1);
    stranger_close(&stranger);
}

enum { HANDSHAKE_BYTES = 2000, HEARTBEATS = 900 };

static bool all_is_heard(void *context)
{
    const curve_desk_t *desk = context;
    return broker_live(desk->world.broker, 1) == 0;
}

static bool is_looked_at(void *context)
{
    return visitors_of(context).looks > ((const curve_desk_t *)context)->wanted;
}

/* Should the count of bytes drift, whoever stays long enough would be cut. */
static void messages_are_counted_to_the_byte(void **state)
{
    static const char bytes[SIZES];
    curve_desk_t *desk = *state;
    stranger_t stranger;
    stranger_open(&stranger);
    stranger_connect_with(&stranger, desk, desk->keys[1]);
    assert_true(stranger_says_ready(&stranger, 1, 0));
    for (size_t i = 0; i < HEARTBEATS; i++) { /* each length of a frame's head */
        size_t size = i % SIZES;
        assert_int_equal(zmq_send(stranger.socket, "LKW1H", 5, ZMQ_SNDMORE), 5);
        assert_int_equal(zmq_send(stranger.socket, bytes, size, 0), (int)size);
    }
    expect(&stranger, "LKW1H"); /* it is in */
    assert_true(zmq_send(stranger.socket, "LKW1D", 5, 0) == 5);
    assert_true(await(all_is_heard, desk, WAIT_MS));
    desk->wanted = visitors_of(desk).looks + 2;
    assert_true(await(is_looked_at, desk, WAIT_MS));
    assert_in_range(visitors_of(desk).unread, 1, HANDSHAKE_BYTES); /* of the two connections */
    stranger_close(&stranger);
}

/* The next connection mostly gets the descriptor of the last, whose words are not read yet. */
static void nobody_is_cut_for_anothers_words(void **state)
{
    curve_desk_t *desk = *state;
    for (int round = 0; round < ROUNDS; round++) {
        stranger_t guilty, innocent;
        int linger_ms = WAIT_MS;
        open_once(&guilty, desk, 1);
        (void)zmq_setsockopt(guilty.socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
        for (int i = 0; i < NONSENSE; i++)
            assert_true(zmq_send(guilty.socket, "nonsense", 8, 0) == 8);
        stranger_close(&guilty);
        open_once(&innocent, desk, 1);
        for (int i = 0; i < VISITORS_STRIKES_MAX; i++) /* as many as one has */
            assert_true(zmq_send(innocent.socket, "nonsense", 8, 0) == 8);
        for (int i = 0; i < VISITORS_STRIKES_MAX; i++)
            expect(&innocent, "LKW1D");
        stranger_close(&innocent);
    }
    curve_desk_assert_works(desk);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, curve_desk_open, curve_desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_endless_message_is_cut),
        TEST(a_message_of_too_many_frames_is_cut),
        TEST(messages_are_counted_to_the_byte),
        TEST(nobody_is_cut_for_anothers_words),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("visitors' words", tests, NULL, NULL);
}
