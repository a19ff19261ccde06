/* The listener of the metrics: who asks well is served, whoever else is there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/metrics_http.h"
#include "common/text.h"
#include "tests/support/raw_http.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, CLIENTS = 3 * METRICS_HTTP_CONNECTIONS };

static metric_t level = {.name = "level", .help = "A level.", .type = METRIC_GAUGE};
static metric_t *const all[] = {&level};
static const metrics_t metrics = {.items = all, .count = ARRAY_LEN(all)};
static const char exposition[] = "# HELP level A level.\n# TYPE level gauge\nlevel 7\n";

static metrics_http_t *server;
static int port;
static raw_reply_t reply;

static int start(void **state)
{
    (void)state;
    err_t err;
    metrics_open(&metrics);
    metric_set(&level, 0, 7);
    if (metrics_http_start(&metrics, "127.0.0.1:0", &server, &err) != STATUS_OK)
        return -1;
    port = (int)strtol(strchr(metrics_http_endpoint(server), ':') + 1, NULL, 10);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    metrics_http_stop(&server);
    assert_null(server);
    metrics_close(&metrics);
    return 0;
}

/* Sends, and receives until the server has closed. */
static void ask(const char *bytes, size_t length)
{
    int fd = raw_connect(port);
    raw_send(fd, bytes, length);
    raw_receive(fd, 1, false, PATIENCE_MS, &reply);
    assert_true(raw_is_closed(fd, PATIENCE_MS));
    (void)close(fd);
}

