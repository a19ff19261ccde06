/* The HTTP server over real sockets: bodies that are long, short, slow or not wanted. */
#include "gateway/http.h"

#include "common/clock.h"
#include "tests/component/echo.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Bodies ---- */

static void test_chunked(void **state)
{
    (void)state;
    echo_ask("POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
             "5\r\nhello\r\nA\r\n world 123\r\n0\r\n\r\n");
    assert_int_equal(echo_reply.status, 200);
    assert_string_equal(echo_text(), "hello world 123");
    assert_false(echo_reply.closed);
    echo_ask("POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
             "zz\r\nhello\r\n0\r\n\r\n");
    assert_int_equal(echo_reply.status, 400);
    assert_string_equal(echo_text(), "invalid");
    assert_true(echo_reply.closed);
    echo_ask("POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
             "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n");
    assert_int_equal(echo_reply.status, 400);
    assert_true(echo_reply.closed);
    echo_ask("POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_int_equal(echo_reply.status, 200);
    assert_string_equal(echo_text(), "");
}

static void test_chunked_body_over_the_limit(void **state)
{
    static char request[4096];
    (void)state;
    (void)snprintf(request, sizeof request,
                   "POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3e8\r\n%01000d\r\n0\r\n\r\n",
                   1);
    echo_ask(request);
    assert_int_equal(echo_reply.status, 200);
    assert_int_equal(strlen(echo_text()), 1000);
    (void)snprintf(request, sizeof request,
                   "POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3e9\r\n%01001d\r\n0\r\n\r\n",
                   1);
    echo_ask(request);
    assert_int_equal(echo_reply.status, 413);
    assert_true(echo_reply.closed);
}

static void test_body_at_and_over_the_limit(void **state)
{
    static char request[4096];
    (void)state;
    (void)snprintf(request, sizeof request,
                   "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n%01000d", 1);
    echo_ask(request);
    assert_int_equal(echo_reply.status, 200);
    assert_int_equal(strlen(echo_text()), 1000);
    assert_false(echo_reply.closed);
    (void)snprintf(request, sizeof request,
                   "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n%01001d", 1);
    echo_ask(request);
    assert_int_equal(echo_reply.status, 413);
    assert_non_null(strstr(echo_reply.bytes, "HTTP/1.1 413 Content Too Large\r\n"));
    assert_true(echo_reply.closed);
}

/* civetweb would read 2 GB to the end before it closes. */
static void test_huge_upload_is_not_read(void **state)
{
    enum { MOST = 64 * 1024 * 1024 }; /* more than all the buffers between */
    static char chunk[65536];
    size_t sent = 0;
    (void)state;
    int fd = raw_connect(http_port(echo_server));
    raw_send_text(fd, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000000\r\n\r\n");
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 413);
    while (sent < MOST && send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) > 0)
        sent += sizeof chunk;
    assert_true(sent < MOST);
    (void)close(fd);
}

/* A refused body of known, small size is dropped, and the connection goes on behind it. */
static void test_unread_body_is_dropped(void **state)
{
    static char request[16384];
    (void)state;
    int fd = raw_connect(http_port(echo_server));
    (void)snprintf(request, sizeof request,
                   "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n\r\n%03000d"
                   "GET /next HTTP/1.1\r\nHost: h\r\n\r\n",
                   1);
    raw_send_text(fd, request);
    raw_receive(fd, 2, false, PATIENCE_MS, &echo_reply);
    assert_non_null(strstr(echo_reply.bytes, "POST|/x|"));
    assert_non_null(strstr(echo_reply.bytes, "GET|/next|"));
    (void)close(fd);
    (void)snprintf(request, sizeof request,
                   "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n%09000d", 1);
    echo_ask(request);
    assert_int_equal(echo_reply.status, 200);
    assert_non_null(strstr(echo_reply.bytes, "Connection: close"));
    assert_true(echo_reply.closed || echo_reply.status == 200);
}

