/* Records of the contract: their rows and rules. Next: fqdn_auth_operations.c. */
#include "proto/fqdn_auth.h"

#include "proto/checks.h"

#include <string.h>

static const char *const auth_types[] = {"fqdn", NULL};
static const char *const outbound_authentications[] = {"credential-authentication",
                                                       "ip-authentication", NULL};
static const char *const ip_methods[] = {"tech-prefix", "token", "p-charge-info", NULL};
static const char *const dns_records[] = {[DNS_RECORD_A] = "a", [DNS_RECORD_SRV] = "srv", NULL};
static const char *const transports[] = {"UDP", "TCP", "TLS", NULL};
static const char *const orders_v1[] = {
    [ORDER_CREATED_AT] = "created_at",
    [ORDER_CONNECTION_NAME] = "connection_name",
    [ORDER_ACTIVE] = "active",
    [ORDER_AUTH_TYPE] = "auth_type",
    NULL,
};
static const char *const orders_v2[] = {
    "created_at", "-created_at", "connection_name", "-connection_name", "active", "-active", NULL};
static const char *const directions[] = {"reverse", NULL};

static const char *check_digits(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < '0' || bytes[i] > '9')
            return "must be four digits";
    return NULL;
}

/* The user part of a SIP URI (RFC 3261 section 25.1), which a telephone number is too. */
static const char *check_user_part(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr("-_.!~*'()&=+$,;?/%", c) == NULL))
            return "must be a telephone number or the user part of a SIP address";
    }
    return NULL;
}

/* clang-format off */
static const field_t fqdn_auth_rows[] = {
    [FQDN_AUTH_CONNECTION_ID] = FIELD_TEXT_ROW(fqdn_auth_t, connection_id, 36, 36,
        .flags = FIELD_READ_ONLY, .doc = "The connection."),
    [FQDN_AUTH_CREATED_AT] = FIELD_TIME_ROW(fqdn_auth_t, created_at, .flags = FIELD_READ_ONLY,
        .doc = "When it was set."),
    [FQDN_AUTH_DIGEST_READY] = FIELD_SWITCH_ROW(fqdn_auth_t, digest_ready,
        .flags = FIELD_READ_ONLY,
        .doc = "Whether SIP digest works; not after a change of user_name without the password."),
    [FQDN_AUTH_FAILOVER_URL] = FIELD_TEXT_ROW(fqdn_auth_t, failover_url, 1, FQDN_AUTH_URL_MAX,
        .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_http_url,
        .doc = "Where webhooks go when webhook_url fails.",
        .example = "\"https://backup.example.com/hook\""),
    [FQDN_AUTH_OUTBOUND] = FIELD_CHOICE_ROW(fqdn_auth_t, fqdn_outbound_authentication,
        outbound_authentications, .dflt_text = "credential-authentication",
        .doc = "What authenticates calls from the equipment.",
        .example = "\"credential-authentication\""),
    [FQDN_AUTH_ID] = FIELD_TEXT_ROW(fqdn_auth_t, id, 36, 36, .flags = FIELD_READ_ONLY,
        .doc = "Identifier: the connection's, which has one authentication at most."),
    [FQDN_AUTH_METHOD] = FIELD_CHOICE_ROW(fqdn_auth_t, ip_authentication_method, ip_methods,
        .dflt_text = "tech-prefix",
        .doc = "What tells connections of one address apart; without effect under "
               "credential-authentication.",
        .example = "\"tech-prefix\""),
    [FQDN_AUTH_TOKEN] = FIELD_TEXT_ROW(fqdn_auth_t, ip_authentication_token, 12,
        FQDN_AUTH_TOKEN_MAX, .flags = FIELD_SECRET, .check = check_printable,
        .doc = "For the method token: a secret, unique among all connections.",
        .example = "\"a token of calls\""),
    [FQDN_AUTH_OUTBOUND_USABLE] = FIELD_SWITCH_ROW(fqdn_auth_t, outbound_usable,
        .flags = FIELD_READ_ONLY,
        .doc = "Whether user_name and password are set, which outbound profiles need."),
    [FQDN_AUTH_P_CHARGE_INFO] = FIELD_TEXT_ROW(fqdn_auth_t, p_charge_info, 1, 64,
        .check = check_user_part,
        .doc = "For the method p-charge-info: a telephone number or user part.",
        .example = "\"+13125550100\""),
    [FQDN_AUTH_PASSWORD] = FIELD_TEXT_ROW(fqdn_auth_t, password, 8, FQDN_AUTH_PASSWORD_MAX,
        .flags = FIELD_SECRET, .check = check_printable,
        .doc = "At least 8 characters, at most 128 bytes; answered as asterisks.",
        .example = "\"correct horse\""),
    [FQDN_AUTH_RECORD_TYPE] = FIELD_TEXT_ROW(fqdn_auth_t, record_type, 1, 32,
        .flags = FIELD_READ_ONLY, .doc = "fqdn_authentication."),
    [FQDN_AUTH_TECH_PREFIX] = FIELD_TEXT_ROW(fqdn_auth_t, tech_prefix, 4, 4, .check = check_digits,
        .doc = "For the method tech-prefix: four digits, unique among all connections.",
        .example = "\"0471\""),
    [FQDN_AUTH_UPDATED_AT] = FIELD_TIME_ROW(fqdn_auth_t, updated_at, .flags = FIELD_READ_ONLY,
        .doc = "When it was changed last."),
    [FQDN_AUTH_USER_NAME] = FIELD_TEXT_ROW(fqdn_auth_t, user_name, 1, 64, .check = check_sip_user,
        .doc = "SIP user; unique among all connections, without regard to case.",
        .example = "\"office-pbx\""),
    [FQDN_AUTH_WEBHOOK_URL] = FIELD_TEXT_ROW(fqdn_auth_t, webhook_url, 1, FQDN_AUTH_URL_MAX,
        .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_http_url,
        .doc = "Where webhooks go: an absolute http or https URL.",
        .example = "\"https://example.com/hook\""),
};

