/* What answers show of a provider beyond what is stored. */
#ifndef LK_SERVICES_AUTH_PROVIDER_PROVIDER_VIEW_H
#define LK_SERVICES_AUTH_PROVIDER_PROVIDER_VIEW_H

#include "common/status.h"
#include "proto/auth_provider.h"

/* Gives record_type, the URLs that are derived from ours and the short name, warnings, and null for
 * every field that holds nothing. */
void provider_view(provider_t *provider, const char *public_url, int64_t now_utc_ms);

/* Where identity providers send log-out messages to. STATUS_TOO_LARGE. */
status_t provider_logout_url(const char *short_name, const char *public_url,
                             char out[PROVIDER_DERIVED_MAX + 1]) MUST_CHECK;

#endif
