#include "services/common/sip/ops.h"
#include "services/fqdn-auth/handlers.h"

#include "proto/fqdn_auth.h"
#include "services/fqdn-auth/auth_ops.h"
#include "services/fqdn-auth/connection_lists.h"
#include "services/fqdn-auth/connection_ops.h"
#include "services/fqdn-auth/fqdn_ops.h"
#include "services/fqdn-auth/resolving.h"
#include "services/fqdn-auth/setup.h"
#include "services/fqdn-auth/sip_family.h"
#include "services/fqdn-auth/sql.h"
#include "services/fqdn-auth/token.h"

static const handler_t handlers[] = {
    [CONNECTION_V1_LIST] = {.is_slow = connection_v1_list_is_slow, .read = connection_v1_list},
    [CONNECTION_V1_CREATE] = {.write = connection_v1_create},
    [CONNECTION_V1_READ] = {.read = connection_v1_read},
    [CONNECTION_V1_CHANGE] = {.write = connection_v1_change},
    [CONNECTION_V1_DELETE] = {.write = connection_v1_delete},
    [FQDN_AUTH_V1_SET] = {.is_slow = auth_is_slow, .prepare = auth_set_prepare, .write = auth_set},
    [FQDN_AUTH_V1_CHANGE] = {.is_slow = auth_is_slow,
                             .prepare = auth_change_prepare,
                             .write = auth_change},
    [FQDN_AUTH_V1_READ] = {.read = auth_read},
    [FQDN_AUTH_V1_REMOVE] = {.write = auth_remove},
    [FQDN_V1_LIST] = {.is_slow = fqdn_v1_list_is_slow, .read = fqdn_v1_list},
    [FQDN_V1_CREATE] = {.write = fqdn_create},
    [FQDN_V1_READ] = {.read = fqdn_read},
    [FQDN_V1_CHANGE] = {.write = fqdn_change},
    [FQDN_V1_DELETE] = {.write = fqdn_delete},
    [CONNECTION_V2_LIST] = {.is_slow = connection_v2_list_is_slow, .read = connection_v2_list},
    [CONNECTION_V2_CREATE] = {.write = connection_v2_create},
    [CONNECTION_V2_READ] = {.read = connection_v2_read},
    [CONNECTION_V2_CHANGE] = {.write = connection_v2_change},
    [CONNECTION_V2_DELETE] = {.write = connection_v2_delete},
    [FQDN_AUTH_V2_READ] = {.read = auth_read},
    [FQDN_AUTH_V2_CHANGE] = {.is_slow = auth_is_slow,
                             .prepare = auth_change_prepare,
                             .write = auth_change},
    [FQDN_V2_LIST] = {.is_slow = fqdn_v2_list_is_slow, .read = fqdn_v2_list},
    [FQDN_V2_CREATE] = {.write = fqdn_create},
    [FQDN_V2_READ] = {.read = fqdn_read},
    [FQDN_V2_CHANGE] = {.write = fqdn_change},
    [FQDN_V2_DELETE] = {.write = fqdn_delete},
    SIP_HANDLERS(CONNECTION_SIP),
};
_Static_assert(ARRAY_LEN(handlers) == FQDN_AUTH_OPERATIONS, "every operation has a handler");

static const sealed_table_t sealed[] = {
    {SQL_DIGEST_STALE, SQL_DIGEST_RENEW, reseal_bind_place},
    {SQL_TOKEN_STALE, SQL_TOKEN_RENEW, token_bind},
};

const worker_spec_t fqdn_auth_spec = {
    .contract = &fqdn_auth_service,
    .handlers = handlers,
    .handler_count = ARRAY_LEN(handlers),
    .store = &fqdn_auth_store,
    .sip = &connection_family,
    .settings = setup_rows,
    .setting_count = SETUP_ROWS,
    .settings_size = sizeof(setup_t),
    .check_settings = setup_check,
    .begin = resolving_begin,
    .end = resolving_end,
    .descriptors = RESOLVING_DESCRIPTORS,
    .sealed = sealed,
    .sealed_count = ARRAY_LEN(sealed),
};
