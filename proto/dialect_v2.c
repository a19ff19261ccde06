#include "proto/dialect.h"

#include "common/text.h"
#include "proto/json.h"

static const short statuses[] = {
    [OUTCOME_OK] = 200,          [OUTCOME_CREATED] = 201,    [OUTCOME_DELETED] = 200,
    [OUTCOME_INVALID] = 422,     [OUTCOME_BAD_QUERY] = 400,  [OUTCOME_UNKNOWN] = 404,
    [OUTCOME_CONFLICT] = 422,    [OUTCOME_KEY_REUSED] = 422, [OUTCOME_UNAUTHENTICATED] = 401,
    [OUTCOME_FORBIDDEN] = 403,   [OUTCOME_ELSEWHERE] = 303,  [OUTCOME_DENIED] = 403,
    [OUTCOME_UNAVAILABLE] = 503, [OUTCOME_INTERNAL] = 500,
};
_Static_assert(ARRAY_LEN(statuses) == OUTCOME_OF_WORKERS, "every outcome has a status");

typedef struct {
    const char *code, *title;
} error_kind_t;

static const error_kind_t outcome_kinds[] = {
    [OUTCOME_INVALID] = {"10015", "Bad Request"},
    [OUTCOME_BAD_QUERY] = {"10015", "Bad Request"},
    [OUTCOME_UNKNOWN] = {"10005", "Resource not found"},
    [OUTCOME_CONFLICT] = {"10012", "Duplicate resource"},
    [OUTCOME_KEY_REUSED] = {"10015", "Bad Request"},
    [OUTCOME_FORBIDDEN] = {"10010", "Not authorized"},
    [OUTCOME_DENIED] = {"10010", "Not authorized"},
    [OUTCOME_UNAVAILABLE] = {"10007", "Unexpected error"},
    [OUTCOME_INTERNAL] = {"10007", "Unexpected error"},
    [OUTCOME_UNAUTHENTICATED] = {"10009", "Authentication failed"},
    [OUTCOME_NO_ROUTE] = {"10005", "Resource not found"},
    [OUTCOME_BAD_METHOD] = {"10015", "Bad Request"},
    [OUTCOME_BAD_JSON] = {"10023", "Invalid JSON"},
    [OUTCOME_BAD_REQUEST] = {"10015", "Bad Request"},
    [OUTCOME_BODY_TOO_LARGE] = {"10015", "Bad Request"},
    [OUTCOME_URL_TOO_LONG] = {"10003", "Invalid URL"},
    [OUTCOME_BAD_MEDIA_TYPE] = {"10014", "Unsupported Media Type"},
    [OUTCOME_RATE_LIMITED] = {"10011", "Too many requests"},
    [OUTCOME_TIMEOUT] = {"10008", "Request timeout"},
};
_Static_assert(ARRAY_LEN(outcome_kinds) == OUTCOME_COUNT, "every outcome has a code");

static const error_kind_t fault_kinds[] = {
    [FAULT_REQUIRED] = {"10004", "Missing required parameter"},
    [FAULT_TYPE] = {"10026", "Invalid parameter type"},
    [FAULT_RANGE] = {"10033", "Value outside of range"},
    [FAULT_CHOICE] = {"10032", "Invalid enumerated value"},
    [FAULT_FORMAT] = {"10015", "Bad Request"},
    [FAULT_TAKEN] = {"10012", "Duplicate resource"},
    [FAULT_RULE] = {"10015", "Bad Request"},
};

static void close_success(int status, const reply_t *reply, msgpack_sbuffer *out)
{
    (void)status;
    if (reply->page_number > 0) {
        int64_t pages = (reply->total + reply->page_size - 1) / reply->page_size;
        json_put(out, ",\"meta\":{\"page_number\":");
        json_put_number(out, reply->page_number);
        json_put(out, ",\"page_size\":");
        json_put_number(out, reply->page_size);
        json_put(out, ",\"total_pages\":");
        json_put_number(out, pages);
        json_put(out, ",\"total_results\":");
        json_put_number(out, reply->total);
        json_put(out, "}");
    }
    json_put(out, "}");
}

