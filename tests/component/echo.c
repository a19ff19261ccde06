#include "tests/component/echo.h"

#include "common/mem.h"
#include "tests/support/await.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

http_server_t *echo_server;
raw_reply_t echo_reply; /* large: not on the stack */
_Atomic int echo_handled, echo_released;
_Atomic bool echo_held;
static char *large; /* a body that no socket buffer takes at once */

/* Echoes what it saw, so that the tests read it from the response. */
static void echo_body(http_request_t *request, http_response_t *out)
{
    const char *body = NULL;
    size_t length = 0;
    status_t status = http_body(request, BODY_LIMIT, &body, &length);
    out->content_type = "text/plain";
    if (status != STATUS_OK) {
        out->status = status == STATUS_TOO_LARGE ? 413 : status == STATUS_TIMEOUT ? 408 : 400;
        out->body = mem_copy(status_name(status), strlen(status_name(status)));
    } else {
        out->status = 200;
        out->body = mem_copy(body, length);
    }
    out->body_length = status == STATUS_OK ? length : strlen(out->body);
}

static void echo_head(const http_request_t *request, http_response_t *out)
{
    char text[512];
    int printed =
        snprintf(text, sizeof text, "%s|%s|%s|%s|%d", http_method(request), http_path(request),
                 http_query(request) == NULL ? "(none)" : http_query(request), http_peer(request),
                 http_has_body(request));
    out->status = 200;
    out->content_type = "text/plain";
    out->body_length = (size_t)printed < sizeof text ? (size_t)printed : sizeof text - 1;
    out->body = mem_copy(text, out->body_length);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static bool is_let_go(void *context)
{
    (void)context;
    return !atomic_load(&echo_held);
}

static void handle(void *context, http_request_t *request, http_response_t *out)
{
    (void)context;
    atomic_fetch_add(&echo_handled, 1);
    if (strcmp(http_path(request), "/body") == 0) {
        echo_body(request, out);
    } else if (strcmp(http_path(request), "/large") == 0) {
        out->status = 200;
        out->content_type = "text/plain";
        out->body = mem_copy(large, LARGE);
        out->body_length = LARGE;
    } else if (strcmp(http_path(request), "/none") == 0) {
        out->status = 204;
        out->body = mem_copy("", 0);
    } else if (strcmp(http_path(request), "/slow") == 0) {
        (void)await(never, NULL, 300); /* a handler that takes its time */
        echo_head(request, out);
    } else if (strcmp(http_path(request), "/hold") == 0) {
        (void)await(is_let_go, NULL, 2 * PATIENCE_MS);
        echo_head(request, out);
    } else {
        echo_head(request, out);
        http_response_header(out, "x-good", "yes");
        http_response_header(out, "x-bad", "a\r\nx-injected: 1");
    }
}

static void refuse(void *context, int status, const char *path, const char *detail,
                   http_response_t *out)
{
    (void)path;
    char text[256];
    (void)context;
    int printed = snprintf(text, sizeof text, "{\"refused\":%d,\"detail\":\"%s\"}", status, detail);
    out->status = status;
    out->content_type = "application/json";
    out->body_length = (size_t)printed;
    out->body = mem_copy(text, out->body_length);
}

static void release(void *context, http_response_t *response)
{
    (void)context;
    atomic_fetch_add(&echo_released, 1);
    char *body = NULL;
    memcpy(&body, &response->body, sizeof body);
    mem_free(body);
}

http_settings_t echo_settings(void)
{
    return (http_settings_t){.listen = "127.0.0.1:0",
                             .threads = THREADS,
                             .request_ms = REQUEST_MS,
                             .keep_alive_ms = KEEP_MS,
                             .drain_idle_ms = DRAIN_IDLE_MS,
                             .url_limit = 2000,
                             .discard_limit = DISCARD};
}

const http_handler_t echo_handler = {handle, release, refuse, NULL};

int echo_start(void **state)
{
    (void)state;
    http_settings_t wanted = echo_settings();
    err_t err;
    large = mem_zalloc(LARGE);
    memset(large, 'x', LARGE);
    return http_start(&wanted, &echo_handler, &echo_server, &err) == STATUS_OK ? 0 : -1;
}

int echo_stop(void **state)
{
    (void)state;
    http_stop(&echo_server);
    mem_free(large);
    return echo_server == NULL ? 0 : -1;
}

bool echo_is_idle(void *context)
{
    (void)context;
    return http_connections(echo_server) == 0;
}

/* Each test begins with an idle echo_server, however the one before it ended. */
int echo_settle(void **state)
{
    (void)state;
    return await(echo_is_idle, NULL, 5000) ? 0 : -1;
}

void echo_ask(const char *request)
{
    raw_ask(http_port(echo_server), request, &echo_reply);
}

const char *echo_text(void)
{
    const char *end = strstr(echo_reply.bytes, "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}

void echo_expect_refused(const char *request, int status)
{
    int before = atomic_load(&echo_handled);
    echo_ask(request);
    if (echo_reply.status != status)
        fail_msg("%d instead of %d for: %s\ngot: %s", echo_reply.status, status, request,
                 echo_reply.bytes);
    assert_true(echo_reply.closed);
    assert_non_null(strstr(echo_reply.bytes, "Connection: close"));
    assert_non_null(strstr(echo_reply.bytes, "Content-Type: application/json"));
    assert_int_equal(before, atomic_load(&echo_handled));
}
