#include "gateway/gateway_metrics.h"

#include "common/mem.h"
#include "common/metrics_process.h"
#include "gateway/health.h"
#include "gateway/openapi.h"
#include "proto/registry.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/* ---- labels ---- */

/* Every status that the gateway or a dialect answers with; 0 stands for one that is missing here.
 */
static const short statuses[] = {0,   200, 201, 204, 303, 304, 400, 401, 403, 404, 405, 408, 409,
                                 413, 414, 415, 417, 422, 429, 431, 500, 501, 503, 504, 505};
static const char *const status_texts[] = {
    "other", "200", "201", "204", "303", "304", "400", "401", "403", "404", "405", "408", "409",
    "413",   "414", "415", "417", "422", "429", "431", "500", "501", "503", "504", "505"};
_Static_assert(ARRAY_LEN(statuses) == ARRAY_LEN(status_texts), "every status has a text");

static const char *const refusal_names[] = {
    [REFUSED_KEY] = "key",
    [REFUSED_SCOPE] = "scope",
    [REFUSED_RATE] = "rate_limit",
    [REFUSED_QUEUE] = "queue_full",
    [REFUSED_NO_WORKER] = "no_worker",
    [REFUSED_WORKER] = "worker_busy",
    [REFUSED_TIMEOUT] = "timeout",
    [REFUSED_POISON] = "poison",
    [REFUSED_HTTP] = "http",
    [REFUSED_CROWD] = "connections",
    [REFUSED_LARGE] = "large_bodies",
};

/* A live worker is one of the first two, and perhaps silent as well. */
typedef enum { WORKER_LIVE, WORKER_BUSY, WORKER_SILENT, WORKER_DRAINING } worker_state_t;
static const char *const worker_states[] = {[WORKER_LIVE] = "live",
                                            [WORKER_BUSY] = "busy",
                                            [WORKER_SILENT] = "silent",
                                            [WORKER_DRAINING] = "draining"};

typedef enum {
    PEER_ADMITTED,
    PEER_UNKNOWN_KEY,
    PEER_OTHER_SERVICE,
    PEER_STRANGER,
    PEER_CROWDED_OUT,
    PEER_CUT
} peer_result_t;
static const char *const peer_results[] = {
    [PEER_ADMITTED] = "admitted",           [PEER_UNKNOWN_KEY] = "unknown_key",
    [PEER_OTHER_SERVICE] = "other_service", [PEER_STRANGER] = "stranger",
    [PEER_CROWDED_OUT] = "crowded_out",     [PEER_CUT] = "cut"};

/* Of requests without an operation; those of the registry follow. */
typedef enum { OPERATION_NONE, OPERATION_HEALTH, OPERATION_OPENAPI, OPERATION_FIRST } own_t;

static const int64_t latency_bounds[] = {250,    500,     1000,    2500,    5000,
                                         10000,  25000,   50000,   100000,  250000,
                                         500000, 1000000, 2500000, 5000000, 10000000};

static const char *const kept_results[] = {"miss", "hit"};

/* ---- the metrics ---- */

static metric_t requests = {
    .name = "lk_http_requests_total",
    .help = "Requests answered, by operation (none: no such route) and status.",
    .type = METRIC_COUNTER,
    .labels = {{.name = "operation"}, METRIC_LABEL("status", status_texts)},
    .sparse = true,
};
static metric_t latency = {
    .name = "lk_http_request_seconds",
    .help = "Time from a request's head to its answer being ready to send.",
    .type = METRIC_HISTOGRAM,
    .unit = METRIC_SECONDS,
    .labels = {{.name = "operation"}},
    METRIC_BOUNDS(latency_bounds),
    .sparse = true,
};
static metric_t refusals = {
    .name = "lk_refusals_total",
    .help = "Requests refused: no key, too little scope, over the rate, queue full, no worker in "
            "time, worker busy, no answer in time, poison, bad HTTP, too many connections, or too "
            "many large bodies.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("reason", refusal_names)},
};
static metric_t kept = {
    .name = "lk_kept_answers_total",
    .help = "Requests of call authorization whose answer may be kept: given from memory (hit), or "
            "by a worker (miss).",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("result", kept_results)},
};
static metric_t connections = {
    .name = "lk_http_connections",
    .help = "Open connections of clients, idle ones included.",
    .type = METRIC_GAUGE,
};
static metric_t in_flight = {
    .name = "lk_http_in_flight",
    .help = "Requests that are being answered.",
    .type = METRIC_GAUGE,
};
static metric_t queue = {
    .name = "lk_queue_length",
    .help = "Requests that wait for a worker.",
    .type = METRIC_GAUGE,
    .labels = {{.name = "service"}},
};
static metric_t held = {
    .name = "lk_requests_held",
    .help = "Requests that workers have and have not answered.",
    .type = METRIC_GAUGE,
    .labels = {{.name = "service"}},
};
static metric_t workers = {
    .name = "lk_workers",
    .help = "Workers by state: live (takes requests), busy (live, and holds some), silent (live, "
            "and not heard for two heartbeats), draining (stops).",
    .type = METRIC_GAUGE,
    .labels = {{.name = "service"}, METRIC_LABEL("state", worker_states)},
};
static metric_t lost = {
    .name = "lk_workers_lost_total",
    .help = "Workers that were given up without a goodbye.",
    .type = METRIC_COUNTER,
};
static metric_t lost_silent = {
    .name = "lk_workers_silent_total",
    .help = "Those of them that were given up for their silence.",
    .type = METRIC_COUNTER,
};
static metric_t sent = {
    .name = "lk_requests_sent_total",
    .help = "Requests sent to workers, those sent again included.",
    .type = METRIC_COUNTER,
};
static metric_t resent = {
    .name = "lk_requests_resent_total",
    .help = "Requests taken back from a lost worker, to be sent again.",
    .type = METRIC_COUNTER,
};
static metric_t late_replies = {
    .name = "lk_late_replies_total",
    .help = "Replies that nobody waited for any more.",
    .type = METRIC_COUNTER,
};
static metric_t bad_messages = {
    .name = "lk_bad_messages_total",
    .help = "Messages on the worker port that were none of the protocol's.",
    .type = METRIC_COUNTER,
};

