/* A provider, a request on its way, and what a verified Response says: what login_commit is given.
 * Tests change what they like of it. */
#ifndef LK_TESTS_SUPPORT_LOGIN_DESK_H
#define LK_TESTS_SUPPORT_LOGIN_DESK_H

#include "services/auth-provider/sso/login.h"
#include "tests/support/issuer.h"
#include "tests/support/provider_desk.h"

#define LOGIN_NAME "ann@example.org"

typedef struct {
    desk_t desk;
    char provider_id[UUID_SIZE];
    issued_t issued; /* who signs; only the provider's fingerprint knows it */
    trust_t trust;
    saml_claims_t claims;
    uint8_t browser[LOGIN_HASH_SIZE];
    login_request_t request; /* stored */
    login_t login;           /* points into this struct */
    login_result_t result;   /* of the latest commit */
} login_desk_t;

/* *desk must not move. Aborts on failure. */
void login_desk_open(login_desk_t *desk);
void login_desk_close(login_desk_t *desk);

/* Another request, which the claims then answer, with another assertion. */
void login_desk_ask(login_desk_t *desk);

/* Runs login_commit in a transaction, which is kept unless it fails. The store's status is in
 * desk.status. SAML_REASON_COUNT: it has failed. */
saml_reason_t login_desk_commit(login_desk_t *desk);

/* Whether the latest commit's token is good now. */
bool login_desk_is_in(login_desk_t *desk);

/* A change of the provider, as a client asks for it. */
void login_desk_change(login_desk_t *desk, const char *body);

#endif