static json_t *error_entry(const error_kind_t *kind, const char *detail)
{
    json_t *entry = json_object();
    char url[64];
    json_object_set_new_nocheck(entry, "code", json_string_nocheck(kind->code));
    json_object_set_new_nocheck(entry, "title", json_string_nocheck(kind->title));
    json_object_set_new_nocheck(entry, "detail", json_string(detail));
    json_t *meta = json_object();
    if (text_format(url, sizeof(url), "urn:linekeeper:error:%s", kind->code) == STATUS_OK)
        json_object_set_new_nocheck(meta, "url", json_string_nocheck(url));
    json_object_set_new_nocheck(entry, "meta", meta);
    return entry;
}

static json_t *fault_entry(const fault_t *fault)
{
    const char *field = fault->where[0] == '/' ? fault->where + 1 : fault->where;
    char detail[sizeof(fault->where) + sizeof(fault->message) + 2];
    if (field[0] == '\0' ||
        text_format(detail, sizeof(detail), "%s %s", field, fault->message) != STATUS_OK)
        text_cut(detail, sizeof(detail), fault->message);
    json_t *entry = error_entry(&fault_kinds[fault->code], detail);
    json_t *source = json_object();
    json_object_set_new_nocheck(source, fault->place == FAULT_IN_BODY ? "pointer" : "parameter",
                                json_string(fault->where));
    json_object_set_new_nocheck(entry, "source", source);
    return entry;
}

static json_t *failure(int status, const reply_t *reply)
{
    (void)status;
    json_t *errors = json_array();
    for (size_t i = 0; i < reply->faults.count; i++)
        json_array_append_new(errors, fault_entry(&reply->faults.items[i]));
    if (reply->faults.count == 0)
        json_array_append_new(errors, error_entry(&outcome_kinds[reply->outcome],
                                                  reply->message[0] != '\0'
                                                      ? reply->message
                                                      : outcome_message(reply->outcome)));
    json_t *body = json_object();
    json_object_set_new_nocheck(body, "errors", errors);
    return body;
}

static json_t *success_shape(json_t *result, int status, bool in_pages)
{
    (void)status;
    if (result == NULL)
        result = json_pack("{s:s}", "type", "null");
    json_t *shape = json_pack("{s:s, s:[s], s:{s:o}}", "type", "object", "required", "data",
                              "properties", "data", result);
    if (!in_pages)
        return shape;
    static const char *const members[] = {"page_number", "page_size", "total_pages",
                                          "total_results"};
    json_t *required = json_array(), *properties = json_object();
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_array_append_new(required, json_string(members[i]));
        json_object_set_new(properties, members[i],
                            json_pack("{s:s, s:i}", "type", "integer", "minimum", 0));
    }
    json_array_append_new(json_object_get(shape, "required"), json_string("meta"));
    json_object_set_new(json_object_get(shape, "properties"), "meta",
                        json_pack("{s:s, s:o, s:o}", "type", "object", "required", required,
                                  "properties", properties));
    return shape;
}

static json_t *failure_shape(void)
{
    json_t *source = json_pack("{s:s, s:{s:{s:s}, s:{s:s}}}", "type", "object", "properties",
                               "pointer", "type", "string", "parameter", "type", "string");
    json_t *meta = json_pack("{s:s, s:[s], s:{s:{s:s, s:s}}}", "type", "object", "required", "url",
                             "properties", "url", "type", "string", "format", "uri");
    json_t *error = json_pack("{s:s, s:[s, s, s, s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:o, s:o}}",
                              "type", "object", "required", "code", "title", "detail", "meta",
                              "properties", "code", "type", "string", "title", "type", "string",
                              "detail", "type", "string", "source", source, "meta", meta);
    return json_pack("{s:s, s:[s], s:{s:{s:s, s:i, s:o}}}", "type", "object", "required", "errors",
                     "properties", "errors", "type", "array", "minItems", 1, "items", error);
}

const dialect_t dialect_v2 = {
    .name = "v2",
    .prefix = "/v2/",
    .statuses = statuses,
    .no_result = "null",
    .open = "{\"data\":",
    .close = close_success,
    .failure = failure,
    .success_shape = success_shape,
    .failure_shape = failure_shape,
};
