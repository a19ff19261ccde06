#include "proto/trunk_auth.h"

#include "proto/checks.h"

static const char *const method_types[] = {
    [METHOD_IP_TYPE] = "ip", [METHOD_SIPUSER_TYPE] = "sipuser", NULL};
static const char *const policies[] = {[POLICY_ANY] = "any", [POLICY_ALL] = "all", NULL};
static const char *const transports[] = {"udp", "tcp", "tls", NULL};

static void method_rule(const void *record, record_mode_t mode, faults_t *faults)
{
    const method_t *method = record;
    const presence_t *fields = &method->fields;
    if (mode == RECORD_PART || !field_set(fields, METHOD_TYPE))
        return;
    static const struct {
        method_type_t type;
        unsigned row;
        const char *where;
    } needs[] = {
        {METHOD_IP_TYPE, METHOD_IP, "/ip"},
        {METHOD_SIPUSER_TYPE, METHOD_USERNAME, "/username"},
        {METHOD_SIPUSER_TYPE, METHOD_PASSWORD, "/password"},
    };
    for (size_t i = 0; i < ARRAY_LEN(needs); i++)
        if ((method_type_t)method->type == needs[i].type && !field_set(fields, needs[i].row))
            faults_add(faults, FAULT_REQUIRED, FAULT_IN_BODY, needs[i].where,
                       "is required for type %s", method_types[needs[i].type]);
}

/* clang-format off */
static const field_t method_rows[] = {
    [METHOD_CREATED_ON] = FIELD_DATE_ROW(method_t, created_on, .flags = FIELD_READ_ONLY,
        .doc = "Day of creation, UTC."),
    [METHOD_ENABLED] = FIELD_SWITCH_ROW(method_t, enabled, .flags = FIELD_DEFAULT, .dflt_number = 1,
        .doc = "Whether it authorizes calls; a disabled range still keeps others from claiming it.",
        .example = "true"),
    [METHOD_EXPIRES_AT] = FIELD_TIME_ROW(method_t, expires_at, .flags = FIELD_NULLABLE,
        .doc = "From then on it authorizes nothing and claims nothing; null means never.",
        .example = "\"2030-01-31T12:00:00.000Z\""),
    [METHOD_IP] = FIELD_TEXT_ROW(method_t, ip, 1, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_ip_range,
        .doc = "Address or CIDR range that calls come from, IPv4 or IPv6; required for type ip.",
        .example = "\"203.0.113.10\""),
    [METHOD_LABEL] = FIELD_TEXT_ROW(method_t, label, 0, 128, .flags = FIELD_NULLABLE,
        .check = check_printable, .doc = "Free text for people.", .example = "\"Office PBX\""),
    [METHOD_LAST_USED_AT] = FIELD_TIME_ROW(method_t, last_used_at,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
        .doc = "When it last authorized a call, at most a minute late; null means never."),
    [METHOD_PASSWORD] = FIELD_TEXT_ROW(method_t, password, 6, TRUNK_PASSWORD_MAX,
        .flags = FIELD_SECRET | FIELD_NULLABLE | FIELD_BYTES,
        .doc = "6 to 128 bytes, required for type sipuser; answered as asterisks.",
        .example = "\"correct horse\""),
    [METHOD_TYPE] = FIELD_CHOICE_ROW(method_t, type, method_types,
        .flags = FIELD_REQUIRED | FIELD_FIXED,
        .doc = "ip: calls come from an address; sipuser: they carry a user name and password.",
        .example = "\"sipuser\""),
    [METHOD_UPDATED_ON] = FIELD_DATE_ROW(method_t, updated_on,
        .flags = FIELD_READ_ONLY | FIELD_SPARSE,
        .doc = "Day of the last change, UTC; the answer to POST leaves it out."),
    [METHOD_USERNAME] = FIELD_TEXT_ROW(method_t, username, 1, 64,
        .flags = FIELD_FIXED | FIELD_NULLABLE, .check = check_sip_user,
        .doc = "SIP user, required for type sipuser; unique among all trunks, without regard to case.",
        .example = "\"office-pbx\""),
    [METHOD_UUID] = FIELD_TEXT_ROW(method_t, uuid, 36, 36, .flags = FIELD_READ_ONLY,
        .doc = "Identifier."),
};

