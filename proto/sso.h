/* Single sign-on: what browsers and portals ask of auth-provider below /sso, and what
 * administrators ask about it below /v2/authentication_providers.
 *
 * A login: GET /sso/NAME sends the browser to the identity provider (SAML V2.0 Bindings 3.4), which
 * sends it back with a Response (Bindings 3.5, Profiles 4.1) to POST /sso/saml/auth/NAME. What
 * comes of it is a session: a random token, in a cookie for browsers, in the answer for programs,
 * which GET /sso/session explains to whoever holds it. */
#ifndef LK_PROTO_SSO_H
#define LK_PROTO_SSO_H

#include "common/ipnet.h"
#include "common/uuid.h"
#include "proto/auth_provider.h"
#include "proto/saml_reason.h"

enum {
    SAML_MESSAGE_MAX = 256 * 1024, /* bytes of a Response, decoded */
    SAML_BASE64_MAX = 384 * 1024,  /* of SAMLResponse */
    SAML_FORM_LIMIT = 512 * 1024,  /* of the form that brings it, percent-encoded */
    SAML_RELAY_STATE_MAX = 80,     /* bytes that a RelayState of ours has (Bindings 3.4.3) */
    SAML_NAME_ID_MAX = 512,        /* characters of a name identifier */
    SAML_ID_MAX = 256,             /* of an ID in a message */
    SSO_RETURN_TO_MAX = 1024,      /* bytes of a local path */
    SSO_TOKEN_SIZE = 43 + 1,       /* 32 random bytes in base64url */
    SSO_HEADER_MAX = 4096,         /* bytes of Cookie that are looked at */
    SSO_QUERY_MAX = 16 * 1024,     /* of a log-out message in a URL, */
    SSO_URL_PATH = 256,            /* and what stands before it */
    SSO_NAME_ID_URL = 12 * SAML_NAME_ID_MAX, /* of a name identifier, percent-encoded */
};

/* ---- The browser's side ---- */

typedef struct {
    presence_t fields;
    char short_name[PROVIDER_SHORT_NAME_MAX + 1];
} sso_path_t;

typedef struct {
    presence_t fields;
    char return_to[SSO_RETURN_TO_MAX + 1]; /* as check_local_path has it */
} sso_login_query_t;

enum { SSO_LOGIN_RETURN_TO };

/* What the page after a log-out has to say of the identity provider. */
typedef enum { LOGGED_OUT_THERE, NOT_LOGGED_OUT_THERE, LOGGED_OUT_WORDS } logged_out_t;

extern const char *const logged_out_words[LOGGED_OUT_WORDS + 1];

typedef struct {
    presence_t fields;
    int identity_provider; /* logged_out_t; not given: nothing is known */
} sso_logged_out_query_t;

enum { SSO_LOGGED_OUT_IDENTITY_PROVIDER };

/* Rows are HTTP's header fields; a client that sends none has "". */
typedef struct {
    presence_t fields;
    char accept[256 + 1];
    char authorization[256 + 1]; /* "Bearer TOKEN" */
    char client[IPNET_TEXT_SIZE];
    char cookie[SSO_HEADER_MAX + 1];
    char query[SSO_QUERY_MAX + 1]; /* of log-out alone: the bytes that are signed */
} sso_head_t;

enum { SSO_ACCEPT, SSO_AUTHORIZATION, SSO_CLIENT, SSO_COOKIE, SSO_QUERY };

/* The form of an identity provider. */
typedef struct {
    presence_t fields;
    char relay_state[2048 + 1];
    char saml_response[SAML_BASE64_MAX + 1];
} saml_form_t;

enum { SAML_FORM_RELAY_STATE, SAML_FORM_RESPONSE };

/* Whose a token is. `token` is there once: in the answer to a program's login. */
typedef struct {
    presence_t fields;
    char id[UUID_SIZE];
    packed_t attributes; /* of idp_attribute_names: ours -> its first value */
    int64_t authenticated_at;
    int64_t expires_at;
    packed_t groups;
    char name_id[TEXT_SIZE(SAML_NAME_ID_MAX)];
    char name_id_format[TEXT_SIZE(255)];
    char organization_id[UUID_SIZE];
    char provider_id[UUID_SIZE];
    char provider[PROVIDER_SHORT_NAME_MAX + 1];
    char token[SSO_TOKEN_SIZE];
} sso_session_t;

enum {
    SSO_SESSION_ID,
    SSO_SESSION_ATTRIBUTES,
    SSO_SESSION_AUTHENTICATED_AT,
    SSO_SESSION_EXPIRES_AT,
    SSO_SESSION_GROUPS,
    SSO_SESSION_NAME_ID,
    SSO_SESSION_NAME_ID_FORMAT,
    SSO_SESSION_ORGANIZATION_ID,
    SSO_SESSION_PROVIDER_ID,
    SSO_SESSION_PROVIDER,
    SSO_SESSION_TOKEN,
};

/* Where the browser goes on to log out at the identity provider too; "": nowhere. */
typedef struct {
    presence_t fields;
    char logout_url[SSO_QUERY_MAX + PROVIDER_URL_MAX + 1];
} sso_logout_t;

enum { SSO_LOGOUT_URL };

