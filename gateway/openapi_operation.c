/* One operation: who may ask, with which parameters and body. Next: openapi_response.c. */
#include "gateway/openapi_internal.h"

#include "common/text.h"

#include <assert.h>
#include <string.h>

static json_t *parameter(json_t *components, const field_t *row, const char *place)
{
    bool required = (row->flags & FIELD_REQUIRED) != 0;
    json_t *schema = openapi_field(components, row, FORM_WHOLE);
    json_object_del(schema, "description");
    json_t *value = openapi_pack("{s:s, s:s, s:b, s:s, s:o}", "name", row->name, "in", place,
                                 "required", required, "description", row->doc, "schema", schema);
    if (row->example != NULL)
        json_object_set_new(value, "example", json_loads(row->example, JSON_DECODE_ANY, NULL));
    return value;
}

/* OpenAPI 3.1 section 4.8.12.1 has other places for two header fields; what begins with a colon is
 * none. */
static bool is_told(const field_t *row)
{
    return row->name[0] != ':' && strcmp(row->name, "Accept") != 0 &&
           strcmp(row->name, "Authorization") != 0;
}

static json_t *parameters(json_t *components, const operation_t *operation)
{
    json_t *all = json_array();
    for (size_t i = 0; operation->path_schema != NULL && i < operation->path_schema->count; i++)
        json_array_append_new(all, parameter(components, &operation->path_schema->rows[i], "path"));
    for (size_t i = 0; operation->query != NULL && i < operation->query->count; i++)
        json_array_append_new(all, parameter(components, &operation->query->rows[i], "query"));
    for (size_t i = 0; operation->head != NULL && i < operation->head->count; i++)
        if (is_told(&operation->head->rows[i]))
            json_array_append_new(all, parameter(components, &operation->head->rows[i], "header"));
    if ((operation->flags & (OPERATION_WRITES | OPERATION_OPEN)) == OPERATION_WRITES)
        json_array_append_new(all, openapi_ref("parameters", "Idempotency-Key"));
    if ((operation->flags & OPERATION_ETAG) != 0)
        json_array_append_new(all, openapi_ref("parameters", "If-None-Match"));
    json_array_append_new(all, openapi_ref("parameters", "x-request-id"));
    return all;
}

static json_t *request_body(json_t *components, const operation_t *operation)
{
    bool part = operation_mode(operation) == RECORD_PART;
    bool required = false;
    for (size_t i = 0; !part && i < operation->body->count; i++)
        required |= (operation->body->rows[i].flags & FIELD_REQUIRED) != 0;
    json_t *schema = openapi_schema_ref(components, operation->body, part ? FORM_PART : FORM_WHOLE);
    bool form = (operation->flags & OPERATION_FORM) != 0;
    return openapi_pack("{s:b, s:{s:{s:o, s:o}}}", "required", required, "content",
                        form ? MEDIA_TYPE_FORM : media_type(MEDIA_JSON), "schema", schema,
                        "example", openapi_example(operation));
}

static json_t *description(const operation_t *operation)
{
    static const struct {
        scope_t scope;
        const char *name;
    } scopes[] = {{SCOPE_ADMIN, "admin"}, {SCOPE_READ, "read"}, {SCOPE_SIP, "sip"}};
    if ((operation->flags & OPERATION_OPEN) != 0)
        return json_sprintf("%s It needs no API key.", operation->doc);
    char names[64] = "";
    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        size_t used = strlen(names);
        status_t status = STATUS_OK;
        if (operation_permits(operation, scopes[i].scope))
            status = text_format(names + used, sizeof(names) - used, "%s%s", used > 0 ? " or " : "",
                                 scopes[i].name);
        assert(status == STATUS_OK);
        (void)status;
    }
    return json_sprintf("%s Scope: %s.", operation->doc, names);
}

/* The first sentence, without its full stop. */
static json_t *summary(const operation_t *operation)
{
    const char *end = strstr(operation->doc, ". ");
    size_t length = end != NULL ? (size_t)(end - operation->doc) : strlen(operation->doc);
    if (length > 0 && operation->doc[length - 1] == '.')
        length--;
    return json_stringn(operation->doc, length);
}

json_t *openapi_operation(json_t *components, const service_t *service,
                          const operation_t *operation, const char *suffix)
{
    json_t *value = openapi_pack("{s:o, s:o, s:o, s:[s], s:o}", "operationId",
                                 json_sprintf("%s%s", operation->name, suffix), "summary",
                                 summary(operation), "description", description(operation), "tags",
                                 service->name, "parameters", parameters(components, operation));
    if ((operation->flags & OPERATION_OPEN) != 0)
        json_object_set_new(value, "security", json_array());
    if (operation->body != NULL)
        json_object_set_new(value, "requestBody", request_body(components, operation));
    json_object_set_new(value, "responses", openapi_responses(components, operation));
    return value;
}
