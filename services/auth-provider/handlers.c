#include "services/auth-provider/handlers.h"

#include "proto/auth_provider.h"
#include "services/auth-provider/provider_change.h"
#include "services/auth-provider/provider_ops.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sql.h"
#include "services/auth-provider/sso/logout.h"
#include "services/auth-provider/sso/ops.h"
#include "services/auth-provider/work.h"

static const handler_t handlers[] = {
    [PROVIDER_LIST] = {.read = provider_list},
    [PROVIDER_CREATE] = {.waits = provider_create_waits,
                         .prepare = provider_create_prepare,
                         .write = provider_create},
    [PROVIDER_READ] = {.read = provider_read},
    [PROVIDER_CHANGE] = {.waits = provider_change_waits,
                         .prepare = provider_change_prepare,
                         .write = provider_change},
    [PROVIDER_DELETE] = {.write = provider_delete},
    [CERTIFICATE_LIST] = {.read = certificate_list},
    [CERTIFICATE_ADD] = {.write = certificate_add},
    [CERTIFICATE_RETIRE] = {.write = certificate_retire},
    [PROVIDER_REFRESH] = {.waits = provider_refresh_waits,
                          .prepare = provider_refresh_prepare,
                          .write = provider_refresh},
    [PROVIDER_VALIDATE] = {.is_slow = provider_validate_is_slow, .read = provider_validate},
    [PROVIDER_EVENTS] = {.read = provider_events},
    [PROVIDER_SESSIONS] = {.is_slow = provider_sessions_is_slow, .read = provider_sessions},
    [PROVIDER_SESSION_END] = {.write = provider_session_end},
    [SSO_METADATA] = {.read = sso_metadata},
    [SSO_LOGIN] = {.is_slow = sso_login_is_slow, .prepare = sso_login_prepare, .write = sso_login},
    [SSO_CONSUME] = {.is_slow = sso_consume_is_slow,
                     .prepare = sso_consume_prepare,
                     .write = sso_consume},
    [SSO_SESSION_READ] = {.read = sso_session_read},
    [SSO_SESSION_END] = {.is_slow = logout_is_slow,
                         .prepare = logout_prepare,
                         .write = sso_session_end},
    [SSO_LOGOUT] = {.is_slow = logout_is_slow, .prepare = logout_prepare, .write = sso_logout},
    [SSO_LOGOUT_MESSAGE] = {.is_slow = sso_logout_message_is_slow,
                            .prepare = sso_logout_message_prepare,
                            .write = sso_logout_message},
    [SSO_LOGGED_OUT] = {.read = sso_logged_out},
};
_Static_assert(ARRAY_LEN(handlers) == AUTH_PROVIDER_OPERATIONS, "every operation has a handler");

const worker_spec_t auth_provider_spec = {
    .contract = &auth_provider_service,
    .handlers = handlers,
    .handler_count = ARRAY_LEN(handlers),
    .store = &auth_provider_store,
    .settings = setup_rows,
    .setting_count = SETUP_ROWS,
    .settings_size = sizeof(setup_t),
    .check_settings = setup_check,
    .open = setup_open,
    .close = setup_close,
    .begin = work_begin,
    .end = work_end,
    .descriptors = WORK_DESCRIPTORS,
};