static const field_t trunk_rows[] = {
    [TRUNK_AUTH] = FIELD_LIST_ROW(trunk_t, auth, &method_schema, .flags = FIELD_READ_ONLY,
        .doc = "Its authentication methods, oldest first; an answer shows 10,000 at most in all."),
    [TRUNK_AUTH_COUNT] = FIELD_NUMBER_ROW(trunk_t, auth_count, 0, INT64_MAX,
        .flags = FIELD_READ_ONLY,
        .doc = "How many authentication methods it has, shown in auth or not."),
    [TRUNK_AUTH_POLICY] = FIELD_CHOICE_ROW(trunk_t, auth_policy, policies, .dflt_text = "any",
        .doc = "any: one method suffices; all: a sipuser and an ip method must both match.",
        .example = "\"any\""),
    [TRUNK_CREATED_ON] = FIELD_DATE_ROW(trunk_t, created_on, .flags = FIELD_READ_ONLY,
        .doc = "Day of creation, UTC."),
    [TRUNK_DOMAIN] = FIELD_TEXT_ROW(trunk_t, domain, 1, 253, .flags = FIELD_NULLABLE,
        .check = check_host, .doc = "Host name or address of the customer's equipment.",
        .example = "\"pbx.example.com\""),
    [TRUNK_NAME] = FIELD_TEXT_ROW(trunk_t, name, 1, 128, .flags = FIELD_REQUIRED,
        .check = check_printable, .doc = "Name for people.", .example = "\"Head office\""),
    [TRUNK_PORT] = FIELD_NUMBER_ROW(trunk_t, port, 1, 65535, .flags = FIELD_DEFAULT,
        .dflt_number = 5060, .doc = "SIP port of the customer's equipment.", .example = "5060"),
    [TRUNK_TRANSPORT] = FIELD_CHOICE_ROW(trunk_t, transport, transports, .dflt_text = "udp",
        .doc = "SIP transport.", .example = "\"udp\""),
    [TRUNK_UPDATED_ON] = FIELD_DATE_ROW(trunk_t, updated_on, .flags = FIELD_READ_ONLY,
        .doc = "Day of the last change, UTC."),
    [TRUNK_USER] = FIELD_TEXT_ROW(trunk_t, user, 0, 64, .flags = FIELD_NULLABLE,
        .check = check_printable, .doc = "Free text: whose trunk it is.", .example = "\"alice\""),
    [TRUNK_UUID] = FIELD_TEXT_ROW(trunk_t, uuid, 36, 36, .flags = FIELD_READ_ONLY,
        .doc = "Identifier."),
};

static const field_t rotation_rows[] = {
    [ROTATION_GRACE_SECONDS] = FIELD_NUMBER_ROW(rotation_t, grace_seconds, 0, 604800,
        .flags = FIELD_DEFAULT, .dflt_number = 86400,
        .doc = "How long the old password stays valid.", .example = "86400"),
    [ROTATION_PASSWORD] = FIELD_TEXT_ROW(rotation_t, password, 6, TRUNK_PASSWORD_MAX,
        .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_BYTES,
        .doc = "The new password, 6 to 128 bytes.", .example = "\"battery staple\""),
};

static const field_t trunk_path_rows[] = {
    [TRUNK_PATH_UUID] = FIELD_TEXT_ROW(trunk_path_t, uuid, 0, 36, .flags = FIELD_REQUIRED,
        .check = check_uuid, .doc = "The trunk."),
};

static const field_t method_path_rows[] = {
    [METHOD_PATH_UUID] = FIELD_TEXT_ROW(method_path_t, uuid, 0, 36, .flags = FIELD_REQUIRED,
        .check = check_uuid, .doc = "The trunk."),
    [METHOD_PATH_AUTH_UUID] = FIELD_TEXT_ROW(method_path_t, auth_uuid, 0, 36,
        .flags = FIELD_REQUIRED, .check = check_uuid, .doc = "The authentication method."),
};

const schema_t method_schema = SCHEMA("TrunkAuthentication", method_t, method_rows,
                                      .rule = method_rule);
const schema_t trunk_schema = SCHEMA("Trunk", trunk_t, trunk_rows, .rule = NULL);
const schema_t rotation_schema = SCHEMA("TrunkAuthenticationRotation", rotation_t, rotation_rows, .rule = NULL);
const schema_t trunk_path_schema = SCHEMA("TrunkPath", trunk_path_t, trunk_path_rows, .rule = NULL);
const schema_t method_path_schema = SCHEMA("TrunkAuthenticationPath", method_path_t,
                                           method_path_rows, .rule = NULL);

#define TRUNKS "/voip/trunk"
#define TRUNK TRUNKS "/{uuid}"
#define METHODS TRUNK "/auth"
#define METHOD METHODS "/{auth_uuid}"

