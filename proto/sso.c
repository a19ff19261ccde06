#include "proto/sso.h"

#include "proto/checks.h"
#include "proto/parameters.h"

const char *const certificate_source_words[CERTIFICATE_SOURCES + 1] = {
    [CERTIFICATE_METADATA] = "metadata",
    [CERTIFICATE_GIVEN] = "given",
    [CERTIFICATE_LEARNED] = "learned",
};

const char *const sso_event_kind_words[SSO_EVENT_KINDS + 1] = {
    [SSO_EVENT_LOGIN] = "login",
    [SSO_EVENT_LOGOUT] = "logout",
    [SSO_EVENT_REFRESH] = "refresh",
    [SSO_EVENT_CERTIFICATE] = "certificate",
};

const char *const logged_out_words[LOGGED_OUT_WORDS + 1] = {
    [LOGGED_OUT_THERE] = "logged_out",
    [NOT_LOGGED_OUT_THERE] = "not_logged_out",
};

/* clang-format off */
#define READ_ONLY .flags = FIELD_READ_ONLY
#define READ_ONLY_OR_NULL .flags = FIELD_READ_ONLY | FIELD_NULLABLE
#define HEAD_ROW(name_, member_, ...)                                                              \
    FIELD_TEXT_ROW_AS(name_, sso_head_t, member_, 0, sizeof(((sso_head_t *)0)->member_) - 1,       \
        .flags = FIELD_BYTES, __VA_ARGS__)

static const field_t sso_path_rows[] = {
    FIELD_TEXT_ROW(sso_path_t, short_name, 1, PROVIDER_SHORT_NAME_MAX, .flags = FIELD_REQUIRED,
        .check = check_short_name, .doc = "The provider's short name.", .example = "\"myorg\""),
};

static const field_t sso_login_query_rows[] = {
    [SSO_LOGIN_RETURN_TO] = FIELD_TEXT_ROW(sso_login_query_t, return_to, 1, SSO_RETURN_TO_MAX,
        .flags = FIELD_BYTES, .doc = "Local path to go to after the login."),
};

static const field_t sso_logged_out_query_rows[] = {
    [SSO_LOGGED_OUT_IDENTITY_PROVIDER] = FIELD_CHOICE_ROW(sso_logged_out_query_t, identity_provider,
        logged_out_words, .doc = "What the identity provider answered."),
};

static const field_t sso_head_rows[] = {
    [SSO_ACCEPT] = HEAD_ROW("Accept", accept, .doc = "text/html for pages, else JSON."),
    [SSO_AUTHORIZATION] = HEAD_ROW("Authorization", authorization,
        .doc = "Bearer, and a session's token."),
    [SSO_CLIENT] = HEAD_ROW(":client", client, .doc = "Whose address it is."),
    [SSO_COOKIE] = HEAD_ROW("Cookie", cookie, .doc = "The login's, and the session's."),
    [SSO_QUERY] = HEAD_ROW(":query", query, .doc = "The query as it was sent: these bytes are signed."),
};

static const field_t saml_form_rows[] = {
    [SAML_FORM_RELAY_STATE] = FIELD_TEXT_ROW_AS("RelayState", saml_form_t, relay_state, 0, 2048,
        .flags = FIELD_BYTES, .doc = "What was sent along with the request."),
    [SAML_FORM_RESPONSE] = FIELD_TEXT_ROW_AS("SAMLResponse", saml_form_t, saml_response, 0,
        SAML_BASE64_MAX, .flags = FIELD_BYTES, .doc = "The Response in base64.",
        .example = "\"PHNhbWxwOlJlc3BvbnNlLz4=\""),
};

