#include "proto/sip.h"

#include "proto/checks.h"

const char *const sip_algorithm_words[] = {"MD5", "SHA-256", "SHA-512-256", NULL};
static const char *const generations[] = {"current", "previous", NULL};
static const char *const ha1_formats[] = {"json", "text", "freeradius", NULL};
static const char *const acl_formats[] = {"json", "kamailio", "freeswitch", NULL};
static const char *const schemes[] = {"digest", "basic", NULL};
static const char *const verdicts[] = {"ok", "fail", NULL};
static const char *const outcomes[] = {"success", "failure", "challenge", "stale", NULL};
static const char *const tables[] = {"ps_auths", "ps_endpoints", "ps_aors", "ps_endpoint_id_ips",
                                     NULL};
static const char *const calls[] = {"single", "multi",   "require", "update",
                                    "store",  "destroy", NULL};

/* What every server may send, byte for byte: no more is asked of it than its length. */
#define ANY_TEXT(record_, member_, max_, ...)                                                      \
    FIELD_TEXT_ROW(record_, member_, 0, max_, .flags = FIELD_NULLABLE | FIELD_BYTES, __VA_ARGS__)
#define ID_ROW(record_, member_, ...)                                                              \
    FIELD_TEXT_ROW(record_, member_, 36, 36, .flags = FIELD_READ_ONLY | FIELD_NULLABLE, __VA_ARGS__)
#define OWNER_DOC "Whose it is; where an operator asks."

/* clang-format off */
static const field_t ha1_query_rows[] = {
    [HA1_QUERY_ALGORITHM] = FIELD_CHOICE_ROW(ha1_query_t, algorithm, sip_algorithm_words,
        .dflt_text = "MD5", .doc = "Of the challenge (RFC 8760)."),
    [HA1_QUERY_FORMAT] = FIELD_CHOICE_ROW(ha1_query_t, format, ha1_formats, .dflt_text = "json",
        .doc = "json; text: a line each; freeradius: for rlm_rest."),
    [HA1_QUERY_GENERATION] = FIELD_CHOICE_ROW(ha1_query_t, generation, generations,
        .dflt_text = "current", .doc = "Within a rotation's grace, which of the two passwords."),
    [HA1_QUERY_REALM] = FIELD_TEXT_ROW(ha1_query_t, realm, 1, SIP_REALM_MAX,
        .flags = FIELD_BYTES, .doc = "One that is served; not given: the first of them."),
    [HA1_QUERY_SOURCE_IP] = FIELD_TEXT_ROW(ha1_query_t, source_ip, 1, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_BYTES, .check = check_ip_address,
        .doc = "Where the call comes from: for lock-out and for policy all."),
    [HA1_QUERY_USERNAME] = FIELD_TEXT_ROW(ha1_query_t, username, 1, SIP_USER_MAX,
        .flags = FIELD_REQUIRED | FIELD_BYTES, .doc = "As in the digest, byte for byte.", .example = "\"office-pbx\""),
};

static const field_t ha1_rows[] = {
    [HA1_ALGORITHM] = FIELD_CHOICE_ROW(ha1_t, algorithm, sip_algorithm_words,
        .flags = FIELD_READ_ONLY, .doc = "Of the value."),
    [HA1_AUTH_ID] = ID_ROW(ha1_t, auth_id, .doc = "The method."),
    [HA1_HA1] = FIELD_TEXT_ROW(ha1_t, ha1, 32, SIP_HA1_TEXT_MAX, .flags = FIELD_READ_ONLY,
        .doc = "H(username:realm:password), 32 or 64 digits of lower-case hex."),
    [HA1_ORGANIZATION_ID] = FIELD_TEXT_ROW(ha1_t, organization_id, 36, 36,
        .flags = FIELD_READ_ONLY | FIELD_SPARSE, .doc = OWNER_DOC),
    [HA1_PREVIOUS] = FIELD_TEXT_ROW(ha1_t, previous, 32, SIP_HA1_TEXT_MAX,
        .flags = FIELD_READ_ONLY | FIELD_SPARSE,
        .doc = "The same for the password before, within a rotation's grace."),
    [HA1_SUBJECT] = ID_ROW(ha1_t, subject, .doc = "The trunk or connection."),
    [HA1_TTL] = FIELD_NUMBER_ROW(ha1_t, ttl, 0, INT64_MAX, .flags = FIELD_READ_ONLY,
        .doc = "Seconds that it may be kept."),
};