/* ---- The administrator's side ---- */

typedef enum {
    CERTIFICATE_METADATA, /* found in metadata */
    CERTIFICATE_GIVEN,    /* by hand */
    CERTIFICATE_LEARNED,  /* at the first good login by fingerprint alone */
    CERTIFICATE_SOURCES,
} certificate_source_t;

extern const char *const certificate_source_words[CERTIFICATE_SOURCES + 1];

typedef struct {
    presence_t fields;
    char id[UUID_SIZE];
    char certificate[PROVIDER_PEM_MAX + 1];
    char fingerprint_sha256[96];
    int64_t not_after;
    int64_t not_before;
    int64_t retired_at;
    int source; /* certificate_source_t */
} idp_certificate_t;

enum {
    IDP_CERT_ID,
    IDP_CERT_CERTIFICATE,
    IDP_CERT_FINGERPRINT_SHA256,
    IDP_CERT_NOT_AFTER,
    IDP_CERT_NOT_BEFORE,
    IDP_CERT_RETIRED_AT,
    IDP_CERT_SOURCE,
};

typedef struct {
    presence_t fields;
    char id[UUID_SIZE];
    char certificate_id[UUID_SIZE];
} idp_certificate_path_t;

/* A dry run. */
typedef struct {
    presence_t fields;
    int64_t at;                              /* not given: now */
    char in_response_to[SAML_ID_MAX + 1];    /* not given: what it answers is looked up */
    char saml_response[SAML_BASE64_MAX + 1]; /* base64, as in the form */
} saml_trial_t;

enum { SAML_TRIAL_AT, SAML_TRIAL_IN_RESPONSE_TO, SAML_TRIAL_RESPONSE };

typedef struct {
    presence_t fields;
    char check[48]; /* what was looked at: a step's name */
    char detail[256 + 1];
    bool passed;
    int reason; /* saml_reason_t; null where it passed */
} saml_check_t;

enum { SAML_CHECK_CHECK, SAML_CHECK_DETAIL, SAML_CHECK_PASSED, SAML_CHECK_REASON };

typedef struct {
    presence_t fields;
    packed_t attributes;
    records_t checks; /* saml_check_t, in order */
    packed_t groups;
    char name_id[TEXT_SIZE(SAML_NAME_ID_MAX)];
    int reason; /* of the first that failed */
    bool valid;
} saml_trial_result_t;

enum {
    SAML_TRIAL_ATTRIBUTES,
    SAML_TRIAL_CHECKS,
    SAML_TRIAL_GROUPS,
    SAML_TRIAL_NAME_ID,
    SAML_TRIAL_REASON,
    SAML_TRIAL_VALID,
};

typedef enum {
    SSO_EVENT_LOGIN,
    SSO_EVENT_LOGOUT,
    SSO_EVENT_REFRESH,     /* of metadata */
    SSO_EVENT_CERTIFICATE, /* learned, added or retired */
    SSO_EVENT_KINDS,
} sso_event_kind_t;

extern const char *const sso_event_kind_words[SSO_EVENT_KINDS + 1];

typedef struct {
    presence_t fields;
    char id[UUID_SIZE]; /* what the browser's page shows */
    int64_t at;
    char client[IPNET_TEXT_SIZE];
    char detail[256 + 1];
    int kind;                                  /* sso_event_kind_t */
    char name_id[TEXT_SIZE(SAML_NAME_ID_MAX)]; /* of a success alone: nobody vouches for others */
    int reason;                                /* saml_reason_t */
    bool succeeded;
} sso_event_t;

enum {
    SSO_EVENT_ID,
    SSO_EVENT_AT,
    SSO_EVENT_CLIENT,
    SSO_EVENT_DETAIL,
    SSO_EVENT_KIND,
    SSO_EVENT_NAME_ID,
    SSO_EVENT_REASON,
    SSO_EVENT_SUCCEEDED,
};

typedef struct {
    presence_t fields;
    int64_t number;
    int64_t size;
    int reason; /* saml_reason_t: only those */
} sso_event_query_t;

enum { SSO_EVENT_QUERY_NUMBER, SSO_EVENT_QUERY_SIZE, SSO_EVENT_QUERY_REASON };

typedef struct {
    presence_t fields;
    int64_t number;
    int64_t size;
    char name_id[TEXT_SIZE(SAML_NAME_ID_MAX)]; /* only those of that person; not given: all */
} sso_session_query_t;

enum { SSO_SESSION_QUERY_NUMBER, SSO_SESSION_QUERY_SIZE, SSO_SESSION_QUERY_NAME_ID };

typedef struct {
    presence_t fields;
    char id[UUID_SIZE];
    char session_id[UUID_SIZE];
} sso_session_path_t;

extern const schema_t sso_path_schema, sso_login_query_schema, sso_logged_out_query_schema,
    sso_head_schema, sso_logout_head_schema, saml_form_schema, sso_session_schema,
    sso_logout_schema, idp_certificate_schema, idp_certificate_path_schema, saml_trial_schema,
    saml_check_schema, saml_trial_result_schema, sso_event_schema, sso_event_query_schema,
    sso_session_query_schema, sso_session_path_schema;

#endif
