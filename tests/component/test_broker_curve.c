/* Who gets in at a worker port that speaks CURVE, and who does not. */
#include "tests/component/curve_desk.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "proto/registry.h"
#include "tests/support/await.h"
#include "tests/support/raw_http.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

static void assert_told(const stranger_t *stranger, const char *head)
{
    char received[16] = {0};
    assert_int_equal(zmq_recv(stranger->socket, received, sizeof(received), 0), FRAMES_HEAD_SIZE);
    assert_memory_equal(received, head, FRAMES_HEAD_SIZE);
}

static void assert_told_nothing(const stranger_t *stranger)
{
    char received[16];
    assert_int_equal(zmq_recv(stranger->socket, received, sizeof(received), ZMQ_DONTWAIT), -1);
}

static bool strangers_are_counted(void *context)
{
    const curve_desk_t *desk = context;
    return broker_strangers(desk->world.broker).strangers >= desk->wanted;
}

/* ---- tests ---- */

static void a_known_key_serves(void **state)
{
    curve_desk_t *desk = *state;
    curve_desk_assert_works(desk);
    zap_counters_t counters = broker_strangers(desk->world.broker);
    assert_int_equal(counters.admitted, 1);
    assert_int_equal(counters.unknown_keys, 0);
    assert_int_equal(counters.strangers, 0);
}

static void by_unknown_key(const stranger_t *stranger, const curve_desk_t *desk)
{
    curve_t *key = curve_new();
    stranger_connect_with(stranger, desk, key);
    curve_close(&key);
}

static void by_another_gateways_key(const stranger_t *stranger, const curve_desk_t *desk)
{
    err_t err;
    assert_int_equal(curve_dial(desk->keys[0], curve_public(desk->keys[1]), stranger->socket, &err),
                     STATUS_OK);
    stranger_connect(stranger, desk);
}

static void by_plain_text(const stranger_t *stranger, const curve_desk_t *desk)
{
    stranger_connect(stranger, desk);
}

static void by_password(const stranger_t *stranger, const curve_desk_t *desk)
{
    assert_int_equal(zmq_setsockopt(stranger->socket, ZMQ_PLAIN_USERNAME, "admin", 5), 0);
    assert_int_equal(zmq_setsockopt(stranger->socket, ZMQ_PLAIN_PASSWORD, "admin", 5), 0);
    stranger_connect(stranger, desk);
}

static void who_is_not_known_gets_nowhere(void **state)
{
    static const struct {
        const char *name;
        void (*come)(const stranger_t *stranger, const curve_desk_t *desk);
    } ways[] = {{"unknown key", by_unknown_key},
                {"another gateway's key", by_another_gateways_key},
                {"plain text", by_plain_text},
                {"password", by_password}};
    curve_desk_t *desk = *state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        stranger_t stranger;
        stranger_open(&stranger);
        ways[i].come(&stranger, desk);
        (void)stranger_says_ready(&stranger, 0, ZMQ_DONTWAIT);
        desk->wanted = broker_strangers(desk->world.broker).strangers + 1;
        if (!await(strangers_are_counted, desk, WAIT_MS))
            fail_msg("%s is not counted", ways[i].name);
        assert_told_nothing(&stranger);
        curve_desk_assert_works(desk);
        stranger_close(&stranger);
    }
    assert_int_not_equal(broker_strangers(desk->world.broker).unknown_keys, 0);
    assert_int_equal(broker_strangers(desk->world.broker).admitted, 1);
    assert_int_equal(broker_counters(desk->world.broker).bad_messages, 0);
}

static void garbage_gets_nowhere(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } streams[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
        {"\x01\0\x06\0LKW1H", 9},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16},
        {"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
         64},
        {"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\x06\x05READY",
         71},
        {"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x06\x7f\xff\xff\xff\xff\xff\xff\xff",
         73},
    };
    curve_desk_t *desk = *state;
    int port = (int)strtol(strrchr(broker_endpoint(desk->world.broker), ':') + 1, NULL, 10);
    int silent = raw_connect(port);
    int lines[ARRAY_LEN(streams)];
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
        lines[i] = raw_connect(port);
        raw_send(lines[i], streams[i].bytes, streams[i].length);
    }
    desk->wanted = ARRAY_LEN(streams) + 1;
    assert_true(await(strangers_are_counted, desk, WAIT_MS));
    curve_desk_assert_works(desk);
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
        if (!raw_is_closed(lines[i], WAIT_MS))
            fail_msg("stream %zu is kept", i);
        (void)close(lines[i]);
    }
    assert_true(raw_is_closed(silent, WAIT_MS));
    (void)close(silent);
    assert_int_equal(broker_strangers(desk->world.broker).admitted, 1);
}

static bool second_service_is_live(void *context)
{
    const curve_desk_t *desk = context;
    return broker_live(desk->world.broker, 1) == 1;
}