static const field_t source_query_rows[] = {
    [SOURCE_QUERY_CALLED] = FIELD_TEXT_ROW(source_query_t, called, 0, SIP_URI_MAX,
        .flags = FIELD_BYTES, .doc = "The called number or URI; for tech-prefix."),
    [SOURCE_QUERY_IP] = FIELD_TEXT_ROW(source_query_t, ip, 1, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_REQUIRED | FIELD_BYTES, .check = check_ip_address,
        .doc = "Where the call comes from.", .example = "\"203.0.113.10\""),
    [SOURCE_QUERY_P_CHARGE_INFO] = FIELD_TEXT_ROW(source_query_t, p_charge_info, 0, SIP_URI_MAX,
        .flags = FIELD_BYTES, .doc = "The header of that name (RFC 8496)."),
    [SOURCE_QUERY_PORT] = FIELD_NUMBER_ROW(source_query_t, port, 1, 65535, .doc = "Its port."),
    [SOURCE_QUERY_TOKEN] = FIELD_TEXT_ROW(source_query_t, token, 0, SIP_TOKEN_MAX,
        .flags = FIELD_BYTES, .doc = "The token in the request."),
    [SOURCE_QUERY_TRANSPORT] = FIELD_TEXT_ROW(source_query_t, transport, 0, 15,
        .flags = FIELD_BYTES, .doc = "udp, tcp, tls, ...; nothing depends on it yet."),
};

static const field_t source_rows[] = {
    [SOURCE_AUTH_ID] = ID_ROW(source_t, auth_id, .doc = "The method."),
    [SOURCE_GROUP] = FIELD_NUMBER_ROW(source_t, group, 0, INT64_MAX, .flags = FIELD_READ_ONLY,
        .doc = "The family's number, as in Kamailio's list: 1 trunks, 2 connections."),
    [SOURCE_ORGANIZATION_ID] = FIELD_TEXT_ROW(source_t, organization_id, 36, 36,
        .flags = FIELD_READ_ONLY | FIELD_SPARSE, .doc = OWNER_DOC),
    [SOURCE_SUBJECT] = ID_ROW(source_t, subject, .doc = "The trunk or connection."),
};

static const field_t acl_query_rows[] = {
    [ACL_QUERY_FORMAT] = FIELD_CHOICE_ROW(acl_query_t, format, acl_formats, .dflt_text = "json",
        .doc = "json; kamailio: permissions' address file; freeswitch: acl.conf."),
};