static const field_t fqdn_rows[] = {
    [FQDN_CONNECTION_ID] = FIELD_TEXT_ROW(fqdn_t, connection_id, 0, 36, .flags = FIELD_REQUIRED,
        .check = check_uuid, .doc = "The connection that it belongs to.",
        .example = "\"01890000-0000-7000-8000-000000000000\""),
    [FQDN_CREATED_AT] = FIELD_TIME_ROW(fqdn_t, created_at, .flags = FIELD_READ_ONLY,
        .doc = "When it was made."),
    [FQDN_DNS_RECORD_TYPE] = FIELD_CHOICE_ROW(fqdn_t, dns_record_type, dns_records,
        .flags = FIELD_REQUIRED, .doc = "a: an address and a port; srv: DNS tells the port.",
        .example = "\"a\""),
    [FQDN_FQDN] = FIELD_TEXT_ROW(fqdn_t, fqdn, 1, 253, .flags = FIELD_REQUIRED,
        .check = check_fqdn, .doc = "Host name, kept in lower case.",
        .example = "\"pbx.example.com\""),
    [FQDN_ID] = FIELD_TEXT_ROW(fqdn_t, id, 36, 36, .flags = FIELD_READ_ONLY, .doc = "Identifier."),
    [FQDN_PORT] = FIELD_NUMBER_ROW(fqdn_t, port, 1, 65535, .flags = FIELD_NULLABLE,
        .doc = "Of an a record, 5060 unless given; an srv record has none.", .example = "5061"),
    [FQDN_RECORD_TYPE] = FIELD_TEXT_ROW(fqdn_t, record_type, 1, 32, .flags = FIELD_READ_ONLY,
        .doc = "fqdn."),
    [FQDN_UPDATED_AT] = FIELD_TIME_ROW(fqdn_t, updated_at, .flags = FIELD_READ_ONLY,
        .doc = "When it was changed last."),
};

/* What replaces an authentication has both or neither; for a change it takes what is stored. */
static void fqdn_auth_rule(const void *record, record_mode_t mode, faults_t *faults)
{
    const fqdn_auth_t *auth = record;
    bool has_name = field_set(&auth->fields, FQDN_AUTH_USER_NAME);
    bool has_password = field_set(&auth->fields, FQDN_AUTH_PASSWORD);
    if (mode == RECORD_PART || has_name == has_password)
        return;
    faults_add(faults, FAULT_REQUIRED, FAULT_IN_BODY, has_name ? "/password" : "/user_name",
               has_name ? FQDN_AUTH_PASSWORD_FAULT : FQDN_AUTH_USER_NAME_FAULT);
}

