/* Handlers of authentication methods: list, read, create, delete; change and rotate are in
 * method_change. Must never: log, write SQL, or hash inside `write`. Next: find.h,
 * method_store.h, ranges.h. */
#ifndef LK_SERVICES_TRUNK_AUTH_METHOD_OPS_H
#define LK_SERVICES_TRUNK_AUTH_METHOD_OPS_H

#include "services/common/call.h"

/* Lists without a limit. */
bool method_list_is_slow(const call_t *call);
void method_list(call_t *call, store_t *reader);

void method_read(call_t *call, store_t *reader);

/* What has a password to hash. */
bool method_create_is_slow(const call_t *call);
void method_create_prepare(call_t *call, store_t *reader);
void method_create(call_t *call, store_t *writer);

void method_delete(call_t *call, store_t *writer);

#endif
