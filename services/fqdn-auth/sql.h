/* All SQL of the service, in one array: see services/common/store.h for the subset that is used. */
#ifndef LK_SERVICES_FQDN_AUTH_SQL_H
#define LK_SERVICES_FQDN_AUTH_SQL_H

#include "proto/fqdn_auth.h"
#include "services/common/page.h"

/* The order of a list of connections. */
typedef struct {
    connection_order_t by;
    bool falls;
} order_t;

/* What leads to the FQDNs that a filter is for. */
typedef enum { FQDN_BY_CONNECTION, FQDN_BY_NAME, FQDN_BY_OWNER, FQDN_LEADS } fqdn_lead_t;

/* Connections: their owner or an FQDN, of one organization or of all. */
enum { CONNECTION_LEADS = 4 };

typedef enum {
    SQL_CONNECTION_ADD,
    SQL_CONNECTION_GET,
    SQL_CONNECTION_CHANGE,
    SQL_CONNECTION_DELETE,
    SQL_CONNECTION_LATEST,
    SQL_AUTH_ADD,
    SQL_AUTH_GET,
    SQL_AUTH_CHANGE,
    SQL_AUTH_DROP,
    SQL_AUTH_BY_USER_NAME,
    SQL_AUTH_BY_TECH_PREFIX,
    SQL_AUTH_BY_TOKEN,
    SQL_DIGEST_ADD,
    SQL_DIGEST_DROP,
    SQL_DIGEST_STALE,
    SQL_DIGEST_RENEW,
    SQL_TOKEN_STALE,
    SQL_TOKEN_RENEW,
    SQL_FQDN_ADD,
    SQL_FQDN_GET,
    SQL_FQDN_CHANGE,
    SQL_FQDN_DELETE,
    SQL_FQDN_LATEST,
    SQL_FQDN_OF_CONNECTION,
    SQL_FQDN_COUNT,
    SQL_SIP_USER,
    SQL_SIP_USERS,
    SQL_SIP_DIGEST,
    SQL_SIP_HAS_REALM,
    SQL_SIP_BY_TECH_PREFIX, /* these three: sip_family.c */
    SQL_SIP_BY_TOKEN,
    SQL_SIP_BY_CHARGE,
    SQL_SIP_COMES_FROM,
    SQL_SIP_CLAIMS,
    SQL_ADDRESS_WANTED,
    SQL_ADDRESS_OF,
    SQL_ADDRESS_ADD,
    SQL_ADDRESS_DROP,
    SQL_ADDRESS_FORGET,
    SQL_ADDRESS_ORPHANS,
    SQL_PAGE_TOTAL,
    SQL_PAGE_COUNT,
    SQL_FQDN_LIST,                                    /* page.h; newest first */
    SQL_FQDN_FOUND = SQL_FQDN_LIST + PAGE_STATEMENTS, /* sql_fqdn_found */
    SQL_FQDN_FILTER = SQL_FQDN_FOUND + 2 * FQDN_LEADS,
    SQL_CONNECTION_FOUND = SQL_FQDN_FILTER + 2 * FQDN_LEADS,
    SQL_CONNECTION_FILTER = SQL_CONNECTION_FOUND + CONNECTION_LEADS,
    SQL_CONNECTION_LIST = SQL_CONNECTION_FILTER + 2 * CONNECTION_LEADS * ORDERS_V2,
    SQL_COUNT = SQL_CONNECTION_LIST + 2 * PAGE_STATEMENTS * ORDERS,
} sql_t;

/* Pages of connections in that order: page.h. */
size_t sql_connection_list(order_t order);

/* Filters have statements for each index that may lead to the rows. $1 organization or NULL, $2
 * FQDN or NULL, $3 LIKE pattern of the name or NULL, $4 limit, $5 offset; those that count have no
 * bounds. */
size_t sql_connection_filter(order_t order, bool all, bool by_fqdn);
size_t sql_connection_found(bool all, bool by_fqdn);
/* $1 organization or NULL, $2 connection or NULL, $3 FQDN or NULL, $4 port or NULL, $5 type or
 * NULL, $6 limit, $7 offset. */
size_t sql_fqdn_filter(bool all, fqdn_lead_t lead);
size_t sql_fqdn_found(bool all, fqdn_lead_t lead);

extern const store_spec_t fqdn_auth_store;

#endif
