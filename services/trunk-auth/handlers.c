#include "services/trunk-auth/handlers.h"

#include "proto/trunk_auth.h"
#include "services/common/sip/ops.h"
#include "services/trunk-auth/method_change.h"
#include "services/trunk-auth/method_ops.h"
#include "services/trunk-auth/sip_family.h"
#include "services/trunk-auth/sql.h"
#include "services/trunk-auth/trunk_ops.h"

static const handler_t handlers[] = {
    [TRUNK_LIST] = {.is_slow = trunk_list_is_slow, .read = trunk_list},
    [TRUNK_CREATE] = {.write = trunk_create},
    [TRUNK_READ] = {.read = trunk_read},
    [TRUNK_REPLACE] = {.write = trunk_replace},
    [TRUNK_DELETE] = {.write = trunk_delete},
    [METHOD_LIST] = {.is_slow = method_list_is_slow, .read = method_list},
    [METHOD_CREATE] = {.is_slow = method_create_is_slow,
                       .prepare = method_create_prepare,
                       .write = method_create},
    [METHOD_READ] = {.read = method_read},
    [METHOD_CHANGE] = {.is_slow = method_change_is_slow,
                       .prepare = method_change_prepare,
                       .write = method_change},
    [METHOD_DELETE] = {.write = method_delete},
    [METHOD_ROTATE] = {.is_slow = method_rotate_is_slow,
                       .prepare = method_rotate_prepare,
                       .write = method_rotate},
    SIP_HANDLERS(TRUNK_SIP),
};
_Static_assert(ARRAY_LEN(handlers) == TRUNK_AUTH_OPERATIONS, "every operation has a handler");

static const sealed_table_t sealed[] = {
    {SQL_DIGEST_STALE, SQL_DIGEST_RENEW, reseal_bind_place},
};

const worker_spec_t trunk_auth_spec = {
    .contract = &trunk_auth_service,
    .handlers = handlers,
    .handler_count = ARRAY_LEN(handlers),
    .store = &trunk_auth_store,
    .sealed = sealed,
    .sealed_count = ARRAY_LEN(sealed),
    .sip = &trunk_sip_family,
};
