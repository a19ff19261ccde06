/* What an operation may answer: outcomes, made statuses and envelopes by its dialect. */
#include "gateway/openapi_internal.h"

#include "common/text.h"

#include <assert.h>
#include <string.h>

static bool can_end(const operation_t *operation, outcome_t outcome)
{
    bool writes = (operation->flags & OPERATION_WRITES) != 0;
    bool bad_id = (operation->flags & OPERATION_BAD_ID) != 0;
    bool open = (operation->flags & OPERATION_OPEN) != 0;
    switch (outcome) {
    case OUTCOME_INVALID:
        return operation->body != NULL || bad_id;
    case OUTCOME_BAD_QUERY:
        return operation->query != NULL;
    case OUTCOME_UNKNOWN:
        return operation->path_schema != NULL || open || (operation->flags & OPERATION_CALL) != 0;
    case OUTCOME_CONFLICT:
        return (operation->flags & OPERATION_CONFLICTS) != 0;
    case OUTCOME_KEY_REUSED:
        return writes && !open;
    case OUTCOME_FORBIDDEN:
        return !open;
    case OUTCOME_DENIED:
        return open;
    case OUTCOME_ELSEWHERE:
        return open && writes;
    case OUTCOME_BAD_JSON:
        return operation->body != NULL;
    case OUTCOME_BAD_MEDIA_TYPE:
        return operation->body != NULL || !open;
    case OUTCOME_UNAVAILABLE:
    case OUTCOME_INTERNAL:
    case OUTCOME_UNAUTHENTICATED:
    case OUTCOME_BAD_REQUEST:
    case OUTCOME_BODY_TOO_LARGE:
    case OUTCOME_URL_TOO_LONG:
    case OUTCOME_RATE_LIMITED:
    case OUTCOME_TIMEOUT:
        return true;
    case OUTCOME_OK:
    case OUTCOME_CREATED:
    case OUTCOME_DELETED:
    case OUTCOME_NO_ROUTE:
    case OUTCOME_BAD_METHOD:
    case OUTCOME_COUNT:
        return false;
    }
    return false;
}

static void add_header(json_t *headers, const char *name)
{
    json_object_set_new(headers, name, openapi_ref("headers", name));
}

static json_t *headers_of(const dialect_t *dialect, int status)
{
    json_t *headers = json_object();
    add_header(headers, "x-request-id");
    if (dialect->secret)
        add_header(headers, "Cache-Control");
    for (const header_t *header = dialect->headers; header != NULL && header->name != NULL;
         header++)
        add_header(headers, header->name);
    if (status == 401)
        add_header(headers, "WWW-Authenticate");
    if (status == 429 || status == 503)
        add_header(headers, "Retry-After");
    if (status == 401 || status == 414)
        return headers; /* no key was looked at */
    add_header(headers, "x-ratelimit-limit");
    add_header(headers, "x-ratelimit-remaining");
    add_header(headers, "x-ratelimit-reset");
    return headers;
}

/* All that the dialect answers with that status. */
static json_t *failure_text(const dialect_t *dialect, int status)
{
    char text[512] = "";
    for (int i = OUTCOME_DENIED; i < OUTCOME_COUNT; i++) {
        outcome_t outcome = (outcome_t)i;
        bool of_keys = outcome == OUTCOME_FORBIDDEN || outcome == OUTCOME_KEY_REUSED;
        bool possible = dialect->is_open ? !of_keys : outcome != OUTCOME_DENIED;
        if (dialect_status(dialect, outcome) != status || outcome == OUTCOME_NO_ROUTE || !possible)
            continue;
        size_t used = strlen(text);
        status_t copied = text_format(text + used, sizeof(text) - used, "%s%s",
                                      used > 0 ? " Or: " : "", dialect_message(dialect, outcome));
        assert(copied == STATUS_OK);
        (void)copied;
    }
    return json_string(text);
}

json_t *openapi_failure_ref(json_t *components, const dialect_t *speaker, int status)
{
    /* Dialects with one prefix differ in their successes only. */
    const dialect_t *dialect = dialect_of_path(speaker->prefix);
    assert(dialect->failure == speaker->failure && dialect->statuses == speaker->statuses);
    char name[48], schema[48];
    status_t named = text_format(name, sizeof(name), "%s_%d", dialect->name, status);
    if (named == STATUS_OK)
        named = text_format(schema, sizeof(schema), "%s_failure", dialect->name);
    assert(named == STATUS_OK);
    (void)named;
    json_t *schemas = json_object_get(components, "schemas");
    json_t *responses = json_object_get(components, "responses");
    if (json_object_get(schemas, schema) == NULL)
        json_object_set_new(schemas, schema, dialect->failure_shape());
    if (json_object_get(responses, name) == NULL)
        json_object_set_new(
            responses, name,
            openapi_pack("{s:o, s:o, s:{s:{s:o}}}", "description", failure_text(dialect, status),
                         "headers", headers_of(dialect, status), "content", media_type(MEDIA_JSON),
                         "schema", openapi_ref("schemas", schema)));
    json_t *content = json_object_get(json_object_get(responses, name), "content");
    if (dialect->page != NULL)
        json_object_set_new(content, media_type(MEDIA_HTML),
                            openapi_pack("{s:{s:s}}", "schema", "type", "string"));
    return openapi_ref("responses", name);
}

