/* Handlers of connections, but for their lists, in both spellings. Must never: log, or write SQL.
 * Next: spelling.h, auth_change.h. */
#ifndef LK_SERVICES_FQDN_AUTH_CONNECTION_OPS_H
#define LK_SERVICES_FQDN_AUTH_CONNECTION_OPS_H

#include "services/common/call.h"

void connection_v1_create(call_t *call, store_t *writer);
void connection_v1_read(call_t *call, store_t *reader);
void connection_v1_change(call_t *call, store_t *writer);
void connection_v1_delete(call_t *call, store_t *writer);

void connection_v2_create(call_t *call, store_t *writer);
void connection_v2_read(call_t *call, store_t *reader);
void connection_v2_change(call_t *call, store_t *writer);
void connection_v2_delete(call_t *call, store_t *writer);

#endif