static const field_t sip_call_rows[] = {
    [SIP_CALL_ALGORITHM] = ANY_TEXT(sip_call_t, algorithm, SIP_TOKEN_MAX,
        .doc = "Of the digest; not given: MD5.", .example = "\"MD5\""),
    [SIP_CALL_AUTHORIZATION] = ANY_TEXT(sip_call_t, authorization, 2047,
        .doc = "The Authorization header, in place of the digest's single fields."),
    [SIP_CALL_CALLED] = ANY_TEXT(sip_call_t, called, SIP_URI_MAX,
        .doc = "The called number or URI; for tech-prefix."),
    [SIP_CALL_CNONCE] = ANY_TEXT(sip_call_t, cnonce, SIP_NONCE_MAX, .doc = "Of the digest."),
    [SIP_CALL_METHOD] = ANY_TEXT(sip_call_t, method, 31, .doc = "The request's method.",
        .example = "\"INVITE\""),
    [SIP_CALL_NC] = ANY_TEXT(sip_call_t, nc, 15, .doc = "Of the digest."),
    [SIP_CALL_NONCE] = ANY_TEXT(sip_call_t, nonce, SIP_NONCE_MAX, .doc = "Of the digest."),
    [SIP_CALL_OPAQUE] = ANY_TEXT(sip_call_t, opaque, SIP_NONCE_MAX, .doc = "Of the digest."),
    [SIP_CALL_P_CHARGE_INFO] = ANY_TEXT(sip_call_t, p_charge_info, SIP_URI_MAX,
        .doc = "The header of that name (RFC 8496)."),
    [SIP_CALL_PASSWORD] = FIELD_TEXT_ROW(sip_call_t, password, 0, SIP_URI_MAX,
        .flags = FIELD_SECRET | FIELD_NULLABLE | FIELD_BYTES, .doc = "For scheme basic."),
    [SIP_CALL_QOP] = ANY_TEXT(sip_call_t, qop, SIP_TOKEN_MAX, .doc = "Of the digest."),
    [SIP_CALL_REALM] = ANY_TEXT(sip_call_t, realm, SIP_REALM_MAX,
        .doc = "Of the digest; one that is served.", .example = "\"linekeeper\""),
    [SIP_CALL_RESPONSE] = ANY_TEXT(sip_call_t, response, SIP_NONCE_MAX, .doc = "Of the digest."),
    [SIP_CALL_SCHEME] = FIELD_CHOICE_ROW(sip_call_t, scheme, schemes, .dflt_text = "digest",
        .doc = "digest, or basic: the password itself.", .example = "\"digest\""),
    [SIP_CALL_SOURCE_ADDRESS] = FIELD_TEXT_ROW(sip_call_t, source_address, 1, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_NULLABLE | FIELD_BYTES,
        .doc = "Where the call comes from; one that can't be read is denied.", .example = "\"203.0.113.10\""),
    [SIP_CALL_SOURCE_PORT] = FIELD_NUMBER_ROW(sip_call_t, source_port, 0, 65535,
        .flags = FIELD_NULLABLE, .doc = "Its port."),
    [SIP_CALL_TOKEN] = ANY_TEXT(sip_call_t, token, SIP_TOKEN_MAX, .doc = "The token in the request."),
    [SIP_CALL_URI] = ANY_TEXT(sip_call_t, uri, SIP_URI_MAX, .doc = "Of the digest."),
    [SIP_CALL_USERNAME] = ANY_TEXT(sip_call_t, username, SIP_USER_MAX,
        .doc = "As in the digest, byte for byte.", .example = "\"office-pbx\""),
};

static const field_t verification_rows[] = {
    [VERIFICATION_AUTH_ID] = ID_ROW(verification_t, auth_id, .doc = "The method."),
    [VERIFICATION_MESSAGE] = FIELD_TEXT_ROW(verification_t, message, 0, 128,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE, .doc = "The reason, for people."),
    [VERIFICATION_ORGANIZATION_ID] = FIELD_TEXT_ROW(verification_t, organization_id, 36, 36,
        .flags = FIELD_READ_ONLY | FIELD_SPARSE, .doc = OWNER_DOC),
    [VERIFICATION_REASON] = FIELD_CHOICE_ROW(verification_t, reason, reason_words,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE, .doc = "Why it failed."),
    [VERIFICATION_STATUS] = FIELD_CHOICE_ROW(verification_t, status, verdicts,
        .flags = FIELD_READ_ONLY, .doc = "Whether the call may be made."),
    [VERIFICATION_SUBJECT] = ID_ROW(verification_t, subject, .doc = "The trunk or connection."),
};

static const field_t explained_rule_rows[] = {
    [EXPLAINED_DECIDED] = FIELD_SWITCH_ROW(explained_rule_t, decided, .flags = FIELD_READ_ONLY,
        .doc = "Whether it decided."),
    [EXPLAINED_DETAIL] = FIELD_TEXT_ROW(explained_rule_t, detail, 0, 160,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE, .doc = "What was found."),
    [EXPLAINED_PASSED] = FIELD_SWITCH_ROW(explained_rule_t, passed, .flags = FIELD_READ_ONLY,
        .doc = "Whether it let the call pass."),
    [EXPLAINED_RULE] = FIELD_TEXT_ROW(explained_rule_t, rule, 1, 32, .flags = FIELD_READ_ONLY,
        .doc = "Its name."),
};

static const field_t explanation_rows[] = {
    [EXPLANATION_AUTH_ID] = ID_ROW(explanation_t, auth_id, .doc = "The method."),
    [EXPLANATION_ORGANIZATION_ID] = FIELD_TEXT_ROW(explanation_t, organization_id, 36, 36,
        .flags = FIELD_READ_ONLY | FIELD_SPARSE, .doc = OWNER_DOC),
    [EXPLANATION_REASON] = FIELD_CHOICE_ROW(explanation_t, reason, reason_words,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE, .doc = "Why it would fail."),
    [EXPLANATION_RULES] = FIELD_LIST_ROW(explanation_t, rules, &explained_rule_schema,
        .flags = FIELD_READ_ONLY, .doc = "Every rule that was looked at, in order."),
    [EXPLANATION_STATUS] = FIELD_CHOICE_ROW(explanation_t, status, verdicts,
        .flags = FIELD_READ_ONLY, .doc = "Whether the call could be made."),
    [EXPLANATION_SUBJECT] = ID_ROW(explanation_t, subject, .doc = "The trunk or connection."),
};

