/* Handlers that change an authentication method: PATCH and rotate. Must never: log, write SQL, or
 * hash inside `write`. Next: find.h, method_store.h. */
#ifndef LK_SERVICES_TRUNK_AUTH_METHOD_CHANGE_H
#define LK_SERVICES_TRUNK_AUTH_METHOD_CHANGE_H

#include "services/common/call.h"

/* What has a password to hash. */
bool method_change_is_slow(const call_t *call);
void method_change_prepare(call_t *call, store_t *reader);
void method_change(call_t *call, store_t *writer);

bool method_rotate_is_slow(const call_t *call); /* always */
void method_rotate_prepare(call_t *call, store_t *reader);
void method_rotate(call_t *call, store_t *writer);

#endif
