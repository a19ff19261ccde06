/* Parameters of paths and queries that several services take. */
#ifndef LK_PROTO_PARAMETERS_H
#define LK_PROTO_PARAMETERS_H

#include "common/uuid.h"
#include "proto/field.h"

/* The longest page of any list. */
enum { PAGE_SIZE_MAX = 250 };

/* A part of a list that has no numbered pages. */
typedef struct {
    presence_t fields;
    int64_t limit; /* not given: all */
    int64_t offset;
} page_query_t;

enum { PAGE_LIMIT, PAGE_OFFSET };

/* One thing by its identifier, which is folded by whoever uses it. */
typedef struct {
    presence_t fields;
    char id[UUID_SIZE];
} id_path_t;

/* The rows of a list in numbered pages. dflt_: rows of a page unless asked for. */
#define PAGE_NUMBER_ROW(record, member_)                                                           \
    FIELD_NUMBER_ROW_AS("page[number]", record, member_, 1, INT32_MAX, .flags = FIELD_DEFAULT,     \
                        .dflt_number = 1, .doc = "Which page, from 1.")
#define PAGE_SIZE_ROW(record, member_, dflt_)                                                      \
    FIELD_NUMBER_ROW_AS("page[size]", record, member_, 1, PAGE_SIZE_MAX, .flags = FIELD_DEFAULT,   \
                        .dflt_number = (dflt_), .doc = "Rows of a page.")

extern const schema_t page_query_schema;
extern const schema_t id_path_schema; /* "id" */

#endif