static const field_t sso_session_rows[] = {
    [SSO_SESSION_ID] = FIELD_TEXT_ROW(sso_session_t, id, 36, 36, READ_ONLY, .doc = "Identifier; no secret."),
    [SSO_SESSION_ATTRIBUTES] = FIELD_PACKED_ROW(sso_session_t, attributes, SHAPE_TEXT_MAP, 0, 64,
        READ_ONLY, .doc = "What the identity provider said, by the names of idp_attribute_names."),
    [SSO_SESSION_AUTHENTICATED_AT] = FIELD_TIME_ROW(sso_session_t, authenticated_at, READ_ONLY,
        .doc = "When they logged in at the identity provider."),
    [SSO_SESSION_EXPIRES_AT] = FIELD_TIME_ROW(sso_session_t, expires_at, READ_ONLY,
        .doc = "When the session ends."),
    [SSO_SESSION_GROUPS] = FIELD_PACKED_ROW(sso_session_t, groups, SHAPE_TEXTS, 0, 64, READ_ONLY,
        .doc = "Groups at the identity provider, with provision_groups."),
    [SSO_SESSION_NAME_ID] = FIELD_TEXT_ROW(sso_session_t, name_id, 1, SAML_NAME_ID_MAX, READ_ONLY,
        .doc = "Who it is: the name identifier, as the identity provider has it."),
    [SSO_SESSION_NAME_ID_FORMAT] = FIELD_TEXT_ROW(sso_session_t, name_id_format, 1, 255,
        READ_ONLY_OR_NULL, .doc = "Its format."),
    [SSO_SESSION_ORGANIZATION_ID] = FIELD_TEXT_ROW(sso_session_t, organization_id, 36, 36, READ_ONLY,
        .doc = "Whose provider it is."),
    [SSO_SESSION_PROVIDER_ID] = FIELD_TEXT_ROW(sso_session_t, provider_id, 36, 36, READ_ONLY,
        .doc = "The provider."),
    [SSO_SESSION_PROVIDER] = FIELD_TEXT_ROW(sso_session_t, provider, 1, PROVIDER_SHORT_NAME_MAX,
        READ_ONLY, .doc = "Its short name."),
    [SSO_SESSION_TOKEN] = FIELD_TEXT_ROW(sso_session_t, token, SSO_TOKEN_SIZE - 1,
        SSO_TOKEN_SIZE - 1, .flags = FIELD_READ_ONLY | FIELD_SPARSE,
        .doc = "For Authorization: Bearer; in the answer to a login alone."),
};

static const field_t sso_logout_rows[] = {
    [SSO_LOGOUT_URL] = FIELD_TEXT_ROW(sso_logout_t, logout_url, 1, SSO_QUERY_MAX + PROVIDER_URL_MAX,
        READ_ONLY_OR_NULL, .doc = "Where a browser goes to log out at the identity provider too."),
};

static const field_t idp_certificate_rows[] = {
    [IDP_CERT_ID] = FIELD_TEXT_ROW(idp_certificate_t, id, 36, 36, READ_ONLY, .doc = "Identifier."),
    [IDP_CERT_CERTIFICATE] = FIELD_TEXT_ROW(idp_certificate_t, certificate, 1, PROVIDER_PEM_MAX,
        .flags = FIELD_REQUIRED | FIELD_BYTES,
        .doc = "One X.509 certificate in PEM, or its bare base64; answered in PEM.",
        .example = "\"-----BEGIN CERTIFICATE-----\\n"
                   "MIIBhTCCASugAwIBAgIUaMO/B+tUCFud7ZVSA6Gp/ZocpPMwCgYIKoZIzj0EAwIw\\n"
                   "FzEVMBMGA1UEAwwMaWRwMS5leGFtcGxlMCAXDTI2MTEyMzAxNDcxN1oYDzIxMjYx\\n"
                   "MDMwMDE0NzE3WjAXMRUwEwYDVQQDDAxpZHAxLmV4YW1wbGUwWTATBgcqhkjOPQIB\\n"
                   "BggqhkjOPQMBBwNCAASglGGOjrTamgeByfg0pHW6LFEhPvqaX8yvyohUk0ZnvC4D\\n"
                   "sMUO29+MBGOjPgtq+2tQGzEEiuEq1BKVj/xy7EL0o1MwUTAdBgNVHQ4EFgQUjR6s\\n"
                   "tpXp0qPWrbg/ecbuTjIltaAwHwYDVR0jBBgwFoAUjR6stpXp0qPWrbg/ecbuTjIl\\n"
                   "taAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBB3Dj5PFMANA8i\\n"
                   "0HbVqtEt/9Pwnw8dWUHKA4jwrOEZPgIhAJ5pUKKRALXrwWSZyczPVmJ73nVhZMjC\\n"
                   "iXPHv3FjaVWv\\n"
                   "-----END CERTIFICATE-----\\n\""),
    [IDP_CERT_FINGERPRINT_SHA256] = FIELD_TEXT_ROW(idp_certificate_t, fingerprint_sha256, 95, 95,
        READ_ONLY, .doc = "Its fingerprint."),
    [IDP_CERT_NOT_AFTER] = FIELD_TIME_ROW(idp_certificate_t, not_after, READ_ONLY,
        .doc = "When it expires; it is warned of, and accepted, beyond that."),
    [IDP_CERT_NOT_BEFORE] = FIELD_TIME_ROW(idp_certificate_t, not_before, READ_ONLY,
        .doc = "From when on it is valid."),
    [IDP_CERT_RETIRED_AT] = FIELD_TIME_ROW(idp_certificate_t, retired_at, READ_ONLY_OR_NULL,
        .doc = "From then on nothing that it signs is accepted; null: it is."),
    [IDP_CERT_SOURCE] = FIELD_CHOICE_ROW(idp_certificate_t, source, certificate_source_words,
        READ_ONLY, .doc = "Where it is from: metadata, given by hand, or learned at a login."),
};

