/* The gateway's numbers: what is counted, and where the rest is read when somebody asks. All of
 * them: docs/metrics.md. Must never: have a label that a request decides, but its operation and its
 * status. Next: common/metrics.h. */
#ifndef LK_GATEWAY_GATEWAY_METRICS_H
#define LK_GATEWAY_GATEWAY_METRICS_H

#include "common/metrics.h"
#include "gateway/broker.h"
#include "gateway/http.h"
#include "gateway/route.h"

/* Why a request was refused that nothing else was wrong with. */
typedef enum {
    REFUSED_KEY,       /* no key, or none that is live */
    REFUSED_SCOPE,     /* a key that may not */
    REFUSED_RATE,      /* over its rate */
    REFUSED_QUEUE,     /* too many wait for a worker */
    REFUSED_NO_WORKER, /* none came in time, or the gateway ends */
    REFUSED_WORKER,    /* the worker has no room, or its store */
    REFUSED_TIMEOUT,   /* no answer in time */
    REFUSED_POISON,    /* three workers died over it */
    REFUSED_HTTP,      /* malformed, too long or too slow, before it had a route */
    REFUSED_CROWD,     /* every HTTP thread has a connection */
    REFUSED_LARGE,     /* too many large bodies at once */
} refusal_t;

extern const metrics_t gateway_metrics;

/* Before the first thread, and when no thread counts any more. */
void gateway_metrics_begin(void);
void gateway_metrics_end(void);
/* Whom the refresh asks: borrowed while it may run. The second may come while it does. */
void gateway_metrics_watch(broker_t *broker);
void gateway_metrics_watch_http(http_server_t *http);

/* A request is answered. A route without an operation: the path tells whether it is one of the
 * gateway's own; NULL where there is none. */
void gateway_metrics_request(const route_t *route, const char *path, int status,
                             int64_t microseconds);
/* Those that the broker counts itself are not told here: queue_full, no_worker, poison, and timeout
 * but where a worker's answer leaves it open what others have done. */
void gateway_metrics_refusal(refusal_t reason);
/* An answer that may be kept was asked for: it was given from memory, or a worker must be asked. */
void gateway_metrics_kept(bool given);

#endif