/* A malformed uuid is 400 where the documentation has a 400 (reading one, POST), else 404. */
static const operation_t operations[] = {
    [TRUNK_LIST] = {
        .name = "trunk_list", .method = "GET", .path = TRUNKS,
        .query = &page_query_schema, .result = &trunk_schema, .dialect = &dialect_trunk,
        .success = OUTCOME_OK, .flags = OPERATION_LIST,
        .doc = "Lists the organization's trunks, oldest first."},
    [TRUNK_CREATE] = {
        .name = "trunk_create", .method = "POST", .path = TRUNKS,
        .body = &trunk_schema, .result = &trunk_schema, .dialect = &dialect_trunk,
        .success = OUTCOME_CREATED, .flags = OPERATION_WRITES,
        .doc = "Makes a trunk without authentication methods: it authorizes nobody yet."},
    [TRUNK_READ] = {
        .name = "trunk_read", .method = "GET", .path = TRUNK,
        .path_schema = &trunk_path_schema, .result = &trunk_schema, .dialect = &dialect_trunk,
        .success = OUTCOME_OK, .flags = OPERATION_BAD_ID, .doc = "Reads a trunk and its methods."},
    [TRUNK_REPLACE] = {
        .name = "trunk_replace", .method = "PUT", .path = TRUNK,
        .path_schema = &trunk_path_schema, .body = &trunk_schema, .result = &trunk_schema,
        .dialect = &dialect_trunk, .success = OUTCOME_OK, .flags = OPERATION_WRITES,
        .doc = "Replaces all of a trunk but its methods."},
    [TRUNK_DELETE] = {
        .name = "trunk_delete", .method = "DELETE", .path = TRUNK,
        .path_schema = &trunk_path_schema, .dialect = &dialect_trunk, .success = OUTCOME_DELETED,
        .flags = OPERATION_WRITES, .doc = "Deletes a trunk with its methods."},
    [METHOD_LIST] = {
        .name = "trunk_auth_list", .method = "GET", .path = METHODS,
        .path_schema = &trunk_path_schema, .query = &page_query_schema, .result = &method_schema,
        .dialect = &dialect_trunk, .success = OUTCOME_OK, .flags = OPERATION_LIST,
        .doc = "Lists a trunk's authentication methods, oldest first."},
    [METHOD_CREATE] = {
        .name = "trunk_auth_create", .method = "POST", .path = METHODS,
        .path_schema = &trunk_path_schema, .body = &method_schema, .result = &method_schema,
        .dialect = &dialect_trunk, .success = OUTCOME_CREATED,
        .flags = OPERATION_WRITES | OPERATION_BAD_ID | OPERATION_CONFLICTS,
        .doc = "Adds an authentication method to a trunk."},
    [METHOD_READ] = {
        .name = "trunk_auth_read", .method = "GET", .path = METHOD,
        .path_schema = &method_path_schema, .result = &method_schema, .dialect = &dialect_trunk,
        .success = OUTCOME_OK, .flags = OPERATION_BAD_ID,
        .doc = "Reads an authentication method; the password is masked."},
    [METHOD_CHANGE] = {
        .name = "trunk_auth_change", .method = "PATCH", .path = METHOD,
        .path_schema = &method_path_schema, .body = &method_schema, .result = &method_schema,
        .dialect = &dialect_trunk, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_PART | OPERATION_CONFLICTS,
        .doc = "Changes what is given: label, enabled, expires_at, ip or password.",
        .example = "{\"label\": \"Front desk\", \"enabled\": false}"},
    [METHOD_DELETE] = {
        .name = "trunk_auth_delete", .method = "DELETE", .path = METHOD,
        .path_schema = &method_path_schema, .dialect = &dialect_trunk, .success = OUTCOME_DELETED,
        .flags = OPERATION_WRITES, .doc = "Deletes an authentication method."},
    [METHOD_ROTATE] = {
        .name = "trunk_auth_rotate", .method = "POST", .path = METHOD "/rotate",
        .path_schema = &method_path_schema, .body = &rotation_schema, .result = &method_schema,
        .dialect = &dialect_trunk, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_BAD_ID,
        .doc = "Sets a new password; the old one stays valid for a while."},
    SIP_OPERATIONS("trunks", TRUNK_SIP),
};
/* clang-format on */
_Static_assert(ARRAY_LEN(operations) == TRUNK_AUTH_OPERATIONS, "every operation has a row");

const service_t trunk_auth_service = {
    .name = "trunk-auth",
    .operations = operations,
    .operation_count = ARRAY_LEN(operations),
    .doc = "SIP trunks and the methods that authorize calls on them.",
};
