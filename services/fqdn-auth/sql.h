/* All SQL of the service, in one array: see services/common/store.h for the subset that is used. */
#ifndef LK_SERVICES_FQDN_AUTH_SQL_H
#define LK_SERVICES_FQDN_AUTH_SQL_H

#include "proto/fqdn_auth.h"
#include "services/common/store.h"

/* The order of a list of connections. */
typedef struct {
    connection_order_t by;
    bool falls;
} order_t;

typedef enum {
    SQL_CONNECTION_ADD,
    SQL_CONNECTION_GET,
    SQL_CONNECTION_CHANGE,
    SQL_CONNECTION_DELETE,
    SQL_CONNECTION_LATEST,
    SQL_CONNECTION_FILTER_COUNT,
    SQL_AUTH_ADD,
    SQL_AUTH_GET,
    SQL_AUTH_CHANGE,
    SQL_AUTH_DROP,
    SQL_AUTH_BY_USER_NAME,
    SQL_AUTH_BY_TECH_PREFIX,
    SQL_AUTH_BY_TOKEN,
    SQL_DIGEST_ADD,
    SQL_DIGEST_DROP,
    SQL_FQDN_ADD,
    SQL_FQDN_GET,
    SQL_FQDN_CHANGE,
    SQL_FQDN_DELETE,
    SQL_FQDN_LATEST,
    SQL_FQDN_OF_CONNECTION,
    SQL_FQDN_COUNT,
    SQL_FQDN_LIST, /* of an organization, then of all; each from the start, then from the end */
    SQL_FQDN_LIST_END = SQL_FQDN_LIST + 4,
    SQL_FQDN_FILTER = SQL_FQDN_LIST_END,
    SQL_FQDN_FILTER_COUNT,
    SQL_PAGE_TOTAL,
    SQL_PAGE_COUNT,
    SQL_CONNECTION_LIST, /* sql_connection_list */
    SQL_CONNECTION_LIST_END = SQL_CONNECTION_LIST + 8 * ORDERS,
    SQL_CONNECTION_FILTER = SQL_CONNECTION_LIST_END, /* sql_connection_filter */
    SQL_COUNT = SQL_CONNECTION_FILTER + 2 * ORDERS_V2,
} sql_t;

/* Connections of an organization ($1), or of all, in that order; limit and offset follow. from_end:
 * the offset counts from the end. */
size_t sql_connection_list(order_t order, bool all, bool from_end);
/* $1 organization or NULL, $2 LIKE pattern or NULL, $3 FQDN or NULL, $4 limit, $5 offset. */
size_t sql_connection_filter(order_t order);
/* FQDNs, newest first; as sql_connection_list. */
size_t sql_fqdn_list(bool all, bool from_end);

extern const store_spec_t fqdn_auth_store;

#endif
