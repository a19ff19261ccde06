#include "proto/field.h"

#include <string.h>

/* Bytes may hold a NUL, and then are longer than the name they begin with. */
static bool is_name(const char *name, const char *bytes, size_t length)
{
    return length > 0 && strnlen(name, length + 1) == length && memcmp(name, bytes, length) == 0;
}

const field_t *schema_find(const schema_t *schema, const char *name, size_t length, size_t *hint)
{
    for (size_t tried = 0; tried < schema->count; tried++) {
        size_t at = (*hint + tried) % schema->count;
        const field_t *row = &schema->rows[at];
        if (is_name(row->name, name, length)) {
            *hint = at + 1;
            return row;
        }
    }
    return NULL;
}

int field_word_index(const field_t *row, const char *word, size_t length)
{
    for (int i = 0; row->words[i] != NULL; i++)
        if (is_name(row->words[i], word, length))
            return i;
    return -1;
}

static const char *text_flaw(const field_t *row)
{
    size_t needed = (size_t)row->max + 1;
    if ((row->flags & (FIELD_BYTES | FIELD_READ_ONLY)) == 0 && row->check == NULL)
        needed = TEXT_SIZE((size_t)row->max);
    if (row->min < 0 || row->min > row->max || row->size < needed)
        return "a text has no range, or may not fit its member";
    if (row->dflt_text == NULL)
        return NULL;
    size_t size = strlen(row->dflt_text);
    long code_points = text_utf8_length(row->dflt_text, size);
    int64_t length = (row->flags & FIELD_BYTES) != 0 ? (int64_t)size : code_points;
    if (code_points < 0 || length < row->min || length > row->max || size >= row->size)
        return "a default is out of range";
    return row->check != NULL && row->check(row->dflt_text, size) != NULL
               ? "a default does not pass its check"
               : NULL;
}

static const char *number_flaw(const field_t *row)
{
    if (row->min > row->max)
        return "a number has no range";
    bool outside = row->dflt_number < row->min || row->dflt_number > row->max;
    return (row->flags & FIELD_DEFAULT) != 0 && outside ? "a default is out of range" : NULL;
}

static const char *choice_flaw(const field_t *row)
{
    if (row->words == NULL || row->words[0] == NULL)
        return "a choice has no words";
    if (row->dflt_text == NULL)
        return NULL;
    return field_word_index(row, row->dflt_text, strlen(row->dflt_text)) < 0
               ? "a default is none of its words"
               : NULL;
}

static const char *object_flaw(const field_t *row)
{
    if (row->schema == NULL)
        return "an object has no schema";
    if (row->schema->record_size != row->size)
        return "an object's member is not its schema's record";
    return schema_flaw(row->schema);
}

static const char *packed_row_flaw(const field_t *row)
{
    bool counted = row->shape == SHAPE_OPEN || (row->min >= 0 && row->min <= row->max);
    return counted ? NULL : "a packed value has no range";
}

static const char *flags_flaw(const field_t *row)
{
    bool has_text = row->type == FIELD_TEXT || row->type == FIELD_CHOICE;
    bool has_number =
        row->type == FIELD_NUMBER || row->type == FIELD_SWITCH || row->type == FIELD_TIME;
    bool number_default = (row->flags & FIELD_DEFAULT) != 0;
    if ((row->dflt_text != NULL && !has_text) || (number_default && !has_number))
        return "a default is of another type than its field";
    bool has_default = row->dflt_text != NULL || number_default;
    bool read_only = (row->flags & FIELD_READ_ONLY) != 0;
    bool required = (row->flags & FIELD_REQUIRED) != 0;
    return required + has_default + read_only > 1
               ? "a field is two of required, defaulted and read-only"
               : NULL;
}

static const char *row_flaw(const field_t *row)
{
    if (row->name == NULL || row->doc == NULL)
        return "a row lacks its name or its sentence of documentation";
    const char *flaw = flags_flaw(row);
    if (flaw != NULL)
        return flaw;
    bool read_only = (row->flags & FIELD_READ_ONLY) != 0;
    switch (row->type) {
    case FIELD_TEXT:
        return text_flaw(row);
    case FIELD_NUMBER:
        return number_flaw(row);
    case FIELD_CHOICE:
        return choice_flaw(row);
    case FIELD_OBJECT:
        return object_flaw(row);
    case FIELD_LIST:
        if (row->schema == NULL || !read_only)
            return "a list has no schema or may be written";
        return schema_flaw(row->schema);
    case FIELD_PACKED:
        return packed_row_flaw(row);
    case FIELD_DATE:
        return read_only ? NULL : "a date may be written";
    case FIELD_SWITCH:
    case FIELD_TIME:
        return NULL;
    }
    return "a row has no type";
}

const char *schema_flaw(const schema_t *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        const char *flaw = row_flaw(&schema->rows[i]);
        if (flaw != NULL)
            return flaw;
        size_t hint = 0;
        const char *name = schema->rows[i].name;
        if (schema_find(schema, name, strlen(name), &hint) != &schema->rows[i])
            return "two rows have one name";
    }
    const field_t *last = &schema->rows[schema->count - 1];
    if (schema->is_open && (last->type != FIELD_PACKED || last->shape != SHAPE_OPEN))
        return "the last row of an open schema is no open shape";
    return NULL;
}