static void fqdn_rule(const void *record, record_mode_t mode, faults_t *faults)
{
    (void)mode;
    const fqdn_t *fqdn = record;
    if (field_set(&fqdn->fields, FQDN_DNS_RECORD_TYPE) &&
        fqdn->dns_record_type == DNS_RECORD_SRV && field_set(&fqdn->fields, FQDN_PORT))
        faults_add(faults, FAULT_RULE, FAULT_IN_BODY, "/port",
                   FQDN_SRV_PORT_FAULT);
}

const schema_t fqdn_auth_schema = SCHEMA("FqdnAuthentication", fqdn_auth_t, fqdn_auth_rows,
                                         .rule = fqdn_auth_rule);
const schema_t fqdn_schema = SCHEMA("Fqdn", fqdn_t, fqdn_rows, .rule = fqdn_rule);

static const field_t connection_v1_rows[] = {
    [CONNECTION_V1_ACTIVE] = FIELD_SWITCH_ROW(connection_v1_t, active, .flags = FIELD_DEFAULT,
        .dflt_number = 1, .doc = "Whether it authorizes calls.", .example = "true"),
    [CONNECTION_V1_AUTH_TYPE] = FIELD_CHOICE_ROW(connection_v1_t, auth_type, auth_types,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
        .doc = "What it is authenticated by; null: nothing yet."),
    [CONNECTION_V1_NAME] = FIELD_TEXT_ROW(connection_v1_t, connection_name, 1, 128,
        .flags = FIELD_REQUIRED, .check = check_printable, .doc = "Name for people.",
        .example = "\"Head office\""),
    [CONNECTION_V1_CREATED_AT] = FIELD_TIME_ROW(connection_v1_t, created_at,
        .flags = FIELD_READ_ONLY, .doc = "When it was made."),
    [CONNECTION_V1_AUTHENTICATION] = FIELD_OBJECT_ROW(connection_v1_t, fqdn_authentication,
        fqdn_auth_t, &fqdn_auth_schema,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE | FIELD_SPARSE,
        .doc = "Its FQDN authentication; in a list where with_auth asks for it."),
    [CONNECTION_V1_FQDNS] = FIELD_LIST_ROW(connection_v1_t, fqdns, &fqdn_schema,
        .flags = FIELD_READ_ONLY | FIELD_SPARSE,
        .doc = "Its FQDNs, oldest first; in a list where with_fqdns asks for them."),
    [CONNECTION_V1_ID] = FIELD_TEXT_ROW(connection_v1_t, id, 36, 36, .flags = FIELD_READ_ONLY,
        .doc = "Identifier."),
    [CONNECTION_V1_OUTBOUND_USABLE] = FIELD_SWITCH_ROW(connection_v1_t, outbound_usable,
        .flags = FIELD_READ_ONLY,
        .doc = "Whether its authentication has user name and password."),
    [CONNECTION_V1_UPDATED_AT] = FIELD_TIME_ROW(connection_v1_t, updated_at,
        .flags = FIELD_READ_ONLY, .doc = "When it was changed last."),
};

static const field_t outbound_rows[] = {
    [OUTBOUND_METHOD] = FIELD_CHOICE_ROW(outbound_t, ip_authentication_method,
        outbound_authentications, .dflt_text = "credential-authentication",
        .doc = "What authenticates calls from the equipment.",
        .example = "\"ip-authentication\""),
    [OUTBOUND_TOKEN] = FIELD_TEXT_ROW(outbound_t, ip_authentication_token, 12, FQDN_AUTH_TOKEN_MAX,
        .flags = FIELD_SECRET | FIELD_NULLABLE, .check = check_printable,
        .doc = "A secret that tells connections of one address apart.",
        .example = "\"a token of calls\""),
    [OUTBOUND_TECH_PREFIX] = FIELD_TEXT_ROW(outbound_t, tech_prefix, 4, 4,
        .flags = FIELD_NULLABLE, .check = check_digits,
        .doc = "Four digits, unique among all connections.", .example = "\"0472\""),
    [OUTBOUND_REST] = FIELD_PACKED_ROW(outbound_t, rest, SHAPE_OPEN, 0, 0,
        .doc = "Further settings, kept as they are given."),
};

