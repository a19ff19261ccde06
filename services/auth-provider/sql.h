/* All SQL of the service, in one array: see services/common/store.h for the subset that is used. */
#ifndef LK_SERVICES_AUTH_PROVIDER_SQL_H
#define LK_SERVICES_AUTH_PROVIDER_SQL_H

#include "proto/auth_provider.h"
#include "services/common/page.h"

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
    SQL_CERTIFICATE_SHOW,
    SQL_CERTIFICATE_GET,
    SQL_CERTIFICATE_NAMED,
    SQL_CERTIFICATE_LIVE,
    SQL_PAGES, /* of each order: page.h */
    SQL_COUNT = SQL_PAGES + PAGE_STATEMENTS * PROVIDER_SORTS,
} sql_t;

extern const store_spec_t auth_provider_store;

#endif