static metric_t peers = {
    .name = "lk_worker_port_connections_total",
    .help =
        "Connections at the worker port: admitted by their CURVE key, refused for an unknown key "
        "or for another service than the key's, strangers (no CURVE, or silent); and those that "
        "the "
        "gateway ended: crowded out by others, or cut for what they sent.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("result", peer_results)},
};
static metric_t peers_open = {
    .name = "lk_worker_port_open",
    .help = "Open connections at the worker port, by CURVE.",
    .type = METRIC_GAUGE,
};

static metric_t *const all[] = {
    &requests, &latency,      &refusals,     &kept,  &connections, &in_flight,
    &queue,    &held,         &workers,      &lost,  &lost_silent, &sent,
    &resent,   &late_replies, &bad_messages, &peers, &peers_open,  METRICS_OF_PROCESS,
};

/* ---- what is known elsewhere ---- */

static struct {
    broker_t *broker;
    _Atomic(http_server_t *) http;   /* NULL: not yet */
    atomic_uint_least64_t uncertain; /* refusals for no answer in time that the pool can't know */
    const char **operations;         /* names: the own ones, then the registry's */
    const char **services;
    size_t *first; /* a service's first operation */
} watched;

static void refresh_workers(size_t service)
{
    pool_load_t load = broker_load(watched.broker, service);
    metric_set(&queue, service, (int64_t)load.queued);
    metric_set(&held, service, (int64_t)load.held);
    metric_set(&workers, metric_cell(&workers, service, WORKER_LIVE), (int64_t)load.live);
    metric_set(&workers, metric_cell(&workers, service, WORKER_BUSY), (int64_t)load.busy);
    metric_set(&workers, metric_cell(&workers, service, WORKER_SILENT), (int64_t)load.silent);
    metric_set(&workers, metric_cell(&workers, service, WORKER_DRAINING), (int64_t)load.draining);
}

/* Unknown keys are counted at once and are strangers too, as is known a second later: what was
 * shown must not fall. */
static void refresh_strangers(const zap_counters_t *seen)
{
    int64_t others = (int64_t)seen->strangers - (int64_t)seen->unknown_keys;
    if (others > metric_value(&peers, PEER_STRANGER))
        metric_set(&peers, PEER_STRANGER, others);
}

static void refresh_counters(void)
{
    pool_counters_t counters = broker_counters(watched.broker);
    metric_set(&sent, 0, (int64_t)counters.sent);
    metric_set(&resent, 0, (int64_t)counters.resent);
    metric_set(&lost, 0, (int64_t)counters.lost_workers);
    metric_set(&lost_silent, 0, (int64_t)counters.silent_workers);
    metric_set(&late_replies, 0, (int64_t)counters.late_replies);
    metric_set(&bad_messages, 0, (int64_t)counters.bad_messages);
    zap_counters_t seen = broker_strangers(watched.broker);
    metric_set(&peers, PEER_ADMITTED, (int64_t)seen.admitted);
    metric_set(&peers, PEER_UNKNOWN_KEY, (int64_t)seen.unknown_keys);
    metric_set(&peers, PEER_OTHER_SERVICE, (int64_t)counters.refused_workers);
    refresh_strangers(&seen);
    visitors_counters_t visitors = broker_visitors(watched.broker);
    metric_set(&peers, PEER_CROWDED_OUT, (int64_t)visitors.crowded_out);
    metric_set(&peers, PEER_CUT, (int64_t)visitors.cut);
    metric_set(&peers_open, 0, (int64_t)visitors.open);
    metric_set(&refusals, REFUSED_QUEUE, (int64_t)counters.queue_full);
    metric_set(&refusals, REFUSED_NO_WORKER, (int64_t)counters.unavailable);
    metric_set(&refusals, REFUSED_TIMEOUT,
               (int64_t)(counters.timed_out + atomic_load(&watched.uncertain)));
    metric_set(&refusals, REFUSED_POISON, (int64_t)counters.poison);
}

