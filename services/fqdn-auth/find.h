/* What a request names, as far as its principal may see it. */
#ifndef LK_SERVICES_FQDN_AUTH_FIND_H
#define LK_SERVICES_FQDN_AUTH_FIND_H

#include "services/common/verdict.h"
#include "services/fqdn-auth/connection_store.h"
#include "services/fqdn-auth/fqdn_store.h"

/* Each: the verdict is UNKNOWN, and out of no use, unless it is there for this principal. */

/* id: of any case. */
status_t find_connection(const call_t *call, store_t *store, const char *id,
                         stored_connection_t *out_connection, verdict_t *out, err_t *err)
    MUST_CHECK;
/* The connection that the call's path names. */
status_t find_path_connection(const call_t *call, store_t *store,
                              stored_connection_t *out_connection, verdict_t *out, err_t *err)
    MUST_CHECK;
/* The FQDN that the call's path names. */
status_t find_path_fqdn(const call_t *call, store_t *store, stored_fqdn_t *out_fqdn, verdict_t *out,
                        err_t *err) MUST_CHECK;

#endif
