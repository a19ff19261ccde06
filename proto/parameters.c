#include "proto/parameters.h"

#include "proto/checks.h"

/* clang-format off */
static const field_t page_query_rows[] = {
    [PAGE_LIMIT] = FIELD_NUMBER_ROW(page_query_t, limit, 1, PAGE_SIZE_MAX,
        .doc = "How many to answer; without it all, up to 10,000."),
    [PAGE_OFFSET] = FIELD_NUMBER_ROW(page_query_t, offset, 0, INT32_MAX, .flags = FIELD_DEFAULT,
        .doc = "How many to skip."),
};

static const field_t id_path_rows[] = {
    FIELD_TEXT_ROW(id_path_t, id, 0, 36, .flags = FIELD_REQUIRED, .check = check_uuid,
        .doc = "Identifier."),
};
/* clang-format on */

const schema_t page_query_schema = SCHEMA("Page", page_query_t, page_query_rows, .rule = NULL);
const schema_t id_path_schema = SCHEMA("Id", id_path_t, id_path_rows, .rule = NULL);
