/* Authentications in the store. Knows nothing of requests: rules are auth_change's.
 *
 * err->where names what failed; statuses are those of query_step. Next: sql.c. */
#ifndef LK_SERVICES_FQDN_AUTH_AUTH_STORE_H
#define LK_SERVICES_FQDN_AUTH_AUTH_STORE_H

#include "services/common/credentials.h"
#include "services/fqdn-auth/sql.h"
#include "services/fqdn-auth/token.h"

/* What a connection's authentication is to be. */
typedef struct {
    fqdn_auth_t *shown; /* whether it has a password and a token, not these; all else as it is to
                           stand. Gets its times */
    const credentials_t *credentials; /* of a new password; NULL: it stays */
    const token_t *token;             /* a new one; NULL: it stays, unless shown has none */
    int64_t now_utc_ms;
} auth_row_t;

/* STATUS_UNKNOWN if the connection has none; err is not set then. Secrets only as being there. */
status_t auth_store_get(store_t *store, const char *connection_id, fqdn_auth_t *out, err_t *err)
    MUST_CHECK;

/* STATUS_CONFLICT: what must be unique is not; auth_store_taken tells what. */
status_t auth_store_add(store_t *store, const auth_row_t *row, err_t *err) MUST_CHECK;
/* The same for the row that is there. Digests of a user name that changed are gone. */
status_t auth_store_change(store_t *store, const auth_row_t *row, err_t *err) MUST_CHECK;

/* With its digests; none is none. */
status_t auth_store_drop(store_t *store, const char *connection_id, err_t *err) MUST_CHECK;

typedef struct {
    bool user_name, tech_prefix, token;
} auth_taken_t;

/* What of it another connection has now. Before the transaction it spares a hash; inside, it names
 * every field where a constraint would name the first, and alone decides on a token that was stored
 * under an older key. token may be NULL. */
status_t auth_store_taken(store_t *store, const fqdn_auth_t *auth, const token_t *token,
                          auth_taken_t *out, err_t *err) MUST_CHECK;

#endif
