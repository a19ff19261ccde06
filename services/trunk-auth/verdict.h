/* What a rule says of a request: go on, or how to refuse. Rules run twice for slow writes (before
 * the hash, and again in the transaction), so they don't answer the call themselves. */
#ifndef LK_SERVICES_TRUNK_AUTH_VERDICT_H
#define LK_SERVICES_TRUNK_AUTH_VERDICT_H

#include "services/common/call.h"
#include "services/trunk-auth/credentials.h"
#include "services/trunk-auth/method_store.h"

typedef struct {
    outcome_t outcome; /* OUTCOME_OK, which is zero: nothing stands against it */
    fault_code_t code;
    const char *where; /* field of the body, "/ip"; NULL: no field is at fault. Static */
    const char *message;
} verdict_t;

/* Whether the work can go on. If not, the call has been answered: failed when status is not OK,
 * else refused as the verdict says. */
bool verdict_passes(call_t *call, status_t status, const verdict_t *verdict, const err_t *err)
    MUST_CHECK;

/* Our identifiers are lower case; clients may send either. */
void fold_uuid(char out[UUID_SIZE], const char *uuid);

/* Whether the trunk is there for this principal: else the verdict is UNKNOWN. */
status_t find_trunk(const call_t *call, store_t *store, const char *uuid, verdict_t *out,
                    err_t *err) MUST_CHECK;

/* The method that the call's path names, if it is there for this principal: else the verdict is
 * UNKNOWN. out_trunk_uuid: the folded one. */
status_t find_method(const call_t *call, store_t *store, char out_trunk_uuid[UUID_SIZE],
                     stored_method_t *out_method, verdict_t *out, err_t *err) MUST_CHECK;

/* ---- What a slow write makes before its transaction, kept in call->state ---- */

/* Ends a `prepare`: hashes the password unless the verdict says that it would be in vain. A refusal
 * is left to `write`, which alone knows whether this request has been applied before. */
void prepared_keep(call_t *call, status_t status, const verdict_t *verdict, const err_t *err,
                   const char *method_uuid, const char *username, const char *password);

/* For `write`, once its own checks have passed: the credentials, or NULL; then the call has been
 * refused as it was to be when it was prepared. */
const credentials_t *prepared_take(call_t *call);

#endif
