/* A field table as JSON Schema (2020-12), and its examples. */
#include "gateway/openapi_internal.h"

#include "common/clock.h"
#include "proto/checks.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool in_form(const schema_t *schema, size_t index, form_t form)
{
    unsigned flags = schema->rows[index].flags;
    if (schema->is_open && index + 1 == schema->count)
        return false; /* it stands for what has no name */
    switch (form) {
    case FORM_RESULT:
        return (flags & FIELD_WRITE_ONLY) == 0;
    case FORM_WHOLE:
        return (flags & FIELD_READ_ONLY) == 0;
    case FORM_PART:
        return (flags & (FIELD_READ_ONLY | FIELD_FIXED)) == 0;
    }
    return false;
}

static bool is_required(const field_t *row, form_t form)
{
    switch (form) {
    case FORM_RESULT:
        return (row->flags & FIELD_SPARSE) == 0;
    case FORM_WHOLE:
        return (row->flags & FIELD_REQUIRED) != 0;
    case FORM_PART:
        return false;
    }
    return false;
}

/* An answer shows null for a single value that was left out at creation and has no default, though
 * a client may not send it. Objects and lists are then empty. */
static bool may_be_null(const field_t *row, form_t form)
{
    unsigned sure = FIELD_REQUIRED | FIELD_DEFAULT | FIELD_READ_ONLY | FIELD_SPARSE;
    bool unset = (row->flags & sure) == 0 && row->dflt_text == NULL && row->type < FIELD_OBJECT;
    return (row->flags & FIELD_NULLABLE) != 0 || (form == FORM_RESULT && unset);
}

static const char *format_of(const field_t *row)
{
    static const struct {
        field_check_fn check;
        const char *format;
    } formats[] = {{check_uuid, "uuid"}, {check_fqdn, "hostname"}, {check_http_url, "uri"}};
    for (size_t i = 0; row->check != NULL && i < ARRAY_LEN(formats); i++)
        if (row->check == formats[i].check)
            return formats[i].format;
    return NULL;
}

static json_t *text_schema(const field_t *row)
{
    json_t *schema = openapi_pack("{s:s, s:s*}", "type", "string", "format", format_of(row));
    /* JSON Schema counts code points, and one has up to four bytes. */
    bool bytes = (row->flags & FIELD_BYTES) != 0;
    int64_t min = bytes ? (row->min + 3) / 4 : row->min;
    if (min > 0)
        json_object_set_new(schema, "minLength", json_integer(min));
    json_object_set_new(schema, "maxLength", json_integer(row->max));
    return schema;
}

static json_t *number_schema(const field_t *row)
{
    json_t *schema = openapi_pack("{s:s, s:s}", "type", "integer", "format", "int64");
    if (row->min > INT64_MIN)
        json_object_set_new(schema, "minimum", json_integer(row->min));
    if (row->max < INT64_MAX)
        json_object_set_new(schema, "maximum", json_integer(row->max));
    return schema;
}

static json_t *choice_schema(const field_t *row)
{
    json_t *words = json_array();
    for (size_t i = 0; row->words[i] != NULL; i++)
        json_array_append_new(words, json_string(row->words[i]));
    return openapi_pack("{s:s, s:o}", "type", "string", "enum", words);
}

static json_t *packed_schema(const field_t *row)
{
    json_t *text = openapi_pack("{s:s, s:i}", "type", "string", "maxLength", PACKED_TEXT_MAX);
    switch (row->shape) {
    case SHAPE_TEXTS:
        return openapi_pack("{s:s, s:o, s:I, s:I}", "type", "array", "items", text, "minItems",
                            (json_int_t)row->min, "maxItems", (json_int_t)row->max);
    case SHAPE_TEXT_MAP:
        return openapi_pack("{s:s, s:o, s:I, s:I}", "type", "object", "additionalProperties", text,
                            "minProperties", (json_int_t)row->min, "maxProperties",
                            (json_int_t)row->max);
    case SHAPE_OPEN:
        break;
    }
    json_decref(text);
    return openapi_pack("{s:s, s:b}", "type", "object", "additionalProperties", 1);
}

