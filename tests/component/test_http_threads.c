/* The HTTP server over real sockets: who may hold a thread for how long; start and stop. */
#include "gateway/http.h"

#include "common/clock.h"
#include "tests/component/echo.h"
#include "tests/support/await.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Threads ---- */

static http_server_t *start_another(int64_t request_ms)
{
    http_settings_t other = echo_settings();
    http_server_t *second = NULL;
    err_t err;
    other.request_ms = request_ms;
    assert_int_equal(http_start(&other, &echo_handler, &second, &err), STATUS_OK);
    return second;
}

static http_server_t *patient; /* a starved client thread must not be taken for a slow one */

static void test_half_requests_are_cut(void **state)
{
    int fds[THREADS / 2];
    int64_t begin = clock_ms();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = raw_connect(http_port(echo_server));
        if (i % 2 == 0)
            raw_send_text(fds[i], "GET / HTTP/1.1\r\nHo");
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        raw_receive(fds[i], 1, false, PATIENCE_MS, &echo_reply);
        assert_int_equal(echo_reply.status, i % 2 == 0 ? 408 : 0);
        assert_true(raw_is_closed(fds[i], PATIENCE_MS));
        assert_in_range(clock_ms() - begin, REQUEST_MS - 100, REQUEST_MS + SLACK_MS);
        (void)close(fds[i]);
    }
}

typedef struct {
    int fd;
    int before; /* how many were released */
} sipper_t;

static bool sips_until_released(void *context)
{
    const sipper_t *sipper = context;
    char waste[100];
    (void)recv(sipper->fd, waste, sizeof waste, MSG_DONTWAIT);
    return atomic_load(&echo_released) != sipper->before;
}

static void test_slow_reader_is_cut(void **state)
{
    int small = 4096;
    (void)state;
    int before = atomic_load(&echo_released);
    int fd = raw_connect(http_port(echo_server));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    int64_t begin = clock_ms();
    raw_send_text(fd, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    /* Reads a little now and then, so that civetweb's own timeout never comes. */
    sipper_t sipper = {fd, before};
    (void)await(sips_until_released, &sipper, REQUEST_MS + 2 * SLACK_MS);
    assert_in_range(clock_ms() - begin, REQUEST_MS - 100, REQUEST_MS + SLACK_MS);
    assert_true(await(echo_is_idle, NULL, PATIENCE_MS));
    (void)close(fd);
}

static void test_large_response_arrives_whole(void **state)
{
    static char waste[262144];
    (void)state;
    int fd = raw_connect(http_port(echo_server));
    raw_send_text(fd, "GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    size_t total = 0;
    for (ssize_t got = 1; got > 0; total += (size_t)got) {
        got = recv(fd, waste, sizeof waste, 0);
        if (got < 0)
            break;
    }
    assert_true(total > LARGE && total < LARGE + 1000);
    (void)close(fd);
}

static bool nobody_in_flight(void *context)
{
    (void)context;
    return http_in_flight(patient) == 0;
}

static void *ask_in_thread(void *argument)
{
    const char *request = argument;
    for (int i = 0; i < 200; i++) {
        int fd = raw_connect(http_port(patient));
        raw_send_text(fd, request);
        char text[512];
        ssize_t got = recv(fd, text, sizeof text, 0);
        (void)close(fd);
        if (got <= 0 || strncmp(text, "HTTP/1.1 200", 12) != 0) {
            print_message("request %d: got %zd: %.*s\n", i, got, got < 0 ? 0 : (int)got, text);
            return argument;
        }
    }
    return NULL;
}

static void test_many_at_once(void **state)
{
    static char post[] = "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    static char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    pthread_t threads[4];
    int bad = 0;
    (void)state;
    patient = start_another(10000);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, i % 2 ? post : get), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        bad += failed != NULL;
    }
    assert_int_equal(bad, 0);
    assert_true(await(nobody_in_flight, NULL, PATIENCE_MS));
    http_stop(&patient);
}

/* They are not cut for long here: nobody else waits for that. */
static void test_half_requests_hold_nobody_up(void **state)
{
    int fds[THREADS / 2];
    (void)state;
    patient = start_another(20000);
    int64_t begin = clock_ms();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = raw_connect(http_port(patient));
        if (i % 2 == 0)
            raw_send_text(fds[i], "GET / HTTP/1.1\r\nHo");
    }
    raw_ask(http_port(patient), "GET /meanwhile HTTP/1.1\r\nHost: h\r\n\r\n", &echo_reply);
    assert_int_equal(echo_reply.status, 200);
    assert_true(clock_ms() < begin + PATIENCE_MS);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        (void)close(fds[i]);
    http_stop(&patient);
}

