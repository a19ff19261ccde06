#include "proto/auth_provider.h"

#include "proto/checks.h"
#include "proto/parameters.h"

#include <string.h>

static const char *const sorts[] = {
    [PROVIDER_BY_NAME] = "name",
    [PROVIDER_BY_NAME_DOWN] = "-name",
    [PROVIDER_BY_SHORT_NAME] = "short_name",
    [PROVIDER_BY_SHORT_NAME_DOWN] = "-short_name",
    [PROVIDER_BY_ACTIVE] = "active",
    [PROVIDER_BY_ACTIVE_DOWN] = "-active",
    [PROVIDER_BY_CREATED_AT] = "created_at",
    [PROVIDER_BY_CREATED_AT_DOWN] = "-created_at",
    [PROVIDER_BY_UPDATED_AT] = "updated_at",
    [PROVIDER_BY_UPDATED_AT_DOWN] = "-updated_at",
    [PROVIDER_SORTS] = NULL,
};

/* A provider is made of its settings, or of a place to get them from. */
static void provider_rule(const void *record, record_mode_t mode, faults_t *faults)
{
    const provider_t *provider = record;
    const presence_t *fields = &provider->fields;
    if (mode == RECORD_WHOLE && !field_set(fields, PROVIDER_SETTINGS) &&
        !field_set(fields, PROVIDER_SETTINGS_URL))
        faults_add(faults, FAULT_REQUIRED, FAULT_IN_BODY, "/settings",
                   "is required, unless settings_url says where they are");
}

/* A name that is a word of /sso's paths would lead nowhere. */
static const char *check_new_short_name(const char *bytes, size_t length)
{
    static const char *const reserved[] = {"logged-out", "logout", "saml", "session"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strlen(reserved[i]) == length && memcmp(reserved[i], bytes, length) == 0)
            return "must not be logged-out, logout, saml or session, which are parts of other URLs";
    return check_short_name(bytes, length);
}

/* clang-format off */
static const field_t idp_settings_rows[] = {
    [IDP_ALLOW_IDP_INITIATED] = FIELD_SWITCH_ROW(idp_settings_t, allow_idp_initiated,
        .flags = FIELD_DEFAULT, .dflt_number = 0,
        .doc = "Whether a login may begin at the identity provider, without a request of ours.",
        .example = "false"),
    [IDP_ALLOW_SHA1_SIGNATURES] = FIELD_SWITCH_ROW(idp_settings_t, allow_sha1_signatures,
        .flags = FIELD_DEFAULT, .dflt_number = 0,
        .doc = "Whether signatures and digests by SHA-1 are accepted; avoid it.",
        .example = "false"),
    [IDP_ACS_URL] = FIELD_TEXT_ROW(idp_settings_t, assertion_consumer_service_url, 1,
        PROVIDER_DERIVED_MAX, .flags = FIELD_READ_ONLY,
        .doc = "Where the identity provider sends its answers; derived from the public URL."),
    [IDP_CERTIFICATE_EXPIRES_AT] = FIELD_TIME_ROW(idp_settings_t, certificate_expires_at,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
        .doc = "When the first of its certificates expires; null if none is known."),
    [IDP_ATTRIBUTE_NAMES] = FIELD_PACKED_ROW(idp_settings_t, idp_attribute_names, SHAPE_TEXT_MAP,
        0, 64, .flags = FIELD_NULLABLE,
        .doc = "Which SAML attribute of the identity provider stands for which of ours.",
        .example = "{\"email\": \"mail\"}"),
    [IDP_CERT_FINGERPRINT] = FIELD_TEXT_ROW(idp_settings_t, idp_cert_fingerprint, 1,
        PROVIDER_FINGERPRINT_MAX, .flags = FIELD_REQUIRED, .check = check_fingerprint,
        .doc = "Fingerprint of the signing certificate: 20, 32, 48 or 64 bytes in hexadecimal, "
               "colons and blanks allowed; answered as it was given.",
        .example = "\"13:38:C7:BB:C9:FF:4A:70:38:3A:E3:D9:5C:CD:DB:2E:50:1E:80:A7\""),
    [IDP_CERT_FINGERPRINT_ALGORITHM] = FIELD_CHOICE_ROW(idp_settings_t,
        idp_cert_fingerprint_algorithm, fingerprint_words, .dflt_text = "sha1",
        .doc = "The hash that made the fingerprint.", .example = "\"sha1\""),
    [IDP_CERTIFICATE] = FIELD_TEXT_ROW(idp_settings_t, idp_certificate, 1, PROVIDER_PEM_MAX,
        .flags = FIELD_NULLABLE | FIELD_BYTES,
        .doc = "The signing certificate: one X.509 certificate in PEM, or its bare base64; answered as "
               "it was given."),
    [IDP_ENTITY_ID] = FIELD_TEXT_ROW(idp_settings_t, idp_entity_id, 1, 1024,
        .flags = FIELD_REQUIRED, .check = check_printable,
        .doc = "Entity id of the identity provider.",
        .example = "\"https://idp.example.com/saml/metadata\""),
    [IDP_SLO_TARGET_URL] = FIELD_TEXT_ROW(idp_settings_t, idp_slo_target_url, 1, PROVIDER_URL_MAX,
        .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_http_url,
        .doc = "Where the identity provider takes requests to log out.",
        .example = "\"https://idp.example.com/saml/logout\""),
    [IDP_SSO_TARGET_URL] = FIELD_TEXT_ROW(idp_settings_t, idp_sso_target_url, 1, PROVIDER_URL_MAX,
        .flags = FIELD_REQUIRED | FIELD_BYTES, .check = check_http_url,
        .doc = "Where the identity provider takes requests to log in, by HTTP redirect.",
        .example = "\"https://idp.example.com/saml/login\""),
    [IDP_NAME_IDENTIFIER_FORMAT] = FIELD_TEXT_ROW(idp_settings_t, name_identifier_format, 1, 255,
        .dflt_text = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        .check = check_printable, .doc = "Format of the name identifier to ask for.",
        .example = "\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\""),
    [IDP_PROVISION_GROUPS] = FIELD_SWITCH_ROW(idp_settings_t, provision_groups,
        .flags = FIELD_NULLABLE, .doc = "Whether groups are taken over from the identity provider.",
        .example = "false"),
    [IDP_SP_ENTITY_ID] = FIELD_TEXT_ROW(idp_settings_t, service_provider_entity_id, 1,
        PROVIDER_DERIVED_MAX, .flags = FIELD_READ_ONLY,
        .doc = "Our entity id; derived from the public URL."),
    [IDP_SP_LOGIN_URL] = FIELD_TEXT_ROW(idp_settings_t, service_provider_login_url, 1,
        PROVIDER_DERIVED_MAX, .flags = FIELD_READ_ONLY,
        .doc = "Where people go to log in; derived from the public URL."),
};