static const char *body(void)
{
    reply.bytes[reply.length < RAW_HTTP_SIZE ? reply.length : RAW_HTTP_SIZE - 1] = '\0';
    const char *end = strstr(reply.bytes, "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}

static void assert_served(void)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    ask(request, strlen(request));
    assert_int_equal(reply.status, 200);
    assert_string_equal(body(), exposition);
}

static void metrics_are_fetched(void **state)
{
    (void)state;
    assert_served();
    assert_non_null(
        strstr(reply.bytes, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    static const char query[] = "GET /metrics?a=b HTTP/1.0\r\n\r\n";
    ask(query, strlen(query));
    assert_string_equal(body(), exposition);
    static const char head[] = "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = raw_connect(port);
    raw_send_text(fd, head);
    raw_receive(fd, 1, true, PATIENCE_MS, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(body(), "");
    assert_non_null(strstr(reply.bytes, "Content-Length: 49\r\n"));
    (void)close(fd);
}

static void nothing_else_is_answered(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"GET /metrics/ HTTP/1.1\r\n\r\n", 404},
        {"GET /metric HTTP/1.1\r\n\r\n", 404},
        {"GET  HTTP/1.1\r\n\r\n", 404},
        {"GET /metrics\r\n\r\n", 400},
        {"GET /metrics HTTP/2.0\r\n\r\n", 400},
        {"GET /metrics?a b HTTP/1.1\r\n\r\n", 400},
        {"POST /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405},
        {"get /metrics HTTP/1.1\r\n\r\n", 405},
        {"\r\n\r\n", 405},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask(rows[i].request, strlen(rows[i].request));
        if (reply.status != rows[i].status)
            fail_msg("%s: %d", rows[i].request, reply.status);
        assert_string_equal(body(), "");
    }
    static const char with_nul[] = "GET /metrics\0 HTTP/1.1";
    ask(with_nul, sizeof(with_nul) - 1);
    assert_int_equal(reply.status, 400);
    assert_served();
}

static void a_head_has_a_limit(void **state)
{
    (void)state;
    static char request[METRICS_HTTP_HEAD];
    memset(request, 'a', sizeof(request));
    memcpy(request, "GET /metrics", strlen("GET /metrics"));
    ask(request, sizeof(request) - 1);
    assert_int_equal(reply.status, 431);
    static const char start_line[] = "GET /metrics HTTP/1.1\r\nX: ";
    memset(request, 'a', sizeof(request));
    memcpy(request, start_line, strlen(start_line));
    memcpy(request + sizeof(request) - 5, "\r\n\r\n", 4);
    ask(request, sizeof(request) - 1); /* the longest that has room */
    assert_int_equal(reply.status, 200);
}

static void a_request_may_come_in_pieces(void **state)
{
    (void)state;
    int fd = raw_connect(port);
    for (const char *at = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"; *at != '\0'; at++)
        raw_send(fd, at, 1);
    raw_receive(fd, 1, false, PATIENCE_MS, &reply);
    assert_string_equal(body(), exposition);
    (void)close(fd);
}

static void silent_and_half_hearted_clients_keep_nobody_out(void **state)
{
    (void)state;
    int clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = raw_connect(port);
        if (i % 3 == 1)
            raw_send_text(clients[i], "GET /met");
        if (i % 3 == 2) /* has its answer, and stays */
            raw_send_text(clients[i], "GET /metrics HTTP/1.1\r\n\r\n");
    }
    assert_served();
    for (size_t i = 0; i < CLIENTS; i++) { /* the first lost their place, the last their time */
        assert_true(raw_is_closed(clients[i], PATIENCE_MS));
        (void)close(clients[i]);
    }
    assert_served();
}

/* A long answer to a slow reader: whoever else comes meanwhile, it gets all of it. */
static void an_answer_on_its_way_is_cut_last(void **state)
{
    enum { LONG = 32 * 1024 * 1024 }; /* more than both ends hold */
    (void)state;
    const char *help = level.help;
    char *text = malloc(LONG + 1);
    assert_non_null(text);
    memset(text, 'a', LONG);
    text[LONG] = '\0';
    level.help = text;
    int reader = raw_connect(port);
    raw_send_text(reader, "GET /metrics HTTP/1.1\r\n\r\n");
    assert_int_equal(recv(reader, reply.bytes, 1, 0), 1); /* it has begun */
    int clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = raw_connect(port);
    assert_true(raw_is_closed(clients[0], PATIENCE_MS));
    size_t length = 1;
    ssize_t count = 0;
    while ((count = recv(reader, reply.bytes, sizeof(reply.bytes), 0)) > 0)
        length += (size_t)count;
    assert_true(length > LONG);
    assert_int_equal(count, 0);
    (void)close(reader);
    for (size_t i = 0; i < CLIENTS; i++)
        (void)close(clients[i]);
    level.help = help;
    free(text);
    assert_served();
}

static void clients_that_reset_do_no_harm(void **state)
{
    (void)state;
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 50; i++) {
        int fd = raw_connect(port);
        if (i % 2 == 0)
            raw_send_text(fd, "GET /metrics HTTP/1.1\r\n\r\n");
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
        (void)close(fd);
    }
    assert_served();
}

static status_t listens(const char *text, char out_endpoint[METRICS_LISTEN_SIZE])
{
    metrics_http_t *other = NULL;
    err_t err;
    status_t status = metrics_http_start(&metrics, text, &other, &err);
    if (status == STATUS_OK)
        text_cut(out_endpoint, METRICS_LISTEN_SIZE, metrics_http_endpoint(other));
    else
        assert_string_equal(err.where, "LK_METRICS_LISTEN");
    metrics_http_stop(&other);
    return status;
}

static void the_address_is_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "localhost:1",
                                      ":1",
                                      "127.0.0.1:",
                                      "127.0.0.1:+",
                                      "127.0.0.1:1 ",
                                      "::1:1",
                                      "[::1]",
                                      "[127.0.0.1]:1",
                                      "127.0.0.1:65536",
                                      "1:1",
                                      "127.0.0.1:-1",
                                      "Off"};
    char endpoint[METRICS_LISTEN_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (listens(bad[i], endpoint) != STATUS_INVALID)
            fail_msg("%s", bad[i]);
    assert_int_equal(listens("203.0.113.1:0", endpoint), STATUS_INVALID); /* nobody's */
    assert_true(metrics_are_off("off"));
    assert_false(metrics_are_off("127.0.0.1:0"));
}

static void a_taken_port_is_refused_or_passed_over(void **state)
{
    (void)state;
    char wanted[METRICS_LISTEN_SIZE];
    char endpoint[METRICS_LISTEN_SIZE] = "";
    const char *taken = metrics_http_endpoint(server);
    assert_int_equal(listens(taken, endpoint), STATUS_BUSY);
    assert_int_equal(text_format(wanted, sizeof(wanted), "%s+", taken), STATUS_OK);
    assert_int_equal(listens(wanted, endpoint), STATUS_OK);
    long next = strtol(strchr(endpoint, ':') + 1, NULL, 10);
    assert_in_range(next, port + 1, port + METRICS_LISTEN_PORTS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_are_fetched, start, stop),
        cmocka_unit_test_setup_teardown(nothing_else_is_answered, start, stop),
        cmocka_unit_test_setup_teardown(a_head_has_a_limit, start, stop),
        cmocka_unit_test_setup_teardown(a_request_may_come_in_pieces, start, stop),
        cmocka_unit_test_setup_teardown(silent_and_half_hearted_clients_keep_nobody_out, start,
                                        stop),
        cmocka_unit_test_setup_teardown(an_answer_on_its_way_is_cut_last, start, stop),
        cmocka_unit_test_setup_teardown(clients_that_reset_do_no_harm, start, stop),
        cmocka_unit_test(the_address_is_read_strictly),
        cmocka_unit_test_setup_teardown(a_taken_port_is_refused_or_passed_over, start, stop),
    };
    return cmocka_run_group_tests_name("metrics_http", tests, NULL, NULL);
}
