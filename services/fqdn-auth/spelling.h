/* One stored connection, two spellings: between what is stored and the records of v1 and v2. No
 * rules here, and no store. */
#ifndef LK_SERVICES_FQDN_AUTH_SPELLING_H
#define LK_SERVICES_FQDN_AUTH_SPELLING_H

#include "services/common/verdict.h"
#include "services/fqdn-auth/connection_store.h"

/* What a v1 body gives, as v2 spells it. */
void spelling_of_v1(const connection_v1_t *body, connection_v2_t *out);

/* What a v2 body gives of the authentication. False: nothing. */
bool spelling_auth_of_v2(const connection_v2_t *body, fqdn_auth_t *out);

/* A connection that nothing has been given for. */
void spelling_begin(stored_connection_t *out);

/* Takes over what is given, but for the authentication; merges inside inbound and outbound. The
 * verdict is INVALID if these grow too large. */
status_t spelling_apply(const connection_v2_t *given, stored_connection_t *connection,
                        verdict_t *out, err_t *err) MUST_CHECK;

/* How answers show it. auth: NULL if it has none. */
void spelling_show_v1(const stored_connection_t *connection, const fqdn_auth_t *auth,
                      connection_v1_t *out);
void spelling_show_v2(stored_connection_t *connection, const fqdn_auth_t *auth);

#endif