/* ---- Start and echo_stop ---- */

static void expect_start(const char *listen, status_t wanted)
{
    http_settings_t other = echo_settings();
    http_server_t *second = NULL;
    err_t err = {0};
    other.listen = listen;
    assert_int_equal(http_start(&other, &echo_handler, &second, &err), wanted);
    assert_true(err.text[0] != '\0');
    assert_null(second);
}

static void test_start_failures(void **state)
{
    char taken[32];
    (void)state;
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%d", http_port(echo_server));
    expect_start(taken, STATUS_BUSY);
    expect_start("[::1]:0", STATUS_INVALID);
    expect_start("::1:0", STATUS_INVALID);
    expect_start("localhost", STATUS_INVALID);
    expect_start("127.0.0.1:65536", STATUS_INVALID);
    expect_start("127.0.0.1:", STATUS_INVALID);
    expect_start("127.0.0.1:80s", STATUS_INVALID);
    expect_start("203.0.113.1:0", STATUS_INVALID);
}

static void test_descriptor_limit(void **state)
{
    struct rlimit before, low = {100, 100};
    http_settings_t other = echo_settings();
    http_server_t *second = NULL;
    err_t err = {0};
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* The soft limit is raised ... */
    low.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(http_start(&other, &echo_handler, &second, &err), STATUS_OK);
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_true(now.rlim_cur == before.rlim_max);
    http_stop(&second);
    (void)setrlimit(RLIMIT_NOFILE, &before);
    /* ... and one that can't be is refused. */
    other.threads = (int64_t)before.rlim_max + 1;
    assert_int_equal(http_start(&other, &echo_handler, &second, &err), STATUS_REFUSED);
    assert_non_null(strstr(err.text, "open files"));
    other = echo_settings();
    other.beside = before.rlim_max;
    assert_int_equal(http_start(&other, &echo_handler, &second, &err), STATUS_REFUSED);
}

static void signal_hit(int number)
{
    (void)number;
}

/* A signal to the process reaches main only. */
static void test_threads_block_signals(void **state)
{
    char path[64], line[256];
    int threads = 0;
    (void)state;
    (void)signal(SIGUSR1, signal_hit);
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] == '.' || strtol(entry->d_name, NULL, 10) == getpid())
            continue;
        (void)snprintf(path, sizeof path, "/proc/self/task/%.20s/status", entry->d_name);
        FILE *status = fopen(path, "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL) {
            if (strncmp(line, "SigBlk:", 7) == 0) {
                unsigned long long mask = strtoull(line + 7, NULL, 16);
                threads += (mask >> (SIGUSR1 - 1) & 1) != 0 && (mask >> (SIGTERM - 1) & 1) != 0;
            }
        }
        if (status != NULL)
            (void)fclose(status);
    }
    (void)closedir(tasks);
    assert_true(threads >= THREADS + 2);
}

static void test_stop_with_idle_connections(void **state)
{
    int fds[4];
    (void)state;
    http_server_t *second = start_another(REQUEST_MS);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = raw_connect(http_port(second));
        if (i > 0)
            raw_send_text(fds[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        if (i > 0)
            raw_receive(fds[i], 1, false, PATIENCE_MS, &echo_reply);
    }
    int64_t begin = clock_ms();
    http_stop(&second);
    assert_null(second);
    assert_true(clock_ms() - begin < 3000);
    print_message("stopped in %lld ms\n", (long long)(clock_ms() - begin));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        assert_true(raw_is_closed(fds[i], PATIENCE_MS));
        (void)close(fds[i]);
    }
    http_stop(&second); /* NULL-safe */
}

static bool has_one_in_flight(void *server)
{
    return http_in_flight(server) > 0;
}

static void test_stop_waits_for_handlers(void **state)
{
    (void)state;
    http_server_t *second = start_another(REQUEST_MS);
    int fd = raw_connect(http_port(second));
    raw_send_text(fd, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(await(has_one_in_flight, second, PATIENCE_MS));
    http_stop(&second);
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 200);
    assert_non_null(strstr(echo_reply.bytes, "Connection: close"));
    (void)close(fd);
}

static bool nobody_is_connected(void *server)
{
    return http_connections(server) == 0;
}