static json_t *value_schema(json_t *components, const field_t *row, form_t form)
{
    switch (row->type) {
    case FIELD_TEXT:
        return text_schema(row);
    case FIELD_NUMBER:
        return number_schema(row);
    case FIELD_SWITCH:
        return openapi_pack("{s:s}", "type", "boolean");
    case FIELD_CHOICE:
        return choice_schema(row);
    case FIELD_TIME:
        return openapi_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    case FIELD_DATE:
        return openapi_pack("{s:s, s:s}", "type", "string", "format", "date");
    case FIELD_OBJECT:
        return openapi_schema_ref(components, row->schema, form);
    case FIELD_LIST:
        return openapi_pack("{s:s, s:o}", "type", "array", "items",
                            openapi_schema_ref(components, row->schema, form));
    case FIELD_PACKED:
        return packed_schema(row);
    }
    return NULL;
}

static json_t *or_null(json_t *schema)
{
    json_t *type = json_object_get(schema, "type");
    if (type == NULL)
        return openapi_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
    json_t *words = json_object_get(schema, "enum");
    if (words != NULL)
        json_array_append_new(words, json_null());
    json_object_set_new(schema, "type", openapi_pack("[O, s]", type, "null"));
    return schema;
}

static json_t *default_of(const field_t *row)
{
    if (row->dflt_text != NULL)
        return json_string(row->dflt_text);
    if ((row->flags & FIELD_DEFAULT) == 0)
        return NULL;
    if (row->type == FIELD_SWITCH)
        return json_boolean(row->dflt_number != 0);
    if (row->type == FIELD_NUMBER)
        return json_integer(row->dflt_number);
    char text[CLOCK_RFC3339_SIZE];
    clock_format_time(row->dflt_number, text);
    return json_string(text);
}

json_t *openapi_field(json_t *components, const field_t *row, form_t form)
{
    json_t *schema = NULL;
    if (form == FORM_RESULT && (row->flags & FIELD_SECRET) != 0)
        schema = openapi_pack("{s:[s, s], s:[s, n]}", "type", "string", "null", "enum", FIELD_MASK);
    else
        schema = value_schema(components, row, form);
    if ((row->flags & FIELD_SECRET) != 0 && form != FORM_RESULT)
        json_object_set_new(schema, "format", json_string("password"));
    if (may_be_null(row, form) && !(form == FORM_RESULT && (row->flags & FIELD_SECRET) != 0))
        schema = or_null(schema);
    json_object_set_new(schema, "description", json_string(row->doc));
    json_t *value = form == FORM_WHOLE ? default_of(row) : NULL;
    if (value != NULL)
        json_object_set_new(schema, "default", value);
    return schema;
}

static void describe(json_t *components, const schema_t *schema, form_t form, json_t *out)
{
    json_t *required = json_array(), *properties = json_object();
    for (size_t i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        if (!in_form(schema, i, form))
            continue;
        json_object_set_new(properties, row->name, openapi_field(components, row, form));
        if (is_required(row, form))
            json_array_append_new(required, json_string(row->name));
    }
    json_object_set_new(out, "type", json_string("object"));
    if (json_array_size(required) > 0)
        json_object_set(out, "required", required);
    json_decref(required);
    json_object_set_new(out, "properties", properties);
    if (schema->is_open)
        json_object_set_new(out, "additionalProperties", json_true());
}

json_t *openapi_schema_ref(json_t *components, const schema_t *schema, form_t form)
{
    static const char *const suffixes[] = {
        [FORM_RESULT] = "", [FORM_WHOLE] = "Request", [FORM_PART] = "Change"};
    char name[96];
    status_t status = text_format(name, sizeof(name), "%s%s", schema->name, suffixes[form]);
    assert(status == STATUS_OK);
    (void)status;
    json_t *schemas = json_object_get(components, "schemas");
    if (json_object_get(schemas, name) == NULL) {
        json_object_set_new(schemas, name, json_object());
        describe(components, schema, form, json_object_get(schemas, name));
    }
    return openapi_ref("schemas", name);
}

static json_t *example_of(const schema_t *schema, form_t form)
{
    json_t *all = json_object();
    for (size_t i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        if (!in_form(schema, i, form))
            continue;
        if (row->example != NULL)
            json_object_set_new(all, row->name, json_loads(row->example, JSON_DECODE_ANY, NULL));
        else if (row->type == FIELD_OBJECT)
            json_object_set_new(all, row->name, example_of(row->schema, form));
    }
    return all;
}

json_t *openapi_example(const operation_t *operation)
{
    if (operation->example != NULL)
        return json_loads(operation->example, 0, NULL);
    bool part = operation_mode(operation) == RECORD_PART;
    return example_of(operation->body, part ? FORM_PART : FORM_WHOLE);
}
