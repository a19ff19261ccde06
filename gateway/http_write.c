/* Responses: one buffer, one mg_write (two only for large bodies), since each write is a system
 * call and a packet. Must never: wait for the client past request_ms (the line's deadline sees to
 * it). */
#include "gateway/http_internal.h"

#include "common/clock.h"
#include "common/mem.h"
#include "proto/dialect.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FIXED_HEAD = 256, LEAST_BUFFER = 2048 };

typedef struct {
    char *bytes;
    size_t used;
} sink_t;

static void put(sink_t *sink, const char *bytes, size_t length)
{
    memcpy(sink->bytes + sink->used, bytes, length);
    sink->used += length;
}

static void put_text(sink_t *sink, const char *text)
{
    put(sink, text, strlen(text));
}

static void put_number(sink_t *sink, size_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(sink, digits + at, sizeof digits - at);
}

static void put_header(sink_t *sink, const char *name, const char *value)
{
    put_text(sink, name);
    put(sink, ": ", 2);
    put_text(sink, value);
    put(sink, "\r\n", 2);
}

/* RFC 9110 section 5.6.7; formatted once a second and thread. */
static void put_date(sink_t *sink)
{
    static _Thread_local time_t second;
    static _Thread_local char text[48];
    static _Thread_local size_t length;
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(clock_utc_ms() / 1000);
    if (now != second) {
        struct tm utc;
        if (gmtime_r(&now, &utc) == NULL)
            return;
        int printed = snprintf(text, sizeof text, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                               days[utc.tm_wday % 7], utc.tm_mday, months[utc.tm_mon % 12],
                               utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
        if (printed < 0 || (size_t)printed >= sizeof text)
            return;
        length = (size_t)printed;
        second = now;
    }
    put(sink, text, length);
}

static size_t head_bound(const http_response_t *response)
{
    size_t bound = FIXED_HEAD;
    if (response->content_type != NULL)
        bound += strlen(response->content_type);
    for (size_t i = 0; i < response->header_count; i++)
        bound += strlen(response->headers[i].name) + strlen(response->headers[i].value) + 4;
    return bound;
}

static void put_head(sink_t *sink, const http_response_t *response, bool keep)
{
    put(sink, "HTTP/1.1 ", 9);
    put_number(sink, (size_t)response->status);
    put(sink, " ", 1);
    put_text(sink, http_reason(response->status));
    put(sink, "\r\n", 2);
    put_date(sink);
    if (response->content_type != NULL)
        put_header(sink, "Content-Type", response->content_type);
    /* RFC 9110 section 8.6: none with 204. */
    if (response->status != 204 && response->status != 304) {
        put(sink, "Content-Length: ", 16);
        put_number(sink, response->body_length);
        put(sink, "\r\n", 2);
    }
    for (size_t i = 0; i < response->header_count; i++)
        put_header(sink, response->headers[i].name, response->headers[i].value);
    put_text(sink, keep ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

static bool send_all(http_request_t *request, const char *bytes, size_t length)
{
    return mg_write(request->connection, bytes, length) == (int)length;
}

bool http_write(http_request_t *request, const http_response_t *response, bool keep)
{
    http_line_t *line = request->line;
    bool bare = response->status < 200 || response->status == 204 || response->status == 304 ||
                (request->method != NULL && strcmp(request->method, "HEAD") == 0);
    size_t body = bare ? 0 : response->body_length;
    size_t first = body < HTTP_ONE_WRITE ? body : HTTP_ONE_WRITE;
    size_t need = head_bound(response) + first;
    if (line->size < need) {
        line->size = need < LEAST_BUFFER ? LEAST_BUFFER : need;
        mem_free(line->buffer);
        line->buffer = mem_zalloc(line->size);
    }
    sink_t sink = {line->buffer, 0};
    put_head(&sink, response, keep);
    put(&sink, response->body == NULL ? "" : response->body, first);
    assert(sink.used <= line->size);
    http_line_enter(line, LINE_WRITING, clock_ms() + request->server->settings.request_ms);
    bool sent = send_all(request, sink.bytes, sink.used);
    if (sent && body > first)
        sent = send_all(request, response->body + first, body - first);
    if (response->secret)
        sodium_memzero(line->buffer, sink.used);
    return sent;
}
