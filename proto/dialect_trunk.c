#include "proto/dialect.h"

#include "proto/json.h"

static const short statuses[] = {
    [OUTCOME_OK] = 200,          [OUTCOME_CREATED] = 201,    [OUTCOME_DELETED] = 204,
    [OUTCOME_INVALID] = 400,     [OUTCOME_BAD_QUERY] = 400,  [OUTCOME_UNKNOWN] = 404,
    [OUTCOME_CONFLICT] = 409,    [OUTCOME_KEY_REUSED] = 422, [OUTCOME_UNAUTHENTICATED] = 401,
    [OUTCOME_FORBIDDEN] = 403,   [OUTCOME_ELSEWHERE] = 303,  [OUTCOME_DENIED] = 403,
    [OUTCOME_UNAVAILABLE] = 503, [OUTCOME_INTERNAL] = 500,
};
_Static_assert(ARRAY_LEN(statuses) == OUTCOME_OF_WORKERS, "every outcome has a status");

static void close_success(int status, const reply_t *reply, msgpack_sbuffer *out)
{
    (void)reply;
    json_put(out, ",\"status_code\":");
    json_put_number(out, status);
    json_put(out, ",\"status_message\":\"");
    json_put(out, http_reason(status));
    json_put(out, "\"}");
}

static json_t *error_entry(const char *field, const char *message)
{
    json_t *entry = json_object();
    json_object_set_new_nocheck(entry, "field", field != NULL ? json_string(field) : json_null());
    json_object_set_new_nocheck(entry, "message", json_string(message));
    return entry;
}

/* The documentation leaves `result` empty on failure; what is wrong stands beside it. */
static json_t *failure(int status, const reply_t *reply)
{
    json_t *errors = json_array();
    for (size_t i = 0; i < reply->faults.count; i++) {
        const fault_t *fault = &reply->faults.items[i];
        const char *field = fault->where[0] == '/' ? fault->where + 1 : fault->where;
        json_array_append_new(errors, error_entry(field, fault->message));
    }
    if (reply->faults.count == 0) {
        const char *message =
            reply->message[0] != '\0' ? reply->message : outcome_message(reply->outcome);
        json_array_append_new(errors, error_entry(NULL, message));
    }
    json_t *body = json_object();
    json_object_set_new_nocheck(body, "result", json_object());
    json_object_set_new_nocheck(body, "status_code", json_integer(status));
    json_object_set_new_nocheck(body, "status_message", json_string_nocheck(http_reason(status)));
    json_object_set_new_nocheck(body, "errors", errors);
    return body;
}

static json_t *success_shape(json_t *result, int status, bool in_pages)
{
    (void)in_pages;
    return json_pack("{s:s, s:[s, s, s], s:{s:o, s:{s:i}, s:{s:s}}}", "type", "object", "required",
                     "result", "status_code", "status_message", "properties", "result",
                     result != NULL ? result : json_pack("{s:s}", "type", "object"), "status_code",
                     "const", status, "status_message", "const", http_reason(status));
}

static json_t *failure_shape(void)
{
    json_t *error = json_pack("{s:s, s:[s, s], s:{s:{s:[s, s]}, s:{s:s}}}", "type", "object",
                              "required", "field", "message", "properties", "field", "type",
                              "string", "null", "message", "type", "string");
    return json_pack("{s:s, s:[s, s, s, s], s:{s:{s:s, s:i}, s:{s:s}, s:{s:s}, s:{s:s, s:i, s:o}}}",
                     "type", "object", "required", "result", "status_code", "status_message",
                     "errors", "properties", "result", "type", "object", "maxProperties", 0,
                     "status_code", "type", "integer", "status_message", "type", "string", "errors",
                     "type", "array", "minItems", 1, "items", error);
}

const dialect_t dialect_trunk = {
    .name = "trunk",
    .prefix = "/voip/",
    .statuses = statuses,
    .no_result = "{}",
    .open = "{\"result\":",
    .close = close_success,
    .failure = failure,
    .success_shape = success_shape,
    .failure_shape = failure_shape,
};