static const field_t idp_certificate_path_rows[] = {
    FIELD_TEXT_ROW(idp_certificate_path_t, id, 36, 36, .flags = FIELD_REQUIRED, .check = check_uuid,
        .doc = "The provider."),
    FIELD_TEXT_ROW(idp_certificate_path_t, certificate_id, 36, 36, .flags = FIELD_REQUIRED,
        .check = check_uuid, .doc = "The certificate."),
};

static const field_t saml_trial_rows[] = {
    [SAML_TRIAL_AT] = FIELD_TIME_ROW(saml_trial_t, at, .flags = FIELD_NULLABLE,
        .doc = "As if it had come at that time; now, if not given."),
    [SAML_TRIAL_IN_RESPONSE_TO] = FIELD_TEXT_ROW(saml_trial_t, in_response_to, 1, SAML_ID_MAX,
        .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_printable,
        .doc = "As if this request had been sent; if not given, it must be one that waits for an "
               "answer."),
    [SAML_TRIAL_RESPONSE] = FIELD_TEXT_ROW(saml_trial_t, saml_response, 1, SAML_BASE64_MAX,
        .flags = FIELD_REQUIRED | FIELD_BYTES, .doc = "The Response in base64, as the form had it.",
        .example = "\"PHNhbWxwOlJlc3BvbnNlLz4=\""),
};

static const field_t saml_check_rows[] = {
    [SAML_CHECK_CHECK] = FIELD_TEXT_ROW(saml_check_t, check, 1, 47, READ_ONLY, .doc = "What was looked at."),
    [SAML_CHECK_DETAIL] = FIELD_TEXT_ROW(saml_check_t, detail, 0, 256, READ_ONLY_OR_NULL,
        .doc = "What was found."),
    [SAML_CHECK_PASSED] = FIELD_SWITCH_ROW(saml_check_t, passed, READ_ONLY, .doc = "Whether it was good."),
    [SAML_CHECK_REASON] = FIELD_CHOICE_ROW(saml_check_t, reason, saml_reason_words,
        READ_ONLY_OR_NULL, .doc = "Why not."),
};

static const field_t saml_trial_result_rows[] = {
    [SAML_TRIAL_ATTRIBUTES] = FIELD_PACKED_ROW(saml_trial_result_t, attributes, SHAPE_TEXT_MAP, 0, 64,
        READ_ONLY_OR_NULL, .doc = "What the session would hold."),
    [SAML_TRIAL_CHECKS] = FIELD_LIST_ROW(saml_trial_result_t, checks, &saml_check_schema, READ_ONLY,
        .doc = "Every check that was made, in order."),
    [SAML_TRIAL_GROUPS] = FIELD_PACKED_ROW(saml_trial_result_t, groups, SHAPE_TEXTS, 0, 64,
        READ_ONLY_OR_NULL, .doc = "What the session would hold."),
    [SAML_TRIAL_NAME_ID] = FIELD_TEXT_ROW(saml_trial_result_t, name_id, 1, SAML_NAME_ID_MAX,
        READ_ONLY_OR_NULL, .doc = "Who would be logged in."),
    [SAML_TRIAL_REASON] = FIELD_CHOICE_ROW(saml_trial_result_t, reason, saml_reason_words,
        READ_ONLY_OR_NULL, .doc = "Why the login would fail."),
    [SAML_TRIAL_VALID] = FIELD_SWITCH_ROW(saml_trial_result_t, valid, READ_ONLY,
        .doc = "Whether it would be a login."),
};

static const field_t sso_event_rows[] = {
    [SSO_EVENT_ID] = FIELD_TEXT_ROW(sso_event_t, id, 36, 36, READ_ONLY,
        .doc = "Identifier: what the page of a failed login shows."),
    [SSO_EVENT_AT] = FIELD_TIME_ROW(sso_event_t, at, READ_ONLY, .doc = "When."),
    [SSO_EVENT_CLIENT] = FIELD_TEXT_ROW(sso_event_t, client, 1, IPNET_TEXT_SIZE - 1,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE | FIELD_BYTES, .doc = "The browser's address."),
    [SSO_EVENT_DETAIL] = FIELD_TEXT_ROW(sso_event_t, detail, 0, 256, READ_ONLY_OR_NULL,
        .doc = "What was found."),
    [SSO_EVENT_KIND] = FIELD_CHOICE_ROW(sso_event_t, kind, sso_event_kind_words, READ_ONLY,
        .doc = "What it was."),
    [SSO_EVENT_NAME_ID] = FIELD_TEXT_ROW(sso_event_t, name_id, 1, SAML_NAME_ID_MAX,
        READ_ONLY_OR_NULL, .doc = "Who logged in."),
    [SSO_EVENT_REASON] = FIELD_CHOICE_ROW(sso_event_t, reason, saml_reason_words, READ_ONLY_OR_NULL,
        .doc = "Why it failed."),
    [SSO_EVENT_SUCCEEDED] = FIELD_SWITCH_ROW(sso_event_t, succeeded, READ_ONLY,
        .doc = "Whether it was done."),
};

