/* What isn't the worker protocol, at the broker's socket: it is refused, and asks go on. */
#include "tests/component/asking.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "proto/registry.h"
#include "tests/support/await.h"
#include "tests/support/raw_http.h"

#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

typedef struct {
    void *context, *socket;
} stranger_t;

static void open_stranger(stranger_t *stranger, const world_t *world)
{
    int none = 0;
    int wait_ms = WAIT_MS;
    stranger->context = zmq_ctx_new();
    stranger->socket = zmq_socket(stranger->context, ZMQ_DEALER);
    (void)zmq_setsockopt(stranger->socket, ZMQ_LINGER, &none, sizeof(none));
    (void)zmq_setsockopt(stranger->socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms));
    assert_int_equal(zmq_connect(stranger->socket, broker_endpoint(world->broker)), 0);
}

static void close_stranger(stranger_t *stranger)
{
    (void)zmq_close(stranger->socket);
    (void)zmq_ctx_term(stranger->context);
}

typedef struct {
    const char *bytes;
    size_t length;
} frame_t;

#define FRAME(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void say(stranger_t *stranger, const frame_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(zmq_send(stranger->socket, frames[i].bytes, frames[i].length,
                             i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
}

/* The broker must answer with DISCONNECT and nothing else. */
static void assert_sent_away(stranger_t *stranger, size_t index)
{
    char head[16] = {0};
    int length = zmq_recv(stranger->socket, head, sizeof(head), 0);
    if (length != FRAMES_HEAD_SIZE || memcmp(head, "LKW1D", FRAMES_HEAD_SIZE) != 0)
        fail_msg("message %zu was answered with %d bytes: %s", index, length, head);
}

static void foreign_messages_are_sent_away(void **state)
{
    static const struct {
        frame_t frames[10];
        size_t count;
    } messages[] = {
        {{FRAME("")}, 1},
        {{FRAME(""), FRAME(""), FRAME("")}, 3},
        {{FRAME("LKW1R")}, 1},
        {{FRAME("LKW1R"), FRAME("\x93\xa1x\xa1y\x01")}, 2},
        {{FRAME("LKW1R"), FRAME("\xdd\xff\xff\xff\xff")}, 2},
        {{FRAME("LKW2R"), FRAME("")}, 2},
        {{FRAME("LKW1"), FRAME("R")}, 2},
        {{FRAME("LKW1x")}, 1},
        {{FRAME("LKW1H")}, 1}, /* from one that hasn't said READY */
        {{FRAME("LKW1A"), FRAME("\x90")}, 2},
        {{FRAME("LKW1Q"), FRAME("\x90")}, 2},
        {{FRAME("LKW1H"), FRAME("x"), FRAME("y")}, 3},
        {{FRAME("1"), FRAME("2"), FRAME("3"), FRAME("4"), FRAME("5"), FRAME("6"), FRAME("7"),
          FRAME("8"), FRAME("9"), FRAME("10")},
         10},
        {{FRAME("GET / HTTP/1.1\r\n\r\n")}, 1},
    };
    world_t *world = *state;
    world_start(world, 1);
    stranger_t stranger;
    open_stranger(&stranger, world);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        say(&stranger, messages[i].frames, messages[i].count);
        assert_sent_away(&stranger, i);
    }
    close_stranger(&stranger);
    assert_int_equal(broker_counters(world->broker).bad_messages, ARRAY_LEN(messages));
    assert_int_equal(broker_live(world->broker, 0), 1);
}

/* A READY as a worker sends it. */
static void say_ready(stranger_t *stranger)
{
    ready_t ready = {.window = 1};
    (void)snprintf(ready.service, sizeof(ready.service), "%s", registry[0]->name);
    uuid_new(ready.instance);
    msgpack_sbuffer bytes;
    msgpack_packer out;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    frames_write_ready(&ready, &out);
    frame_t frames[] = {FRAME("LKW1R"), {bytes.data, bytes.size}};
    say(stranger, frames, ARRAY_LEN(frames));
    msgpack_sbuffer_destroy(&bytes);
}

static void a_worker_that_talks_nonsense_is_lost(void **state)
{
    static const frame_t replies[] = {FRAME("LKW1A"), FRAME("\xdd\xff\xff\xff\xff")};
    world_t *world = *state;
    world_start(world, 1);
    stranger_t stranger;
    open_stranger(&stranger, world);
    say_ready(&stranger);
    world->worker_count = 2;
    bool joined = await(world_is_live, world, WAIT_MS);
    say(&stranger, replies, ARRAY_LEN(replies));
    world->worker_count = 1; /* for tear-down too */
    assert_true(joined);
    assert_true(await(world_is_live, world, WAIT_MS));
    assert_int_equal(broker_counters(world->broker).lost_workers, 1);
    close_stranger(&stranger);
}

enum { GUESSES = 4096 };

static bool has_taken_one(void *context)
{
    world_t *world = context;
    return atomic_load(&world->workers[0].taken) == 1;
}

static bool all_guesses_failed(void *context)
{
    world_t *world = context;
    return broker_counters(world->broker).late_replies == GUESSES;
}

