/* What passes between us and a browser: cookies, what it accepts, pages.
 *
 * Cookies are __Host- and Secure, unless LK_PUBLIC_URL is http on loopback; then they have plain
 * names. The login's cookie must come along when the identity provider's page posts to us from its
 * own site: SameSite=None with TLS. Without, no browser takes that: it says nothing, and Chromium
 * then lets a cookie of less than two minutes come along. The session's is Lax, so that no other
 * site's form logs anybody out. */
#ifndef LK_AUTH_PROVIDER_SSO_BROWSER_H
#define LK_AUTH_PROVIDER_SSO_BROWSER_H

#include "services/auth-provider/sso/login_store.h"
#include "services/common/call.h"

typedef enum { COOKIE_LOGIN, COOKIE_SESSION } cookie_t;

/* The cookie's value in the request; false: none of a good form (SSO_TOKEN_SIZE), or several. */
bool browser_cookie(const call_t *call, cookie_t cookie, char out[SSO_TOKEN_SIZE]);
/* Before any answer: sets it, the login's for as long as a request waits, the session's until the
 * browser closes; value "": takes it away. */
void browser_set_cookie(call_t *call, cookie_t cookie, const char *value);
/* Before any answer: takes the session's cookie away, if it came along. What another site's form
 * posts comes without it, and is not to log anybody out. */
void browser_take_session(call_t *call);

/* Whether Accept asks for a page: it names text/html. */
bool browser_wants_page(const call_t *call);

/* The token of the session: in Authorization if that is Bearer, else in the cookie. */
bool browser_token(const call_t *call, char out[SSO_TOKEN_SIZE]);

/* A page: title, a sentence, and what else (markup that is ours, with values by markup_value;
 * NULL). Nothing in it needs a script; its style is the one that SSO_POLICY admits. */
void browser_page(call_t *call, outcome_t outcome, const char *title, const char *sentence,
                  const char *more);

/* Not done: the page, or JSON, as the client accepts it, says so. */
void browser_refuse(call_t *call, outcome_t outcome, const char *title, const char *sentence);

void browser_refuse_unknown(call_t *call);  /* no provider has that short name */
void browser_refuse_inactive(call_t *call); /* the provider is inactive */

/* A login or log-out failed: the same with the event's id and
 * nothing else of why. */
void browser_fail(call_t *call, outcome_t outcome, const char *title, const char *event_id);

/* Whether somebody can log in over the public URL. If not, the call has been failed. */
bool browser_may_log_in(call_t *call);

#endif
