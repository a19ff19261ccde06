/* Two providers with log-out, sessions of theirs, and messages that an identity provider signs. */
#ifndef LK_TESTS_SUPPORT_LOGOUT_DESK_H
#define LK_TESTS_SUPPORT_LOGOUT_DESK_H

#include "services/auth-provider/saml/sign.h"
#include "services/auth-provider/sso/login_store.h"
#include "tests/support/issuer.h"
#include "tests/support/provider_desk.h"

#define LOGOUT_SLO         "https://idp.example/slo?t=1"
#define LOGOUT_DESTINATION "https://lk.example/sso/saml/logout/myorg"

typedef struct {
    desk_t desk;
    char provider_id[UUID_SIZE], other_id[UUID_SIZE]; /* "myorg", "other" */
    const issued_t *issued, *foreign; /* whose certificate "myorg" has; and "other" */
    signer_t *idp, *stranger;         /* that sign with their keys */
    char head[3 * SSO_QUERY_MAX];
} logout_desk_t;

/* Abort on failure. */
void logout_desk_open(logout_desk_t *f);
void logout_desk_close(logout_desk_t *f);

/* A session, with a token of 43 times this letter. Members of `name` may be "". */
void logout_desk_begin(logout_desk_t *f, const char *provider_id, char letter,
                       const login_name_t *name, const char *session_index);
/* Of "ann", session index "_s1", at "myorg". */
void logout_desk_ann(logout_desk_t *f, char letter);

/* Asks as a browser with that session's cookie; '\0': without. */
outcome_t logout_desk_ask(logout_desk_t *f, unsigned operation, char letter);

/* Brings a message to "myorg" (or name); signer NULL: unsigned; relay_state NULL: none. */
outcome_t logout_desk_send(logout_desk_t *f, const char *name, bool is_request, const char *xml,
                           const char *relay_state, const signer_t *signer);

/* A LogoutRequest of that ID: what stands in it besides. */
const char *logout_desk_request(const logout_desk_t *f, const char *id, const char *inside);

/* Sessions that there are. */
int64_t logout_desk_sessions(const logout_desk_t *f);

/* The latest event's reason; "": it was a success. Valid until the next call. */
const char *logout_desk_reason(const logout_desk_t *f);

/* The message in a URL, inflated (not verified). Valid until the next call. */
const char *logout_desk_message(const char *url);

#endif
