#include "gateway/handler.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "gateway/access.h"
#include "gateway/exchange.h"
#include "gateway/health.h"
#include "gateway/render.h"
#include "proto/json.h"
#include "proto/record.h"
#include "proto/registry.h"
#include "proto/transcode.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char id_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/* The client's own request id if it is well-formed, else a fresh one. */
static void take_request_id(exchange_t *exchange)
{
    const char *given = exchange->http == NULL ? NULL : http_header(exchange->http, "x-request-id");
    size_t length = given == NULL ? 0 : strlen(given);
    if (length > 0 && length < REQUEST_ID_SIZE && strspn(given, id_characters) == length)
        memcpy(exchange->request_id, given, length + 1);
    else
        uuid_new(exchange->request_id);
}

/* ---- input ---- */

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (content_type == NULL || strncasecmp(content_type, json, sizeof(json) - 1) != 0)
        return false;
    const char *rest = content_type + sizeof(json) - 1;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

/* The body as JSON; {} where there is none. Without a body schema it is not even read. */
static outcome_t read_body(exchange_t *exchange, json_t **out)
{
    const operation_t *operation = exchange->route.operation;
    const char *bytes = "";
    size_t length = 0;
    if (operation->body != NULL && http_has_body(exchange->http)) {
        size_t limit = operation->body_limit != 0 ? operation->body_limit : (size_t)BODY_LIMIT;
        status_t status = http_body(exchange->http, limit, &bytes, &length);
        if (status == STATUS_TOO_LARGE)
            return OUTCOME_BODY_TOO_LARGE;
        if (status != STATUS_OK) {
            exchange->response->close = true;
            text_cut(exchange->reply.message, sizeof(exchange->reply.message),
                     "The body did not arrive as announced.");
            return OUTCOME_BAD_REQUEST;
        }
        if (length > 0 && !is_json(http_header(exchange->http, "Content-Type")))
            return OUTCOME_BAD_MEDIA_TYPE;
    }
    err_t err;
    if (json_read(bytes, length, out, &err) == STATUS_OK)
        return OUTCOME_OK;
    status_t status = text_format(exchange->reply.message, sizeof(exchange->reply.message),
                                  "The body %s.", err.text);
    (void)status;
    return OUTCOME_BAD_JSON;
}

static bool is_printable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    return true;
}

/* A write carries a key in any case: the gateway's own makes a re-sent one apply once. */
static outcome_t take_idempotency_key(exchange_t *exchange)
{
    if ((exchange->route.operation->flags & OPERATION_WRITES) == 0)
        return OUTCOME_OK;
    const char *given = http_header(exchange->http, "Idempotency-Key");
    if (given == NULL) {
        uuid_new(exchange->idempotency_key);
        return OUTCOME_OK;
    }
    size_t length = strlen(given);
    if (length == 0 || length >= IDEMPOTENCY_KEY_SIZE || !is_printable(given)) {
        text_cut(exchange->reply.message, sizeof(exchange->reply.message),
                 "Idempotency-Key must be 1 to 64 printable characters.");
        return OUTCOME_BAD_REQUEST;
    }
    memcpy(exchange->idempotency_key, given, length + 1);
    exchange->client_key = true;
    return OUTCOME_OK;
}

/* ---- the envelope ---- */

static void write_envelope(exchange_t *exchange, const json_t *body, msgpack_sbuffer *out)
{
    const route_t *route = &exchange->route;
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, msgpack_sbuffer_write);
    request_t head = {.client_key = exchange->client_key};
    text_cut(head.request_id, sizeof(head.request_id), exchange->request_id);
    text_cut(head.idempotency_key, sizeof(head.idempotency_key), exchange->idempotency_key);
    text_cut(head.service, sizeof(head.service), registry[route->service]->name);
    text_cut(head.operation, sizeof(head.operation), route->operation->name);
    text_cut(head.principal.organization_id, sizeof(head.principal.organization_id),
             exchange->key.organization_id);
    text_cut(head.principal.key_id, sizeof(head.principal.key_id), exchange->key.id);
    head.principal.scope = exchange->key.scope;
    head.principal.is_operator = exchange->key.is_operator;
    envelope_write_request(&head, &packer);
    transcode_path(route->operation->path_schema, route->values, route->lengths, &packer);
    transcode_query(route->operation->query, http_query(exchange->http), &packer,
                    &exchange->reply.faults);
    transcode_body(route->operation->body, body, &packer);
}

