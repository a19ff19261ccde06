/* All SQL of the service, in one array: see services/common/store.h for the subset that is used. */
#ifndef LK_SERVICES_AUTH_PROVIDER_SQL_H
#define LK_SERVICES_AUTH_PROVIDER_SQL_H

#include "proto/auth_provider.h"
#include "services/common/store.h"

typedef enum {
    SQL_PROVIDER_ADD,
    SQL_PROVIDER_GET,
    SQL_PROVIDER_NAMED,
    SQL_PROVIDER_CHANGE,
    SQL_PROVIDER_DELETE,
    SQL_PROVIDER_LATEST,
    SQL_PAGE_TOTAL,
    SQL_PAGE_COUNT,
    SQL_CERTIFICATE_ADD,
    SQL_CERTIFICATE_LIST,
    SQL_CERTIFICATE_RETIRE,
    SQL_CERTIFICATE_FORGET,
    /* Pages: four statements an order, as sql_page tells them apart. */
    SQL_PAGES,
    SQL_COUNT = SQL_PAGES + 4 * PROVIDER_SORTS,
} sql_t;

/* The statement for a page in that order: of one organization ($1) or of all; counted from the
 * start or from the end. Then come its LIMIT and OFFSET. */
size_t sql_page(provider_sort_t sort, bool all, bool is_from_end);

extern const store_spec_t auth_provider_store;

#endif
