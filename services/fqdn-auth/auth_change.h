/* The rules on a connection's authentication, the same however a request spells it: what it would
 * be, what stands against that, and making it so. Next: auth_store.h. */
#ifndef LK_SERVICES_FQDN_AUTH_AUTH_CHANGE_H
#define LK_SERVICES_FQDN_AUTH_AUTH_CHANGE_H

#include "services/common/verdict.h"
#include "services/fqdn-auth/auth_store.h"

/* Where a request's body has the fields that may be at fault. */
typedef struct {
    const char *user_name, *password, *tech_prefix, *token;
} auth_places_t;

extern const auth_places_t auth_places_own;      /* /fqdn_authentication */
extern const auth_places_t auth_places_outbound; /* a v2 connection's outbound */

typedef enum {
    AUTH_SET,    /* in place of any there is; what is not given takes its default */
    AUTH_CHANGE, /* what is given of the one there is: UNKNOWN if there is none */
    AUTH_MAKE,   /* the same, but made if there is none and it is not to be what none looks like */
} auth_mode_t;

typedef struct {
    auth_mode_t mode;
    const fqdn_auth_t *given;
    const auth_places_t *places;
} auth_change_t;

/* What comes of a change. */
typedef struct {
    fqdn_auth_t after; /* without secrets; its password and token as being there */
    bool changes;      /* anything at all */
    bool replaces;     /* or adds: else it changes the row that is there */
    bool has_token;    /* a new one */
    token_t token;
} auth_plan_t;

/* In `prepare` (to spare the hash of a request that is refused) and again in the transaction.
 * connection_id: of a connection that the principal may change. Adds to the faults of *out. */
status_t auth_plan(const call_t *call, store_t *store, const char *connection_id,
                   const auth_change_t *change, auth_plan_t *out_plan, verdict_t *out, err_t *err)
    MUST_CHECK;

/* In the transaction, with a plan that passes; nothing if it changes nothing. credentials: of a new
 * password, or NULL. The verdict is CONFLICT if a constraint stands against it after all. */
status_t auth_apply(const call_t *call, store_t *store, auth_plan_t *plan,
                    const auth_places_t *places, const credentials_t *credentials, verdict_t *out,
                    err_t *err) MUST_CHECK;

#endif
