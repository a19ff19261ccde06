/* Operations of the contract. */
#include "proto/fqdn_auth.h"

/* clang-format off */
#define CONNECTIONS_V1 "/security/connections"
#define CONNECTION_V1 CONNECTIONS_V1 "/{connection_id}"
#define AUTH_V1 CONNECTION_V1 "/fqdn_authentication"
#define FQDNS_V1 "/security/fqdns"
#define CONNECTIONS_V2 "/v2/fqdn_connections"
#define CONNECTION_V2 CONNECTIONS_V2 "/{id}"
#define AUTH_V2 CONNECTION_V2 "/fqdn_authentication"
#define FQDNS_V2 "/v2/fqdns"

/* Where v1 answers by words alone, there is nothing to show: OUTCOME_DELETED. */
static const operation_t operations[] = {
    [CONNECTION_V1_LIST] = {
        .name = "connection_list", .method = "GET", .path = CONNECTIONS_V1,
        .query = &connection_v1_query_schema, .result = &connection_v1_schema,
        .dialect = &dialect_v1, .success = OUTCOME_OK, .flags = OPERATION_LIST,
        .doc = "Lists the organization's connections, newest first."},
    [CONNECTION_V1_CREATE] = {
        .name = "connection_create", .method = "POST", .path = CONNECTIONS_V1,
        .body = &connection_v1_schema, .result = &connection_v1_schema, .dialect = &dialect_v1,
        .success = OUTCOME_CREATED, .flags = OPERATION_WRITES,
        .doc = "Makes a connection without authentication."},
    [CONNECTION_V1_READ] = {
        .name = "connection_read", .method = "GET", .path = CONNECTION_V1,
        .path_schema = &connection_path_schema, .result = &connection_v1_schema,
        .dialect = &dialect_v1, .success = OUTCOME_OK,
        .doc = "Reads a connection with its authentication and FQDNs."},
    [CONNECTION_V1_CHANGE] = {
        .name = "connection_change", .method = "PUT", .path = CONNECTION_V1,
        .path_schema = &connection_path_schema, .body = &connection_v1_schema,
        .result = &connection_v1_schema, .dialect = &dialect_v1, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_PART,
        .doc = "Changes what is given of a connection."},
    [CONNECTION_V1_DELETE] = {
        .name = "connection_delete", .method = "DELETE", .path = CONNECTION_V1,
        .path_schema = &connection_path_schema, .result = &connection_v1_schema,
        .dialect = &dialect_v1, .success = OUTCOME_OK, .flags = OPERATION_WRITES,
        .doc = "Deletes a connection with its authentication and FQDNs; answers what it was."},
    [FQDN_AUTH_V1_SET] = {
        .name = "fqdn_authentication_set", .method = "POST", .path = AUTH_V1,
        .path_schema = &connection_path_schema, .body = &fqdn_auth_schema,
        .dialect = &dialect_v1_set, .success = OUTCOME_DELETED,
        .flags = OPERATION_WRITES | OPERATION_CONFLICTS,
        .doc = "Sets a connection to FQDN authentication, in place of any it has."},
    [FQDN_AUTH_V1_CHANGE] = {
        .name = "fqdn_authentication_update", .method = "PUT", .path = AUTH_V1,
        .path_schema = &connection_path_schema, .body = &fqdn_auth_schema,
        .dialect = &dialect_v1_set, .success = OUTCOME_DELETED,
        .flags = OPERATION_WRITES | OPERATION_PART | OPERATION_CONFLICTS,
        .doc = "Changes what is given of a connection's FQDN authentication."},
    [FQDN_AUTH_V1_READ] = {
        .name = "fqdn_authentication_show", .method = "GET", .path = AUTH_V1,
        .path_schema = &connection_path_schema, .result = &fqdn_auth_schema,
        .dialect = &dialect_v1, .success = OUTCOME_OK,
        .doc = "Reads a connection's FQDN authentication; secrets are masked."},
    [FQDN_AUTH_V1_REMOVE] = {
        .name = "fqdn_authentication_remove", .method = "DELETE", .path = AUTH_V1,
        .path_schema = &connection_path_schema, .dialect = &dialect_v1_set,
        .success = OUTCOME_DELETED, .flags = OPERATION_WRITES,
        .doc = "Removes a connection's FQDN authentication."},
    [FQDN_V1_LIST] = {
        .name = "security_fqdn_list", .method = "GET", .path = FQDNS_V1,
        .query = &page_query_schema, .result = &fqdn_schema, .dialect = &dialect_v1,
        .success = OUTCOME_OK, .flags = OPERATION_LIST,
        .doc = "Lists the organization's FQDNs, newest first."},
    [FQDN_V1_CREATE] = {
        .name = "security_fqdn_create", .method = "POST", .path = FQDNS_V1,
        .body = &fqdn_schema, .result = &fqdn_schema, .dialect = &dialect_v1,
        .success = OUTCOME_CREATED, .flags = OPERATION_WRITES | OPERATION_CONFLICTS,
        .doc = "Adds an FQDN to a connection."},
    [FQDN_V1_READ] = {
        .name = "security_fqdn_read", .method = "GET", .path = FQDNS_V1 "/{id}",
        .path_schema = &id_path_schema, .result = &fqdn_schema, .dialect = &dialect_v1,
        .success = OUTCOME_OK, .doc = "Reads an FQDN."},
    [FQDN_V1_CHANGE] = {
        .name = "security_fqdn_change", .method = "PUT", .path = FQDNS_V1 "/{id}",
        .path_schema = &id_path_schema, .body = &fqdn_schema, .result = &fqdn_schema,
        .dialect = &dialect_v1, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_PART | OPERATION_CONFLICTS,
        .doc = "Changes what is given of an FQDN."},
    [FQDN_V1_DELETE] = {
        .name = "security_fqdn_delete", .method = "DELETE", .path = FQDNS_V1 "/{id}",
        .path_schema = &id_path_schema, .result = &fqdn_schema, .dialect = &dialect_v1,
        .success = OUTCOME_OK, .flags = OPERATION_WRITES,
        .doc = "Deletes an FQDN; answers what it was."},
    [CONNECTION_V2_LIST] = {
        .name = "fqdn_connection_list", .method = "GET", .path = CONNECTIONS_V2,
        .query = &connection_v2_query_schema, .result = &connection_v2_schema,
        .dialect = &dialect_v2, .success = OUTCOME_OK, .flags = OPERATION_LIST,
        .doc = "Lists the organization's connections, newest first."},
    [CONNECTION_V2_CREATE] = {
        .name = "fqdn_connection_create", .method = "POST", .path = CONNECTIONS_V2,
        .body = &connection_v2_schema, .result = &connection_v2_schema, .dialect = &dialect_v2,
        .success = OUTCOME_CREATED, .flags = OPERATION_WRITES | OPERATION_CONFLICTS,
        .doc = "Makes a connection, set to FQDN authentication without credentials."},
    [CONNECTION_V2_READ] = {
        .name = "fqdn_connection_read", .method = "GET", .path = CONNECTION_V2,
        .path_schema = &id_path_schema, .result = &connection_v2_schema, .dialect = &dialect_v2,
        .success = OUTCOME_OK, .doc = "Reads a connection."},
    [CONNECTION_V2_CHANGE] = {
        .name = "fqdn_connection_change", .method = "PATCH", .path = CONNECTION_V2,
        .path_schema = &id_path_schema, .body = &connection_v2_schema,
        .result = &connection_v2_schema, .dialect = &dialect_v2, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_PART | OPERATION_CONFLICTS,
        .doc = "Changes what is given of a connection, inside inbound and outbound too."},
    [CONNECTION_V2_DELETE] = {
        .name = "fqdn_connection_delete", .method = "DELETE", .path = CONNECTION_V2,
        .path_schema = &id_path_schema, .result = &connection_v2_schema, .dialect = &dialect_v2,
        .success = OUTCOME_OK, .flags = OPERATION_WRITES,
        .doc = "Deletes a connection with its authentication and FQDNs; answers what it was."},
    [FQDN_AUTH_V2_READ] = {
        .name = "fqdn_connection_authentication_read", .method = "GET", .path = AUTH_V2,
        .path_schema = &id_path_schema, .result = &fqdn_auth_schema, .dialect = &dialect_v2,
        .success = OUTCOME_OK,
        .doc = "Reads a connection's FQDN authentication; secrets are masked."},
    [FQDN_AUTH_V2_CHANGE] = {
        .name = "fqdn_connection_authentication_change", .method = "PATCH", .path = AUTH_V2,
        .path_schema = &id_path_schema, .body = &fqdn_auth_schema, .result = &fqdn_auth_schema,
        .dialect = &dialect_v2, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_PART | OPERATION_CONFLICTS,
        .doc = "Changes what is given of a connection's FQDN authentication."},
    [FQDN_V2_LIST] = {
        .name = "fqdn_list", .method = "GET", .path = FQDNS_V2,
        .query = &fqdn_v2_query_schema, .result = &fqdn_schema, .dialect = &dialect_v2,
        .success = OUTCOME_OK, .flags = OPERATION_LIST,
        .doc = "Lists the organization's FQDNs, newest first."},
    [FQDN_V2_CREATE] = {
        .name = "fqdn_create", .method = "POST", .path = FQDNS_V2,
        .body = &fqdn_schema, .result = &fqdn_schema, .dialect = &dialect_v2,
        .success = OUTCOME_CREATED, .flags = OPERATION_WRITES | OPERATION_CONFLICTS,
        .doc = "Adds an FQDN to a connection."},
    [FQDN_V2_READ] = {
        .name = "fqdn_read", .method = "GET", .path = FQDNS_V2 "/{id}",
        .path_schema = &id_path_schema, .result = &fqdn_schema, .dialect = &dialect_v2,
        .success = OUTCOME_OK, .doc = "Reads an FQDN."},
    [FQDN_V2_CHANGE] = {
        .name = "fqdn_change", .method = "PATCH", .path = FQDNS_V2 "/{id}",
        .path_schema = &id_path_schema, .body = &fqdn_schema, .result = &fqdn_schema,
        .dialect = &dialect_v2, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_PART | OPERATION_CONFLICTS,
        .doc = "Changes what is given of an FQDN."},
    [FQDN_V2_DELETE] = {
        .name = "fqdn_delete", .method = "DELETE", .path = FQDNS_V2 "/{id}",
        .path_schema = &id_path_schema, .result = &fqdn_schema, .dialect = &dialect_v2,
        .success = OUTCOME_OK, .flags = OPERATION_WRITES,
        .doc = "Deletes an FQDN; answers what it was."},
    SIP_OPERATIONS("connections", CONNECTION_SIP),
};
/* clang-format on */
_Static_assert(ARRAY_LEN(operations) == FQDN_AUTH_OPERATIONS, "every operation has a row");

const service_t fqdn_auth_service = {
    .name = "fqdn-auth",
    .operations = operations,
    .operation_count = ARRAY_LEN(operations),
    .doc = "Connections of customers' equipment, their FQDN authentication and their FQDNs.",
};
