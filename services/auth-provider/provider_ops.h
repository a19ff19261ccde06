/* Listing, reading, making and deleting authentication providers. Next: provider_change.h. */
#ifndef LK_SERVICES_AUTH_PROVIDER_PROVIDER_OPS_H
#define LK_SERVICES_AUTH_PROVIDER_PROVIDER_OPS_H

#include "proto/auth_provider.h"
#include "services/common/verdict.h"

void provider_list(call_t *call, store_t *reader);
void provider_read(call_t *call, store_t *reader);
void provider_delete(call_t *call, store_t *writer);

/* Waits when the settings are to be fetched. */
bool provider_create_waits(const call_t *call);
void provider_create_prepare(call_t *call, store_t *reader);
void provider_create(call_t *call, store_t *writer);

/* ---- shared with provider_change ---- */

/* The provider that the call's path names, if it is there for this principal: else the verdict is
 * UNKNOWN. */
status_t provider_find(const call_t *call, store_t *store, provider_t *out_provider, verdict_t *out,
                       err_t *err) MUST_CHECK;

/* Answers the provider, with what answers show beside what is stored. */
void provider_answer(call_t *call, provider_t *provider);

/* Before a write: says all that stands against the provider as it is to be. */
status_t provider_judge(store_t *writer, provider_t *provider, verdict_t *out, err_t *err)
    MUST_CHECK;

/* Ends a write: answers the provider if status is OK, says so if the short name is taken after all,
 * else fails. */
void provider_finish(call_t *call, store_t *writer, provider_t *provider, status_t status,
                     bool taken, err_t *err);

/* Ends a `prepare` that came to nothing: says too if the body's short name is taken, by another
 * than own_id, so that the client sees every fault at once. */
void provider_note_taken(call_t *call, store_t *reader, const char *own_id);

#endif
