/* Who asks, and may they? From a request's credential headers to an API key.
 *
 * Must never: say whether a key is unknown, expired or revoked. Next: handler.h. */
#ifndef LK_GATEWAY_ACCESS_H
#define LK_GATEWAY_ACCESS_H

#include "gateway/http.h"
#include "gateway/keys.h"
#include "proto/envelope.h"

/* Reads the key from "Authorization: Bearer KEY", "Token KEY" or "Basic" (any user, the key as the
 * password, RFC 7617), "x-api-token" or "X-Auth-Password". OUTCOME_OK, or OUTCOME_UNAUTHENTICATED
 * for none, several that differ, or one that is not live. */
outcome_t access_identify(key_cache_t *keys, const http_request_t *request, api_key_t *out);

#endif
