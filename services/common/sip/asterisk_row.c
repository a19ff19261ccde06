#include "services/common/sip/asterisk_row.h"

#include "common/text.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

void asterisk_row_set(asterisk_row_t *row, const char *name, const char *value)
{
    assert(row->count < ASTERISK_COLUMNS_MAX);
    row->columns[row->count].name = name;
    row->columns[row->count++].value = value;
}

void asterisk_row_add(const asterisk_row_t *row, document_t *out)
{
    for (size_t i = 0; i < row->count; i++) {
        document_add(out, i == 0 ? "" : "&");
        document_add_percent(out, row->columns[i].name);
        document_add(out, "=");
        document_add_percent(out, row->columns[i].value);
    }
    document_add(out, "\n");
}

static bool read_operator(const char *word, size_t length, bool *out_like)
{
    *out_like = length == 4 && strncasecmp(word, "LIKE", 4) == 0;
    return *out_like || length == 0 || (length == 1 && *word == '=');
}

static bool read_condition(const msgpack_object_kv *member, asterisk_condition_t *out)
{
    if (member->key.type != MSGPACK_OBJECT_STR || member->val.type != MSGPACK_OBJECT_STR)
        return false;
    const msgpack_object_str *name = &member->key.via.str, *value = &member->val.via.str;
    const char *space = memchr(name->ptr, ' ', name->size);
    size_t length = space == NULL ? name->size : (size_t)(space - name->ptr);
    const char *word = space == NULL ? name->ptr + name->size : space + 1;
    return read_operator(word, (size_t)(name->ptr + name->size - word), &out->like) &&
           text_copy(out->column, sizeof(out->column), name->ptr, length) == STATUS_OK &&
           text_copy(out->wanted, sizeof(out->wanted), value->ptr, value->size) == STATUS_OK;
}

static bool read_all(const msgpack_object *map, asterisk_conditions_t *out)
{
    if (map->type != MSGPACK_OBJECT_MAP || map->via.map.size > ASTERISK_CONDITIONS_MAX)
        return false;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (!read_condition(&map->via.map.ptr[i], &out->items[out->count++]))
            return false;
    return true;
}

bool asterisk_conditions_read(const packed_t *form, asterisk_conditions_t *out)
{
    msgpack_unpacked decoded;
    out->count = 0;
    bool good = envelope_decode(form->bytes, form->length, &decoded) == STATUS_OK &&
                read_all(&decoded.data, out);
    msgpack_unpacked_destroy(&decoded);
    return good;
}

const char *asterisk_conditions_exact(const asterisk_conditions_t *conditions, const char *column)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (!conditions->items[i].like && strcmp(conditions->items[i].column, column) == 0)
            return conditions->items[i].wanted;
    return NULL;
}

/* SQL's LIKE with a backslash before what is meant as it is. Of several ways a % can go, only the
 * latest one is tried again: that is enough, and takes no more than the product of the lengths. */
static bool is_like(const char *text, const char *pattern)
{
    const char *again_text = NULL, *again_pattern = NULL;
    while (*text != '\0') {
        bool plain = *pattern == '\\' && pattern[1] != '\0';
        const char *wanted = plain ? pattern + 1 : pattern;
        if (!plain && *pattern == '%') {
            again_pattern = ++pattern;
            again_text = text;
        } else if (*wanted != '\0' && ((!plain && *wanted == '_') || *wanted == *text)) {
            pattern = wanted + 1;
            text++;
        } else if (again_text != NULL) {
            pattern = again_pattern;
            text = ++again_text;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "%")] == '\0';
}

static bool meets(const asterisk_row_t *row, const asterisk_condition_t *condition)
{
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->columns[i].name, condition->column) == 0)
            return condition->like ? is_like(row->columns[i].value, condition->wanted)
                                   : strcmp(row->columns[i].value, condition->wanted) == 0;
    return false;
}

bool asterisk_row_meets(const asterisk_row_t *row, const asterisk_conditions_t *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (!meets(row, &conditions->items[i]))
            return false;
    return true;
}