static const field_t sso_event_query_rows[] = {
    [SSO_EVENT_QUERY_NUMBER] = PAGE_NUMBER_ROW(sso_event_query_t, number),
    [SSO_EVENT_QUERY_SIZE] = PAGE_SIZE_ROW(sso_event_query_t, size, 20),
    [SSO_EVENT_QUERY_REASON] = FIELD_CHOICE_ROW(sso_event_query_t, reason, saml_reason_words,
        .doc = "Only with this reason."),
};

static const field_t sso_session_query_rows[] = {
    [SSO_SESSION_QUERY_NUMBER] = PAGE_NUMBER_ROW(sso_session_query_t, number),
    [SSO_SESSION_QUERY_SIZE] = PAGE_SIZE_ROW(sso_session_query_t, size, 20),
    [SSO_SESSION_QUERY_NAME_ID] = FIELD_TEXT_ROW(sso_session_query_t, name_id, 1, SAML_NAME_ID_MAX,
        .doc = "Only of this name identifier."),
};

static const field_t sso_session_path_rows[] = {
    FIELD_TEXT_ROW(sso_session_path_t, id, 36, 36, .flags = FIELD_REQUIRED, .check = check_uuid,
        .doc = "The provider."),
    FIELD_TEXT_ROW(sso_session_path_t, session_id, 36, 36, .flags = FIELD_REQUIRED,
        .check = check_uuid, .doc = "The session.", .example = "\"01890000-0000-7000-8000-000000000000\""),
};
/* clang-format on */

#define SSO_SCHEMA(symbol_, name_, record_, rows_)                                                 \
    const schema_t symbol_ = SCHEMA(name_, record_, rows_, .rule = NULL)

SSO_SCHEMA(sso_path_schema, "SsoPath", sso_path_t, sso_path_rows);
SSO_SCHEMA(sso_login_query_schema, "SsoLoginQuery", sso_login_query_t, sso_login_query_rows);
SSO_SCHEMA(sso_logged_out_query_schema, "SsoLoggedOutQuery", sso_logged_out_query_t,
           sso_logged_out_query_rows);
SSO_SCHEMA(sso_logout_head_schema, "SsoLogoutHead", sso_head_t, sso_head_rows);
SSO_SCHEMA(saml_form_schema, "SamlForm", saml_form_t, saml_form_rows);
SSO_SCHEMA(sso_session_schema, "SsoSession", sso_session_t, sso_session_rows);
SSO_SCHEMA(sso_logout_schema, "SsoLogout", sso_logout_t, sso_logout_rows);
SSO_SCHEMA(idp_certificate_schema, "IdpCertificate", idp_certificate_t, idp_certificate_rows);
SSO_SCHEMA(idp_certificate_path_schema, "IdpCertificatePath", idp_certificate_path_t,
           idp_certificate_path_rows);
SSO_SCHEMA(saml_trial_schema, "SamlTrial", saml_trial_t, saml_trial_rows);
SSO_SCHEMA(saml_check_schema, "SamlCheck", saml_check_t, saml_check_rows);
SSO_SCHEMA(saml_trial_result_schema, "SamlTrialResult", saml_trial_result_t,
           saml_trial_result_rows);
SSO_SCHEMA(sso_event_schema, "SsoEvent", sso_event_t, sso_event_rows);
SSO_SCHEMA(sso_event_query_schema, "SsoEventQuery", sso_event_query_t, sso_event_query_rows);

SSO_SCHEMA(sso_session_query_schema, "SsoSessionQuery", sso_session_query_t,
           sso_session_query_rows);
SSO_SCHEMA(sso_session_path_schema, "SsoSessionPath", sso_session_path_t, sso_session_path_rows);

/* All but the query, which is long. */
const schema_t sso_head_schema = {.name = "SsoHead",
                                  .rows = sso_head_rows,
                                  .count = SSO_QUERY,
                                  .record_size = sizeof(sso_head_t)};
