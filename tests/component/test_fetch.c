/* Fetching, against a real server that behaves badly. The lookup of names is this file's own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"
#include "services/auth-provider/fetch.h"
#include "tests/support/await.h"
#include "tests/support/page_server.h"
#include "tests/support/scratch.h"

#include <netdb.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONG_MS = 60000, SHORT_MS = 300 };
#define OK_HEAD   "HTTP/1.1 200 OK\r\n"
#define TO(where) "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " where "\r\n\r\n"

static const page_t pages[] = {
    {.path = "/ok", .answer = OK_HEAD "Content-Length: 5\r\n\r\nhello"},
    {.path = "/empty", .answer = OK_HEAD "Content-Length: 0\r\n\r\n"},
    {.path = "/close", .answer = OK_HEAD "\r\nto the end"},
    {.path = "/chunked",
     .answer = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
    {.path = "/chunked-cut", .answer = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
    {.path = "/201", .answer = "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx"},
    {.path = "/304", .answer = "HTTP/1.1 304 Not Modified\r\n\r\n"},
    {.path = "/500", .answer = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"},
    {.path = "/nowhere", .answer = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"},
    {.path = "/r1", .answer = TO("/ok")},
    {.path = "/r2", .answer = TO("/r1")},
    {.path = "/r3", .answer = TO("/r2")},
    {.path = "/r4", .answer = TO("/r3")},
    {.path = "/loop", .answer = TO("/loop")},
    {.path = "/to-https", .answer = TO("https://server.test:1/")},
    {.path = "/to-file", .answer = TO("file:///etc/passwd")},
    {.path = "/to-gopher", .answer = TO("gopher://127.0.0.1:25/x")},
    {.path = "/to-hang", .answer = TO("/silent")},
    {.path = "/exact", .answer = OK_HEAD "Content-Length: 1048576\r\n\r\n", .filler = 1048576},
    {.path = "/huge", .answer = OK_HEAD "Content-Length: 1048577\r\n\r\n", .filler = 1048577},
    {.path = "/endless", .answer = OK_HEAD "\r\n", .filler = (size_t)1 << 40},
    {.path = "/header", .answer = OK_HEAD "A: ", .filler = (size_t)1 << 40},
    {.path = "/headers", .answer = OK_HEAD, .filler = (size_t)1 << 40, .unit = "A: b\r\n"},
    {.path = "/short", .answer = OK_HEAD "Content-Length: 9\r\n\r\nshort"},
    {.path = "/nothing", .answer = ""},
    {.path = "/garbage", .answer = "220 mail.example ESMTP\r\n"},
    {.path = "/silent", .answer = "", .holds = true},
    {.path = "/stalls", .answer = OK_HEAD "Content-Length: 9\r\n\r\nstal", .holds = true},
};

/* Takes the place of libc's for libcurl too: "server.test" is 127.0.0.1, "inner.test" 10.0.0.1,
 * "hang.test" takes until the test is over, others do not exist. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static bool is_released;
static int lookups_hanging;

static void hang(void)
{
    (void)pthread_mutex_lock(&lock);
    lookups_hanging++;
    while (!is_released)
        (void)pthread_cond_wait(&released, &lock);
    lookups_hanging--;
    (void)pthread_cond_broadcast(&released);
    (void)pthread_mutex_unlock(&lock);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    uint32_t address = INADDR_LOOPBACK;
    (void)hints;
    if (strcmp(name, "hang.test") == 0)
        hang();
    else if (strcmp(name, "inner.test") == 0)
        address = 0x0a000001;
    else if (strcmp(name, "server.test") != 0)
        return EAI_NONAME;
    struct {
        struct addrinfo info;
        struct sockaddr_in in;
    } *found = mem_zalloc(sizeof(*found));
    uint64_t port = 0;
    if (service != NULL && text_number(service, strlen(service), 65535, &port) != STATUS_OK)
        abort();
    found->in = (struct sockaddr_in){.sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)port),
                                     .sin_addr.s_addr = htonl(address)};
    found->info = (struct addrinfo){.ai_family = AF_INET,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_protocol = IPPROTO_TCP,
                                    .ai_addrlen = sizeof(found->in),
                                    .ai_addr = (struct sockaddr *)&found->in};
    *out = &found->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    mem_free(info);
}

static page_server_t *server;

static int set_up(void **state)
{
    (void)state;
    server = page_server_start(pages, ARRAY_LEN(pages), NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    page_server_stop(&server);
    return 0;
}

static fetcher_t *make(bool allow_private, int64_t limit_ms, const char *ca_file)
{
    err_t err;
    fetcher_t *fetcher = NULL;
    fetch_settings_t settings = {
        .allow_private = allow_private, .limit_ms = limit_ms, .ca_file = ca_file};
    assert_int_equal(fetch_start(&settings, &fetcher, &err), STATUS_OK);
    return fetcher;
}

/* Of the URL that these make. */
static status_t get(const fetcher_t *fetcher, const char *scheme_and_host, int port,
                    const char *path, char **out, size_t *out_length, err_t *err)
{
    char url[256];
    assert_int_equal(text_format(url, sizeof(url), "%s:%d%s", scheme_and_host, port, path),
                     STATUS_OK);
    return fetch_get(fetcher, url, LONG_MS, out, out_length, err);
}

