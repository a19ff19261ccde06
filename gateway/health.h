/* /healthz: the process lives. /readyz: every service has a live worker, and we are not stopping.
 */
#ifndef LK_GATEWAY_HEALTH_H
#define LK_GATEWAY_HEALTH_H

#include "gateway/broker.h"

#include <jansson.h>

/* Whether the path is one of them: it takes GET and HEAD only. */
bool health_has_path(const char *path);

/* The answer to a health path, and its status; NULL if the path is none. The caller owns the value.
 * Ready: {"status": "ready"}; not ready, 503: {"status": "not ready", "missing": ["trunk-auth"]},
 * or {"status": "stopping"}. */
json_t *health_answer(broker_t *broker, const char *path, bool stopping, int *out_status);

#endif