static bool is_refused(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool refused = connect(fd, (struct sockaddr *)&address, sizeof address) != 0;
    assert_true(!refused || errno == ECONNREFUSED);
    (void)close(fd);
    return refused;
}

static void expect_last_answer(int fd, const char *request)
{
    raw_send_text(fd, request);
    raw_receive(fd, 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 200);
    assert_non_null(strstr(echo_reply.bytes, "Connection: close"));
    assert_true(raw_is_closed(fd, PATIENCE_MS));
    (void)close(fd);
}

static void test_drain(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    enum { FRESH, KEPT, BUSY, COUNT };
    int fds[COUNT];
    (void)state;
    http_settings_t settings = echo_settings();
    settings.request_ms = settings.keep_alive_ms = settings.drain_idle_ms = 60000;
    http_server_t *second = NULL;
    err_t err;
    assert_int_equal(http_start(&settings, &echo_handler, &second, &err), STATUS_OK);
    for (size_t i = 0; i < COUNT; i++) {
        fds[i] = raw_connect(http_port(second));
        if (i == FRESH)
            continue;
        raw_send_text(fds[i], request);
        raw_receive(fds[i], 1, false, PATIENCE_MS, &echo_reply);
        assert_int_equal(echo_reply.status, 200);
        assert_null(strstr(echo_reply.bytes, "Connection: close"));
    }
    raw_send_text(fds[BUSY], "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n12");
    assert_true(await(has_one_in_flight, second, PATIENCE_MS));
    http_drain(second);
    http_drain(second); /* again does nothing */
    assert_true(is_refused(http_port(second)));
    expect_last_answer(fds[FRESH], request);
    expect_last_answer(fds[KEPT], request);
    expect_last_answer(fds[BUSY], "34");
    assert_true(await(nobody_is_connected, second, PATIENCE_MS));
    http_stop(&second);
}

/* Nobody waits for who says nothing, and all wait for who is in the middle of it. */
static void test_drain_closes_what_is_idle(void **state)
{
    int fds[2];
    (void)state;
    http_server_t *second = start_another(60000);
    int busy = raw_connect(http_port(second));
    raw_send_text(busy, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n12");
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = raw_connect(http_port(second));
    raw_send_text(fds[0], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_receive(fds[0], 1, false, PATIENCE_MS, &echo_reply);
    assert_int_equal(echo_reply.status, 200);
    assert_true(await(has_one_in_flight, second, PATIENCE_MS));
    http_drain(second);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        assert_true(raw_is_closed(fds[i], PATIENCE_MS));
        (void)close(fds[i]);
    }
    assert_int_equal(http_in_flight(second), 1);
    expect_last_answer(busy, "34");
    assert_true(await(nobody_is_connected, second, PATIENCE_MS));
    http_stop(&second);
}

static bool is_listening(int fd)
{
    int yes = 0;
    socklen_t length = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &length) == 0 && yes != 0;
}

/* Another part's listener may have the same port at another address, and a descriptor below ours.
 */
static void test_drain_ends_its_own_listener(void **state)
{
    int other = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK + 1)}}; /* 127.0.0.2 */
    (void)state;
    http_server_t *second = start_another(REQUEST_MS);
    address.sin_port = htons((uint16_t)http_port(second));
    assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(other, 1), 0);
    http_drain(second);
    assert_true(is_listening(other));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_not_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    http_stop(&second);
    assert_true(is_listening(other));
    (void)close(fd);
    (void)close(other);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_half_requests_are_cut, echo_settle),
        cmocka_unit_test_setup(test_slow_reader_is_cut, echo_settle),
        cmocka_unit_test_setup(test_large_response_arrives_whole, echo_settle),
        cmocka_unit_test_setup(test_many_at_once, echo_settle),
        cmocka_unit_test_setup(test_half_requests_hold_nobody_up, echo_settle),
        cmocka_unit_test_setup(test_start_failures, echo_settle),
        cmocka_unit_test_setup(test_descriptor_limit, echo_settle),
        cmocka_unit_test_setup(test_threads_block_signals, echo_settle),
        cmocka_unit_test_setup(test_stop_with_idle_connections, echo_settle),
        cmocka_unit_test_setup(test_stop_waits_for_handlers, echo_settle),
        cmocka_unit_test_setup(test_drain, echo_settle),
        cmocka_unit_test_setup(test_drain_ends_its_own_listener, echo_settle),
        cmocka_unit_test_setup(test_drain_closes_what_is_idle, echo_settle),
    };
    return cmocka_run_group_tests(tests, echo_start, echo_stop);
}
