#include "gateway/intake.h"

#include "common/text.h"
#include "gateway/gateway_metrics.h"
#include "gateway/request_head.h"
#include "proto/json.h"
#include "proto/record.h"
#include "proto/registry.h"
#include "proto/transcode.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

/* Either of them. */
typedef struct {
    json_t *json;
    const char *form;
    size_t form_length;
} body_t;

static bool is_form(const operation_t *operation)
{
    return (operation->flags & OPERATION_FORM) != 0;
}

/* Whatever its parameters: both are UTF-8, and what is not will be found. */
static bool is_of_type(const char *content_type, const char *type)
{
    size_t length = strlen(type);
    if (content_type == NULL || strncasecmp(content_type, type, length) != 0)
        return false;
    const char *rest = content_type + length;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

/* A page's form may have fields of its own. */
static bool ignores_body(const operation_t *operation)
{
    return operation->body == NULL && (operation->flags & OPERATION_OPEN) != 0;
}

/* Strangers may send such, on every thread. */
static bool is_one_too_many(exchange_t *exchange, size_t limit)
{
    long long length = http_body_length(exchange->http);
    bool is_large = limit > BODY_LIMIT && (length < 0 || length > BODY_LIMIT);
    if (!is_large || (length > 0 && (unsigned long long)length > limit))
        return false; /* the latter is not read */
    if (exchange_take_large_body(exchange))
        return false;
    gateway_metrics_refusal(REFUSED_LARGE);
    return true;
}

/* JSON is {} where there is no body, or where the operation takes none. */
static outcome_t read_body(exchange_t *exchange, body_t *out)
{
    const operation_t *operation = exchange->route.operation;
    const char *bytes = "";
    size_t length = 0;
    if (http_has_body(exchange->http)) {
        size_t limit = operation->body_limit != 0 ? operation->body_limit : (size_t)BODY_LIMIT;
        if (is_one_too_many(exchange, limit))
            return OUTCOME_UNAVAILABLE;
        status_t status = http_body(exchange->http, limit, &bytes, &length);
        if (status == STATUS_TOO_LARGE)
            return OUTCOME_BODY_TOO_LARGE;
        if (status != STATUS_OK) {
            exchange->response->close = true;
            text_cut(exchange->reply.message, sizeof(exchange->reply.message),
                     "The body did not arrive as announced.");
            return OUTCOME_BAD_REQUEST;
        }
        if (length > 0 && !ignores_body(operation) &&
            !is_of_type(http_header(exchange->http, "Content-Type"),
                        is_form(operation) ? MEDIA_TYPE_FORM : media_type(MEDIA_JSON)))
            return OUTCOME_BAD_MEDIA_TYPE;
    }
    if (is_form(operation)) {
        out->form = bytes;
        out->form_length = length;
        return OUTCOME_OK;
    }
    err_t err;
    if (json_read(bytes, operation->body == NULL ? 0 : length, &out->json, &err) == STATUS_OK)
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
    bool open = (exchange->route.operation->flags & OPERATION_OPEN) != 0;
    const char *given = open ? NULL : http_header(exchange->http, "Idempotency-Key");
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

static void write_envelope(exchange_t *exchange, const body_t *body)
{
    const route_t *route = &exchange->route;
    msgpack_packer packer;
    msgpack_packer_init(&packer, &exchange->envelope, msgpack_sbuffer_write);
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
    request_head_write(route->operation->head, exchange->http, exchange->client, &packer);
    if (is_form(route->operation))
        transcode_form(route->operation->body, body->form, body->form_length, &packer,
                       &exchange->reply.faults);
    else
        transcode_body(route->operation->body, body->json, &packer);
}

/* Reads into a record that nobody looks at: what counts is the faults. */
static bool check_part(exchange_t *exchange, const schema_t *schema, const msgpack_object *map,
                       record_mode_t mode, fault_place_t place)
{
    if (schema == NULL)
        return true;
    void *record = exchange_record(exchange, schema->record_size);
    status_t status = record_read(schema, map, mode, place, record, &exchange->reply.faults);
    sodium_memzero(record, schema->record_size);
    return status == STATUS_OK;
}

/* The same walk that the worker will make, so that bad input does not travel. */
static outcome_t check_envelope(exchange_t *exchange)
{
    const operation_t *operation = exchange->route.operation;
    msgpack_object decoded;
    request_t request;
    if (exchange->reply.faults.count > 0)
        return exchange->reply.faults.items[0].place == FAULT_IN_BODY ? OUTCOME_INVALID
                                                                      : OUTCOME_BAD_QUERY;
    if (operation->body == NULL && operation->query == NULL)
        return OUTCOME_OK; /* ids alone are not worth a second look: most requests are of this kind
                            */
    if (envelope_decode_in(&exchange->zone, exchange->envelope.data, exchange->envelope.size,
                           &decoded) != STATUS_OK ||
        envelope_read_request(&decoded, &request) != STATUS_OK)
        return OUTCOME_INTERNAL;
    if (!check_part(exchange, operation->path_schema, &request.path, RECORD_WHOLE, FAULT_IN_PATH)) {
        if ((operation->flags & OPERATION_BAD_ID) != 0)
            return OUTCOME_INVALID;
        exchange->reply.faults.count = 0;
        return OUTCOME_UNKNOWN;
    }
    if (!check_part(exchange, operation->query, &request.query, RECORD_WHOLE, FAULT_IN_QUERY))
        return OUTCOME_BAD_QUERY;
    return check_part(exchange, operation->body, &request.body, operation_mode(operation),
                      FAULT_IN_BODY)
               ? OUTCOME_OK
               : OUTCOME_INVALID;
}

outcome_t intake(exchange_t *exchange)
{
    body_t body = {0};
    outcome_t outcome = read_body(exchange, &body);
    if (outcome == OUTCOME_OK)
        outcome = take_idempotency_key(exchange);
    if (outcome == OUTCOME_OK)
        write_envelope(exchange, &body);
    json_release(&body.json);
    return outcome == OUTCOME_OK ? check_envelope(exchange) : outcome;
}