/* Every form of the answer, by media type. shape: of the JSON that a schema describes, or NULL. */
static json_t *content(const operation_t *operation, json_t *shape)
{
    json_t *forms = json_object();
    if (shape != NULL)
        json_object_set_new(forms, media_type(MEDIA_JSON), openapi_pack("{s:o}", "schema", shape));
    for (int i = 0; i < MEDIA_COUNT; i++) {
        media_t media = (media_t)i;
        if ((operation->documents & MEDIA_BIT(media)) == 0)
            continue;
        json_t *form = json_object_get(forms, media_type(media));
        if (media != MEDIA_JSON_TEXT)
            shape = openapi_pack("{s:s}", "type", "string");
        else if (form == NULL)
            shape = json_object();
        else
            shape = openapi_pack("{s:[O, {s:s, s:b}]}", "anyOf", json_object_get(form, "schema"),
                                 "type", "object", "additionalProperties", 1);
        json_object_set_new(forms, media_type(media), openapi_pack("{s:o}", "schema", shape));
    }
    return forms;
}

static const char *success_text(const operation_t *operation)
{
    return operation->dialect->nothing.text == NULL
               ? outcome_message(operation->success)
               : "Done. Or, whatever has failed, the document that says that nothing was found.";
}

static json_t *success(json_t *components, const operation_t *operation)
{
    int status = dialect_status(operation->dialect, operation->success);
    bool is_list = (operation->flags & OPERATION_LIST) != 0;
    size_t hint = 0;
    bool in_pages = is_list && operation->query != NULL &&
                    schema_find(operation->query, "page[number]", strlen("page[number]"), &hint);
    json_t *headers = headers_of(operation->dialect, status);
    bool open = (operation->flags & OPERATION_OPEN) != 0;
    if ((operation->flags & OPERATION_WRITES) != 0)
        add_header(headers, open ? "Set-Cookie" : "Idempotent-Replayed");
    if (is_list && !in_pages)
        add_header(headers, "Link");
    if ((operation->flags & OPERATION_ETAG) != 0)
        add_header(headers, "ETag");
    json_t *response =
        openapi_pack("{s:s, s:o}", "description", success_text(operation), "headers", headers);
    if (status == 204)
        return response;
    json_t *result = NULL;
    if (operation->result != NULL)
        result = openapi_schema_ref(components, operation->result, FORM_RESULT);
    if (is_list)
        result = openapi_pack("{s:s, s:o}", "type", "array", "items", result);
    bool records = operation->result != NULL || operation->documents == 0;
    json_t *shape = records ? operation->dialect->success_shape(result, status, in_pages) : NULL;
    json_object_set_new(response, "content", content(operation, shape));
    return response;
}

static json_t *not_modified(const dialect_t *dialect)
{
    json_t *headers = headers_of(dialect, 304);
    add_header(headers, "ETag");
    return openapi_pack("{s:s, s:o}", "description", "It is what If-None-Match names.", "headers",
                        headers);
}

/* On to where the worker says. */
static json_t *elsewhere(const dialect_t *dialect)
{
    json_t *headers = headers_of(dialect, dialect_status(dialect, OUTCOME_ELSEWHERE));
    add_header(headers, "Location");
    add_header(headers, "Set-Cookie");
    return openapi_pack("{s:s, s:o}", "description", outcome_message(OUTCOME_ELSEWHERE), "headers",
                        headers);
}

static void set_status(json_t *responses, int status, json_t *response)
{
    char name[16];
    status_t named = text_format(name, sizeof(name), "%d", status);
    assert(named == STATUS_OK);
    (void)named;
    json_object_set_new(responses, name, response);
}

json_t *openapi_responses(json_t *components, const operation_t *operation)
{
    const dialect_t *dialect = operation->dialect;
    json_t *responses = json_object();
    if (operation->success != OUTCOME_ELSEWHERE)
        set_status(responses, dialect_status(dialect, operation->success),
                   success(components, operation));
    if (can_end(operation, OUTCOME_ELSEWHERE))
        set_status(responses, dialect_status(dialect, OUTCOME_ELSEWHERE), elsewhere(dialect));
    if ((operation->flags & OPERATION_ETAG) != 0)
        set_status(responses, 304, not_modified(dialect));
    for (int status = 400; status < 600; status++) {
        bool possible = false;
        for (int i = 0; i < OUTCOME_COUNT; i++)
            possible |=
                can_end(operation, (outcome_t)i) && dialect_status(dialect, (outcome_t)i) == status;
        if (possible)
            set_status(responses, status, openapi_failure_ref(components, dialect, status));
    }
    return responses;
}