static void refresh(void *context)
{
    (void)context;
    metrics_process_refresh();
    const http_server_t *http = atomic_load(&watched.http);
    if (http != NULL) {
        metric_set(&connections, 0, http_connections(http));
        metric_set(&in_flight, 0, http_in_flight(http));
    }
    for (size_t service = 0; service < registry_count; service++)
        refresh_workers(service);
    refresh_counters();
}

const metrics_t gateway_metrics = {.items = all,
                                   .count = ARRAY_LEN(all),
                                   .label = "program",
                                   .value = "gateway",
                                   .refresh = refresh};

/* ---- beginning and ending ---- */

static size_t name_operations(void)
{
    size_t count = OPERATION_FIRST;
    for (size_t service = 0; service < registry_count; service++)
        count += registry[service]->operation_count;
    watched.operations = mem_array(count, sizeof(*watched.operations));
    watched.services = mem_array(registry_count, sizeof(*watched.services));
    watched.first = mem_array(registry_count, sizeof(*watched.first));
    watched.operations[OPERATION_NONE] = "none";
    watched.operations[OPERATION_HEALTH] = "health";
    watched.operations[OPERATION_OPENAPI] = "openapi";
    count = OPERATION_FIRST;
    for (size_t service = 0; service < registry_count; service++) {
        watched.services[service] = registry[service]->name;
        watched.first[service] = count;
        for (size_t i = 0; i < registry[service]->operation_count; i++)
            watched.operations[count++] = registry[service]->operations[i].name;
    }
    return count;
}

void gateway_metrics_begin(void)
{
    size_t count = name_operations();
    metric_t *const by_operation[] = {&requests, &latency};
    metric_t *const by_service[] = {&queue, &held, &workers};
    for (size_t i = 0; i < ARRAY_LEN(by_operation); i++) {
        by_operation[i]->labels[0].values = watched.operations;
        by_operation[i]->labels[0].count = count;
    }
    for (size_t i = 0; i < ARRAY_LEN(by_service); i++) {
        by_service[i]->labels[0].values = watched.services;
        by_service[i]->labels[0].count = registry_count;
    }
    metrics_open(&gateway_metrics);
    metrics_process_refresh();
}

void gateway_metrics_end(void)
{
    metrics_close(&gateway_metrics);
    mem_free(watched.operations);
    mem_free(watched.services);
    mem_free(watched.first);
    watched.operations = watched.services = NULL;
    watched.first = NULL;
}

void gateway_metrics_watch(broker_t *broker)
{
    watched.broker = broker;
}

void gateway_metrics_watch_http(http_server_t *http)
{
    atomic_store(&watched.http, http);
}

/* ---- counting ---- */

static size_t operation_index(const route_t *route, const char *path)
{
    if (route->operation != NULL)
        return watched.first[route->service] +
               (size_t)(route->operation - registry[route->service]->operations);
    if (path != NULL && health_has_path(path))
        return OPERATION_HEALTH;
    return path != NULL && strcmp(path, OPENAPI_PATH) == 0 ? OPERATION_OPENAPI : OPERATION_NONE;
}

static size_t status_index(int status)
{
    for (size_t i = 1; i < ARRAY_LEN(statuses); i++)
        if (statuses[i] == status)
            return i;
    return 0;
}

void gateway_metrics_request(const route_t *route, const char *path, int status,
                             int64_t microseconds)
{
    if (watched.first == NULL)
        return;
    size_t operation = operation_index(route, path);
    metric_add(&requests, metric_cell(&requests, operation, status_index(status)), 1);
    metric_observe(&latency, operation, microseconds);
}

void gateway_metrics_refusal(refusal_t reason)
{
    if (reason == REFUSED_TIMEOUT)
        atomic_fetch_add(&watched.uncertain, 1);
    else
        metric_add(&refusals, reason, 1);
}

void gateway_metrics_kept(bool given)
{
    metric_add(&kept, given, 1);
}
