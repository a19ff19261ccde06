/* Handlers of FQDNs; but for lists, the same in both spellings. Must never: log, or write SQL.
 * Next: fqdn_store.h. */
#ifndef LK_SERVICES_FQDN_AUTH_FQDN_OPS_H
#define LK_SERVICES_FQDN_AUTH_FQDN_OPS_H

#include "services/common/call.h"

bool fqdn_v1_list_is_slow(const call_t *call);
bool fqdn_v2_list_is_slow(const call_t *call);

void fqdn_v1_list(call_t *call, store_t *reader);
void fqdn_v2_list(call_t *call, store_t *reader);
void fqdn_read(call_t *call, store_t *reader);
void fqdn_create(call_t *call, store_t *writer);
void fqdn_change(call_t *call, store_t *writer);
void fqdn_delete(call_t *call, store_t *writer);

#endif