static void good_answers(void **state)
{
    (void)state;
    static const struct {
        const char *path, *body;
    } rows[] = {
        {"/ok", "hello"},      {"/empty", ""},   {"/close", "to the end"},
        {"/chunked", "abcde"}, {"/r1", "hello"}, {"/r3", "hello"},
    };
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(mem_release) char *bytes = NULL;
        size_t length = 0;
        err_t err = {0};
        if (get(fetcher, "http://server.test", page_server_port(server), rows[i].path, &bytes,
                &length, &err) != STATUS_OK)
            fail_msg("%s: %s", rows[i].path, err.text);
        assert_string_equal(bytes, rows[i].body);
        assert_int_equal(length, strlen(rows[i].body));
    }
}

static void one_mebibyte_is_taken(void **state)
{
    (void)state;
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    AUTO(mem_release) char *bytes = NULL;
    size_t length = 0;
    err_t err = {0};
    assert_int_equal(get(fetcher, "http://server.test", page_server_port(server), "/exact", &bytes,
                         &length, &err),
                     STATUS_OK);
    assert_int_equal(length, FETCH_BYTES_MAX);
    assert_int_equal(strspn(bytes, "x"), FETCH_BYTES_MAX);
}

static void expect(const fetcher_t *fetcher, const char *host, int port, const char *path,
                   status_t status, const char *text)
{
    char *bytes = NULL;
    size_t length = 77;
    err_t err = {0};
    status_t found = get(fetcher, host, port, path, &bytes, &length, &err);
    if (found != status || strcmp(err.text, text) != 0)
        fail_msg("%s%s: %s, \"%s\"", host, path, status_name(found), err.text);
    assert_null(bytes);
    assert_int_equal(length, 77);
}

static void bad_answers(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        status_t status;
        const char *text;
    } rows[] = {
        {"/404", STATUS_UNKNOWN, "HTTP status 404"},
        {"/201", STATUS_UNKNOWN, "HTTP status 201"},
        {"/304", STATUS_UNKNOWN, "HTTP status 304"},
        {"/500", STATUS_UNKNOWN, "HTTP status 500"},
        {"/nowhere", STATUS_UNKNOWN, "HTTP status 302"},
        {"/r4", STATUS_REFUSED, "more than 3 redirects"},
        {"/loop", STATUS_REFUSED, "more than 3 redirects"},
        {"/to-https", STATUS_REFUSED, "a redirect leads to another scheme"},
        {"/to-file", STATUS_REFUSED, "a redirect leads to another scheme"},
        {"/to-gopher", STATUS_REFUSED, "a redirect leads to another scheme"},
        {"/huge", STATUS_TOO_LARGE, "larger than 1 MiB"},
        {"/endless", STATUS_TOO_LARGE, "larger than 1 MiB"},
        {"/header", STATUS_TOO_LARGE, "the answer's headers are too long"},
        {"/headers", STATUS_TOO_LARGE, "the answer's headers are too long"},
        {"/short", STATUS_CLOSED, "the connection ended before the answer did"},
        {"/chunked-cut", STATUS_CLOSED, "the connection ended before the answer did"},
        {"/nothing", STATUS_CLOSED, "the connection ended without an answer"},
        {"/garbage", STATUS_INVALID, "the answer is not HTTP"},
    };
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(fetcher, "http://server.test", page_server_port(server), rows[i].path,
               rows[i].status, rows[i].text);
}

