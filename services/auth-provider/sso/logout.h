/* Ending one's own session: here at once, and at the identity provider by way of the browser, where
 * the provider has idp_slo_target_url and a certificate that its answer can be checked by.
 *
 * Both routes that log out do it by this: prepare, in the slow pool, looks the session up and signs
 * what is sent; commit, in the transaction, ends it. docs/adr/0034. */
#ifndef LK_AUTH_PROVIDER_SSO_LOGOUT_H
#define LK_AUTH_PROVIDER_SSO_LOGOUT_H

#include "services/auth-provider/sso/login_store.h"
#include "services/auth-provider/sso/trust.h"
#include "services/common/call.h"

enum { LOGOUT_URL_SIZE = SSO_QUERY_MAX + PROVIDER_URL_MAX + 1 };

/* handler_t.is_slow: always. */
bool logout_is_slow(const call_t *call);

/* handler_t.prepare. May fail the call. */
void logout_prepare(call_t *call, store_t *reader);

/* Ends the session and notes it. *out_url: where the browser goes on; "": nowhere. Borrowed until
 * the call's end. STATUS_UNKNOWN: there is no session; err is not set then, nor is anything
 * written. */
status_t logout_commit(const call_t *call, store_t *writer, const char **out_url, err_t *err)
    MUST_CHECK;

#endif
