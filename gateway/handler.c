#include "gateway/handler.h"

#include "common/clock.h"
#include "common/log.h"
#include "gateway/access.h"
#include "gateway/exchange.h"
#include "gateway/gateway_metrics.h"
#include "gateway/health.h"
#include "gateway/intake.h"
#include "gateway/openapi.h"
#include "gateway/render.h"
#include "gateway/rpc.h"

#include <string.h>

/* Three workers have died over it: somebody should look at this request. */
static void log_poison(const exchange_t *exchange)
{
    log_line_t line = log_line(LOG_ERROR, "poison");
    log_text(&line, "request", exchange->request_id);
    log_text(&line, "operation", exchange->route.operation->name);
    log_text(&line, "key", exchange->key.id);
    log_end(&line);
}

static outcome_t ask_worker(gateway_t *gateway, exchange_t *exchange)
{
    exchange->again = boards_give(gateway->boards, exchange, &exchange->media);
    if (exchange->again)
        return exchange->route.operation->success;
    outcome_t outcome = intake(exchange);
    if (outcome != OUTCOME_OK)
        return outcome;
    /* A list is loaded, and no call waits for it. */
    bool call =
        (exchange->route.operation->flags & (OPERATION_CALL | OPERATION_ETAG)) == OPERATION_CALL;
    pending_end_t end =
        rpc_ask(gateway->broker, exchange, call ? gateway->call_ms : gateway->request_ms);
    if (end == PENDING_POISON)
        log_poison(exchange);
    if (end == PENDING_ANSWERED && exchange->reply.outcome == OUTCOME_UNAVAILABLE)
        gateway_metrics_refusal(REFUSED_WORKER);
    return exchange->reply.outcome;
}

static outcome_t take_allowance(gateway_t *gateway, exchange_t *exchange)
{
    exchange->allowance = limiter_take(gateway->limiter, exchange->key.id, exchange->key.rate_limit,
                                       exchange->started_us);
    return exchange->allowance.allowed ? OUTCOME_OK : OUTCOME_RATE_LIMITED;
}

/* The routes that need no worker and no key: they take GET and HEAD. */
static bool is_own(const char *path)
{
    return health_has_path(path) || strcmp(path, OPENAPI_PATH) == 0;
}

static void serve_own(gateway_t *gateway, exchange_t *exchange)
{
    const char *path = http_path(exchange->http);
    if (strcmp(path, OPENAPI_PATH) == 0) {
        render_text(exchange, 200, gateway->openapi, gateway->openapi_length);
        return;
    }
    int status = 0;
    json_t *health = health_answer(gateway->broker, path, atomic_load(&gateway->stopping), &status);
    render_json(exchange, status, health);
}

/* Whoever it is: no credential is looked at, so that none is asked for, and none tried here. */
static outcome_t admit_stranger(gateway_t *gateway, exchange_t *exchange)
{
    char network[UUID_SIZE];
    exchange->key = (api_key_t){.scope = SCOPE_NOBODY};
    limiter_network(exchange->client, network);
    exchange->allowance = limiter_take(gateway->strangers, network, 0, exchange->started_us);
    if (exchange->allowance.allowed)
        return OUTCOME_OK;
    gateway_metrics_refusal(REFUSED_RATE);
    return OUTCOME_RATE_LIMITED;
}

static outcome_t admit(gateway_t *gateway, exchange_t *exchange)
{
    if ((exchange->route.operation->flags & OPERATION_OPEN) != 0)
        return admit_stranger(gateway, exchange);
    outcome_t outcome = access_identify(gateway->keys, exchange->http, &exchange->key);
    if (outcome != OUTCOME_OK) {
        gateway_metrics_refusal(REFUSED_KEY);
        return outcome;
    }
    outcome = take_allowance(gateway, exchange);
    if (outcome != OUTCOME_OK) {
        gateway_metrics_refusal(REFUSED_RATE);
        return outcome;
    }
    if (operation_permits(exchange->route.operation, exchange->key.scope))
        return OUTCOME_OK;
    gateway_metrics_refusal(REFUSED_SCOPE);
    return OUTCOME_FORBIDDEN;
}

static bool is_too_long(const exchange_t *exchange)
{
    const operation_t *operation = exchange->route.operation;
    size_t limit =
        operation != NULL && operation->url_limit != 0 ? operation->url_limit : URL_LIMIT;
    return http_target_length(exchange->http) > limit;
}

