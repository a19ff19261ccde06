/* The contract of the service fqdn-auth: connections, their FQDN authentication, their FQDNs.
 *
 * The same stored things in two spellings: v1 is Telnyx's /security/..., v2 its fqdn_connections
 * and fqdns; docs/api/connections.md says what is whose. */
#ifndef LK_PROTO_FQDN_AUTH_H
#define LK_PROTO_FQDN_AUTH_H

#include "proto/parameters.h"
#include "proto/service.h"
#include "proto/sip.h"

enum {
    FQDN_AUTH_PASSWORD_MAX = 128, /* bytes */
    FQDN_AUTH_URL_MAX = 2048,
    FQDN_AUTH_TOKEN_MAX = 48,
    FQDN_PORT_DEFAULT = 5060, /* of an A record */
};

/* What is said of rules that the body alone breaks, or the body with what is stored. */
#define FQDN_AUTH_PASSWORD_FAULT  "is required with user_name"
#define FQDN_AUTH_USER_NAME_FAULT "is required with password"
#define FQDN_SRV_PORT_FAULT       "must not be set where dns_record_type is srv"

/* What authenticates a connection's calls; tells the equipment by its host names. Both spellings
 * have it under the same names. */
typedef struct {
    presence_t fields;
    char connection_id[UUID_SIZE];
    int64_t created_at;
    bool digest_ready;
    char failover_url[FQDN_AUTH_URL_MAX + 1];
    int fqdn_outbound_authentication; /* outbound_authentication_t */
    char id[UUID_SIZE];
    int ip_authentication_method;
    char ip_authentication_token[TEXT_SIZE(FQDN_AUTH_TOKEN_MAX)];
    bool outbound_usable;
    char p_charge_info[TEXT_SIZE(64)];
    char password[FQDN_AUTH_PASSWORD_MAX + 1];
    char record_type[TEXT_SIZE(32)];
    char tech_prefix[TEXT_SIZE(4)];
    int64_t updated_at;
    char user_name[TEXT_SIZE(64)];
    char webhook_url[FQDN_AUTH_URL_MAX + 1];
} fqdn_auth_t;

enum {
    FQDN_AUTH_CONNECTION_ID,
    FQDN_AUTH_CREATED_AT,
    FQDN_AUTH_DIGEST_READY,
    FQDN_AUTH_FAILOVER_URL,
    FQDN_AUTH_OUTBOUND, /* fqdn_outbound_authentication */
    FQDN_AUTH_ID,
    FQDN_AUTH_METHOD, /* ip_authentication_method */
    FQDN_AUTH_TOKEN,  /* ip_authentication_token */
    FQDN_AUTH_OUTBOUND_USABLE,
    FQDN_AUTH_P_CHARGE_INFO,
    FQDN_AUTH_PASSWORD,
    FQDN_AUTH_RECORD_TYPE,
    FQDN_AUTH_TECH_PREFIX,
    FQDN_AUTH_UPDATED_AT,
    FQDN_AUTH_USER_NAME,
    FQDN_AUTH_WEBHOOK_URL,
};

typedef enum { DNS_RECORD_A, DNS_RECORD_SRV } dns_record_t;

/* A host name of a connection's equipment; the same in both spellings. */
typedef struct {
    presence_t fields;
    char connection_id[UUID_SIZE];
    int64_t created_at;
    int dns_record_type; /* dns_record_t */
    char fqdn[TEXT_SIZE(253)];
    char id[UUID_SIZE];
    int64_t port;
    char record_type[TEXT_SIZE(32)];
    int64_t updated_at;
} fqdn_t;

enum {
    FQDN_CONNECTION_ID,
    FQDN_CREATED_AT,
    FQDN_DNS_RECORD_TYPE,
    FQDN_FQDN,
    FQDN_ID,
    FQDN_PORT,
    FQDN_RECORD_TYPE,
    FQDN_UPDATED_AT,
};

typedef struct {
    presence_t fields;
    bool active;
    int auth_type; /* the one there is so far */
    char connection_name[TEXT_SIZE(128)];
    int64_t created_at;
    fqdn_auth_t fqdn_authentication;
    records_t fqdns; /* of fqdn_t */
    char id[UUID_SIZE];
    bool outbound_usable;
    int64_t updated_at;
} connection_v1_t;

enum {
    CONNECTION_V1_ACTIVE,
    CONNECTION_V1_AUTH_TYPE,
    CONNECTION_V1_NAME,
    CONNECTION_V1_CREATED_AT,
    CONNECTION_V1_AUTHENTICATION,
    CONNECTION_V1_FQDNS,
    CONNECTION_V1_ID,
    CONNECTION_V1_OUTBOUND_USABLE,
    CONNECTION_V1_UPDATED_AT,
};

/* Settings of calls from the equipment. Those with a rule of ours are the authentication's. */
typedef struct {
    presence_t fields;
    int ip_authentication_method; /* fqdn_auth_t's fqdn_outbound_authentication */
    char ip_authentication_token[TEXT_SIZE(FQDN_AUTH_TOKEN_MAX)];
    char tech_prefix[TEXT_SIZE(4)];
    packed_t rest;
} outbound_t;

enum { OUTBOUND_METHOD, OUTBOUND_TOKEN, OUTBOUND_TECH_PREFIX, OUTBOUND_REST };

