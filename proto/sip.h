/* Call authorization: the contract that trunk-auth and fqdn-auth share, each below its own family's
 * path, /v1/sip/trunks and /v1/sip/connections. docs/api/sip.md says what is answered when.
 *
 * A service appends SIP_OPERATIONS(family, first) to its operations and SIP_HANDLERS(first)
 * (services/common/sip/ops.h) to its handlers. */
#ifndef LK_PROTO_SIP_H
#define LK_PROTO_SIP_H

#include "common/ipnet.h"
#include "common/uuid.h"
#include "proto/reason.h"
#include "proto/service.h"

enum {
    SIP_USER_MAX = 255, /* bytes of what a server may ask for; stored user names are shorter */
    SIP_REALM_MAX = 128,
    SIP_TOKEN_MAX = 64,  /* bytes of nc, cnonce, opaque and the like: */
    SIP_NONCE_MAX = 256, /* what servers make is shorter */
    SIP_URI_MAX = 512,
    SIP_HA1_TEXT_MAX = 64,
};

/* Indexes into services/common/digest.h's algorithms. */
extern const char *const sip_algorithm_words[];

/* ---- GET /ha1 ---- */

typedef enum { GENERATION_CURRENT, GENERATION_PREVIOUS } generation_t;
typedef enum { HA1_JSON, HA1_TEXT, HA1_FREERADIUS } ha1_format_t;

typedef struct {
    presence_t fields;
    int algorithm; /* digest_t */
    int format;    /* ha1_format_t */
    int generation;
    char realm[SIP_REALM_MAX + 1]; /* not given: the first that is served */
    char source_ip[IPNET_TEXT_SIZE];
    char username[SIP_USER_MAX + 1];
} ha1_query_t;

enum {
    HA1_QUERY_ALGORITHM,
    HA1_QUERY_FORMAT,
    HA1_QUERY_GENERATION,
    HA1_QUERY_REALM,
    HA1_QUERY_SOURCE_IP,
    HA1_QUERY_USERNAME,
};

typedef struct {
    presence_t fields;
    int algorithm;
    char auth_id[UUID_SIZE];
    char ha1[SIP_HA1_TEXT_MAX + 1];
    char organization_id[UUID_SIZE]; /* given to an operator */
    char previous[SIP_HA1_TEXT_MAX + 1];
    char subject[UUID_SIZE];
    int64_t ttl; /* seconds that it may be kept */
} ha1_t;

enum {
    HA1_ALGORITHM,
    HA1_AUTH_ID,
    HA1_HA1,
    HA1_ORGANIZATION_ID,
    HA1_PREVIOUS,
    HA1_SUBJECT,
    HA1_TTL,
};

/* ---- GET /source, GET /acl ---- */

typedef struct {
    presence_t fields;
    char called[SIP_URI_MAX + 1];
    char ip[IPNET_TEXT_SIZE];
    char p_charge_info[SIP_URI_MAX + 1];
    int64_t port;
    char token[SIP_TOKEN_MAX + 1];
    char transport[16];
} source_query_t;

enum {
    SOURCE_QUERY_CALLED,
    SOURCE_QUERY_IP,
    SOURCE_QUERY_P_CHARGE_INFO,
    SOURCE_QUERY_PORT,
    SOURCE_QUERY_TOKEN,
    SOURCE_QUERY_TRANSPORT,
};

typedef struct {
    presence_t fields;
    char auth_id[UUID_SIZE];
    int64_t group; /* of Kamailio's permissions: one number a family */
    char organization_id[UUID_SIZE];
    char subject[UUID_SIZE];
} source_t;

enum { SOURCE_AUTH_ID, SOURCE_GROUP, SOURCE_ORGANIZATION_ID, SOURCE_SUBJECT };

typedef enum { ACL_JSON, ACL_KAMAILIO, ACL_FREESWITCH } acl_format_t;

typedef struct {
    presence_t fields;
    int format; /* acl_format_t */
} acl_query_t;

enum { ACL_QUERY_FORMAT };

/* ---- POST /verify, POST /explain: a call as a server saw it ---- */

typedef enum { SCHEME_DIGEST, SCHEME_BASIC } sip_scheme_t;

/* The names are those of jambonz's hook; `authorization` stands for the digest's fields, where a
 * server has the header alone. */
