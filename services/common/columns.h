/* Columns of a row into fields of a record: NULL becomes null, the rest is checked against the
 * record's table, since stored data may be damaged. */
#ifndef LK_SERVICES_COMMON_COLUMNS_H
#define LK_SERVICES_COMMON_COLUMNS_H

#include "proto/field.h"
#include "services/common/store.h"

/* One row that is being read. The first failure stays in status, and ends all further reading. */
typedef struct {
    query_t *query;
    const schema_t *schema;
    void *record;
    status_t status;
    err_t *err;
} columns_t;

/* Each gives field `row` of the record the value of a column: STATUS_CORRUPT if it does not fit. */
void columns_text(columns_t *columns, int column, unsigned row);
void columns_number(columns_t *columns, int column, unsigned row); /* and times and dates */
void columns_switch(columns_t *columns, int column, unsigned row);
void columns_word(columns_t *columns, int column, unsigned row);
void columns_packed(columns_t *columns, int column, unsigned row);

/* Binds parameter $n to a text field, NULL where it is not set. Borrowed until the query's end. */
void columns_bind_text(query_t *query, int n, const schema_t *schema, const void *record,
                       unsigned row);

/* How a choice is stored: its word. */
const char *column_word(const schema_t *schema, unsigned row, int choice);

#endif