static void a_silent_server_costs_no_more_than_the_limit(void **state)
{
    (void)state;
    static const char *const paths[] = {"/silent", "/stalls", "/to-hang"};
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, SHORT_MS, NULL);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int64_t begin_ms = clock_ms();
        expect(fetcher, "http://server.test", page_server_port(server), paths[i], STATUS_TIMEOUT,
               "no answer within 0.3 seconds");
        assert_true(clock_ms() - begin_ms >= SHORT_MS - 10);
        assert_true(clock_ms() - begin_ms < LONG_MS / 2);
    }
}

static void the_caller_may_have_less_time(void **state)
{
    (void)state;
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    char url[64], *bytes = NULL;
    size_t length = 0;
    err_t err = {0};
    assert_int_equal(
        text_format(url, sizeof(url), "http://server.test:%d/silent", page_server_port(server)),
        STATUS_OK);
    assert_int_equal(fetch_get(fetcher, url, 100, &bytes, &length, &err), STATUS_TIMEOUT);
    assert_string_equal(err.text, "no answer within 0.1 seconds");
    int count = page_server_count(server);
    assert_int_equal(fetch_get(fetcher, url, 0, &bytes, &length, &err), STATUS_TIMEOUT);
    assert_int_equal(fetch_get(fetcher, url, -5, &bytes, &length, &err), STATUS_TIMEOUT);
    assert_int_equal(page_server_count(server), count);
}

static bool one_hangs(void *context)
{
    (void)context;
    (void)pthread_mutex_lock(&lock);
    bool hangs = lookups_hanging == 1;
    (void)pthread_mutex_unlock(&lock);
    return hangs;
}

static void a_lookup_that_hangs_costs_no_more_either(void **state)
{
    (void)state;
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, SHORT_MS, NULL);
    int64_t begin_ms = clock_ms();
    expect(fetcher, "http://hang.test", 80, "/", STATUS_TIMEOUT, "no answer within 0.3 seconds");
    assert_true(clock_ms() - begin_ms < LONG_MS / 2);
    assert_true(await(one_hangs, NULL, LONG_MS)); /* its thread may begin late */
    (void)pthread_mutex_lock(&lock);
    is_released = true;
    (void)pthread_cond_broadcast(&released);
    while (lookups_hanging > 0)
        (void)pthread_cond_wait(&released, &lock);
    (void)pthread_mutex_unlock(&lock);
}

static void addresses_of_our_own_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *host, *text;
    } rows[] = {
        {"http://server.test", "the address is not allowed: it is loopback"},
        {"https://server.test", "the address is not allowed: it is loopback"},
        {"http://127.0.0.1", "the address is not allowed: it is loopback"},
        {"http://[::1]", "the address is not allowed: it is loopback"},
        {"http://[::ffff:127.0.0.1]", "the address is not allowed: it is loopback"},
        {"http://inner.test", "the address is not allowed: it is private"},
        {"http://169.254.169.254", "the address is not allowed: it is link-local"},
    };
    AUTO(fetch_stop) fetcher_t *fetcher = make(false, LONG_MS, NULL);
    int count = page_server_count(server);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(fetcher, rows[i].host, page_server_port(server), "/ok", STATUS_REFUSED,
               rows[i].text);
    assert_int_equal(page_server_count(server), count);
}

static void the_environments_proxy_is_not_used(void **state)
{
    (void)state;
    char proxy[64];
    assert_int_equal(
        text_format(proxy, sizeof(proxy), "http://127.0.0.1:%d", page_server_port(server)),
        STATUS_OK);
    assert_int_equal(setenv("http_proxy", proxy, 1) | setenv("all_proxy", proxy, 1), 0);
    int count = page_server_count(server);
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    expect(fetcher, "http://nobody.test", 80, "/ok", STATUS_UNKNOWN, "the name does not resolve");
    assert_int_equal(page_server_count(server), count);
    assert_int_equal(unsetenv("http_proxy") | unsetenv("all_proxy"), 0);
}

