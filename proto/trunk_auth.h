/* The contract of the service trunk-auth: SIP trunks and their authentication methods.
 * The API is Yay.com's /voip/trunk, with ours beside it; docs/api/trunks.md says what is whose. */
#ifndef LK_PROTO_TRUNK_AUTH_H
#define LK_PROTO_TRUNK_AUTH_H

#include "common/ipnet.h"
#include "proto/parameters.h"
#include "proto/service.h"
#include "proto/sip.h"

enum { TRUNK_PASSWORD_MAX = 128 };

typedef enum { METHOD_IP_TYPE, METHOD_SIPUSER_TYPE } method_type_t;
typedef enum { POLICY_ANY, POLICY_ALL } auth_policy_t;

/* One way to authorize calls on a trunk. */
typedef struct {
    presence_t fields;
    int64_t created_on;
    bool enabled;
    int64_t expires_at;
    char ip[IPNET_TEXT_SIZE];
    char label[TEXT_SIZE(128)];
    int64_t last_used_at;
    char password[TRUNK_PASSWORD_MAX + 1];
    int type; /* method_type_t */
    int64_t updated_on;
    char username[TEXT_SIZE(64)];
    char uuid[UUID_SIZE];
} method_t;

enum {
    METHOD_CREATED_ON,
    METHOD_ENABLED,
    METHOD_EXPIRES_AT,
    METHOD_IP,
    METHOD_LABEL,
    METHOD_LAST_USED_AT,
    METHOD_PASSWORD,
    METHOD_TYPE,
    METHOD_UPDATED_ON,
    METHOD_USERNAME,
    METHOD_UUID,
};

typedef struct {
    presence_t fields;
    records_t auth; /* of method_t */
    int64_t auth_count;
    int auth_policy; /* auth_policy_t */
    int64_t created_on;
    char domain[TEXT_SIZE(253)];
    char name[TEXT_SIZE(128)];
    int64_t port;
    int transport;
    int64_t updated_on;
    char user[TEXT_SIZE(64)];
    char uuid[UUID_SIZE];
} trunk_t;

enum {
    TRUNK_AUTH,
    TRUNK_AUTH_COUNT,
    TRUNK_AUTH_POLICY,
    TRUNK_CREATED_ON,
    TRUNK_DOMAIN,
    TRUNK_NAME,
    TRUNK_PORT,
    TRUNK_TRANSPORT,
    TRUNK_UPDATED_ON,
    TRUNK_USER,
    TRUNK_UUID,
};

/* A new password, with the old one valid for a while. */
typedef struct {
    presence_t fields;
    int64_t grace_seconds;
    char password[TRUNK_PASSWORD_MAX + 1];
} rotation_t;

enum { ROTATION_GRACE_SECONDS, ROTATION_PASSWORD };

typedef struct {
    presence_t fields;
    char uuid[UUID_SIZE];
} trunk_path_t;

enum { TRUNK_PATH_UUID };

typedef struct {
    presence_t fields;
    char uuid[UUID_SIZE];
    char auth_uuid[UUID_SIZE];
} method_path_t;

enum { METHOD_PATH_UUID, METHOD_PATH_AUTH_UUID };

extern const schema_t method_schema, trunk_schema, rotation_schema;
extern const schema_t trunk_path_schema, method_path_schema;

/* Indexes into trunk_auth_service.operations. */
enum {
    TRUNK_LIST,
    TRUNK_CREATE,
    TRUNK_READ,
    TRUNK_REPLACE,
    TRUNK_DELETE,
    METHOD_LIST,
    METHOD_CREATE,
    METHOD_READ,
    METHOD_CHANGE,
    METHOD_DELETE,
    METHOD_ROTATE,
    TRUNK_SIP, /* the first of sip.h's */
    TRUNK_AUTH_OPERATIONS = TRUNK_SIP + SIP_OPERATION_COUNT,
};

extern const service_t trunk_auth_service;

#endif
