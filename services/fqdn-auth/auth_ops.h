/* Handlers of a connection's FQDN authentication, in both spellings. Must never: log, write SQL, or
 * hash inside a write. Next: auth_change.h. */
#ifndef LK_SERVICES_FQDN_AUTH_AUTH_OPS_H
#define LK_SERVICES_FQDN_AUTH_AUTH_OPS_H

#include "services/common/call.h"

void auth_read(call_t *call, store_t *reader);

/* What has a password to hash. */
bool auth_is_slow(const call_t *call);

void auth_set_prepare(call_t *call, store_t *reader);
void auth_set(call_t *call, store_t *writer);

void auth_change_prepare(call_t *call, store_t *reader);
void auth_change(call_t *call, store_t *writer);

void auth_remove(call_t *call, store_t *writer);

#endif
