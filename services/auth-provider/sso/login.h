/* From a Response that was found good to a session: in the one transaction of the write, so that
 * whatever arrives twice, on whatever replica, logs in once; and so that nothing that has changed
 * since the Response was verified (the provider inactive, its trust withdrawn, the request
 * answered) is overlooked. docs/adr/0032.
 *
 * A login that is denied spends nothing, neither the request nor the assertion: who posts somebody
 * else's answer must not keep that person from logging in. It leaves an event. */
#ifndef LK_AUTH_PROVIDER_SSO_LOGIN_H
#define LK_AUTH_PROVIDER_SSO_LOGIN_H

#include "services/auth-provider/sso/login_store.h"
#include "services/auth-provider/sso/trust.h"

/* All borrowed. */
typedef struct {
    const trust_t *trust;        /* that the Response was verified by */
    const saml_claims_t *claims; /* of a verdict of SAML_NONE */
    const uint8_t *browser;      /* hash of the login cookie; NULL: none came */
    const char *relay_state;     /* "": none came */
    const char *client;          /* for the event; "" if it is not known */
    int64_t now_utc_ms;          /* of the write */
    int64_t session_ms;          /* how long a session lasts, unless the claims say less */
} login_t;

typedef struct {
    saml_reason_t reason;     /* SAML_NONE: logged in */
    char event_id[UUID_SIZE]; /* in any case */
    login_session_t session;  /* of a success, with all that answers show: `token` too */
    /* Where to go on, of the request; "": it said nothing, or nobody asked (then a RelayState that
     * is a local path may say so). */
    char return_to[SSO_RETURN_TO_MAX + 1];
} login_result_t;

/* STATUS_UNKNOWN: the provider is gone; err is not set then. On any failure all that was written is
 * to be undone. *out holds a secret: wipe it. */
status_t login_commit(store_t *writer, const login_t *login, login_result_t *out, err_t *err)
    MUST_CHECK;

/* Notes a login that was denied before. STATUS_UNKNOWN as login_commit. */
status_t login_deny(store_t *writer, const char *provider_id, saml_reason_t reason,
                    const char *detail, const char *client, int64_t now_utc_ms,
                    char out_event_id[UUID_SIZE], err_t *err) MUST_CHECK;

#endif
