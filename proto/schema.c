#include "proto/field.h"

#include <string.h>

const field_t *schema_find(const schema_t *schema, const char *name, size_t length, size_t *hint)
{
    for (size_t tried = 0; tried < schema->count; tried++) {
        size_t at = (*hint + tried) % schema->count;
        const field_t *row = &schema->rows[at];
        if (strncmp(row->name, name, length) == 0 && row->name[length] == '\0') {
            *hint = at + 1;
            return row;
        }
    }
    return NULL;
}

int field_word_index(const field_t *row, const char *word, size_t length)
{
    for (int i = 0; row->words[i] != NULL; i++)
        if (strncmp(row->words[i], word, length) == 0 && row->words[i][length] == '\0')
            return i;
    return -1;
}

static const char *row_flaw(const field_t *row)
{
    if (row->name == NULL || row->doc == NULL)
        return "a row lacks its name or its sentence of documentation";
    bool read_only = (row->flags & FIELD_READ_ONLY) != 0;
    switch (row->type) {
    case FIELD_TEXT:
        if ((row->flags & (FIELD_BYTES | FIELD_READ_ONLY)) == 0 && row->check == NULL &&
            row->size < TEXT_SIZE((size_t)row->max))
            return "a text of code points may not fit its member";
        return row->dflt_text != NULL && strlen(row->dflt_text) >= row->size
                   ? "a default does not fit its member"
                   : NULL;
    case FIELD_NUMBER:
        return row->min > row->max ? "a number has no range" : NULL;
    case FIELD_CHOICE:
        if (row->words == NULL)
            return "a choice has no words";
        return row->dflt_text != NULL &&
                       field_word_index(row, row->dflt_text, strlen(row->dflt_text)) < 0
                   ? "a default is none of its words"
                   : NULL;
    case FIELD_OBJECT:
        return row->schema == NULL ? "an object has no schema" : schema_flaw(row->schema);
    case FIELD_LIST:
        if (row->schema == NULL || !read_only)
            return "a list has no schema or may be written";
        return schema_flaw(row->schema);
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
    return NULL;
}
