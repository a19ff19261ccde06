#include "proto/merge.h"

#include "proto/packed.h"

#include <string.h>

static void *member_of(void *record, const field_t *row)
{
    return (char *)record + row->offset;
}

static const void *given_in(const void *change, const field_t *row)
{
    return (const char *)change + row->offset;
}

/* What stood there before, if anything, is merged into or replaced. */
static status_t copy(const field_t *row, bool is_rest, bool was_set, void *to, const void *from)
{
    switch (row->type) {
    case FIELD_TEXT:
        memcpy(to, from, strlen(from) + 1);
        return STATUS_OK;
    case FIELD_NUMBER:
    case FIELD_TIME:
    case FIELD_DATE:
        memcpy(to, from, sizeof(int64_t));
        return STATUS_OK;
    case FIELD_SWITCH:
        memcpy(to, from, sizeof(bool));
        return STATUS_OK;
    case FIELD_CHOICE:
        memcpy(to, from, sizeof(int));
        return STATUS_OK;
    case FIELD_PACKED:
        if (is_rest && was_set) {
            packed_t before = *(const packed_t *)to;
            return packed_merge(&before, from, to);
        }
        memcpy(to, from, sizeof(packed_t));
        return STATUS_OK;
    case FIELD_OBJECT:
        if (!was_set)
            memset(to, 0, row->size);
        return merge_record(row->schema, to, from);
    case FIELD_LIST:
        return STATUS_OK;
    }
    return STATUS_OK;
}

status_t merge_record(const schema_t *schema, void *record, const void *change)
{
    const presence_t *given = change;
    presence_t *fields = record;
    for (unsigned i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        if (field_null(given, i))
            field_give_null(fields, i);
        if (!field_set(given, i) || row->type == FIELD_LIST)
            continue;
        bool is_rest = schema->is_open && i == schema->count - 1;
        status_t status =
            copy(row, is_rest, field_set(fields, i), member_of(record, row), given_in(change, row));
        if (status != STATUS_OK)
            return status;
        field_give(fields, i);
    }
    return STATUS_OK;
}

bool merge_changes(const schema_t *schema, const void *change)
{
    const presence_t *given = change;
    for (unsigned i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        bool is_object = row->type == FIELD_OBJECT && field_set(given, i);
        if (is_object ? merge_changes(row->schema, given_in(change, row)) : field_given(given, i))
            return true;
    }
    return false;
}

static bool same_value(const field_t *row, const void *a, const void *b)
{
    switch (row->type) {
    case FIELD_TEXT:
        return strcmp(a, b) == 0;
    case FIELD_NUMBER:
    case FIELD_TIME:
    case FIELD_DATE:
        return *(const int64_t *)a == *(const int64_t *)b;
    case FIELD_SWITCH:
        return *(const bool *)a == *(const bool *)b;
    case FIELD_CHOICE:
        return *(const int *)a == *(const int *)b;
    case FIELD_PACKED: {
        const packed_t *first = a, *second = b;
        return first->length == second->length &&
               memcmp(first->bytes, second->bytes, first->length) == 0;
    }
    case FIELD_OBJECT:
        return merge_same(row->schema, a, b);
    case FIELD_LIST:
        return true;
    }
    return true;
}

bool merge_same(const schema_t *schema, const void *a, const void *b)
{
    const presence_t *first = a, *second = b;
    for (unsigned i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        if (field_given(first, i) != field_given(second, i) ||
            field_null(first, i) != field_null(second, i))
            return false;
        if (field_set(first, i) && !same_value(row, given_in(a, row), given_in(b, row)))
            return false;
    }
    return true;
}