/* Replies to requests that are another worker's, or nobody's, change nothing. */
static void foreign_replies_are_late(void **state)
{
    world_t *world = *state;
    world_start(world, 1);
    asker_t held;
    asker_t like = {.word = FAKE_HOLD, .deadline_ms = LONG_MS};
    start_askers(world, &held, 1, &like);
    assert_true(await(has_taken_one, world, WAIT_MS));
    stranger_t stranger;
    open_stranger(&stranger, world);
    say_ready(&stranger);
    AUTO(batch_free) batch_t batch;
    batch_init(&batch);
    for (uint64_t slot = 0; slot < GUESSES; slot++)
        batch_add_reply(&batch, (uint64_t)1 << 16 | slot, "forged", 6);
    size_t length = 0;
    const void *bytes = batch_bytes(&batch, &length);
    frame_t replies[] = {FRAME("LKW1A"), {bytes, length}};
    say(&stranger, replies, ARRAY_LEN(replies));
    frame_t goodbye[] = {FRAME("LKW1D")};
    say(&stranger, goodbye, ARRAY_LEN(goodbye));
    assert_true(await(all_guesses_failed, world, WAIT_MS));
    atomic_store(&world->workers[0].manner, FAKE_LETS_GO);
    asker_t sum = join_askers(&held, 1);
    assert_all_answered(&sum);
    close_stranger(&stranger);
}

/* ---- below ZeroMQ ---- */

static int port_of(const world_t *world)
{
    return (int)strtol(strrchr(broker_endpoint(world->broker), ':') + 1, NULL, 10);
}

/* Reads until the text has come. */
static void read_until(int fd, const char *text)
{
    char bytes[512];
    size_t length = 0;
    while (memmem(bytes, length, text, strlen(text)) == NULL) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&readable, 1, WAIT_MS), 1);
        ssize_t more = read(fd, bytes + length, sizeof(bytes) - length);
        assert_true(more > 0);
        length += (size_t)more;
    }
}

/* Greeting and READY of a DEALER as ZMTP 3.0 (ZeroMQ RFC 23) has them, and a beat of nobody's, to
 * see that we are understood so far. */
static void greet(int fd)
{
    char greeting[64] = {(char)0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    static const char ready[] = "\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06"
                                "DEALER";
    static const char beat[] = "\x00\x05LKW1H";
    raw_send(fd, greeting, sizeof(greeting));
    raw_send(fd, ready, sizeof(ready) - 1);
    read_until(fd, "READY"); /* the handshake takes no message before both have said it */
    raw_send(fd, beat, sizeof(beat) - 1);
    read_until(fd, "LKW1D");
}

static void streams_that_are_not_zeromq_are_cut(void **state)
{
    static const char huge[] = "\x02\x00\x00\x01\x00\x00\x00\x00\x00";
    static const char too_large[] = "\x02\x00\x00\x00\x00\x01\x00\x00\x01"; /* 16 MiB and 1 */
    static const frame_t streams[] = {{huge, 9}, {too_large, 9}};
    world_t *world = *state;
    world_start(world, 1);
    int silent = raw_connect(port_of(world));
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
        int fd = raw_connect(port_of(world));
        greet(fd);
        raw_send(fd, streams[i].bytes, streams[i].length);
        if (!raw_is_closed(fd, WAIT_MS))
            fail_msg("stream %zu goes on", i);
        (void)close(fd);
    }
    int http = raw_connect(port_of(world));
    raw_send_text(http, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    asker_t asker = {.world = world, .word = "ask", .deadline_ms = LONG_MS};
    assert_int_equal(ask(&asker, 1), PENDING_ANSWERED);
    assert_int_equal(asker.wrong, 0);
    (void)close(http);
    (void)close(silent);
}

static void askers_notice_nothing_of_it(void **state)
{
    static const frame_t rubbish[] = {FRAME("LKW1A"), FRAME("\xff"), FRAME(""), FRAME("x")};
    world_t *world = *state;
    asker_t askers[ASKERS / 2];
    asker_t like = {.word = "ask", .deadline_ms = LONG_MS};
    world_start(world, WORKERS);
    like.until_ms = clock_ms() + storm_ms();
    start_askers(world, askers, ARRAY_LEN(askers), &like);
    unsigned sent = 0;
    while (clock_ms() < like.until_ms) {
        stranger_t stranger;
        open_stranger(&stranger, world);
        say(&stranger, rubbish, ARRAY_LEN(rubbish));
        assert_sent_away(&stranger, sent++);
        close_stranger(&stranger);
    }
    asker_t sum = join_askers(askers, ARRAY_LEN(askers));
    show_asker("beside strangers", &sum);
    assert_all_answered(&sum);
    pool_counters_t counters = broker_counters(world->broker);
    assert_int_equal(counters.bad_messages, sent);
    assert_int_equal(counters.lost_workers, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(foreign_messages_are_sent_away), TEST(a_worker_that_talks_nonsense_is_lost),
        TEST(foreign_replies_are_late),       TEST(streams_that_are_not_zeromq_are_cut),
        TEST(askers_notice_nothing_of_it),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