static const field_t report_rows[] = {
    [REPORT_OUTCOME] = FIELD_CHOICE_ROW(report_t, outcome, outcomes, .flags = FIELD_REQUIRED,
        .doc = "A challenge (no credentials yet) and a stale nonce are no failures.",
        .example = "\"failure\""),
    [REPORT_SOURCE_IP] = FIELD_TEXT_ROW(report_t, source_ip, 1, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_REQUIRED | FIELD_BYTES, .check = check_ip_address,
        .doc = "Where the call came from.", .example = "\"203.0.113.10\""),
    [REPORT_USERNAME] = FIELD_TEXT_ROW(report_t, username, 1, SIP_USER_MAX,
        .flags = FIELD_REQUIRED | FIELD_BYTES, .doc = "As in the digest.",
        .example = "\"office-pbx\""),
};

static const field_t nonce_rows[] = {
    [NONCE_EXPIRES_IN] = FIELD_NUMBER_ROW(nonce_t, expires_in, 0, INT64_MAX,
        .flags = FIELD_READ_ONLY, .doc = "Seconds that it is good for."),
    [NONCE_NONCE] = FIELD_TEXT_ROW(nonce_t, nonce, 1, SIP_NONCE_MAX, .flags = FIELD_READ_ONLY,
        .doc = "For a challenge."),
};

static const field_t decisions_query_rows[] = {
    [DECISIONS_QUERY_REASON] = FIELD_CHOICE_ROW(decisions_query_t, reason, reason_words,
        .doc = "Only with this reason."),
    [DECISIONS_QUERY_SINCE] = FIELD_TIME_ROW(decisions_query_t, since, .doc = "Only from then on."),
    [DECISIONS_QUERY_SOURCE_IP] = FIELD_TEXT_ROW(decisions_query_t, source_ip, 1,
        IPNET_TEXT_SIZE - 1, .flags = FIELD_BYTES, .check = check_ip_address,
        .doc = "Only from this address."),
    [DECISIONS_QUERY_USERNAME] = FIELD_TEXT_ROW(decisions_query_t, username, 1, SIP_USER_MAX,
        .flags = FIELD_BYTES, .doc = "Only of this user name."),
};

static const field_t decision_rows[] = {
    [DECISION_AT] = FIELD_TIME_ROW(decision_t, at, .flags = FIELD_READ_ONLY, .doc = "When."),
    [DECISION_OPERATION] = FIELD_TEXT_ROW(decision_t, operation, 1, OPERATION_NAME_SIZE,
        .flags = FIELD_READ_ONLY, .doc = "Which question it answered."),
    [DECISION_ORGANIZATION_ID] = FIELD_TEXT_ROW(decision_t, organization_id, 36, 36,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
        .doc = "Whose key asked; null: an operator's."),
    [DECISION_REASON] = FIELD_CHOICE_ROW(decision_t, reason, reason_words,
        .flags = FIELD_READ_ONLY, .doc = "Why."),
    [DECISION_SOURCE_IP] = FIELD_TEXT_ROW(decision_t, source_ip, 1, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE | FIELD_BYTES, .doc = "Where the call came from."),
    [DECISION_SUBJECT] = ID_ROW(decision_t, subject, .doc = "The trunk or connection, if known."),
    [DECISION_USERNAME] = FIELD_TEXT_ROW(decision_t, username, 1, SIP_USER_MAX,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE | FIELD_BYTES, .doc = "As it was asked for."),
};