typedef struct {
    presence_t fields;
    char algorithm[SIP_TOKEN_MAX + 1];
    char authorization[2048];
    char called[SIP_URI_MAX + 1];
    char cnonce[SIP_NONCE_MAX + 1];
    char method[32];
    char nc[16];
    char nonce[SIP_NONCE_MAX + 1];
    char opaque[SIP_NONCE_MAX + 1];
    char p_charge_info[SIP_URI_MAX + 1];
    char password[SIP_URI_MAX + 1];
    char qop[SIP_TOKEN_MAX + 1];
    char realm[SIP_REALM_MAX + 1];
    char response[SIP_NONCE_MAX + 1];
    int scheme; /* sip_scheme_t */
    char source_address[IPNET_TEXT_SIZE];
    int64_t source_port;
    char token[SIP_TOKEN_MAX + 1];
    char uri[SIP_URI_MAX + 1];
    char username[SIP_USER_MAX + 1];
} sip_call_t;

enum {
    SIP_CALL_ALGORITHM,
    SIP_CALL_AUTHORIZATION,
    SIP_CALL_CALLED,
    SIP_CALL_CNONCE,
    SIP_CALL_METHOD,
    SIP_CALL_NC,
    SIP_CALL_NONCE,
    SIP_CALL_OPAQUE,
    SIP_CALL_P_CHARGE_INFO,
    SIP_CALL_PASSWORD,
    SIP_CALL_QOP,
    SIP_CALL_REALM,
    SIP_CALL_RESPONSE,
    SIP_CALL_SCHEME,
    SIP_CALL_SOURCE_ADDRESS,
    SIP_CALL_SOURCE_PORT,
    SIP_CALL_TOKEN,
    SIP_CALL_URI,
    SIP_CALL_USERNAME,
};

typedef enum { VERDICT_OK, VERDICT_FAIL } sip_verdict_t;

typedef struct {
    presence_t fields;
    char auth_id[UUID_SIZE];
    char message[TEXT_SIZE(128)];
    char organization_id[UUID_SIZE];
    int reason; /* reason_t */
    int status; /* sip_verdict_t */
    char subject[UUID_SIZE];
} verification_t;

enum {
    VERIFICATION_AUTH_ID,
    VERIFICATION_MESSAGE,
    VERIFICATION_ORGANIZATION_ID,
    VERIFICATION_REASON,
    VERIFICATION_STATUS,
    VERIFICATION_SUBJECT,
};

/* One rule that was looked at. */
typedef struct {
    presence_t fields;
    bool decided;
    char detail[TEXT_SIZE(160)];
    bool passed;
    char rule[TEXT_SIZE(32)];
} explained_rule_t;

enum { EXPLAINED_DECIDED, EXPLAINED_DETAIL, EXPLAINED_PASSED, EXPLAINED_RULE };

typedef struct {
    presence_t fields;
    char auth_id[UUID_SIZE];
    char organization_id[UUID_SIZE];
    int reason;
    records_t rules; /* of explained_rule_t, in the order in which they were looked at */
    int status;
    char subject[UUID_SIZE];
} explanation_t;

enum {
    EXPLANATION_AUTH_ID,
    EXPLANATION_ORGANIZATION_ID,
    EXPLANATION_REASON,
    EXPLANATION_RULES,
    EXPLANATION_STATUS,
    EXPLANATION_SUBJECT,
};

/* ---- POST /report, POST /nonce, GET /decisions ---- */

typedef enum { REPORT_SUCCESS, REPORT_FAILURE, REPORT_CHALLENGE, REPORT_STALE } report_outcome_t;

typedef struct {
    presence_t fields;
    int outcome; /* report_outcome_t */
    char source_ip[IPNET_TEXT_SIZE];
    char username[SIP_USER_MAX + 1];
} report_t;

enum { REPORT_OUTCOME, REPORT_SOURCE_IP, REPORT_USERNAME };

typedef struct {
    presence_t fields;
    int64_t expires_in; /* seconds */
    char nonce[SIP_NONCE_MAX + 1];
} nonce_t;

enum { NONCE_EXPIRES_IN, NONCE_NONCE };

typedef struct {
    presence_t fields;
    int reason;
    int64_t since;
    char source_ip[IPNET_TEXT_SIZE];
    char username[SIP_USER_MAX + 1];
} decisions_query_t;

enum {
    DECISIONS_QUERY_REASON,
    DECISIONS_QUERY_SINCE,
    DECISIONS_QUERY_SOURCE_IP,
    DECISIONS_QUERY_USERNAME,
};

/* A denial. */
typedef struct {
    presence_t fields;
    int64_t at;
    char operation[TEXT_SIZE(OPERATION_NAME_SIZE)];
    char organization_id[UUID_SIZE]; /* of the key that asked; "": an operator's */
    int reason;
    char source_ip[IPNET_TEXT_SIZE];
    char subject[UUID_SIZE];
    char username[SIP_USER_MAX + 1];
} decision_t;