/* Refused without the body: no 100, and no wait for what will not come. */
static int64_t refused_after_ms(void)
{
    int fd = raw_connect(http_port(echo_server));
    int64_t begin = clock_ms();
    raw_send_text(fd, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n"
                      "Expect: 100-continue\r\n\r\n");
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 413);
    assert_true(raw_is_closed(fd, PATIENCE_MS));
    (void)close(fd);
    return clock_ms() - begin;
}

static void test_expect_continue(void **state)
{
    (void)state;
    int fd = raw_connect(http_port(echo_server));
    raw_send_text(fd, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                      "Expect: 100-Continue\r\n\r\n");
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_string_equal(echo_reply.bytes, "HTTP/1.1 100 Continue\r\n\r\n");
    raw_send_text(fd, "hello");
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 200);
    assert_string_equal(echo_text(), "hello");
    (void)close(fd);
    /* A wait would be there each time; a busy machine is not. */
    int64_t quickest = PATIENCE_MS;
    for (int i = 0; i < 10 && quickest >= 400; i++) {
        int64_t took = refused_after_ms();
        quickest = took < quickest ? took : quickest;
    }
    assert_true(quickest < 400);
    echo_expect_refused("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                        "Expect: miracles\r\n\r\nhello",
                        417);
}

static void test_short_body_is_cut(void **state)
{
    (void)state;
    int fd = raw_connect(http_port(echo_server));
    int64_t begin = clock_ms();
    raw_send_text(fd, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhello");
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 408);
    assert_string_equal(echo_text(), "timeout");
    assert_in_range(clock_ms() - begin, REQUEST_MS - 100, REQUEST_MS + SLACK_MS);
    assert_true(raw_is_closed(fd, PATIENCE_MS));
    (void)close(fd);
    fd = raw_connect(http_port(echo_server));
    raw_send_text(fd, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhello");
    (void)shutdown(fd, SHUT_WR);
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 400);
    assert_string_equal(echo_text(), "closed");
    (void)close(fd);
}

/* civetweb's own timeout begins anew with every byte. */
static void drip(const char *head, const char *bytes, int wanted_status)
{
    int fd = raw_connect(http_port(echo_server));
    int64_t begin = clock_ms();
    raw_send_text(fd, head);
    for (size_t i = 0; clock_ms() < begin + REQUEST_MS + 2L * SLACK_MS; i++) {
        char one[2] = {bytes[i % strlen(bytes)], '\0'};
        raw_send_text(fd, one);
        raw_receive(fd, 1, false, 100, &echo_reply);
        if (echo_reply.status != 0 || echo_reply.closed)
            break;
    }
    assert_int_equal(echo_reply.status, wanted_status);
    assert_in_range(clock_ms() - begin, REQUEST_MS - 100, REQUEST_MS + SLACK_MS);
    assert_true(raw_is_closed(fd, PATIENCE_MS));
    (void)close(fd);
}

static void test_dripping_clients_are_cut(void **state)
{
    (void)state;
    drip("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n", "x", 408);
    drip("POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "0", 408);
    drip("GET / HTTP/1.1\r\nHost: h\r\n", "X-a: b\r\n", 408);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_chunked, echo_settle),
        cmocka_unit_test_setup(test_chunked_body_over_the_limit, echo_settle),
        cmocka_unit_test_setup(test_body_at_and_over_the_limit, echo_settle),
        cmocka_unit_test_setup(test_huge_upload_is_not_read, echo_settle),
        cmocka_unit_test_setup(test_unread_body_is_dropped, echo_settle),
        cmocka_unit_test_setup(test_expect_continue, echo_settle),
        cmocka_unit_test_setup(test_short_body_is_cut, echo_settle),
        cmocka_unit_test_setup(test_dripping_clients_are_cut, echo_settle),
    };
    return cmocka_run_group_tests(tests, echo_start, echo_stop);
}