const schema_t outbound_schema = SCHEMA("FqdnConnectionOutbound", outbound_t, outbound_rows,
                                        .rule = NULL, .is_open = true);

static const field_t connection_v2_rows[] = {
    [CONNECTION_V2_ACTIVE] = FIELD_SWITCH_ROW(connection_v2_t, active, .flags = FIELD_DEFAULT,
        .dflt_number = 1, .doc = "Whether it authorizes calls.", .example = "true"),
    [CONNECTION_V2_NAME] = FIELD_TEXT_ROW(connection_v2_t, connection_name, 1, 128,
        .flags = FIELD_REQUIRED, .check = check_printable, .doc = "Name for people.",
        .example = "\"Head office\""),
    [CONNECTION_V2_CREATED_AT] = FIELD_TIME_ROW(connection_v2_t, created_at,
        .flags = FIELD_READ_ONLY, .doc = "When it was made."),
    [CONNECTION_V2_ID] = FIELD_TEXT_ROW(connection_v2_t, id, 36, 36, .flags = FIELD_READ_ONLY,
        .doc = "Identifier."),
    [CONNECTION_V2_INBOUND] = FIELD_PACKED_ROW(connection_v2_t, inbound, SHAPE_OPEN, 0, 0,
        .doc = "Settings of calls to the equipment, kept as they are given.",
        .example = "{\"codecs\": [\"G722\"]}"),
    [CONNECTION_V2_OUTBOUND] = FIELD_OBJECT_ROW(connection_v2_t, outbound, outbound_t,
        &outbound_schema, .doc = "Settings of calls from the equipment."),
    [CONNECTION_V2_PASSWORD] = FIELD_TEXT_ROW(connection_v2_t, password, 0, FQDN_AUTH_PASSWORD_MAX,
        .flags = FIELD_READ_ONLY | FIELD_SECRET,
        .doc = "Whether its authentication has a password."),
    [CONNECTION_V2_RECORD_TYPE] = FIELD_TEXT_ROW(connection_v2_t, record_type, 1, 32,
        .flags = FIELD_READ_ONLY, .doc = "fqdn_connection."),
    [CONNECTION_V2_TAGS] = FIELD_PACKED_ROW(connection_v2_t, tags, SHAPE_TEXTS, 0, 50,
        .check = check_printable, .doc = "Words to find it by.", .example = "[\"office\"]"),
    [CONNECTION_V2_TRANSPORT] = FIELD_CHOICE_ROW(connection_v2_t, transport_protocol, transports,
        .dflt_text = "UDP", .doc = "SIP transport.", .example = "\"UDP\""),
    [CONNECTION_V2_UPDATED_AT] = FIELD_TIME_ROW(connection_v2_t, updated_at,
        .flags = FIELD_READ_ONLY, .doc = "When it was changed last."),
    [CONNECTION_V2_USER_NAME] = FIELD_TEXT_ROW(connection_v2_t, user_name, 1, 64,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE, .doc = "Its authentication's user name."),
    [CONNECTION_V2_FAILOVER_URL] = FIELD_TEXT_ROW(connection_v2_t, webhook_event_failover_url, 1,
        FQDN_AUTH_URL_MAX, .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_http_url,
        .doc = "Where webhooks go when webhook_event_url fails.",
        .example = "\"https://backup.example.com/hook\""),
    [CONNECTION_V2_WEBHOOK_URL] = FIELD_TEXT_ROW(connection_v2_t, webhook_event_url, 1,
        FQDN_AUTH_URL_MAX, .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_http_url,
        .doc = "Where webhooks go: an absolute http or https URL.",
        .example = "\"https://example.com/hook\""),
};

static const field_t connection_path_rows[] = {
    FIELD_TEXT_ROW_AS("connection_id", id_path_t, id, 0, 36, .flags = FIELD_REQUIRED,
        .check = check_uuid, .doc = "The connection."),
};