static const field_t freeswitch_rows[] = {
    [FREESWITCH_ACTION] = ANY_TEXT(freeswitch_t, action, 31, .doc = "sip_auth, for a digest."),
    [FREESWITCH_DOMAIN] = ANY_TEXT(freeswitch_t, domain, SIP_REALM_MAX, .doc = "The realm."),
    [FREESWITCH_IP] = FIELD_TEXT_ROW(freeswitch_t, ip, 0, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_NULLABLE | FIELD_BYTES, .doc = "Where the call comes from."),
    [FREESWITCH_KEY_NAME] = ANY_TEXT(freeswitch_t, key_name, 63, .doc = "What key_value is."),
    [FREESWITCH_KEY_VALUE] = ANY_TEXT(freeswitch_t, key_value, SIP_USER_MAX,
        .doc = "The domain, or a file's name."),
    [FREESWITCH_PURPOSE] = ANY_TEXT(freeswitch_t, purpose, 31, .doc = "Such as network-list."),
    [FREESWITCH_SECTION] = ANY_TEXT(freeswitch_t, section, 31,
        .doc = "directory or configuration.", .example = "\"directory\""),
    [FREESWITCH_AUTH_REALM] = ANY_TEXT(freeswitch_t, sip_auth_realm, SIP_REALM_MAX,
        .doc = "Of the digest."),
    [FREESWITCH_AUTH_RESPONSE] = ANY_TEXT(freeswitch_t, sip_auth_response, SIP_NONCE_MAX,
        .doc = "Of the digest; its length tells the algorithm."),
    [FREESWITCH_AUTH_USERNAME] = ANY_TEXT(freeswitch_t, sip_auth_username, SIP_USER_MAX,
        .doc = "Of the digest."),
    [FREESWITCH_TAG_NAME] = ANY_TEXT(freeswitch_t, tag_name, 63, .doc = "What it looks for."),
    [FREESWITCH_USER] = ANY_TEXT(freeswitch_t, user, SIP_USER_MAX, .doc = "The user's id.",
        .example = "\"office-pbx\""),
};

static const field_t asterisk_path_rows[] = {
    [ASTERISK_PATH_TABLE] = FIELD_CHOICE_ROW(asterisk_path_t, table, tables,
        .flags = FIELD_REQUIRED, .doc = "The realtime table."),
    [ASTERISK_PATH_CALL] = FIELD_CHOICE_ROW(asterisk_path_t, call, calls, .flags = FIELD_REQUIRED,
        .doc = "What is asked for."),
};

static const field_t asterisk_rows[] = {
    [ASTERISK_REST] = FIELD_PACKED_ROW(asterisk_t, rest, SHAPE_OPEN, 0, 64,
        .doc = "Columns to look for: id, \"id LIKE\", ..."),
};
/* clang-format on */

const schema_t ha1_query_schema = SCHEMA("SipHa1Query", ha1_query_t, ha1_query_rows, .rule = NULL);
const schema_t ha1_schema = SCHEMA("SipHa1", ha1_t, ha1_rows, .rule = NULL);
const schema_t source_query_schema =
    SCHEMA("SipSourceQuery", source_query_t, source_query_rows, .rule = NULL);
const schema_t source_schema = SCHEMA("SipSource", source_t, source_rows, .rule = NULL);
const schema_t acl_query_schema = SCHEMA("SipAclQuery", acl_query_t, acl_query_rows, .rule = NULL);
const schema_t sip_call_schema = SCHEMA("SipCall", sip_call_t, sip_call_rows, .rule = NULL);
const schema_t verification_schema =
    SCHEMA("SipVerification", verification_t, verification_rows, .rule = NULL);
const schema_t explained_rule_schema =
    SCHEMA("SipExplainedRule", explained_rule_t, explained_rule_rows, .rule = NULL);
const schema_t explanation_schema =
    SCHEMA("SipExplanation", explanation_t, explanation_rows, .rule = NULL);
const schema_t report_schema = SCHEMA("SipReport", report_t, report_rows, .rule = NULL);
const schema_t nonce_schema = SCHEMA("SipNonce", nonce_t, nonce_rows, .rule = NULL);
const schema_t decisions_query_schema =
    SCHEMA("SipDecisionsQuery", decisions_query_t, decisions_query_rows, .rule = NULL);
const schema_t decision_schema = SCHEMA("SipDecision", decision_t, decision_rows, .rule = NULL);
const schema_t freeswitch_schema =
    SCHEMA("SipFreeswitchQuery", freeswitch_t, freeswitch_rows, .rule = NULL);
const schema_t asterisk_path_schema =
    SCHEMA("SipAsteriskPath", asterisk_path_t, asterisk_path_rows, .rule = NULL);
const schema_t asterisk_schema =
    SCHEMA("SipAsteriskQuery", asterisk_t, asterisk_rows, .rule = NULL, .is_open = true);
