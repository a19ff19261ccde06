#include "proto/packed.h"

#include "proto/scan.h"

#include <assert.h>
#include <string.h>

/* Fails rather than grow. */
static int append(void *data, const char *bytes, size_t length)
{
    packed_t *packed = data;
    if (length > sizeof(packed->bytes) - packed->length)
        return -1;
    if (length > 0) /* msgpack-c passes NULL for an empty text */
        memcpy(packed->bytes + packed->length, bytes, length);
    packed->length += (uint32_t)length;
    return 0;
}

static msgpack_packer begin(packed_t *packed)
{
    msgpack_packer packer;
    packed->length = 0;
    msgpack_packer_init(&packer, packed, append);
    return packer;
}

/* As much of it as is used. */
static void take(const packed_t *packed, packed_t *out)
{
    out->length = packed->length;
    memcpy(out->bytes, packed->bytes, packed->length);
}

static const char *text_flaw(const field_t *row, const msgpack_object *value,
                             fault_code_t *out_code)
{
    *out_code = FAULT_TYPE;
    if (value->type != MSGPACK_OBJECT_STR)
        return "must hold strings only";
    size_t size = value->via.str.size;
    const char *bytes = size > 0 ? value->via.str.ptr : "";
    long length = text_utf8_length(bytes, size);
    *out_code = FAULT_FORMAT;
    if (length < 0 || text_has_nul(bytes, size))
        return "must hold UTF-8 without NUL";
    *out_code = FAULT_RANGE;
    if (length > PACKED_TEXT_MAX)
        return "holds a text that is too long (maximum is 256 characters)";
    *out_code = FAULT_FORMAT;
    return row->check == NULL ? NULL : row->check(bytes, size);
}

/* A walk through an open value. */
typedef struct {
    unsigned depth;
    unsigned values;
} open_walk_t;

static const char *open_flaw(const msgpack_object *value, open_walk_t *walk);

static const char *members_flaw(const msgpack_object *value, open_walk_t *walk)
{
    if (walk->depth == PACKED_DEPTH_MAX)
        return "is nested too deeply (maximum is 8 levels)";
    const char *flaw = NULL;
    walk->depth++;
    if (value->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; flaw == NULL && i < value->via.array.size; i++)
            flaw = open_flaw(&value->via.array.ptr[i], walk);
    else
        for (uint32_t i = 0; flaw == NULL && i < value->via.map.size; i++) {
            flaw = open_flaw(&value->via.map.ptr[i].key, walk);
            if (flaw == NULL)
                flaw = open_flaw(&value->via.map.ptr[i].val, walk);
        }
    walk->depth--;
    return flaw;
}

/* Only what JSON has. */
static const char *open_flaw(const msgpack_object *value, open_walk_t *walk)
{
    if (++walk->values > PACKED_VALUES_MAX)
        return "has too many members (maximum is 256 names and values)";
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BOOLEAN:
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return NULL;
    case MSGPACK_OBJECT_STR: {
        size_t size = value->via.str.size;
        const char *bytes = size > 0 ? value->via.str.ptr : "";
        bool good = text_utf8_length(bytes, size) >= 0 && !text_has_nul(bytes, size);
        return good ? NULL : "must hold UTF-8 without NUL";
    }
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
        return members_flaw(value, walk);
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        break;
    }
    return "holds a value of no JSON type";
}

static const char *texts_flaw(const field_t *row, const msgpack_object *value,
                              fault_code_t *out_code)
{
    const char *flaw = NULL;
    bool is_map = row->shape == SHAPE_TEXT_MAP;
    uint32_t count = is_map ? value->via.map.size : value->via.array.size;
    *out_code = FAULT_RANGE;
    if (count < row->min)
        return "has too few entries";
    if (count > row->max)
        return "has too many entries";
    for (uint32_t i = 0; flaw == NULL && i < count; i++)
        if (is_map) {
            flaw = text_flaw(row, &value->via.map.ptr[i].key, out_code);
            if (flaw == NULL)
                flaw = text_flaw(row, &value->via.map.ptr[i].val, out_code);
        } else {
            flaw = text_flaw(row, &value->via.array.ptr[i], out_code);
        }
    return flaw;
}

const char *packed_flaw(const field_t *row, const msgpack_object *value, fault_code_t *out_code)
{
    *out_code = FAULT_TYPE;
    switch (row->shape) {
    case SHAPE_TEXTS:
        return value->type != MSGPACK_OBJECT_ARRAY ? "must be an array of strings"
                                                   : texts_flaw(row, value, out_code);
    case SHAPE_TEXT_MAP:
        return value->type != MSGPACK_OBJECT_MAP ? "must be an object of strings"
                                                 : texts_flaw(row, value, out_code);
    case SHAPE_OPEN:
        if (value->type != MSGPACK_OBJECT_MAP)
            return "must be an object";
        *out_code = FAULT_FORMAT;
        return open_flaw(value, &(open_walk_t){0});
    }
    return "has no shape";
}

status_t packed_set(const msgpack_object *value, packed_t *out)
{
    packed_t packed;
    msgpack_packer packer = begin(&packed);
    if (msgpack_pack_object(&packer, *value) != 0)
        return STATUS_TOO_LARGE;
    take(&packed, out);
    return STATUS_OK;
}