static const field_t connection_v1_query_rows[] = {
    [CONNECTION_V1_QUERY_LIMIT] = FIELD_NUMBER_ROW(connection_v1_query_t, limit, 1, PAGE_SIZE_MAX,
        .doc = "How many to answer; without it all, up to 10,000."),
    [CONNECTION_V1_QUERY_OFFSET] = FIELD_NUMBER_ROW(connection_v1_query_t, offset, 0, INT32_MAX,
        .flags = FIELD_DEFAULT, .doc = "How many to skip."),
    [CONNECTION_V1_QUERY_ORDER_BY] = FIELD_CHOICE_ROW(connection_v1_query_t, order_by, orders_v1,
        .dflt_text = "created_at",
        .doc = "What to order by: created_at begins with the newest, others with the smallest."),
    [CONNECTION_V1_QUERY_DIRECTION] = FIELD_CHOICE_ROW(connection_v1_query_t, sort_direction,
        directions, .doc = "reverse: the other way round."),
    [CONNECTION_V1_QUERY_WITH_AUTH] = FIELD_SWITCH_ROW(connection_v1_query_t, with_auth,
        .flags = FIELD_DEFAULT, .doc = "Whether to show authentications."),
    [CONNECTION_V1_QUERY_WITH_FQDNS] = FIELD_SWITCH_ROW(connection_v1_query_t, with_fqdns,
        .flags = FIELD_DEFAULT, .doc = "Whether to show FQDNs."),
};

static const field_t connection_v2_query_rows[] = {
    [CONNECTION_V2_QUERY_PAGE_NUMBER] = PAGE_NUMBER_ROW(connection_v2_query_t, page_number),
    [CONNECTION_V2_QUERY_PAGE_SIZE] =
        PAGE_SIZE_ROW(connection_v2_query_t, page_size, PAGE_SIZE_MAX),
    [CONNECTION_V2_QUERY_NAME] = FIELD_TEXT_ROW_AS("filter[connection_name][contains]",
        connection_v2_query_t, name_contains, 3, 128,
        .doc = "Only those whose name holds this, without regard to case."),
    [CONNECTION_V2_QUERY_FQDN] = FIELD_TEXT_ROW_AS("filter[fqdn]", connection_v2_query_t, fqdn, 1,
        253, .doc = "Only those that have this FQDN."),
    [CONNECTION_V2_QUERY_SORT] = FIELD_CHOICE_ROW(connection_v2_query_t, sort, orders_v2,
        .dflt_text = "-created_at", .doc = "What to order by; with a hyphen falling."),
};

static const field_t fqdn_v2_query_rows[] = {
    [FQDN_V2_QUERY_PAGE_NUMBER] = PAGE_NUMBER_ROW(fqdn_v2_query_t, page_number),
    [FQDN_V2_QUERY_PAGE_SIZE] = PAGE_SIZE_ROW(fqdn_v2_query_t, page_size, PAGE_SIZE_MAX),
    [FQDN_V2_QUERY_CONNECTION_ID] = FIELD_TEXT_ROW_AS("filter[connection_id]", fqdn_v2_query_t,
        connection_id, 0, 253, .doc = "Only those of this connection."),
    [FQDN_V2_QUERY_FQDN] = FIELD_TEXT_ROW_AS("filter[fqdn]", fqdn_v2_query_t, fqdn, 1, 253,
        .doc = "Only those of this host name."),
    [FQDN_V2_QUERY_PORT] = FIELD_NUMBER_ROW_AS("filter[port]", fqdn_v2_query_t, port, 1, 65535,
        .doc = "Only those of this port."),
    [FQDN_V2_QUERY_TYPE] = FIELD_CHOICE_ROW_AS("filter[dns_record_type]", fqdn_v2_query_t,
        dns_record_type, dns_records, .doc = "Only those of this type."),
};

const schema_t connection_v1_schema = SCHEMA("Connection", connection_v1_t, connection_v1_rows,
                                             .rule = NULL);
const schema_t connection_v2_schema = SCHEMA("FqdnConnection", connection_v2_t, connection_v2_rows,
                                             .rule = NULL);
const schema_t connection_path_schema = SCHEMA("ConnectionId", id_path_t, connection_path_rows,
                                               .rule = NULL);
const schema_t connection_v1_query_schema = SCHEMA("ConnectionQuery", connection_v1_query_t,
                                                   connection_v1_query_rows, .rule = NULL);
const schema_t connection_v2_query_schema = SCHEMA("FqdnConnectionQuery", connection_v2_query_t,
                                                   connection_v2_query_rows, .rule = NULL);
const schema_t fqdn_v2_query_schema = SCHEMA("FqdnQuery", fqdn_v2_query_t, fqdn_v2_query_rows,
                                             .rule = NULL);
/* clang-format on */