typedef struct {
    presence_t fields;
    bool active;
    char connection_name[TEXT_SIZE(128)];
    int64_t created_at;
    char id[UUID_SIZE];
    packed_t inbound;
    outbound_t outbound;
    char password[FQDN_AUTH_PASSWORD_MAX + 1];
    char record_type[TEXT_SIZE(32)];
    packed_t tags;
    int transport_protocol;
    int64_t updated_at;
    char user_name[TEXT_SIZE(64)];
    char webhook_event_failover_url[FQDN_AUTH_URL_MAX + 1];
    char webhook_event_url[FQDN_AUTH_URL_MAX + 1];
} connection_v2_t;

enum {
    CONNECTION_V2_ACTIVE,
    CONNECTION_V2_NAME,
    CONNECTION_V2_CREATED_AT,
    CONNECTION_V2_ID,
    CONNECTION_V2_INBOUND,
    CONNECTION_V2_OUTBOUND,
    CONNECTION_V2_PASSWORD,
    CONNECTION_V2_RECORD_TYPE,
    CONNECTION_V2_TAGS,
    CONNECTION_V2_TRANSPORT,
    CONNECTION_V2_UPDATED_AT,
    CONNECTION_V2_USER_NAME,
    CONNECTION_V2_FAILOVER_URL,
    CONNECTION_V2_WEBHOOK_URL,
};

/* Orders of lists; v2 knows the first ones only, each with its reverse. */
typedef enum {
    ORDER_CREATED_AT,
    ORDER_CONNECTION_NAME,
    ORDER_ACTIVE,
    ORDERS_V2,
    ORDER_AUTH_TYPE = ORDERS_V2,
    ORDERS,
} connection_order_t;

typedef struct {
    presence_t fields;
    int64_t limit;
    int64_t offset;
    int order_by;       /* connection_order_t */
    int sort_direction; /* given: reverse */
    bool with_auth;
    bool with_fqdns;
} connection_v1_query_t;

enum {
    CONNECTION_V1_QUERY_LIMIT,
    CONNECTION_V1_QUERY_OFFSET,
    CONNECTION_V1_QUERY_ORDER_BY,
    CONNECTION_V1_QUERY_DIRECTION,
    CONNECTION_V1_QUERY_WITH_AUTH,
    CONNECTION_V1_QUERY_WITH_FQDNS,
};

typedef struct {
    presence_t fields;
    int64_t page_number;
    int64_t page_size;
    char name_contains[TEXT_SIZE(128)];
    char fqdn[TEXT_SIZE(253)];
    int sort; /* connection_order_t * 2, and 1 where it falls */
} connection_v2_query_t;

enum {
    CONNECTION_V2_QUERY_PAGE_NUMBER,
    CONNECTION_V2_QUERY_PAGE_SIZE,
    CONNECTION_V2_QUERY_NAME,
    CONNECTION_V2_QUERY_FQDN,
    CONNECTION_V2_QUERY_SORT,
};

typedef struct {
    presence_t fields;
    int64_t page_number;
    int64_t page_size;
    char connection_id[TEXT_SIZE(253)]; /* of any form: one that is none fits nothing */
    char fqdn[TEXT_SIZE(253)];
    int64_t port;
    int dns_record_type;
} fqdn_v2_query_t;

enum {
    FQDN_V2_QUERY_PAGE_NUMBER,
    FQDN_V2_QUERY_PAGE_SIZE,
    FQDN_V2_QUERY_CONNECTION_ID,
    FQDN_V2_QUERY_FQDN,
    FQDN_V2_QUERY_PORT,
    FQDN_V2_QUERY_TYPE,
};

extern const schema_t fqdn_auth_schema, fqdn_schema;
extern const schema_t connection_v1_schema, connection_v2_schema, outbound_schema;
extern const schema_t connection_path_schema; /* an id_path_t named connection_id */
extern const schema_t connection_v1_query_schema, connection_v2_query_schema, fqdn_v2_query_schema;

/* Indexes into fqdn_auth_service.operations. */
enum {
    CONNECTION_V1_LIST,
    CONNECTION_V1_CREATE,
    CONNECTION_V1_READ,
    CONNECTION_V1_CHANGE,
    CONNECTION_V1_DELETE,
    FQDN_AUTH_V1_SET,
    FQDN_AUTH_V1_CHANGE,
    FQDN_AUTH_V1_READ,
    FQDN_AUTH_V1_REMOVE,
    FQDN_V1_LIST,
    FQDN_V1_CREATE,
    FQDN_V1_READ,
    FQDN_V1_CHANGE,
    FQDN_V1_DELETE,
    CONNECTION_V2_LIST,
    CONNECTION_V2_CREATE,
    CONNECTION_V2_READ,
    CONNECTION_V2_CHANGE,
    CONNECTION_V2_DELETE,
    FQDN_AUTH_V2_READ,
    FQDN_AUTH_V2_CHANGE,
    FQDN_V2_LIST,
    FQDN_V2_CREATE,
    FQDN_V2_READ,
    FQDN_V2_CHANGE,
    FQDN_V2_DELETE,
    CONNECTION_SIP, /* the first of sip.h's */
    FQDN_AUTH_OPERATIONS = CONNECTION_SIP + SIP_OPERATION_COUNT,
};

extern const service_t fqdn_auth_service;

#endif