static void a_key_serves_its_own_service_and_no_other(void **state)
{
    curve_desk_t *desk = *state;
    stranger_t stranger;
    stranger_open(&stranger);
    stranger_connect_with(&stranger, desk, desk->keys[1]);
    assert_true(stranger_says_ready(&stranger, 0, 0));
    assert_told(&stranger, "LKW1D");
    assert_int_equal(broker_counters(desk->world.broker).refused_workers, 1);
    curve_desk_assert_works(desk);
    assert_true(stranger_says_ready(&stranger, 1, 0));
    assert_told(&stranger, "LKW1H");
    assert_true(await(second_service_is_live, desk, WAIT_MS));
    stranger_close(&stranger);
    curve_desk_assert_works(desk);
}

/* What a broker sends to an identity must not end with another who has taken it. */
static void identities_are_not_chosen(void **state)
{
    curve_desk_t *desk = *state;
    stranger_t stranger;
    stranger_open(&stranger);
    assert_int_equal(zmq_setsockopt(stranger.socket, ZMQ_ROUTING_ID, "mine!", 5), 0);
    stranger_connect_with(&stranger, desk, desk->keys[0]);
    assert_true(stranger_says_ready(&stranger, 0, 0));
    assert_told(&stranger, "LKW1D");
    assert_int_equal(broker_counters(desk->world.broker).bad_messages, 1);
    stranger_close(&stranger);
    curve_desk_assert_works(desk);
}

static bool first_service_is_dead(void *context)
{
    const curve_desk_t *desk = context;
    return broker_live(desk->world.broker, 0) == 0;
}

/* The fake worker says READY again whenever it is sent away: by the same connection. */
static void a_revoked_key_serves_no_more(void **state)
{
    curve_desk_t *desk = *state;
    curve_desk_write(desk, false);
    curve_desk_refresh(desk);
    broker_recheck(desk->world.broker);
    assert_true(await(first_service_is_dead, desk, WAIT_MS));
    stranger_t stranger;
    stranger_open(&stranger);
    stranger_connect_with(&stranger, desk, desk->keys[0]);
    desk->wanted = 1;
    assert_true(await(strangers_are_counted, desk, WAIT_MS));
    stranger_close(&stranger);
    assert_int_equal(broker_live(desk->world.broker, 0), 0);
    curve_desk_write(desk, true);
    curve_desk_refresh(desk);
    assert_true(await(world_is_live, &desk->world, WAIT_MS));
}

static void askers_notice_nothing_of_strangers(void **state)
{
    curve_desk_t *desk = *state;
    asker_t askers[ASKERS / 2];
    asker_t like = {.word = "ask", .deadline_ms = LONG_MS};
    unsigned came = 0;
    like.until_ms = clock_ms() + storm_ms();
    start_askers(&desk->world, askers, ARRAY_LEN(askers), &like);
    while (clock_ms() < like.until_ms) {
        stranger_t stranger;
        stranger_open(&stranger);
        if (came++ % 2 == 0)
            by_unknown_key(&stranger, desk);
        else
            by_plain_text(&stranger, desk);
        (void)stranger_says_ready(&stranger, 0, ZMQ_DONTWAIT);
        stranger_close(&stranger);
    }
    asker_t sum = join_askers(askers, ARRAY_LEN(askers));
    show_asker("beside strangers", &sum);
    assert_all_answered(&sum);
    curve_desk_assert_works(desk);
}

static void plain_text_stays_on_this_machine(void **state)
{
    static const char *const everywhere[] = {"tcp://0.0.0.0:*", "tcp://*:*", "tcp://lo:*"};
    curve_desk_t *desk = *state;
    broker_settings_t settings = {.queue_max = 1, .in_flight_max = 1};
    broker_t *other = NULL;
    err_t err;
    for (size_t i = 0; i < ARRAY_LEN(everywhere); i++) {
        settings.listen = everywhere[i];
        assert_int_equal(broker_start(&settings, &other, &err), STATUS_INVALID);
        assert_string_equal(err.where, "LK_WORKER_LISTEN");
        assert_non_null(strstr(err.text, "LK_CURVE=on"));
        assert_null(other);
    }
    settings.listen = "tcp://0.0.0.0:*";
    settings.curve = desk->gateway;
    settings.allow = desk->allow;
    assert_int_equal(broker_start(&settings, &other, &err), STATUS_OK);
    broker_stop(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, curve_desk_open, curve_desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_known_key_serves),
        TEST(who_is_not_known_gets_nowhere),
        TEST(garbage_gets_nowhere),
        TEST(a_key_serves_its_own_service_and_no_other),
        TEST(identities_are_not_chosen),
        TEST(a_revoked_key_serves_no_more),
        TEST(askers_notice_nothing_of_strangers),
        TEST(plain_text_stays_on_this_machine),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("broker_curve", tests, NULL, NULL);
}
