#include "services/common/columns.h"

#include "proto/packed.h"

#include <assert.h>
#include <string.h>

/* The field's member, or NULL if nothing is to be stored there: null, or an earlier failure. */
static void *member(columns_t *columns, int column, unsigned row)
{
    if (columns->status != STATUS_OK)
        return NULL;
    if (query_column_is_null(columns->query, column)) {
        field_give_null(columns->record, row);
        return NULL;
    }
    field_give(columns->record, row);
    return (char *)columns->record + columns->schema->rows[row].offset;
}

void columns_text(columns_t *columns, int column, unsigned row)
{
    const field_t *field = &columns->schema->rows[row];
    assert(field->type == FIELD_TEXT);
    char *text = member(columns, column, row);
    if (text != NULL)
        columns->status = query_copy_text(columns->query, column, text, field->size, columns->err);
}

void columns_number(columns_t *columns, int column, unsigned row)
{
    field_type_t type = columns->schema->rows[row].type;
    assert(type == FIELD_NUMBER || type == FIELD_TIME || type == FIELD_DATE);
    (void)type;
    int64_t *number = member(columns, column, row);
    if (number != NULL)
        *number = query_column_number(columns->query, column);
}

void columns_switch(columns_t *columns, int column, unsigned row)
{
    assert(columns->schema->rows[row].type == FIELD_SWITCH);
    bool *on = member(columns, column, row);
    if (on != NULL)
        *on = query_column_number(columns->query, column) != 0;
}

void columns_word(columns_t *columns, int column, unsigned row)
{
    const field_t *field = &columns->schema->rows[row];
    assert(field->type == FIELD_CHOICE);
    int *choice = member(columns, column, row);
    if (choice == NULL)
        return;
    size_t length = 0;
    const char *word = query_column_text(columns->query, column, &length);
    int index = word == NULL ? -1 : field_word_index(field, word, length);
    if (index < 0)
        columns->status =
            err_set(columns->err, STATUS_CORRUPT, field->name, "holds an unknown word");
    else
        *choice = index;
}

void columns_packed(columns_t *columns, int column, unsigned row)
{
    const field_t *field = &columns->schema->rows[row];
    assert(field->type == FIELD_PACKED);
    packed_t *packed = member(columns, column, row);
    if (packed == NULL)
        return;
    size_t length = 0;
    const void *bytes = query_column_blob(columns->query, column, &length);
    if (packed_load(field, bytes, length, packed) != STATUS_OK)
        columns->status = err_set(columns->err, STATUS_CORRUPT, field->name,
                                  "holds bytes that are no such value");
}

void columns_bind_text(query_t *query, int n, const schema_t *schema, const void *record,
                       unsigned row)
{
    assert(schema->rows[row].type == FIELD_TEXT);
    const char *text = (const char *)record + schema->rows[row].offset;
    query_text(query, n, field_set(record, row) ? text : NULL);
}

const char *column_word(const schema_t *schema, unsigned row, int choice)
{
    assert(schema->rows[row].type == FIELD_CHOICE);
    return schema->rows[row].words[choice];
}
