/* Bodies: read whole, bounded in bytes and in time; or dropped, bounded too.
 * Must never: read before the limit is known to hold, or wait past the request's deadline. */
#include "gateway/http_internal.h"

#include "common/clock.h"
#include "common/mem.h"

#include <sodium.h>
#include <string.h>

/* mg_read comes back with all it was asked for, or with the end: what is asked for at once is what
 * a client must send within HTTP_CROWDED_MS while others wait for its thread. */
enum { AT_ONCE = 4096 };

bool http_has_body(const http_request_t *request)
{
    return !request->no_body && request->length != 0;
}

long long http_body_length(const http_request_t *request)
{
    return http_has_body(request) ? request->length : 0;
}

/* civetweb never sends it, and clients such as curl wait a second for it. */
static status_t send_continue(http_request_t *request)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!request->expects)
        return STATUS_OK;
    request->expects = false;
    int sent = mg_write(request->connection, text, sizeof text - 1);
    return sent == (int)sizeof text - 1 ? STATUS_OK : STATUS_CLOSED;
}

static void give_up(http_request_t *request)
{
    mg_disable_connection_keep_alive(request->connection);
    request->close = true;
}

static status_t short_body(http_request_t *request, status_t otherwise)
{
    give_up(request);
    request->body_read = true; /* nothing is left that could be had */
    return http_line_is_cut(request->line) || clock_ms() >= request->deadline_ms ? STATUS_TIMEOUT
                                                                                 : otherwise;
}

/* As mg_read; what has come is progress. */
static int read_piece(http_request_t *request, char *to, size_t room, int64_t deadline_ms)
{
    int got = mg_read(request->connection, to, room < AT_ONCE ? room : AT_ONCE);
    if (got > 0)
        http_line_enter(request->line, LINE_READING, deadline_ms);
    return got;
}

static status_t read_known(http_request_t *request, size_t length)
{
    request->body = mem_zalloc(length + 1);
    while (request->body_length < length) {
        int got = read_piece(request, request->body + request->body_length,
                             length - request->body_length, request->deadline_ms);
        if (got <= 0)
            return short_body(request, STATUS_CLOSED);
        request->body_length += (size_t)got;
    }
    request->body_read = true;
    return STATUS_OK;
}

/* Never grown by realloc: it may leave a copy of a secret behind. */
static void grow(http_request_t *request, size_t *room, size_t most)
{
    size_t wider = *room * 2 < most ? *room * 2 : most;
    char *body = mem_zalloc(wider + 1);
    memcpy(body, request->body, request->body_length);
    sodium_memzero(request->body, request->body_length);
    mem_free(request->body);
    request->body = body;
    *room = wider;
}

static status_t read_chunked(http_request_t *request, size_t limit)
{
    size_t most = limit + 1; /* one more byte tells "too large" */
    size_t room = most < AT_ONCE ? most : AT_ONCE;
    request->body = mem_zalloc(room + 1);
    for (;;) {
        int got = read_piece(request, request->body + request->body_length,
                             room - request->body_length, request->deadline_ms);
        if (got < 0)
            return short_body(request, STATUS_INVALID);
        if (got == 0)
            break;
        request->body_length += (size_t)got;
        if (request->body_length > limit)
            return STATUS_TOO_LARGE;
        if (request->body_length == room)
            grow(request, &room, most);
    }
    request->body_read = true;
    return STATUS_OK;
}

status_t http_body(http_request_t *request, size_t limit, const char **out, size_t *out_length)
{
    if (!http_has_body(request)) {
        *out = "";
        *out_length = 0;
        return STATUS_OK;
    }
    if (request->length > 0 && (unsigned long long)request->length > limit) {
        give_up(request);
        return STATUS_TOO_LARGE;
    }
    if (request->body == NULL) {
        status_t status = send_continue(request);
        http_line_enter(request->line, LINE_READING, request->deadline_ms);
        if (status == STATUS_OK)
            status = request->length > 0 ? read_known(request, (size_t)request->length)
                                         : read_chunked(request, limit);
        http_line_enter(request->line, LINE_HANDLING, 0);
        if (status != STATUS_OK) {
            give_up(request);
            return status;
        }
    }
    if (!request->body_read || request->close)
        return STATUS_CLOSED; /* an earlier call failed */
    if (request->body_length > limit)
        return STATUS_TOO_LARGE;
    *out = request->body;
    *out_length = request->body_length;
    return STATUS_OK;
}

bool http_body_can_keep(const http_request_t *request)
{
    if (!http_has_body(request) || request->body_read)
        return true;
    return !request->expects && request->length > 0 &&
           (unsigned long long)request->length <= request->server->settings.discard_limit;
}

bool http_body_discard(http_request_t *request)
{
    char waste[AT_ONCE];
    if (!http_has_body(request) || request->body_read)
        return true;
    if (request->expects)
        return false; /* the client waits for our word before it sends anything */
    int64_t deadline = request->deadline_ms;
    if (request->close && clock_ms() + HTTP_LINGER_MS < deadline)
        deadline = clock_ms() + HTTP_LINGER_MS;
    http_line_enter(request->line, LINE_READING, deadline);
    size_t dropped = request->body_length;
    int got = 1;
    while (got > 0 && dropped <= request->server->settings.discard_limit) {
        got = read_piece(request, waste, sizeof waste, deadline);
        if (got > 0)
            dropped += (size_t)got;
    }
    sodium_memzero(waste, sizeof waste);
    return !request->close && request->length > 0 && dropped == (size_t)request->length;
}
