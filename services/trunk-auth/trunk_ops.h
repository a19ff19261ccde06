/* Handlers of trunks. Must never: log, or write SQL. Next: trunk_store.h. */
#ifndef LK_SERVICES_TRUNK_AUTH_TRUNK_OPS_H
#define LK_SERVICES_TRUNK_AUTH_TRUNK_OPS_H

#include "services/common/call.h"

/* Lists without a limit. An answer shows LIST_ROWS_MAX trunks, and as many methods of all of them
 * together. What else turns out to be long defers itself. */
bool trunk_list_is_slow(const call_t *call);

void trunk_list(call_t *call, store_t *reader);
void trunk_read(call_t *call, store_t *reader);
void trunk_create(call_t *call, store_t *writer);
void trunk_replace(call_t *call, store_t *writer);
void trunk_delete(call_t *call, store_t *writer);

#endif