enum {
    DECISION_AT,
    DECISION_OPERATION,
    DECISION_ORGANIZATION_ID,
    DECISION_REASON,
    DECISION_SOURCE_IP,
    DECISION_SUBJECT,
    DECISION_USERNAME,
};

/* ---- POST /freeswitch: what mod_xml_curl sends, as far as it matters ---- */

typedef struct {
    presence_t fields;
    char action[32];
    char domain[SIP_REALM_MAX + 1];
    char ip[IPNET_TEXT_SIZE];
    char key_name[64];
    char key_value[SIP_USER_MAX + 1];
    char purpose[32];
    char section[32];
    char sip_auth_realm[SIP_REALM_MAX + 1];
    char sip_auth_response[SIP_NONCE_MAX + 1];
    char sip_auth_username[SIP_USER_MAX + 1];
    char tag_name[64];
    char user[SIP_USER_MAX + 1];
} freeswitch_t;

enum {
    FREESWITCH_ACTION,
    FREESWITCH_DOMAIN,
    FREESWITCH_IP,
    FREESWITCH_KEY_NAME,
    FREESWITCH_KEY_VALUE,
    FREESWITCH_PURPOSE,
    FREESWITCH_SECTION,
    FREESWITCH_AUTH_REALM,
    FREESWITCH_AUTH_RESPONSE,
    FREESWITCH_AUTH_USERNAME,
    FREESWITCH_TAG_NAME,
    FREESWITCH_USER,
};

/* ---- POST /asterisk/{table}/{call}: res_config_curl ---- */

typedef enum { PS_AUTHS, PS_ENDPOINTS, PS_AORS, PS_ENDPOINT_ID_IPS } asterisk_table_t;
typedef enum {
    ASTERISK_SINGLE,
    ASTERISK_MULTI,
    ASTERISK_REQUIRE,
    ASTERISK_UPDATE,
    ASTERISK_STORE,
    ASTERISK_DESTROY,
} asterisk_call_t;

typedef struct {
    presence_t fields;
    int call;  /* asterisk_call_t */
    int table; /* asterisk_table_t */
} asterisk_path_t;

enum { ASTERISK_PATH_TABLE, ASTERISK_PATH_CALL }; /* in the path's order */

/* Its fields, whatever they are called: "id" or "id LIKE" with what it is asked for. */
typedef struct {
    presence_t fields;
    packed_t rest;
} asterisk_t;

enum { ASTERISK_REST };

extern const schema_t ha1_query_schema, ha1_schema, source_query_schema, source_schema,
    acl_query_schema, sip_call_schema, verification_schema, explained_rule_schema,
    explanation_schema, report_schema, nonce_schema, decisions_query_schema, decision_schema,
    freeswitch_schema, asterisk_path_schema, asterisk_schema;

/* Their places behind a service's first one. */
enum {
    SIP_HA1,
    SIP_SOURCE,
    SIP_ACL,
    SIP_VERIFY,
    SIP_REPORT,
    SIP_NONCE,
    SIP_FREESWITCH,
    SIP_ASTERISK,
    SIP_EXPLAIN,
    SIP_DECISIONS,
    SIP_OPERATION_COUNT,
};

#define SIP_PATH "/v1/sip/"

/* The rows of a family, from index first_ on. family_: a string literal. None of them
 * OPERATION_WRITES: they change no store, and what they remember is not worth a transaction. */
