/* All SQL of the service, in one array: see services/common/store.h for the subset that is used. */
#ifndef LK_SERVICES_TRUNK_AUTH_SQL_H
#define LK_SERVICES_TRUNK_AUTH_SQL_H

#include "services/common/store.h"

typedef enum {
    SQL_TRUNK_ADD,
    SQL_TRUNK_GET,
    SQL_TRUNK_LIST, /* page.h: of an organization, of all */
    SQL_TRUNK_LIST_ALL,
    SQL_TRUNK_ORGANIZATION,
    SQL_TRUNK_REPLACE,
    SQL_TRUNK_DELETE,
    SQL_METHOD_ADD,
    SQL_METHOD_GET,
    SQL_METHOD_LIST,
    SQL_METHOD_COUNT,
    SQL_METHOD_CHANGE,
    SQL_METHOD_SET_PASSWORD,
    SQL_METHOD_ROTATE,
    SQL_METHOD_DELETE,
    SQL_USERNAME_GET,
    SQL_DIGEST_ADD,
    SQL_DIGEST_DROP,
    SQL_DIGEST_STALE,
    SQL_DIGEST_RENEW,
    SQL_RANGE_BELOW,
    SQL_RANGE_INSIDE,
    SQL_RANGE_OUTWARD,
    SQL_RANGE_CLAIMS,
    SQL_SIP_USER,
    SQL_SIP_DIGEST,
    SQL_SIP_REALM,
    SQL_SIP_RANGES, /* of all, of an organization */
    SQL_SIP_RANGES_OF,
    SQL_SIP_USERS,
    SQL_SIP_USERS_OF,
    SQL_SIP_USE,
    SQL_COUNT,
} sql_t;

extern const store_spec_t trunk_auth_store;

#endif
