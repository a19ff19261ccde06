/* Logins in the store: requests that wait for an answer, assertions that were used, sessions. All
 * of a login happens in the one transaction of its write, so that whatever arrives twice, on
 * whatever replica, succeeds once.
 *
 * Tokens and browser secrets are kept as BLAKE2b hashes: who reads the database can't use them.
 * Statuses are those of query_step. */
#ifndef LK_AUTH_PROVIDER_SSO_LOGIN_STORE_H
#define LK_AUTH_PROVIDER_SSO_LOGIN_STORE_H

#include "services/auth-provider/saml/verify.h"
#include "services/common/store.h"

enum {
    LOGIN_HASH_SIZE = 32,
    LOGIN_REQUEST_MS = 10 * 60 * 1000, /* how long a login may take */
    LOGIN_RELAY_SIZE = 43 + 1,
    LOGIN_REQUESTS_MAX = 100 * 1000, /* of a provider; the oldest go */
};

typedef enum { REQUEST_LOGIN, REQUEST_LOGOUT } request_kind_t;

/* An AuthnRequest on its way, or a LogoutRequest of ours. */
typedef struct {
    request_kind_t kind;
    char id[SAML_ID_MAX + 1]; /* '_' and 40 hexadecimal digits */
    char provider_id[UUID_SIZE];
    char relay_state[LOGIN_RELAY_SIZE];
    uint8_t browser[LOGIN_HASH_SIZE];      /* of the login cookie's value; not looked at later for
                                              a log-out */
    char return_to[SSO_RETURN_TO_MAX + 1]; /* "": the page of the session */
    int64_t expires_utc_ms;
} login_request_t;

/* Of a secret that a browser or a program holds. */
void login_hash(const char *secret, size_t length, uint8_t out[LOGIN_HASH_SIZE]);
/* A fresh secret: 32 random bytes in base64url. */
void login_secret(char out[SSO_TOKEN_SIZE]);

status_t login_store_ask(store_t *writer, const login_request_t *request, err_t *err) MUST_CHECK;

/* What is presented as the answer to a request. */
typedef struct {
    request_kind_t kind;
    const char *provider_id;
    const char *id; /* InResponseTo */
    const char *relay_state;
    const uint8_t
        *browser; /* hash of the login cookie; NULL: none came. Of a log-out: not looked at */
} login_answer_t;

/* Finds the request, and judges: *out_reason: SAML_NONE, or which of REQUEST_UNKNOWN, _EXPIRED,
 * _USED, BROWSER_MISMATCH, RELAY_STATE_MISMATCH; *out is of no use then. Changes nothing. */
status_t login_store_find(store_t *store, const login_answer_t *answer, int64_t now_utc_ms,
                          login_request_t *out, saml_reason_t *out_reason, err_t *err) MUST_CHECK;
/* Takes what was found in the same transaction: once. */
status_t login_store_spend(store_t *writer, const login_request_t *request, int64_t now_utc_ms,
                           err_t *err) MUST_CHECK;

/* Remembers an assertion until then. *out_reason: SAML_NONE, or ASSERTION_REPLAYED. */
status_t login_store_use(store_t *writer, const char *short_name, const char *assertion_id,
                         int64_t until_utc_ms, saml_reason_t *out_reason, err_t *err) MUST_CHECK;

/* The same, without doing so. */
status_t login_store_look(store_t *store, const char *short_name, const char *assertion_id,
                          saml_reason_t *out_reason, err_t *err) MUST_CHECK;

/* What a session holds beyond what it shows; for logging out. */
typedef struct {
    sso_session_t shown;
    char name_qualifier[TEXT_SIZE(255)], sp_name_qualifier[TEXT_SIZE(255)];
    char session_index[SAML_ID_MAX + 1];
    int64_t created_utc_ms;
} login_session_t;

/* STATUS_UNKNOWN: its provider is inactive or gone. What shows whose the provider is, is not
 * stored. */
status_t login_store_begin(store_t *writer, const login_session_t *session,
                           const uint8_t token[LOGIN_HASH_SIZE], err_t *err) MUST_CHECK;
/* STATUS_UNKNOWN: no such token, or it has expired, or its provider is inactive or gone. */
status_t login_store_seek(store_t *store, const uint8_t token[LOGIN_HASH_SIZE], int64_t now_utc_ms,
                          login_session_t *out, err_t *err) MUST_CHECK;
/* The same, by the session's id, among those of one provider. */
status_t login_store_show(store_t *store, const char *provider_id, const char *session_id,
                          int64_t now_utc_ms, login_session_t *out, err_t *err) MUST_CHECK;

/* A provider's sessions that hold now, the latest first: how many, and one page of them. name_id:
 * only of that person; "": of all. Goes through all of the provider's sessions. */
status_t login_store_total(store_t *store, const char *provider_id, const char *name_id,
                           int64_t now_utc_ms, int64_t *out, err_t *err) MUST_CHECK;
/* number: from 1. To be ended by query_end. */
query_t *login_store_page(store_t *store, const char *provider_id, const char *name_id,
                          int64_t now_utc_ms, int64_t number, int64_t size);
/* The row that the page stands on. */
status_t login_store_read(query_t *page, login_session_t *out, err_t *err) MUST_CHECK;

/* STATUS_UNKNOWN: there was none. */
status_t login_store_end(store_t *writer, const char *session_id, err_t *err) MUST_CHECK;
/* A name identifier with all that makes it one person's (Core 2.2.2, 3.3.4); "" where it does not
 * say. Borrowed. */
typedef struct {
    const char *name_id, *format, *name_qualifier, *sp_name_qualifier;
    const char *idp_entity_id, *sp_entity_id; /* what a qualifier is that is not there */
} login_name_t;

/* Ends those of one person: of all of session_index, or, with "", all. All is compared byte by
 * byte, but a format that is unspecified, or missing, is any: who should be logged out must not
 * stay in because one of two messages was less exact. *out_count (may be NULL). */
status_t login_store_end_named(store_t *writer, const char *provider_id, const login_name_t *name,
                               const char *session_index, int64_t *out_count, err_t *err)
    MUST_CHECK;
/* Ends all of a provider: it was made inactive, or its trust has changed. One row is written,
 * however many they are. */
status_t login_store_end_all(store_t *writer, const char *provider_id, err_t *err) MUST_CHECK;

/* Whether any is of no use any more: */
status_t login_store_any_expired(store_t *store, int64_t now_utc_ms, bool *out, err_t *err)
    MUST_CHECK;
/* Removes up to `most` of each kind that are of no use any more. *out_more: some are left. */
status_t login_store_expire(store_t *writer, int64_t now_utc_ms, int64_t most, bool *out_more,
                            err_t *err) MUST_CHECK;

#endif
