/* What happens to a request, in order: id, route, access, body, envelope, worker, response, log
 * line. Read this after http.h; each step's file is named where it is taken. */
#ifndef LK_GATEWAY_HANDLER_H
#define LK_GATEWAY_HANDLER_H

#include "gateway/boards.h"
#include "gateway/broker.h"
#include "gateway/client.h"
#include "gateway/http.h"
#include "gateway/keys.h"
#include "gateway/limiter.h"
#include "gateway/route.h"

#include <stdatomic.h>

/* What all requests share; borrowed, must outlive the HTTP server. */
typedef struct {
    broker_t *broker;
    key_cache_t *keys;
    router_t *router;
    limiter_t *limiter;
    limiter_t *strangers; /* of open operations, by address */
    boards_t *boards;     /* NULL: every call asks a worker */
    ipnets_t proxies;     /* whose X-Forwarded-For is believed */
    int64_t request_ms;   /* how long a worker may take */
    int64_t call_ms;      /* the same for call authorization */
    char *openapi;        /* the document, as text */
    size_t openapi_length;
    atomic_bool stopping;
} gateway_t;

/* The callbacks for http_start. */
http_handler_t gateway_handler(gateway_t *gateway);

#endif
