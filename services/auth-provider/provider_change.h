/* Changing authentication providers: what is given takes the place of what is stored, inside
 * settings too. */
#ifndef LK_SERVICES_AUTH_PROVIDER_PROVIDER_CHANGE_H
#define LK_SERVICES_AUTH_PROVIDER_PROVIDER_CHANGE_H

#include "services/common/call.h"

/* Waits when the settings may have to be fetched: whether settings_url is new is looked up there.
 */
bool provider_change_waits(const call_t *call);
void provider_change_prepare(call_t *call, store_t *reader);
void provider_change(call_t *call, store_t *writer);

#endif