static void nobody_there(void **state)
{
    (void)state;
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, and never listens */
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    expect(fetcher, "http://server.test", ntohs(at.sin_port), "/", STATUS_CLOSED,
           "the connection was not accepted");
    expect(fetcher, "ftp://server.test", 21, "/", STATUS_INVALID, "not an http or https URL");
    expect(fetcher, "file:///etc/passwd?", 1, "", STATUS_INVALID, "not an http or https URL");
    assert_int_equal(close(fd), 0);
}

static void *get_often(void *context)
{
    fetcher_t *fetcher = context;
    for (int i = 0; i < 20; i++) {
        AUTO(mem_release) char *bytes = NULL;
        size_t length = 0;
        err_t err = {0};
        if (get(fetcher, "http://server.test", page_server_port(server), "/r1", &bytes, &length,
                &err) != STATUS_OK ||
            strcmp(bytes, "hello") != 0)
            return context; /* not NULL: failed */
    }
    return NULL;
}

static void several_threads_fetch(void **state)
{
    (void)state;
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_often, fetcher), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
}

static void serve_tls(const char *host, int64_t not_after, const char *text)
{
    issued_t identity;
    int64_t now = clock_utc_ms() / 1000;
    issuer_make(host, now - INT64_C(172800), now + not_after, &identity);
    scratch_t scratch = scratch_make();
    scratch_write(&scratch, "ca.pem", "", 0600);
    FILE *file = fopen(scratch_file(&scratch, "ca.pem"), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, identity.certificate), 1);
    assert_int_equal(fclose(file), 0);
    page_server_t *secure = page_server_start(pages, ARRAY_LEN(pages), &identity);
    AUTO(fetch_stop) fetcher_t *trusting = make(true, LONG_MS, scratch_file(&scratch, "ca.pem"));
    AUTO(fetch_stop) fetcher_t *common = make(true, LONG_MS, NULL);
    AUTO(mem_release) char *bytes = NULL;
    size_t length = 0;
    err_t err = {0};
    if (text == NULL) {
        assert_int_equal(get(trusting, "https://server.test", page_server_port(secure), "/r1",
                             &bytes, &length, &err),
                         STATUS_OK);
        assert_string_equal(bytes, "hello");
        expect(common, "https://server.test", page_server_port(secure), "/ok", STATUS_REFUSED,
               "TLS: self-signed certificate");
    } else {
        expect(trusting, "https://server.test", page_server_port(secure), "/ok", STATUS_REFUSED,
               text);
    }
    page_server_stop(&secure);
    scratch_remove(&scratch);
    issuer_free(&identity);
}

static void tls_is_verified(void **state)
{
    (void)state;
    serve_tls("server.test", 86400, NULL);
    serve_tls("other.test", 86400, "TLS: the certificate is not one for this host");
    serve_tls("server.test", -86400, "TLS: certificate has expired");
    AUTO(fetch_stop) fetcher_t *fetcher = make(true, LONG_MS, NULL);
    expect(fetcher, "https://server.test", page_server_port(server), "/ok", STATUS_REFUSED,
           "TLS: no connection came about"); /* it speaks plain HTTP */
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_answers),
        cmocka_unit_test(one_mebibyte_is_taken),
        cmocka_unit_test(bad_answers),
        cmocka_unit_test(a_silent_server_costs_no_more_than_the_limit),
        cmocka_unit_test(the_caller_may_have_less_time),
        cmocka_unit_test(a_lookup_that_hangs_costs_no_more_either),
        cmocka_unit_test(addresses_of_our_own_are_refused),
        cmocka_unit_test(the_environments_proxy_is_not_used),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(several_threads_fetch),
        cmocka_unit_test(tls_is_verified),
    };
    return cmocka_run_group_tests_name("fetch", tests, set_up, tear_down);
}
