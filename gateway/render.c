#include "gateway/render.h"

#include "common/mem.h"
#include "common/text.h"
#include "gateway/etag.h"
#include "gateway/request_head.h"
#include "proto/json.h"

#include <inttypes.h>
#include <string.h>

enum { ACCEPT_SIZE = 256 + 1 };

/* Points the response at what has been written for it. */
static void set_body(exchange_t *exchange, int status, media_t media, const char *text,
                     size_t length)
{
    http_response_t *response = exchange->response;
    response->status = status;
    http_response_header(response, "x-request-id", exchange->request_id);
    if (status == 204 || status == 304 || (status == 303 && length == 0))
        return;
    response->content_type = media_content_type(media);
    response->body = text;
    response->body_length = length;
}

void render_text(exchange_t *exchange, int status, const char *text, size_t length)
{
    set_body(exchange, status, MEDIA_JSON, text, length);
}

void render_json(exchange_t *exchange, int status, json_t *value)
{
    json_put_value(&exchange->body, value);
    json_decref(value);
    render_text(exchange, status, exchange->body.data, exchange->body.size);
}

/* The query string with its offset taken out: what the next page keeps. */
static status_t other_parameters(const char *query, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    while (query != NULL && *query != '\0') {
        size_t length = strcspn(query, "&");
        bool offset = strncmp(query, "offset=", sizeof("offset=") - 1) == 0;
        if (length > 0 && !offset) {
            if (text_format(out + used, size - used, "%.*s&", (int)length, query) != STATUS_OK)
                return STATUS_TOO_LARGE;
            used += length + 1;
        }
        query += length + (query[length] == '&');
    }
    return STATUS_OK;
}

/* Where a list that ends early goes on (RFC 8288). */
static void add_link(exchange_t *exchange)
{
    char others[sizeof(exchange->link)];
    if (exchange->reply.next_offset < 0 ||
        other_parameters(http_query(exchange->http), others, sizeof(others)) != STATUS_OK)
        return;
    if (text_format(exchange->link, sizeof(exchange->link),
                    "<%s?%soffset=%" PRId64 ">; rel=\"next\"", http_path(exchange->http), others,
                    exchange->reply.next_offset) == STATUS_OK)
        http_response_header(exchange->response, "Link", exchange->link);
}

static void add_rate(exchange_t *exchange)
{
    const allowance_t *allowance = &exchange->allowance;
    const struct {
        const char *name;
        int64_t value;
    } headers[] = {{"x-ratelimit-limit", allowance->limit},
                   {"x-ratelimit-remaining", allowance->remaining},
                   {"x-ratelimit-reset", allowance->reset_s}};
    for (size_t i = 0; allowance->limited && i < ARRAY_LEN(headers); i++)
        if (text_format(exchange->rate[i], sizeof(exchange->rate[i]), "%" PRId64,
                        headers[i].value) == STATUS_OK)
            http_response_header(exchange->response, headers[i].name, exchange->rate[i]);
}

static bool is_public(const exchange_t *exchange)
{
    const operation_t *operation = exchange->route.operation;
    return operation != NULL && (operation->flags & OPERATION_PUBLIC) != 0 &&
           outcome_is_success(exchange->reply.outcome);
}

/* What the worker sends along; envelope_read_reply has looked at it. */
static void add_sent(exchange_t *exchange)
{
    const msgpack_object *headers = &exchange->reply.headers;
    for (uint32_t i = 0; headers->type == MSGPACK_OBJECT_ARRAY && i < headers->via.array.size;
         i++) {
        const msgpack_object *pair = headers->via.array.ptr[i].via.array.ptr;
        const msgpack_object_str *name = &pair[0].via.str, *value = &pair[1].via.str;
        exchange->sent[i] = mem_copy(value->ptr, value->size);
        http_response_header(exchange->response,
                             reply_header(name->ptr, name->size, value->ptr, value->size),
                             exchange->sent[i]);
    }
}

static void add_headers(exchange_t *exchange)
{
    http_response_t *response = exchange->response;
    const reply_t *reply = &exchange->reply;
    const dialect_t *dialect = exchange->route.dialect;
    int status = dialect_status(dialect, reply->outcome);
    if (status == 401)
        http_response_header(response, "WWW-Authenticate", "Bearer");
    if (status == 401 && dialect->for_calls)
        http_response_header(response, "WWW-Authenticate", "Basic realm=\"linekeeper\"");
    if (status == 405)
        http_response_header(response, "Allow", exchange->route.allow);
    if (status == 503 || status == 429)
        http_response_header(response, "Retry-After", "1");
    for (const header_t *header = dialect->headers; header != NULL && header->name != NULL;
         header++)
        http_response_header(response, header->name, header->value);
    response->secret = dialect->secret;
    if (dialect->secret)
        http_response_header(response, "Cache-Control",
                             is_public(exchange) ? "no-cache" : "no-store");
    add_sent(exchange);
    if (reply->replayed)
        http_response_header(response, "Idempotent-Replayed", "true");
    add_rate(exchange);
    add_link(exchange);
}

static void seek_tag(void *context, const char *value)
{
    exchange_t *exchange = context;
    if (etag_is_named(exchange->etag, value))
        exchange->response->status = 304;
}

/* The answer's name; 304 in place of what the client has already. */
static void add_etag(exchange_t *exchange)
{
    etag_make(exchange->body.data, exchange->body.size, exchange->etag);
    http_response_header(exchange->response, "ETag", exchange->etag);
    http_headers(exchange->http, "If-None-Match", seek_tag, exchange);
}

void render_again(exchange_t *exchange, media_t media)
{
    exchange->response->status = dialect_status(exchange->route.dialect, exchange->reply.outcome);
    add_headers(exchange);
    set_body(exchange, exchange->response->status, media, exchange->body.data, exchange->body.size);
}

static bool wants_page(const exchange_t *exchange)
{
    char accept[ACCEPT_SIZE];
    return exchange->route.dialect->page != NULL && exchange->http != NULL &&
           request_head_field(exchange->http, "Accept", accept, sizeof(accept)) &&
           dialect_wants_page(accept);
}

media_t render_reply(exchange_t *exchange)
{
    const reply_t *reply = &exchange->reply;
    const dialect_t *dialect = exchange->route.dialect;
    const operation_t *operation = exchange->route.operation;
    bool is_list = operation != NULL && (operation->flags & OPERATION_LIST) != 0;
    media_t (*render)(const dialect_t *, const reply_t *, const schema_t *, bool,
                      msgpack_sbuffer *) =
        wants_page(exchange) ? dialect_render_page : dialect_render;
    media_t media = render(dialect, reply, operation == NULL ? NULL : operation->result, is_list,
                           &exchange->body);
    add_headers(exchange);
    exchange->response->status = dialect_status(dialect, reply->outcome);
    if (operation != NULL && (operation->flags & OPERATION_ETAG) != 0 &&
        outcome_is_success(reply->outcome))
        add_etag(exchange);
    set_body(exchange, exchange->response->status, media, exchange->body.data, exchange->body.size);
    return media;
}
