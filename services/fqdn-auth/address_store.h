/* The addresses that FQDNs lead to, in the store. Knows nothing of DNS. Next: sql.c. */
#ifndef LK_SERVICES_FQDN_AUTH_ADDRESS_STORE_H
#define LK_SERVICES_FQDN_AUTH_ADDRESS_STORE_H

#include "services/common/store.h"
#include "services/fqdn-auth/finding.h"
#include "services/fqdn-auth/names.h"

/* The names of active connections' FQDNs, all due at once. *out_all: there was room for all. The
 * caller clears *out. */
status_t address_store_names(store_t *store, int64_t now_ms, names_t *out, bool *out_all,
                             err_t *err) MUST_CHECK;

/* Up to `most` names that addresses are kept of, and that are FQDNs no more. The caller clears
 * *out.
 */
status_t address_store_orphans(store_t *store, int64_t most, names_t *out, err_t *err) MUST_CHECK;

/* What is known of a name, in finding.h's order. */
status_t address_store_load(store_t *store, const char *fqdn, bool srv, knowledge_t *out,
                            err_t *err) MUST_CHECK;

/* ---- In a write transaction ---- */

/* Nothing is kept of a name that no FQDN has any more. */
status_t address_store_replace(store_t *store, const char *fqdn, bool srv, const knowledge_t *known,
                               err_t *err) MUST_CHECK;
/* Drops all of a name, unless it is an FQDN again. */
status_t address_store_forget(store_t *store, const char *fqdn, bool srv, err_t *err) MUST_CHECK;

#endif
