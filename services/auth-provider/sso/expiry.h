/* Requests, used assertions and sessions go when they are of no use any more. */
#ifndef LK_AUTH_PROVIDER_SSO_EXPIRY_H
#define LK_AUTH_PROVIDER_SSO_EXPIRY_H

#include "services/common/chores.h"

enum { EXPIRY_BATCH = 250 }; /* of each kind, in one transaction */

/* Holds nothing of its own. */
chore_t expiry_chore(void);

#endif
