/* Logging a browser out. Next: logout_message_op.c. */
#include "services/auth-provider/sso/browser.h"
#include "services/auth-provider/sso/logout.h"
#include "services/auth-provider/sso/ops.h"

/* Who is logged out already is shown the same. The path is relative, whatever stands before /sso.
 */
void sso_logout(call_t *call, store_t *writer)
{
    err_t err = {0};
    const char *url = "";
    status_t status = logout_commit(call, writer, &url, &err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN) {
        call_fail(call, &err);
        return;
    }
    browser_take_session(call);
    if (url[0] != '\0' && call_elsewhere(call, url) == STATUS_OK)
        return;
    if (!call->answered && call_elsewhere(call, "logged-out") != STATUS_OK)
        call_refuse(call, OUTCOME_INTERNAL, NULL);
}
