/* What passes between us and a browser: cookies, where to go on, pages.
 *
 * Cookies are __Host- and Secure, unless LK_PUBLIC_URL is http on loopback; then they have plain
 * names. The login's cookie must come along when the identity provider's page posts to us from its
 * own site: SameSite=None with TLS. The session's is Lax. */
#ifndef LK_AUTH_PROVIDER_SSO_BROWSER_H
#define LK_AUTH_PROVIDER_SSO_BROWSER_H

#include "services/auth-provider/sso/login_store.h"
#include "services/common/call.h"

typedef enum { COOKIE_LOGIN, COOKIE_SESSION } cookie_t;

/* The cookie's value in the request; false: none of a good form (SSO_TOKEN_SIZE), or several. */
bool browser_cookie(const call_t *call, cookie_t cookie, char out[SSO_TOKEN_SIZE]);
/* Sets it; value "": takes it away. */
void browser_set_cookie(call_t *call, cookie_t cookie, const char *value);

/* Whether Accept asks for a page: it names text/html. */
bool browser_wants_page(const call_t *call);

/* The token of the session: in Authorization, else in the cookie. */
bool browser_token(const call_t *call, char out[SSO_TOKEN_SIZE]);

/* Whether to go there after a login is to stay here: begins with one '/', then neither '/' nor
 * '\\'; printable ASCII without '\\'. */
bool browser_is_local(const char *path);

/* A page: title, a sentence, and what else (markup that is ours; NULL). Values in it are escaped by
 * whoever makes it, with browser_escape. No script, no style but the one that the dialect's
 * Content-Security-Policy allows. */
void browser_page(call_t *call, outcome_t outcome, const char *title, const char *sentence,
                  const char *more);
/* For text and attribute values. STATUS_TOO_LARGE. */
status_t browser_escape(const char *text, char *out, size_t size) MUST_CHECK;

/* A login or log-out failed: the page, or JSON, says so with the event's id and nothing else. */
void browser_fail(call_t *call, outcome_t outcome, const char *event_id);

#endif
