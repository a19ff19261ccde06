#include "proto/transcode_internal.h"

#include "common/clock.h"
#include "proto/json.h"

#include <string.h>

void transcode_put_text(msgpack_packer *out, const char *text, size_t length)
{
    msgpack_pack_str(out, length);
    msgpack_pack_str_body(out, text, length);
}

void transcode_put_time(msgpack_packer *out, const char *text, size_t length)
{
    int64_t utc_ms = 0;
    if (clock_parse_time(text, length, &utc_ms) == STATUS_OK)
        msgpack_pack_int64(out, utc_ms);
    else
        transcode_put_text(out, text, length);
}

/* JSON as it is, of any shape; json_read has bounded its depth. */
static void write_any(json_t *value, msgpack_packer *out)
{
    size_t index = 0;
    const char *key = NULL;
    json_t *member = NULL;
    switch (json_typeof(value)) {
    case JSON_STRING:
        transcode_put_text(out, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        msgpack_pack_int64(out, json_integer_value(value));
        return;
    case JSON_REAL:
        msgpack_pack_double(out, json_real_value(value));
        return;
    case JSON_TRUE:
        msgpack_pack_true(out);
        return;
    case JSON_FALSE:
        msgpack_pack_false(out);
        return;
    case JSON_NULL:
        msgpack_pack_nil(out);
        return;
    case JSON_ARRAY:
        msgpack_pack_array(out, json_array_size(value));
        json_array_foreach(value, index, member) write_any(member, out);
        return;
    case JSON_OBJECT:
        msgpack_pack_map(out, json_object_size(value));
        json_object_foreach(value, key, member)
        {
            transcode_put_text(out, key, strlen(key));
            write_any(member, out);
        }
        return;
    }
}

/* A value by its row: what would be of another meaning, or too much, shrinks to what shows its
 * type, which fails in record_read. */
static void write_json(const field_t *row, json_t *value, msgpack_packer *out)
{
    bool is_time = row->type == FIELD_TIME;
    if (json_is_string(value) && is_time)
        transcode_put_time(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value) && is_time)
        /* A JSON number is no time: it must not pass for the milliseconds of one. */
        msgpack_pack_double(out, (double)json_integer_value(value));
    else if (json_is_object(value) && row->type == FIELD_OBJECT)
        transcode_body(row->schema, value, out);
    else if (json_is_object(value) && row->type != FIELD_PACKED)
        msgpack_pack_map(out, 0);
    else if (json_is_array(value) && row->type != FIELD_PACKED)
        msgpack_pack_array(out, 0);
    else
        write_any(value, out);
}

static bool is_rest(const schema_t *schema, const char *name)
{
    size_t hint = 0;
    return schema->is_open && schema_find(schema, name, strlen(name), &hint) == NULL;
}

/* In the table's order: one request has one form, whatever the order of its members. */
void transcode_body(const schema_t *schema, json_t *object, msgpack_packer *out)
{
    if (schema == NULL) {
        msgpack_pack_nil(out);
        return;
    }
    const char *name = NULL;
    json_t *value = NULL;
    size_t count = 0;
    for (size_t i = 0; i < schema->count; i++)
        count += transcode_takes(&schema->rows[i]) && json_object_get(object, schema->rows[i].name);
    json_object_foreach(object, name, value) count += is_rest(schema, name);
    msgpack_pack_map(out, count);
    for (size_t i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        value = transcode_takes(row) ? json_object_get(object, row->name) : NULL;
        if (value == NULL)
            continue;
        transcode_put_text(out, row->name, strlen(row->name));
        write_json(row, value, out);
    }
    json_object_foreach(object, name, value)
    {
        if (!is_rest(schema, name))
            continue;
        transcode_put_text(out, name, strlen(name));
        write_any(value, out);
    }
}

void transcode_path(const schema_t *schema, const char *const *values, const size_t *lengths,
                    msgpack_packer *out)
{
    if (schema == NULL) {
        msgpack_pack_nil(out);
        return;
    }
    msgpack_pack_map(out, schema->count);
    for (size_t i = 0; i < schema->count; i++) {
        char decoded[256];
        if (text_percent_decode(decoded, sizeof(decoded), values[i], lengths[i], false) !=
            STATUS_OK)
            decoded[0] = '\0';
        transcode_put_text(out, schema->rows[i].name, strlen(schema->rows[i].name));
        transcode_put_text(out, decoded, strlen(decoded));
    }
}

/* ---- msgpack -> JSON ---- */

static bool is_int64(const msgpack_object *value)
{
    return value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ||
           (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER && value->via.u64 <= INT64_MAX);
}

static void show_time(field_type_t type, int64_t utc_ms, msgpack_sbuffer *out)
{
    char text[CLOCK_RFC3339_SIZE];
    if (type == FIELD_DATE)
        clock_format_date(utc_ms, text);
    else
        clock_format_time(utc_ms, text);
    json_put(out, "\"");
    json_put(out, text);
    json_put(out, "\"");
}

