#include "proto/dialect.h"

#include "common/text.h"
#include "proto/json.h"

#include <string.h>

static const short statuses[] = {
    [OUTCOME_OK] = 200,          [OUTCOME_CREATED] = 200,    [OUTCOME_DELETED] = 200,
    [OUTCOME_INVALID] = 400,     [OUTCOME_BAD_QUERY] = 422,  [OUTCOME_UNKNOWN] = 404,
    [OUTCOME_CONFLICT] = 400,    [OUTCOME_KEY_REUSED] = 422, [OUTCOME_UNAUTHENTICATED] = 401,
    [OUTCOME_FORBIDDEN] = 403,   [OUTCOME_ELSEWHERE] = 303,  [OUTCOME_DENIED] = 403,
    [OUTCOME_UNAVAILABLE] = 503, [OUTCOME_INTERNAL] = 500,
};
_Static_assert(ARRAY_LEN(statuses) == OUTCOME_OF_WORKERS, "every outcome has a status");

static void close_bare(int status, const reply_t *reply, msgpack_sbuffer *out)
{
    (void)status;
    (void)reply;
    (void)out;
}

static void close_set(int status, const reply_t *reply, msgpack_sbuffer *out)
{
    (void)status;
    const char *message =
        reply->message[0] != '\0' ? reply->message : outcome_message(reply->outcome);
    json_put_text(out, message, strlen(message));
    json_put(out, ",\"reasons\":{}}");
}

/* The documented words, where there are any. */
static const char *message_of(const reply_t *reply)
{
    if (reply->outcome == OUTCOME_UNKNOWN || reply->outcome == OUTCOME_NO_ROUTE)
        return "Record Not Found";
    if (reply->outcome == OUTCOME_UNAUTHENTICATED)
        return "Unauthorized";
    return reply->message[0] != '\0' ? reply->message : outcome_message(reply->outcome);
}

/* A field's reasons stand together under its name; a member's name is dotted: "outbound.prefix". */
static void add_reason(json_t *reasons, const fault_t *fault)
{
    char field[sizeof(fault->where)];
    text_cut(field, sizeof(field), fault->where[0] == '/' ? fault->where + 1 : fault->where);
    for (char *slash = strchr(field, '/'); slash != NULL; slash = strchr(slash, '/'))
        *slash = '.';
    json_t *list = json_object_get(reasons, field);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(reasons, field, list);
    }
    json_array_append_new(list, json_string(fault->message));
}

static json_t *failure(int status, const reply_t *reply)
{
    (void)status;
    json_t *reasons = json_object();
    for (size_t i = 0; i < reply->faults.count; i++)
        add_reason(reasons, &reply->faults.items[i]);
    json_t *body = json_object();
    json_object_set_new_nocheck(body, "success", json_false());
    json_object_set_new_nocheck(body, "message", json_string(message_of(reply)));
    json_object_set_new_nocheck(body, "reasons", reasons);
    return body;
}

static json_t *bare_shape(json_t *result, int status, bool in_pages)
{
    (void)status;
    (void)in_pages;
    return result != NULL ? result : json_pack("{s:s}", "type", "object");
}

/* success, message and reasons, of which the last is as given. */
static json_t *envelope_shape(bool success, json_t *reasons)
{
    return json_pack("{s:s, s:[s, s, s], s:{s:{s:b}, s:{s:s}, s:o}}", "type", "object", "required",
                     "success", "message", "reasons", "properties", "success", "const", success,
                     "message", "type", "string", "reasons", reasons);
}

static json_t *set_shape(json_t *result, int status, bool in_pages)
{
    (void)status;
    (void)in_pages;
    json_decref(result);
    return envelope_shape(true, json_pack("{s:s, s:i}", "type", "object", "maxProperties", 0));
}

static json_t *failure_shape(void)
{
    return envelope_shape(false, json_pack("{s:s, s:{s:s, s:i, s:{s:s}}}", "type", "object",
                                           "additionalProperties", "type", "array", "minItems", 1,
                                           "items", "type", "string"));
}

const dialect_t dialect_v1 = {
    .name = "v1",
    .prefix = "/security/",
    .statuses = statuses,
    .no_result = "{}",
    .open = "",
    .close = close_bare,
    .failure = failure,
    .success_shape = bare_shape,
    .failure_shape = failure_shape,
};

const dialect_t dialect_v1_set = {
    .name = "v1_set",
    .prefix = "/security/",
    .statuses = statuses,
    .no_result = "",
    .open = "{\"success\":true,\"message\":",
    .close = close_set,
    .failure = failure,
    .success_shape = set_shape,
    .failure_shape = failure_shape,
};