const schema_t idp_settings_schema = SCHEMA("AuthenticationProviderSettings", idp_settings_t,
                                            idp_settings_rows, .rule = NULL);

static const field_t provider_rows[] = {
    [PROVIDER_ID] = FIELD_TEXT_ROW(provider_t, id, 36, 36, .flags = FIELD_READ_ONLY,
        .doc = "Identifier."),
    [PROVIDER_RECORD_TYPE] = FIELD_TEXT_ROW(provider_t, record_type, 1, 23,
        .flags = FIELD_READ_ONLY, .doc = "Always authentication_provider."),
    [PROVIDER_NAME] = FIELD_TEXT_ROW(provider_t, name, 1, 255, .flags = FIELD_REQUIRED,
        .check = check_printable, .doc = "Name for people.", .example = "\"Okta\""),
    [PROVIDER_SHORT_NAME] = FIELD_TEXT_ROW(provider_t, short_name, 1, PROVIDER_SHORT_NAME_MAX,
        .flags = FIELD_REQUIRED, .check = check_new_short_name,
        .doc = "Its part of the login URL: lower-case letters, digits, hyphens and underscores, "
               "not logged-out, logout, saml or session; unique over all organizations.",
        .example = "\"myorg\""),
    [PROVIDER_ORGANIZATION_ID] = FIELD_TEXT_ROW(provider_t, organization_id, 36, 36,
        .flags = FIELD_READ_ONLY, .doc = "Whose it is."),
    [PROVIDER_ACTIVE] = FIELD_SWITCH_ROW(provider_t, active, .flags = FIELD_DEFAULT,
        .dflt_number = 1, .doc = "Whether people can log in by it.", .example = "true"),
    [PROVIDER_SETTINGS] = FIELD_OBJECT_ROW(provider_t, settings, idp_settings_t,
        &idp_settings_schema,
        .doc = "What is known of the identity provider; required unless settings_url is given, and "
               "goes before it."),
    [PROVIDER_SETTINGS_URL] = FIELD_TEXT_ROW(provider_t, settings_url, 1, PROVIDER_URL_MAX,
        .flags = FIELD_NULLABLE | FIELD_BYTES, .check = check_http_url,
        .doc = "Where the identity provider's SAML metadata is, to fill the settings once."),
    [PROVIDER_WARNINGS] = FIELD_PACKED_ROW(provider_t, warnings, SHAPE_TEXTS, 0, 8,
        .flags = FIELD_READ_ONLY, .doc = "What is accepted and yet will keep logins from working."),
    [PROVIDER_ACTIVATED_AT] = FIELD_TIME_ROW(provider_t, activated_at,
        .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
        .doc = "When active last became true; null if it never was."),
    [PROVIDER_CREATED_AT] = FIELD_TIME_ROW(provider_t, created_at, .flags = FIELD_READ_ONLY,
        .doc = "When it was made; no two providers share a moment."),
    [PROVIDER_UPDATED_AT] = FIELD_TIME_ROW(provider_t, updated_at, .flags = FIELD_READ_ONLY,
        .doc = "When it was changed last."),
};

static const field_t provider_query_rows[] = {
    [PROVIDER_QUERY_NUMBER] = PAGE_NUMBER_ROW(provider_query_t, number),
    [PROVIDER_QUERY_SIZE] = PAGE_SIZE_ROW(provider_query_t, size, 20),
    [PROVIDER_QUERY_SORT] = FIELD_CHOICE_ROW(provider_query_t, sort, sorts,
        .dflt_text = "-created_at", .doc = "By what, and which way: - means descending."),
};

const schema_t provider_schema = SCHEMA("AuthenticationProvider", provider_t, provider_rows,
                                        .rule = provider_rule);
const schema_t provider_query_schema = SCHEMA("AuthenticationProviderQuery", provider_query_t,
                                              provider_query_rows, .rule = NULL);