static bool read_part(const schema_t *schema, const msgpack_object *map, record_mode_t mode,
                      fault_place_t place, faults_t *faults)
{
    if (schema == NULL)
        return true;
    void *record = mem_zalloc(schema->record_size);
    status_t status = record_read(schema, map, mode, place, record, faults);
    sodium_memzero(record, schema->record_size);
    mem_free(record);
    return status == STATUS_OK;
}

/* The same walk that the worker will make, so that bad input does not travel. */
static outcome_t check_envelope(exchange_t *exchange, const msgpack_sbuffer *envelope)
{
    const operation_t *operation = exchange->route.operation;
    faults_t *faults = &exchange->reply.faults;
    if (faults->count > 0)
        return OUTCOME_BAD_QUERY;
    AUTO(msgpack_unpacked_destroy)
    msgpack_unpacked decoded; /* envelope_decode sets it in any case */
    request_t request;
    if (envelope_decode(envelope->data, envelope->size, &decoded) != STATUS_OK ||
        envelope_read_request(&decoded.data, &request) != STATUS_OK)
        return OUTCOME_INTERNAL;
    if (!read_part(operation->path_schema, &request.path, RECORD_WHOLE, FAULT_IN_PATH, faults)) {
        if ((operation->flags & OPERATION_BAD_ID) != 0)
            return OUTCOME_INVALID;
        faults->count = 0;
        return OUTCOME_UNKNOWN;
    }
    if (!read_part(operation->query, &request.query, RECORD_WHOLE, FAULT_IN_QUERY, faults))
        return OUTCOME_BAD_QUERY;
    return read_part(operation->body, &request.body, operation_mode(operation), FAULT_IN_BODY,
                     faults)
               ? OUTCOME_OK
               : OUTCOME_INVALID;
}

static void wipe_sbuffer(msgpack_sbuffer *buffer)
{
    if (buffer->data != NULL)
        sodium_memzero(buffer->data, buffer->size);
    msgpack_sbuffer_destroy(buffer);
}

/* ---- the steps ---- */

static outcome_t ask_worker(gateway_t *gateway, exchange_t *exchange)
{
    AUTO(json_release) json_t *body = NULL;
    outcome_t outcome = read_body(exchange, &body);
    if (outcome == OUTCOME_OK)
        outcome = take_idempotency_key(exchange);
    if (outcome != OUTCOME_OK)
        return outcome;
    AUTO(wipe_sbuffer) msgpack_sbuffer envelope;
    msgpack_sbuffer_init(&envelope);
    write_envelope(exchange, body, &envelope);
    outcome = check_envelope(exchange, &envelope);
    if (outcome != OUTCOME_OK)
        return outcome;
    bool call = (exchange->route.operation->flags & OPERATION_CALL) != 0;
    rpc_ask(gateway->broker, exchange->route.service, &envelope,
            call ? gateway->call_ms : gateway->request_ms, &exchange->reply, &exchange->memory);
    return exchange->reply.outcome;
}

static outcome_t take_allowance(gateway_t *gateway, exchange_t *exchange)
{
    exchange->allowance = limiter_take(gateway->limiter, exchange->key.id, exchange->key.rate_limit,
                                       exchange->started_us);
    return exchange->allowance.allowed ? OUTCOME_OK : OUTCOME_RATE_LIMITED;
}

