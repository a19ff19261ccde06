#include "proto/parameters.h"
#include "proto/sso.h"

/* clang-format off */
#define PROVIDERS "/authentication_providers"
#define PROVIDER PROVIDERS "/{id}"
#define AT(path_) .path = "/v2" path_, .also = path_, .dialect = &dialect_v2
#define SSO_OF(path_, head_) .path = "/sso" path_, .dialect = &dialect_sso, .head = (head_)
#define SSO(path_) SSO_OF(path_, &sso_head_schema)
#define NAMED "/{short_name}"

static const operation_t operations[] = {
    [PROVIDER_LIST] = {
        .name = "provider_list", .method = "GET", AT(PROVIDERS),
        .query = &provider_query_schema, .result = &provider_schema, .success = OUTCOME_OK,
        .flags = OPERATION_LIST, .doc = "Lists the organization's authentication providers."},
    [PROVIDER_CREATE] = {
        .name = "provider_create", .method = "POST", AT(PROVIDERS),
        .body = &provider_schema, .result = &provider_schema, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_CONFLICTS,
        .doc = "Makes an authentication provider; without settings they are fetched from "
               "settings_url."},
    [PROVIDER_READ] = {
        .name = "provider_read", .method = "GET", AT(PROVIDER),
        .path_schema = &id_path_schema, .result = &provider_schema, .success = OUTCOME_OK,
        .doc = "Reads an authentication provider."},
    [PROVIDER_CHANGE] = {
        .name = "provider_change", .method = "PATCH", AT(PROVIDER),
        .path_schema = &id_path_schema, .body = &provider_schema, .result = &provider_schema,
        .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_PART | OPERATION_CONFLICTS,
        .doc = "Changes what is given, inside settings too."},
    [PROVIDER_DELETE] = {
        .name = "provider_delete", .method = "DELETE", AT(PROVIDER),
        .path_schema = &id_path_schema, .result = &provider_schema, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES, .doc = "Deletes an authentication provider and answers it."},
    [CERTIFICATE_LIST] = {
        .name = "certificate_list", .method = "GET", AT(PROVIDER "/certificates"),
        .path_schema = &id_path_schema, .result = &idp_certificate_schema, .success = OUTCOME_OK,
        .flags = OPERATION_LIST,
        .doc = "Lists the certificates that a provider's answers may be signed with, retired ones too."},
    [CERTIFICATE_ADD] = {
        .name = "certificate_add", .method = "POST", AT(PROVIDER "/certificates"),
        .path_schema = &id_path_schema, .body = &idp_certificate_schema,
        .result = &idp_certificate_schema, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_CONFLICTS,
        .doc = "Adds a certificate beside the others, before the identity provider changes to it."},
    [CERTIFICATE_RETIRE] = {
        .name = "certificate_retire", .method = "DELETE",
        AT(PROVIDER "/certificates/{certificate_id}"),
        .path_schema = &idp_certificate_path_schema, .result = &idp_certificate_schema,
        .success = OUTCOME_OK, .flags = OPERATION_WRITES,
        .doc = "Retires a certificate: what it signs is refused from then on."},
    [PROVIDER_REFRESH] = {
        .name = "provider_refresh", .method = "POST", AT(PROVIDER "/actions/refresh"),
        .path_schema = &id_path_schema, .result = &provider_schema, .success = OUTCOME_OK,
        .flags = OPERATION_WRITES | OPERATION_CONFLICTS,
        .doc = "Fetches the metadata of settings_url again: new certificates are added, vanished ones "
               "retired after a while."},
    [PROVIDER_VALIDATE] = {
        .name = "provider_validate", .method = "POST", AT(PROVIDER "/actions/validate_response"),
        .path_schema = &id_path_schema, .body = &saml_trial_schema,
        .result = &saml_trial_result_schema, .success = OUTCOME_OK, .flags = OPERATION_ADMIN,
        .body_limit = SAML_FORM_LIMIT,
        .doc = "Makes every check of a login over a Response, and changes nothing."},
    [PROVIDER_EVENTS] = {
        .name = "provider_events", .method = "GET", AT(PROVIDER "/events"),
        .path_schema = &id_path_schema, .query = &sso_event_query_schema,
        .result = &sso_event_schema, .success = OUTCOME_OK, .flags = OPERATION_LIST,
        .doc = "Lists what logins came to, the latest first."},
    [PROVIDER_SESSIONS] = {
        .name = "provider_sessions", .method = "GET", AT(PROVIDER "/sessions"),
        .path_schema = &id_path_schema, .query = &sso_session_query_schema,
        .url_limit = URL_LIMIT + SSO_NAME_ID_URL,
        .result = &sso_session_schema, .success = OUTCOME_OK,
        .flags = OPERATION_LIST | OPERATION_ADMIN,
        .doc = "Lists who is logged in by the provider, the latest login first."},
    [PROVIDER_SESSION_END] = {
        .name = "provider_session_end", .method = "DELETE",
        AT(PROVIDER "/sessions/{session_id}"),
        .path_schema = &sso_session_path_schema, .result = &sso_session_schema,
        .success = OUTCOME_OK, .flags = OPERATION_WRITES,
        .doc = "Ends a session and answers it: its token is good for nothing any more."},
    [SSO_METADATA] = {
        .name = "sso_metadata", .method = "GET", SSO("/saml/metadata" NAMED),
        .path_schema = &sso_path_schema, .documents = MEDIA_BIT(MEDIA_SAML_METADATA),
        .success = OUTCOME_OK, .flags = OPERATION_OPEN | OPERATION_ETAG | OPERATION_PUBLIC,
        .doc = "Our metadata as a SAML 2.0 service provider, for the identity provider."},
    [SSO_LOGIN] = {
        .name = "sso_login", .method = "GET", SSO(NAMED),
        .path_schema = &sso_path_schema, .query = &sso_login_query_schema,
        .documents = MEDIA_BIT(MEDIA_HTML), .success = OUTCOME_ELSEWHERE,
        .flags = OPERATION_OPEN | OPERATION_WRITES,
        .doc = "Sends the browser to the identity provider to log in."},
    [SSO_CONSUME] = {
        .name = "sso_consume", .method = "POST", SSO("/saml/auth" NAMED),
        .path_schema = &sso_path_schema, .body = &saml_form_schema, .result = &sso_session_schema,
        .documents = MEDIA_BIT(MEDIA_HTML), .success = OUTCOME_OK,
        .flags = OPERATION_OPEN | OPERATION_WRITES | OPERATION_FORM,
        .body_limit = SAML_FORM_LIMIT,
        .doc = "Takes the identity provider's answer: the browser goes on with a cookie, a program "
               "gets the token."},
    [SSO_SESSION_READ] = {
        .name = "sso_session_read", .method = "GET", SSO("/session"),
        .result = &sso_session_schema, .documents = MEDIA_BIT(MEDIA_HTML), .success = OUTCOME_OK,
        .flags = OPERATION_OPEN,
        .doc = "Whose the token is, in Authorization: Bearer or in the cookie."},
    [SSO_SESSION_END] = {
        .name = "sso_session_end", .method = "DELETE", SSO("/session"),
        .result = &sso_logout_schema, .success = OUTCOME_OK,
        .flags = OPERATION_OPEN | OPERATION_WRITES,
        .doc = "Logs out: the token is good for nothing any more."},
    [SSO_LOGOUT] = {
        .name = "sso_logout", .method = "POST", SSO("/logout"),
        .documents = MEDIA_BIT(MEDIA_HTML), .success = OUTCOME_ELSEWHERE,
        .flags = OPERATION_OPEN | OPERATION_WRITES,
        .doc = "Logs a browser out, by way of the identity provider where that can."},
    [SSO_LOGOUT_MESSAGE] = {
        .name = "sso_logout_message", .method = "GET", SSO_OF("/saml/logout" NAMED, &sso_logout_head_schema),
        .path_schema = &sso_path_schema, .url_limit = SSO_QUERY_MAX + SSO_URL_PATH,
        .documents = MEDIA_BIT(MEDIA_HTML), .success = OUTCOME_ELSEWHERE,
        .flags = OPERATION_OPEN | OPERATION_WRITES,
        .doc = "Takes the identity provider's LogoutRequest or LogoutResponse, by redirect."},
    [SSO_LOGGED_OUT] = {
        .name = "sso_logged_out", .method = "GET", SSO("/logged-out"),
        .query = &sso_logged_out_query_schema,
        .documents = MEDIA_BIT(MEDIA_HTML), .success = OUTCOME_OK, .flags = OPERATION_OPEN,
        .doc = "The page after a log-out."},
};
/* clang-format on */
_Static_assert(ARRAY_LEN(operations) == AUTH_PROVIDER_OPERATIONS, "every operation has a row");

const service_t auth_provider_service = {
    .name = "auth-provider",
    .operations = operations,
    .operation_count = ARRAY_LEN(operations),
    .doc = "Identity providers that people log in by (SAML 2.0).",
};