static outcome_t serve(gateway_t *gateway, exchange_t *exchange)
{
    outcome_t outcome = router_find(gateway->router, http_method(exchange->http),
                                    http_path(exchange->http), &exchange->route);
    if (is_too_long(exchange)) {
        exchange->route.operation = NULL;
        gateway_metrics_refusal(REFUSED_HTTP);
        return OUTCOME_URL_TOO_LONG;
    }
    if (outcome == OUTCOME_NO_ROUTE && is_own(http_path(exchange->http))) {
        text_cut(exchange->route.allow, sizeof(exchange->route.allow), "GET, HEAD");
        return OUTCOME_BAD_METHOD;
    }
    if (outcome == OUTCOME_OK)
        outcome = admit(gateway, exchange);
    return outcome == OUTCOME_OK ? ask_worker(gateway, exchange) : outcome;
}

/* Its line in the log, and its place in the metrics. */
static void note(const exchange_t *exchange, const char *method, const char *path)
{
    int64_t taken_us = clock_us() - exchange->started_us;
    gateway_metrics_request(&exchange->route, path, exchange->response->status, taken_us);
    /* Load balancers ask all the time: only an unwelcome answer is news. */
    bool routine = exchange->response->status == 200 && path != NULL && health_has_path(path);
    log_line_t line = log_line(routine ? LOG_DEBUG : LOG_INFO, "request");
    log_text(&line, "request", exchange->request_id);
    log_text(&line, "method", method);
    log_text(&line, "path", path);
    log_number(&line, "status", exchange->response->status);
    if (exchange->route.dialect->statuses == NULL && !outcome_is_success(exchange->reply.outcome))
        log_text(&line, "outcome", outcome_name(exchange->reply.outcome));
    log_number(&line, "bytes", (int64_t)exchange->response->body_length);
    log_number(&line, "us", taken_us);
    if (exchange->route.operation != NULL)
        log_text(&line, "operation", exchange->route.operation->name);
    if (exchange->key.id[0] != '\0')
        log_text(&line, "key", exchange->key.id);
    if (exchange->client[0] != '\0')
        log_text(&line, "client", exchange->client);
    log_end(&line);
}

static void answer(gateway_t *gateway, exchange_t *exchange)
{
    if (exchange->again) {
        render_again(exchange, exchange->media);
        return;
    }
    media_t media = render_reply(exchange);
    boards_keep(gateway->boards, exchange, media);
}

static void handle(void *context, http_request_t *request, http_response_t *out)
{
    gateway_t *gateway = context;
    exchange_t *exchange = exchange_begin(request, out);
    const char *method = http_method(request);
    client_address(&gateway->proxies, http_peer(request),
                   gateway->proxies.count > 0 ? http_header(request, "X-Forwarded-For") : NULL,
                   exchange->client);
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (reads && is_own(http_path(request)) && !is_too_long(exchange)) {
        serve_own(gateway, exchange);
    } else {
        exchange->reply.outcome = serve(gateway, exchange);
        answer(gateway, exchange);
    }
    note(exchange, method, http_path(request));
}

static void release(void *context, http_response_t *response)
{
    (void)context;
    exchange_end(response->owner);
    response->owner = NULL;
}

/* The outcome of what the HTTP server refuses by itself. */
static outcome_t outcome_of_status(int status)
{
    switch (status) {
    case 413:
        return OUTCOME_BODY_TOO_LARGE;
    case 414:
        return OUTCOME_URL_TOO_LONG;
    case 500:
        return OUTCOME_INTERNAL;
    case 503:
        return OUTCOME_UNAVAILABLE;
    default:
        return OUTCOME_BAD_REQUEST;
    }
}

static void refuse(void *context, int status, const char *path, const char *detail,
                   http_response_t *out)
{
    (void)context;
    exchange_t *exchange = exchange_begin(NULL, out);
    exchange->route.dialect = dialect_of_path(path);
    exchange->reply.outcome = outcome_of_status(status);
    if (detail != NULL)
        text_cut(exchange->reply.message, sizeof(exchange->reply.message), detail);
    (void)render_reply(exchange);
    if (exchange->route.dialect->statuses != NULL)
        out->status = status;
    gateway_metrics_refusal(status == 503 ? REFUSED_CROWD : REFUSED_HTTP);
    note(exchange, NULL, path[0] == '\0' ? NULL : path);
}

http_handler_t gateway_handler(gateway_t *gateway)
{
    return (http_handler_t){
        .handle = handle, .release = release, .refuse = refuse, .context = gateway};
}