#define SIP_OPERATIONS(family_, first_)                                                            \
    [(first_) +                                                                                    \
        SIP_HA1] = {.name = "sip_" family_ "_ha1",                                                 \
                    .method = "GET",                                                               \
                    .path = SIP_PATH family_ "/ha1",                                               \
                    .query = &ha1_query_schema,                                                    \
                    .result = &ha1_schema,                                                         \
                    .dialect = &dialect_sip,                                                       \
                    .documents = MEDIA_BIT(MEDIA_TEXT) | MEDIA_BIT(MEDIA_JSON_TEXT),               \
                    .success = OUTCOME_OK,                                                         \
                    .flags = OPERATION_CALL | OPERATION_KEPT,                                      \
                    .doc = "The HA1 value of a user, for a server that verifies."},                \
        [(first_) + SIP_SOURCE] = {.name = "sip_" family_ "_source",                               \
                                   .method = "GET",                                                \
                                   .path = SIP_PATH family_ "/source",                             \
                                   .query = &source_query_schema,                                  \
                                   .result = &source_schema,                                       \
                                   .dialect = &dialect_sip,                                        \
                                   .success = OUTCOME_OK,                                          \
                                   .flags = OPERATION_CALL | OPERATION_KEPT,                       \
                                   .doc = "Who may call from a source address."},                  \
        [(first_) + SIP_ACL] = {.name = "sip_" family_ "_acl",                                     \
                                .method = "GET",                                                   \
                                .path = SIP_PATH family_ "/acl",                                   \
                                .query = &acl_query_schema,                                        \
                                .dialect = &dialect_sip,                                           \
                                .documents = MEDIA_BIT(MEDIA_JSON_TEXT) | MEDIA_BIT(MEDIA_TEXT) |  \
                                             MEDIA_BIT(MEDIA_XML),                                 \
                                .success = OUTCOME_OK,                                             \
                                .flags = OPERATION_CALL | OPERATION_ETAG,                          \
                                .doc = "All source addresses that suffice alone, as a list."},     \
        [(first_) +                                                                                \
            SIP_VERIFY] = {.name = "sip_" family_ "_verify",                                       \
                           .method = "POST",                                                       \
                           .path = SIP_PATH family_ "/verify",                                     \
                           .body = &sip_call_schema,                                               \
                           .result = &verification_schema,                                         \
                           .dialect = &dialect_sip,                                                \
                           .success = OUTCOME_OK,                                                  \
                           .flags = OPERATION_CALL,                                                \
                           .doc = "Decides on a call's credentials; every decision is 200."},      \
        [(first_) + SIP_REPORT] = {.name = "sip_" family_ "_report",                               \
                                   .method = "POST",                                               \
                                   .path = SIP_PATH family_ "/report",                             \
                                   .body = &report_schema,                                         \
                                   .dialect = &dialect_sip,                                        \
                                   .success = OUTCOME_DELETED,                                     \
                                   .flags = OPERATION_CALL,                                        \
                                   .doc = "How a verification by the server itself ended."},       \
        [(first_) + SIP_NONCE] = {.name = "sip_" family_ "_nonce",                                 \
                                  .method = "POST",                                                \
                                  .path = SIP_PATH family_ "/nonce",                               \
                                  .result = &nonce_schema,                                         \
                                  .dialect = &dialect_sip,                                         \
                                  .success = OUTCOME_OK,                                           \
                                  .flags = OPERATION_CALL,                                         \
                                  .doc = "A nonce for a challenge, known again by its MAC."},      \
        [(first_) +                                                                                \
            SIP_FREESWITCH] = {.name = "sip_" family_ "_freeswitch",                               \
                               .method = "POST",                                                   \
                               .path = SIP_PATH family_ "/freeswitch",                             \
                               .body = &freeswitch_schema,                                         \
                               .dialect = &dialect_freeswitch,                                     \
                               .documents = MEDIA_BIT(MEDIA_XML),                                  \
                               .success = OUTCOME_OK,                                              \
                               .flags = OPERATION_CALL | OPERATION_FORM,                           \
                               .doc = "FreeSWITCH's mod_xml_curl: users and lists, as XML."},      \
        [(first_) +                                                                                \
            SIP_ASTERISK] = {.name = "sip_" family_ "_asterisk",                                   \
                             .method = "POST",                                                     \
                             .path = SIP_PATH family_ "/asterisk/{table}/{call}",                  \
                             .path_schema = &asterisk_path_schema,                                 \
                             .body = &asterisk_schema,                                             \
                             .dialect = &dialect_asterisk,                                         \
                             .documents = MEDIA_BIT(MEDIA_TEXT),                                   \
                             .success = OUTCOME_OK,                                                \
                             .flags = OPERATION_CALL | OPERATION_FORM,                             \
                             .doc = "Asterisk's res_config_curl: PJSIP's realtime tables.",        \
                             .example = "{\"id\": \"office-pbx\"}"},                               \
        [(first_) + SIP_EXPLAIN] = {.name = "sip_" family_ "_explain",                             \
                                    .method = "POST",                                              \
                                    .path = SIP_PATH family_ "/explain",                           \
                                    .body = &sip_call_schema,                                      \
                                    .result = &explanation_schema,                                 \
                                    .dialect = &dialect_sip,                                       \
                                    .success = OUTCOME_OK,                                         \
                                    .flags = OPERATION_CALL,                                       \
                                    .doc = "What would be decided on a call, and by which rule."}, \
        [(first_) + SIP_DECISIONS] = {.name = "sip_" family_ "_decisions",                         \
                                      .method = "GET",                                             \
                                      .path = SIP_PATH family_ "/decisions",                       \
                                      .query = &decisions_query_schema,                            \
                                      .result = &decision_schema,                                  \
                                      .dialect = &dialect_sip,                                     \
                                      .success = OUTCOME_OK,                                       \
                                      .flags = OPERATION_CALL | OPERATION_LIST,                    \
                                      .doc = "Recent denials and their reasons, latest first."}

#endif
