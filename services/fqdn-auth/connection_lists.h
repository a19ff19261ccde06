/* Handlers of lists of connections, in both spellings. Must never: log, or write SQL.
 * Next: connection_store.h. */
#ifndef LK_SERVICES_FQDN_AUTH_CONNECTION_LISTS_H
#define LK_SERVICES_FQDN_AUTH_CONNECTION_LISTS_H

#include "services/common/call.h"

/* What is long or has to be searched for. What turns out to be long defers itself. */
bool connection_v1_list_is_slow(const call_t *call);
bool connection_v2_list_is_slow(const call_t *call);

void connection_v1_list(call_t *call, store_t *reader);
void connection_v2_list(call_t *call, store_t *reader);

/* The most rows that the link thread takes the time for. */
enum { QUICK_ROWS_MAX = 100 };

#endif
