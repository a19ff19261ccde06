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

/* Ends a write: answers the provider if status is OK, says what stood against it if the short name
 * is taken or idp_certificate is none (STATUS_INVALID), else fails. */
void provider_finish(call_t *call, provider_t *provider, status_t status, bool taken,
                     const err_t *err);

#endif