void packed_set_texts(const char *const *texts, size_t count, packed_t *out)
{
    msgpack_packer packer = begin(out);
    int failed = msgpack_pack_array(&packer, count);
    for (size_t i = 0; i < count; i++)
        failed |= msgpack_pack_str_with_body(&packer, texts[i], strlen(texts[i]));
    assert(failed == 0);
    (void)failed;
}

static bool is_rest(const schema_t *schema, const msgpack_object *key)
{
    size_t hint = 0;
    return schema_find(schema, key->via.str.ptr, key->via.str.size, &hint) == NULL;
}

const char *packed_rest_flaw(const schema_t *schema, const msgpack_object *map,
                             fault_code_t *out_code)
{
    const char *flaw = NULL;
    open_walk_t walk = {.depth = 1, .values = 1};
    for (uint32_t i = 0; flaw == NULL && i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (is_rest(schema, &pair->key)) {
            flaw = open_flaw(&pair->key, &walk);
            if (flaw == NULL)
                flaw = open_flaw(&pair->val, &walk);
        }
    }
    *out_code = FAULT_FORMAT;
    return flaw;
}

status_t packed_set_rest(const schema_t *schema, const msgpack_object *map, packed_t *out)
{
    packed_t packed;
    uint32_t count = 0;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        count += is_rest(schema, &map->via.map.ptr[i].key);
    msgpack_packer packer = begin(&packed);
    int failed = msgpack_pack_map(&packer, count);
    for (uint32_t i = 0; failed == 0 && i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (is_rest(schema, &pair->key))
            failed =
                msgpack_pack_object(&packer, pair->key) | msgpack_pack_object(&packer, pair->val);
    }
    if (failed != 0)
        return STATUS_TOO_LARGE;
    take(&packed, out);
    return STATUS_OK;
}

/* Decodes into a zone of its own, which the caller destroys in any case. */
static status_t decode(const char *bytes, size_t length, msgpack_unpacked *out)
{
    size_t used = 0;
    msgpack_unpacked_init(out);
    if (scan_msgpack(bytes, length) != STATUS_OK ||
        msgpack_unpack_next(out, bytes, length, &used) != MSGPACK_UNPACK_SUCCESS)
        return STATUS_CORRUPT;
    return STATUS_OK;
}

status_t packed_load(const field_t *row, const void *bytes, size_t length, packed_t *out)
{
    fault_code_t code;
    if (length > sizeof(out->bytes))
        return STATUS_CORRUPT;
    AUTO(msgpack_unpacked_destroy) msgpack_unpacked value;
    if (decode(bytes, length, &value) != STATUS_OK || packed_flaw(row, &value.data, &code) != NULL)
        return STATUS_CORRUPT;
    return packed_set(&value.data, out);
}

/* Bytes of the head: so few values that a count of 32 bits is never written. */
static size_t head_size(const packed_t *packed)
{
    uint8_t head = (uint8_t)packed->bytes[0];
    return head == 0xde || head == 0xdc ? 3 : 1;
}

size_t packed_count(const packed_t *packed)
{
    const uint8_t *head = (const uint8_t *)packed->bytes;
    return head_size(packed) == 3 ? (size_t)head[1] << 8 | head[2] : head[0] & 0x0fU;
}

void packed_write(const packed_t *packed, msgpack_packer *out)
{
    (void)out->callback(out->data, packed->bytes, packed->length);
}

void packed_write_members(const packed_t *packed, msgpack_packer *out)
{
    size_t head = head_size(packed);
    (void)out->callback(out->data, packed->bytes + head, packed->length - head);
}

static const msgpack_object *find(const msgpack_object *map, const msgpack_object *key)
{
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (msgpack_object_equal(map->via.map.ptr[i].key, *key))
            return &map->via.map.ptr[i].val;
    return NULL;
}

status_t packed_merge(const packed_t *base, const packed_t *change, packed_t *out)
{
    AUTO(msgpack_unpacked_destroy) msgpack_unpacked old;
    AUTO(msgpack_unpacked_destroy) msgpack_unpacked new;
    status_t old_status = decode(base->bytes, base->length, &old);
    status_t new_status = decode(change->bytes, change->length, &new);
    if (old_status != STATUS_OK || new_status != STATUS_OK || old.data.type != MSGPACK_OBJECT_MAP ||
        new.data.type != MSGPACK_OBJECT_MAP)
        return STATUS_CORRUPT;
    const msgpack_object_map *old_map = &old.data.via.map;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < old_map->size; i++)
        kept += find(&new.data, &old_map->ptr[i].key) == NULL;
    packed_t packed;
    msgpack_packer packer = begin(&packed);
    int failed = msgpack_pack_map(&packer, kept + new.data.via.map.size);
    for (uint32_t i = 0; failed == 0 && i < old_map->size; i++)
        if (find(&new.data, &old_map->ptr[i].key) == NULL)
            failed = msgpack_pack_object(&packer, old_map->ptr[i].key) |
                     msgpack_pack_object(&packer, old_map->ptr[i].val);
    if (failed == 0 && packed_count(change) > 0)
        failed =
            append(&packed, change->bytes + head_size(change), change->length - head_size(change));
    AUTO(msgpack_unpacked_destroy) msgpack_unpacked merged = {0};
    if (failed != 0 || decode(packed.bytes, packed.length, &merged) != STATUS_OK ||
        open_flaw(&merged.data, &(open_walk_t){0}) != NULL)
        return STATUS_TOO_LARGE;
    take(&packed, out);
    return STATUS_OK;
}
