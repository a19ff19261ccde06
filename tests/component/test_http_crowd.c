/* The HTTP server over real sockets: more connections than threads. */
#include "gateway/http.h"

#include "common/clock.h"
#include "tests/component/echo.h"
#include "tests/support/await.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

static http_server_t *patient; /* one whose own time limits are far off */

static void start_patient(void)
{
    http_settings_t settings = echo_settings();
    settings.request_ms = settings.keep_alive_ms = 600000;
    err_t err;
    assert_int_equal(http_start(&settings, &echo_handler, &patient, &err), STATUS_OK);
}

static bool all_connected(void *context)
{
    (void)context;
    return http_connections(echo_server) == THREADS;
}

/* As many kept connections as threads: the last quarter was told to close. */
static void test_idle_connections_starve_nobody(void **state)
{
    int fds[THREADS];
    int kept = 0;
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        fds[i] = raw_connect(http_port(echo_server));
        raw_send_text(fds[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        raw_receive(fds[i], 1, false, PATIENCE_MS, &echo_reply);
        assert_int_equal(echo_reply.status, 200);
        kept += strstr(echo_reply.bytes, "Connection: keep-alive") != NULL;
    }
    assert_int_equal(kept, THREADS * 3 / 4);
    int64_t begin = clock_ms();
    echo_ask("GET /new HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(echo_reply.status, 200);
    assert_true(clock_ms() < begin + KEEP_MS / 2);
    for (int i = 0; i < THREADS; i++)
        (void)close(fds[i]);
}

/* Until then it is refused at once, or closed: it is never left waiting. */
static bool serves_a_newcomer(void *server)
{
    raw_ask(http_port(server), "GET /new HTTP/1.1\r\nHost: h\r\n\r\n", &echo_reply);
    assert_true(echo_reply.status == 200 || echo_reply.status == 503 || echo_reply.status == 0);
    assert_true(echo_reply.status == 200 || echo_reply.closed);
    return echo_reply.status == 200;
}

static bool all_in_flight(void *context)
{
    (void)context;
    return http_in_flight(echo_server) == THREADS;
}

/* Every thread at work: newcomers are told so, whether they ask or only connect. */
static void test_beyond_its_threads_it_refuses(void **state)
{
    enum { NEWCOMERS = 40 };
    int fds[THREADS];
    (void)state;
    atomic_store(&echo_held, true);
    for (int i = 0; i < THREADS; i++) {
        fds[i] = raw_connect(http_port(echo_server));
        raw_send_text(fds[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    assert_true(await(all_in_flight, NULL, PATIENCE_MS));
    for (int i = 0; i < NEWCOMERS; i++)
        echo_expect_refused("GET /new HTTP/1.1\r\nHost: h\r\n\r\n", 503);
    echo_expect_refused("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", 503);
    echo_expect_refused("GET /slow-head HTTP/1.1\r\nHo", 503);
    int silent[NEWCOMERS];
    for (int i = 0; i < NEWCOMERS; i++)
        silent[i] = raw_connect(http_port(echo_server));
    for (int i = 0; i < NEWCOMERS; i++) {
        assert_true(raw_is_closed(silent[i], PATIENCE_MS));
        (void)close(silent[i]);
    }
    atomic_store(&echo_held, false);
    for (int i = 0; i < THREADS; i++) {
        raw_receive(fds[i], 1, false, PATIENCE_MS, &echo_reply);
        assert_int_equal(echo_reply.status, 200);
        (void)close(fds[i]);
    }
    assert_true(await(echo_is_idle, NULL, PATIENCE_MS));
    echo_ask("GET /new HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(echo_reply.status, 200);
}

/* While threads are scarce, who asks all the time stays, and of the idle as many go as must. */
static void test_the_idle_give_way_to_the_busy(void **state)
{
    enum { KEPT = THREADS * 3 / 4 };
    int fds[KEPT + 1];
    (void)state;
    start_patient();
    for (int i = 0; i < KEPT; i++) {
        fds[i] = raw_connect(http_port(patient));
        raw_send_text(fds[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        raw_receive(fds[i], 1, false, PATIENCE_MS, &echo_reply);
        assert_int_equal(echo_reply.status, 200);
    }
    fds[KEPT] = raw_connect(http_port(patient)); /* one too many */
    bool gone = false;
    bool stalled = false; /* for so long that we were the idle one: nothing can be said */
    while (!gone && !stalled) {
        int64_t begin = clock_ms();
        raw_send_text(fds[0], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        raw_receive(fds[0], 1, false, PATIENCE_MS, &echo_reply);
        for (int i = 1; i < KEPT && !gone; i++)
            gone = raw_is_closed(fds[i], 5);
        stalled = clock_ms() - begin >= 1000;
        assert_true(stalled || echo_reply.status == 200);
        assert_true(stalled || strstr(echo_reply.bytes, "Connection: keep-alive") != NULL);
    }
    for (int i = 0; i <= KEPT; i++)
        (void)close(fds[i]);
    http_stop(&patient);
}

/* Every thread held by somebody who says nothing: request_ms bounds it (here it is the shorter). */
static void test_silent_connections_give_way(void **state)
{
    int fds[THREADS];
    int64_t begin = clock_ms();
    (void)state;
    for (int i = 0; i < THREADS; i++)
        fds[i] = raw_connect(http_port(echo_server));
    assert_true(await(all_connected, NULL, PATIENCE_MS));
    assert_true(await(serves_a_newcomer, echo_server, PATIENCE_MS));
    assert_true(clock_ms() < begin + REQUEST_MS + SLACK_MS);
    for (int i = 0; i < THREADS; i++)
        (void)close(fds[i]);
}

static bool all_hold_patient(void *context)
{
    (void)context;
    return http_in_flight(patient) == THREADS;
}

/* Every thread held by somebody who sends a body's first byte and no more. */
static void test_half_bodies_give_way(void **state)
{
    static const char *const heads[] = {
        "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx",
        "POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx",
    };
    int fds[THREADS];
    (void)state;
    start_patient();
    for (int i = 0; i < THREADS; i++) {
        fds[i] = raw_connect(http_port(patient));
        raw_send_text(fds[i], heads[i % 2]);
    }
    assert_true(await(all_hold_patient, NULL, PATIENCE_MS));
    int64_t begin = clock_ms();
    assert_true(await(serves_a_newcomer, patient, PATIENCE_MS));
    assert_true(clock_ms() < begin + 1000 + SLACK_MS);
    int cut = 0;
    for (int i = 0; i < THREADS; i++) {
        raw_receive(fds[i], 1, false, 2000, &echo_reply);
        cut += echo_reply.status == 408;
        (void)close(fds[i]);
    }
    assert_true(cut > 0);
    http_stop(&patient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_idle_connections_starve_nobody, echo_settle),
        cmocka_unit_test_setup(test_silent_connections_give_way, echo_settle),
        cmocka_unit_test_setup(test_half_bodies_give_way, echo_settle),
        cmocka_unit_test_setup(test_beyond_its_threads_it_refuses, echo_settle),
        cmocka_unit_test_setup(test_the_idle_give_way_to_the_busy, echo_settle),
    };
    return cmocka_run_group_tests(tests, echo_start, echo_stop);
}
