/* A connection with all that belongs to it, as answers show it. */
#ifndef LK_SERVICES_FQDN_AUTH_LOADED_H
#define LK_SERVICES_FQDN_AUTH_LOADED_H

#include "services/common/verdict.h"
#include "services/fqdn-auth/connection_store.h"

/* The most FQDNs that a connection may have: a page of connections with theirs fits a message. */
enum { FQDNS_MAX = 100 };

typedef struct {
    stored_connection_t connection;
    fqdn_auth_t auth; /* if connection.has_auth */
} loaded_t;

/* Loads the authentication of loaded->connection, if it has one. */
status_t loaded_auth(store_t *store, loaded_t *loaded, err_t *err) MUST_CHECK;

/* The v1 record, with the authentication and the FQDNs if these are wanted; free with
 * loaded_free_v1. */
status_t loaded_show_v1(store_t *store, const loaded_t *loaded, bool with_auth, bool with_fqdns,
                        connection_v1_t *out, err_t *err) MUST_CHECK;
void loaded_free_v1(connection_v1_t *shown);
/* The v2 record, which is the connection's own. */
const connection_v2_t *loaded_show_v2(loaded_t *loaded);

#endif
