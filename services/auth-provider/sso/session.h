/* The session whose token a call brings, and its end: for everything that begins with a token. */
#ifndef LK_AUTH_PROVIDER_SSO_SESSION_H
#define LK_AUTH_PROVIDER_SSO_SESSION_H

#include "services/auth-provider/sso/login_store.h"
#include "services/common/call.h"

/* STATUS_UNKNOWN: no token came, or it is good for nothing (any more); err is not set then. Other
 * statuses are those of query_step. */
status_t session_find(const call_t *call, store_t *store, login_session_t *out, err_t *err)
    MUST_CHECK;

/* The answer to STATUS_UNKNOWN, the same whatever the reason is: 401. */
void session_refuse(call_t *call);

/* Ends it, and notes it. client: the address of the person who logged out; "": somebody else ended
 * it, as `detail` tells. */
status_t session_end(const call_t *call, store_t *writer, const login_session_t *session,
                     const char *client, const char *detail, err_t *err) MUST_CHECK;

#endif
