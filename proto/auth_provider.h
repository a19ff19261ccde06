/* The contract of the service auth-provider: identity providers that people log in by (SAML 2.0).
 * The API is Telnyx's /v2/authentication_providers; docs/api/authentication-providers.md says what
 * is ours beside it. */
#ifndef LK_PROTO_AUTH_PROVIDER_H
#define LK_PROTO_AUTH_PROVIDER_H

#include "proto/fingerprint.h"
#include "proto/service.h"

enum {
    PROVIDER_URL_MAX = 2048,     /* bytes */
    PROVIDER_DERIVED_MAX = 1024, /* bytes of a URL that we make */
    PROVIDER_PEM_MAX = 24576,    /* bytes of a certificate as text */
    PROVIDER_FINGERPRINT_MAX = 255,
    PROVIDER_SHORT_NAME_MAX = 63,
};

/* What a login needs to know of the identity provider; those that we derive are read-only. */
typedef struct {
    presence_t fields;
    bool allow_idp_initiated;
    bool allow_sha1_signatures;
    char assertion_consumer_service_url[PROVIDER_DERIVED_MAX + 1];
    int64_t certificate_expires_at;
    packed_t idp_attribute_names;
    char idp_cert_fingerprint[PROVIDER_FINGERPRINT_MAX + 1];
    int idp_cert_fingerprint_algorithm; /* fingerprint_algorithm_t */
    char idp_certificate[PROVIDER_PEM_MAX + 1];
    char idp_entity_id[TEXT_SIZE(1024)];
    char idp_slo_target_url[PROVIDER_URL_MAX + 1];
    char idp_sso_target_url[PROVIDER_URL_MAX + 1];
    char name_identifier_format[TEXT_SIZE(255)];
    bool provision_groups;
    char service_provider_entity_id[PROVIDER_DERIVED_MAX + 1];
    char service_provider_login_url[PROVIDER_DERIVED_MAX + 1];
    bool certificate_differs; /* no field: idp_certificate has another fingerprint; warned of */
} idp_settings_t;

enum {
    IDP_ALLOW_IDP_INITIATED,
    IDP_ALLOW_SHA1_SIGNATURES,
    IDP_ACS_URL,
    IDP_CERTIFICATE_EXPIRES_AT,
    IDP_ATTRIBUTE_NAMES,
    IDP_CERT_FINGERPRINT,
    IDP_CERT_FINGERPRINT_ALGORITHM,
    IDP_CERTIFICATE,
    IDP_ENTITY_ID,
    IDP_SLO_TARGET_URL,
    IDP_SSO_TARGET_URL,
    IDP_NAME_IDENTIFIER_FORMAT,
    IDP_PROVISION_GROUPS,
    IDP_SP_ENTITY_ID,
    IDP_SP_LOGIN_URL,
};

typedef struct {
    presence_t fields;
    char id[UUID_SIZE];
    char record_type[24];
    char name[TEXT_SIZE(255)];
    char short_name[PROVIDER_SHORT_NAME_MAX + 1];
    char organization_id[UUID_SIZE];
    bool active;
    idp_settings_t settings;
    char settings_url[PROVIDER_URL_MAX + 1];
    packed_t warnings;
    int64_t activated_at;
    int64_t created_at;
    int64_t updated_at;
} provider_t;

enum {
    PROVIDER_ID,
    PROVIDER_RECORD_TYPE,
    PROVIDER_NAME,
    PROVIDER_SHORT_NAME,
    PROVIDER_ORGANIZATION_ID,
    PROVIDER_ACTIVE,
    PROVIDER_SETTINGS,
    PROVIDER_SETTINGS_URL,
    PROVIDER_WARNINGS,
    PROVIDER_ACTIVATED_AT,
    PROVIDER_CREATED_AT,
    PROVIDER_UPDATED_AT,
};

/* In the order of the words that a client writes. */
typedef enum {
    PROVIDER_BY_NAME,
    PROVIDER_BY_NAME_DOWN,
    PROVIDER_BY_SHORT_NAME,
    PROVIDER_BY_SHORT_NAME_DOWN,
    PROVIDER_BY_ACTIVE,
    PROVIDER_BY_ACTIVE_DOWN,
    PROVIDER_BY_CREATED_AT,
    PROVIDER_BY_CREATED_AT_DOWN,
    PROVIDER_BY_UPDATED_AT,
    PROVIDER_BY_UPDATED_AT_DOWN,
    PROVIDER_SORTS,
} provider_sort_t;

typedef struct {
    presence_t fields;
    int64_t number;
    int64_t size;
    int sort; /* provider_sort_t */
} provider_query_t;

enum { PROVIDER_QUERY_NUMBER, PROVIDER_QUERY_SIZE, PROVIDER_QUERY_SORT };

extern const schema_t idp_settings_schema, provider_schema, provider_query_schema;

/* Indexes into auth_provider_service.operations. */
enum {
    PROVIDER_LIST,
    PROVIDER_CREATE,
    PROVIDER_READ,
    PROVIDER_CHANGE,
    PROVIDER_DELETE,
    CERTIFICATE_LIST,
    CERTIFICATE_ADD,
    CERTIFICATE_RETIRE,
    PROVIDER_REFRESH,
    PROVIDER_VALIDATE,
    PROVIDER_EVENTS,
    PROVIDER_SESSIONS,
    PROVIDER_SESSION_END,
    SSO_METADATA, /* from here on: proto/sso.h */
    SSO_LOGIN,
    SSO_CONSUME,
    SSO_SESSION_READ,
    SSO_SESSION_END,
    SSO_LOGOUT,
    SSO_LOGOUT_MESSAGE,
    SSO_LOGGED_OUT,
    AUTH_PROVIDER_OPERATIONS,
};

extern const service_t auth_provider_service;

#endif
