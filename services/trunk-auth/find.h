/* What the path of a request names, as far as its principal may see it. */
#ifndef LK_SERVICES_TRUNK_AUTH_FIND_H
#define LK_SERVICES_TRUNK_AUTH_FIND_H

#include "services/common/verdict.h"
#include "services/trunk-auth/method_store.h"

/* Whether the trunk is there for this principal: else the verdict is UNKNOWN. */
status_t find_trunk(const call_t *call, store_t *store, const char *uuid, verdict_t *out,
                    err_t *err) MUST_CHECK;

/* The method that the call's path names, if it is there for this principal: else the verdict is
 * UNKNOWN. out_trunk_uuid: the folded one. */
status_t find_method(const call_t *call, store_t *store, char out_trunk_uuid[UUID_SIZE],
                     stored_method_t *out_method, verdict_t *out, err_t *err) MUST_CHECK;

#endif
