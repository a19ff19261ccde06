/* Pages that show something: browser.h makes them. */
#ifndef LK_AUTH_PROVIDER_SSO_PAGES_H
#define LK_AUTH_PROVIDER_SSO_PAGES_H

#include "proto/sso.h"
#include "services/common/call.h"

/* Who is logged in, with a form that logs them out: POST /sso/logout. It needs no token against
 * forgery, since the session's cookie is SameSite=Lax: no browser sends it along with another
 * site's POST. */
void page_session(call_t *call, const sso_session_t *session);

#endif
