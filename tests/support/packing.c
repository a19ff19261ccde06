#include "tests/support/packing.h"

#include "common/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 16384 };

static void must(bool worked, const char *what)
{
    if (worked)
        return;
    (void)fprintf(stderr, "packed: %s\n", what);
    abort();
}

void packing_init(packing_t *packed)
{
    msgpack_sbuffer_init(&packed->bytes);
    msgpack_packer_init(&packed->packer, &packed->bytes, msgpack_sbuffer_write);
    msgpack_unpacked_init(&packed->decoded);
}

void packing_free(packing_t *packed)
{
    msgpack_unpacked_destroy(&packed->decoded);
    msgpack_sbuffer_destroy(&packed->bytes);
}

const msgpack_object *packing_decode(packing_t *packed)
{
    size_t used = 0;
    msgpack_unpacked_destroy(&packed->decoded);
    msgpack_unpacked_init(&packed->decoded);
    must(packed->bytes.size > 0, "nothing was packed");
    must(msgpack_unpack_next(&packed->decoded, packed->bytes.data, packed->bytes.size, &used) ==
                 MSGPACK_UNPACK_SUCCESS &&
             used == packed->bytes.size,
         "this is not one object");
    return &packed->decoded.data;
}

static void pack(msgpack_packer *out, json_t *value)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t index = 0;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        msgpack_pack_map(out, json_object_size(value));
        json_object_foreach(value, key, member)
        {
            msgpack_pack_str_with_body(out, key, strlen(key));
            pack(out, member);
        }
        return;
    case JSON_ARRAY:
        msgpack_pack_array(out, json_array_size(value));
        json_array_foreach(value, index, member) pack(out, member);
        return;
    case JSON_STRING:
        msgpack_pack_str_with_body(out, json_string_value(value), json_string_length(value));
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
    }
}

const msgpack_object *packing_json(packing_t *packed, const char *single_quoted)
{
    char text[TEXT_MAX];
    must(text_copy(text, sizeof(text), single_quoted, strlen(single_quoted)) == STATUS_OK, "size");
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    must(value != NULL, single_quoted);
    packing_init(packed);
    pack(&packed->packer, value);
    json_decref(value);
    return packing_decode(packed);
}

void packing_hex(packing_t *packed, const char *hex)
{
    packing_init(packed);
    for (const char *at = hex; *at != '\0'; at++) {
        if (*at == ' ')
            continue;
        uint8_t byte = 0;
        must(text_unhex(&byte, 1, at, 2) == STATUS_OK, hex);
        (void)msgpack_sbuffer_write(&packed->bytes, (const char *)&byte, 1);
        at++;
    }
}

static json_t *shown(const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        return json_null();
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(object->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(object->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(object->via.f64);
    case MSGPACK_OBJECT_STR:
        return json_stringn(object->via.str.ptr, object->via.str.size);
    case MSGPACK_OBJECT_BIN: {
        char hex[TEXT_MAX];
        must(2 * (size_t)object->via.bin.size < sizeof(hex), "size");
        text_hex(hex, (const uint8_t *)object->via.bin.ptr, object->via.bin.size);
        return json_string(hex);
    }
    case MSGPACK_OBJECT_ARRAY: {
        json_t *array = json_array();
        for (uint32_t i = 0; i < object->via.array.size; i++)
            json_array_append_new(array, shown(&object->via.array.ptr[i]));
        return array;
    }
    case MSGPACK_OBJECT_MAP: {
        json_t *map = json_object();
        for (uint32_t i = 0; i < object->via.map.size; i++) {
            const msgpack_object *key = &object->via.map.ptr[i].key;
            must(key->type == MSGPACK_OBJECT_STR, "a key is no string");
            json_object_setn_new_nocheck(map, key->via.str.ptr, key->via.str.size,
                                         shown(&object->via.map.ptr[i].val));
        }
        return map;
    }
    case MSGPACK_OBJECT_EXT:
        break;
    }
    must(false, "an extension");
    return NULL;
}

const char *packing_text(const msgpack_object *object)
{
    static char text[TEXT_MAX];
    json_t *value = shown(object);
    size_t size = json_dumpb(value, text, sizeof(text) - 1, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    must(size < sizeof(text) - 1, "size");
    text[size] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at == '"')
            *at = '\'';
    return text;
}

const char *packing_shown(packing_t *packed)
{
    return packing_text(packing_decode(packed));
}

const char *packing_digits(const packing_t *packed)
{
    static char hex[TEXT_MAX];
    must(2 * packed->bytes.size < sizeof(hex), "size");
    text_hex(hex, (const uint8_t *)packed->bytes.data, packed->bytes.size);
    return hex;
}