/* Whether the value is of the kind that the table says. */
static bool is_of_type(const field_t *row, const msgpack_object *value)
{
    switch (row->type) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        return value->type == MSGPACK_OBJECT_STR;
    case FIELD_NUMBER:
    case FIELD_TIME:
    case FIELD_DATE:
        return is_int64(value);
    case FIELD_SWITCH:
        return value->type == MSGPACK_OBJECT_BOOLEAN;
    case FIELD_OBJECT:
        return value->type == MSGPACK_OBJECT_MAP;
    case FIELD_LIST:
        return value->type == MSGPACK_OBJECT_ARRAY;
    case FIELD_PACKED:
        return value->type ==
               (row->shape == SHAPE_TEXTS ? MSGPACK_OBJECT_ARRAY : MSGPACK_OBJECT_MAP);
    }
    return false;
}

static void show_any(const msgpack_object *value, msgpack_sbuffer *out);

/* A member that no row describes. One without a name that JSON has is left out: only a forged
 * message has it. */
static void show_pair(const msgpack_object_kv *pair, bool *first, msgpack_sbuffer *out)
{
    const msgpack_object *key = &pair->key;
    if (key->type != MSGPACK_OBJECT_STR ||
        text_utf8_length(key->via.str.ptr, key->via.str.size) < 0 ||
        text_has_nul(key->via.str.ptr, key->via.str.size))
        return;
    if (!*first)
        json_put(out, ",");
    *first = false;
    json_put_text(out, key->via.str.ptr, key->via.str.size);
    json_put(out, ":");
    show_any(&pair->val, out);
}

static void show_map(const msgpack_object *value, msgpack_sbuffer *out)
{
    bool first = true;
    json_put(out, "{");
    for (uint32_t i = 0; i < value->via.map.size; i++)
        show_pair(&value->via.map.ptr[i], &first, out);
    json_put(out, "}");
}

static void show_array(const msgpack_object *value, msgpack_sbuffer *out)
{
    json_put(out, "[");
    for (uint32_t i = 0; i < value->via.array.size; i++) {
        if (i > 0)
            json_put(out, ",");
        show_any(&value->via.array.ptr[i], out);
    }
    json_put(out, "]");
}

/* A value that no row describes; scan_msgpack has bounded its depth. */
static void show_any(const msgpack_object *value, msgpack_sbuffer *out)
{
    if (value->type == MSGPACK_OBJECT_STR)
        json_put_text(out, value->via.str.ptr, value->via.str.size);
    else if (value->type == MSGPACK_OBJECT_BOOLEAN)
        json_put(out, value->via.boolean ? "true" : "false");
    else if (is_int64(value))
        json_put_number(out, value->via.i64);
    else if (value->type == MSGPACK_OBJECT_FLOAT64 || value->type == MSGPACK_OBJECT_FLOAT32)
        json_put_real(out, value->via.f64);
    else if (value->type == MSGPACK_OBJECT_MAP)
        show_map(value, out);
    else if (value->type == MSGPACK_OBJECT_ARRAY)
        show_array(value, out);
    else
        json_put(out, "null");
}

static void show_value(const field_t *row, const msgpack_object *value, msgpack_sbuffer *out)
{
    bool is_secret = (row->flags & FIELD_SECRET) != 0; /* whatever the worker says it is */
    if (is_secret && value->type != MSGPACK_OBJECT_NIL) {
        json_put(out, "\"" FIELD_MASK "\"");
        return;
    }
    if (!is_of_type(row, value)) {
        json_put(out, "null");
        return;
    }
    switch (row->type) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        json_put_text(out, value->via.str.ptr, value->via.str.size);
        return;
    case FIELD_NUMBER:
        json_put_number(out, value->via.i64);
        return;
    case FIELD_SWITCH:
        json_put(out, value->via.boolean ? "true" : "false");
        return;
    case FIELD_TIME:
    case FIELD_DATE:
        show_time(row->type, value->via.i64, out);
        return;
    case FIELD_OBJECT:
        transcode_result(row->schema, value, out);
        return;
    case FIELD_LIST:
        transcode_results(row->schema, value, out);
        return;
    case FIELD_PACKED:
        show_any(value, out);
        return;
    }
}

void transcode_result(const schema_t *schema, const msgpack_object *map, msgpack_sbuffer *out)
{
    uint32_t count = map->type == MSGPACK_OBJECT_MAP ? map->via.map.size : 0;
    uint64_t shown = 0;
    size_t hint = 0;
    bool first = true;
    json_put(out, "{");
    for (uint32_t i = 0; i < count; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type != MSGPACK_OBJECT_STR)
            continue;
        const field_t *row =
            schema_find(schema, pair->key.via.str.ptr, pair->key.via.str.size, &hint);
        if (row == NULL && schema->is_open)
            show_pair(pair, &first, out);
        if (row == NULL || (row->flags & FIELD_WRITE_ONLY) != 0)
            continue;
        uint64_t bit = (uint64_t)1 << (row - schema->rows);
        if ((shown & bit) != 0) /* a second key of one name: only a forged message has it */
            continue;
        json_put(out, first ? "\"" : ",\"");
        first = false;
        json_put(out, row->name);
        json_put(out, "\":");
        show_value(row, &pair->val, out);
        shown |= bit;
    }
    json_put(out, "}");
}

void transcode_results(const schema_t *schema, const msgpack_object *array, msgpack_sbuffer *out)
{
    uint32_t count = array->type == MSGPACK_OBJECT_ARRAY ? array->via.array.size : 0;
    json_put(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            json_put(out, ",");
        transcode_result(schema, &array->via.array.ptr[i], out);
    }
    json_put(out, "]");
}