static outcome_t serve(gateway_t *gateway, exchange_t *exchange)
{
    outcome_t outcome = router_find(gateway->router, http_method(exchange->http),
                                    http_path(exchange->http), &exchange->route);
    if (outcome == OUTCOME_NO_ROUTE && health_has_path(http_path(exchange->http))) {
        text_cut(exchange->route.allow, sizeof(exchange->route.allow), "GET, HEAD");
        return OUTCOME_BAD_METHOD;
    }
    if (outcome == OUTCOME_OK)
        outcome = access_identify(gateway->keys, exchange->http, &exchange->key);
    if (outcome == OUTCOME_OK)
        outcome = take_allowance(gateway, exchange);
    if (outcome == OUTCOME_OK)
        outcome = access_permit(exchange->key.scope, exchange->route.operation);
    return outcome == OUTCOME_OK ? ask_worker(gateway, exchange) : outcome;
}

static void log_access(const exchange_t *exchange, const char *method, const char *path)
{
    log_line_t line = log_line(LOG_INFO, "request");
    log_text(&line, "request", exchange->request_id);
    log_text(&line, "method", method);
    log_text(&line, "path", path);
    log_number(&line, "status", exchange->response->status);
    log_number(&line, "bytes", (int64_t)exchange->response->body_length);
    log_number(&line, "us", clock_us() - exchange->started_us);
    if (exchange->route.operation != NULL)
        log_text(&line, "operation", exchange->route.operation->name);
    if (exchange->key.id[0] != '\0')
        log_text(&line, "key", exchange->key.id);
    if (exchange->client[0] != '\0')
        log_text(&line, "client", exchange->client);
    log_end(&line);
}

static exchange_t *begin_exchange(http_request_t *http, http_response_t *response)
{
    exchange_t *exchange = mem_zalloc(sizeof(*exchange));
    exchange->http = http;
    exchange->response = response;
    exchange->started_us = clock_us();
    response->owner = exchange;
    take_request_id(exchange);
    reply_init(&exchange->reply, exchange->request_id, OUTCOME_INTERNAL);
    return exchange;
}

static void handle(void *context, http_request_t *request, http_response_t *out)
{
    gateway_t *gateway = context;
    exchange_t *exchange = begin_exchange(request, out);
    const char *method = http_method(request);
    client_address(&gateway->proxies, http_peer(request),
                   gateway->proxies.count > 0 ? http_header(request, "X-Forwarded-For") : NULL,
                   exchange->client);
    int status = 0;
    json_t *health = NULL;
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        health = health_answer(gateway->broker, http_path(request), atomic_load(&gateway->stopping),
                               &status);
    if (health != NULL) {
        render_json(exchange, status, health);
    } else {
        exchange->reply.outcome = serve(gateway, exchange);
        render_reply(exchange);
    }
    log_access(exchange, method, http_path(request));
}

static void release(void *context, http_response_t *response)
{
    (void)context;
    exchange_t *exchange = response->owner;
    rpc_memory_free(&exchange->memory);
    free(exchange->body); /* jansson's */
    mem_free(exchange);
    response->owner = NULL;
}

/* The outcome of what the HTTP server refuses by itself. */
static outcome_t outcome_of_status(int status)
{
    switch (status) {
    case 413:
        return OUTCOME_BODY_TOO_LARGE;
    case 414:
        return OUTCOME_URL_TOO_LONG;
    case 500:
        return OUTCOME_INTERNAL;
    case 503:
        return OUTCOME_UNAVAILABLE;
    default:
        return OUTCOME_BAD_REQUEST;
    }
}

static void refuse(void *context, int status, const char *detail, http_response_t *out)
{
    (void)context;
    exchange_t *exchange = begin_exchange(NULL, out);
    exchange->route.dialect = &dialect_v2;
    exchange->reply.outcome = outcome_of_status(status);
    if (detail != NULL)
        text_cut(exchange->reply.message, sizeof(exchange->reply.message), detail);
    render_reply(exchange);
    out->status = status;
    log_access(exchange, NULL, NULL);
}

http_handler_t gateway_handler(gateway_t *gateway)
{
    return (http_handler_t){
        .handle = handle, .release = release, .refuse = refuse, .context = gateway};
}
