#include "services/common/worker_metrics.h"

#include "common/mem.h"
#include "common/metrics_process.h"
#include "common/text.h"
#include "proto/saml_reason.h"
#include "services/common/store.h"

#include <string.h>
#include <sys/stat.h>

/* ---- labels ---- */

enum { OPERATION_NONE, OPERATION_FIRST };
enum { QUEUE_WRITER, QUEUE_SLOW, QUEUE_WAITING, QUEUE_COUNT };

static const char *const queue_names[QUEUE_COUNT] = {"writer", "slow", "waiting"};
static const char *const cause_names[] = {"locked", "full", "damaged", "turn", "other"};
static const char *const lockout_names[] = {"pair", "source"};
static const char *const memory_names[] = {"counts", "lockouts", "responses"};
static const char *outcome_names[OUTCOME_COUNT];
static const char *const refresh_names[WORKER_REFRESH_RESULTS] = {"unchanged", "changed", "failed",
                                                                  "refused"};
static const char *const expiry_names[WORKER_EXPIRY_RANGES] = {"past", "7_days", "14_days",
                                                               "30_days"};
static const char *const dns_names[WORKER_DNS_RESULTS] = {"found", "none", "failed"};

static const int64_t batch_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
static const int64_t commit_bounds[] = {100,   250,   500,    1000,   2500,   5000,    10000,
                                        25000, 50000, 100000, 250000, 500000, 1000000, 2500000};
static const int64_t wait_bounds[] = {10,    100,    1000,   2500,   5000,    10000,   25000,
                                      50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};
static const int64_t hash_bounds[] = {5000,   10000,  25000,   50000,   75000,   100000,  150000,
                                      250000, 500000, 1000000, 2500000, 5000000, 10000000};

/* ---- the metrics ---- */

static metric_t calls = {
    .name = "lk_worker_calls_total",
    .help = "Calls answered, by operation (none: no such operation) and outcome.",
    .type = METRIC_COUNTER,
    .labels = {{.name = "operation"}, METRIC_LABEL("outcome", outcome_names)},
    .sparse = true,
};
static metric_t failures = {
    .name = "lk_worker_failures_total",
    .help = "Calls that failed through no fault of theirs, by cause: the database was locked, its "
            "disk full, its file damaged, its turn to write did not come in time, or other.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("cause", cause_names)},
};
metric_t worker_metric_replayed = {
    .name = "lk_worker_replayed_total",
    .help = "Writes that came again and were answered from the reply log, not applied again.",
    .type = METRIC_COUNTER,
};
static metric_t queues = {
    .name = "lk_worker_queue_length",
    .help = "Calls that wait for the writer, the slow pool (hashing) or the waiting pool (other "
            "hosts).",
    .type = METRIC_GAUGE,
    .labels = {METRIC_LABEL("queue", queue_names)},
};
static metric_t wal = {
    .name = "lk_worker_wal_bytes",
    .help = "Size of the database's write-ahead log.",
    .type = METRIC_GAUGE,
};
static metric_t held = {
    .name = "lk_worker_held",
    .help = "Calls that are in this process and not answered, those in the queues included.",
    .type = METRIC_GAUGE,
};
static metric_t gateways = {
    .name = "lk_worker_gateways",
    .help = "Gateways that this worker is connected with.",
    .type = METRIC_GAUGE,
};
metric_t worker_metric_link_batch = {
    .name = "lk_worker_link_batch_calls",
    .help = "Calls that came in one message.",
    .type = METRIC_HISTOGRAM,
    METRIC_BOUNDS(batch_bounds),
};
metric_t worker_metric_commit_batch = {
    .name = "lk_worker_commit_batch_calls",
    .help = "Writes that were committed together.",
    .type = METRIC_HISTOGRAM,
    METRIC_BOUNDS(batch_bounds),
};
metric_t worker_metric_commit_time = {
    .name = "lk_worker_commit_seconds",
    .help = "Time of one transaction, from its begin to its commit.",
    .type = METRIC_HISTOGRAM,
    .unit = METRIC_SECONDS,
    METRIC_BOUNDS(commit_bounds),
};
metric_t worker_metric_commit_failures = {
    .name = "lk_worker_commit_failures_total",
    .help = "Transactions of which nothing was kept, and gates that failed; not those that "
            "others held.",
    .type = METRIC_COUNTER,
};
metric_t worker_metric_gate_wait = {
    .name = "lk_worker_gate_wait_seconds",
    .help = "Time that the writer waited for its turn to write, among all processes of the host.",
    .type = METRIC_HISTOGRAM,
    .unit = METRIC_SECONDS,
    METRIC_BOUNDS(wait_bounds),
};
metric_t worker_metric_gate_timeouts = {
    .name = "lk_worker_gate_timeouts_total",
    .help = "Half seconds, or less where a deadline came first, in which its turn did not come.",
    .type = METRIC_COUNTER,
};
metric_t worker_metric_hash_time = {
    .name = "lk_worker_hash_seconds",
    .help = "Time of hashing or checking one password.",
    .type = METRIC_HISTOGRAM,
    .unit = METRIC_SECONDS,
    METRIC_BOUNDS(hash_bounds),
};
metric_t worker_metric_uses_dropped = {
    .name = "lk_worker_uses_dropped_total",
    .help = "Uses of methods that found no room to be noted: last_used_at does not tell of them.",
    .type = METRIC_COUNTER,
};
metric_t worker_metric_dns_lookups = {
    .name = "lk_worker_dns_lookups_total",
    .help =
        "Look-ups of FQDNs by the worker that asks DNS for all: addresses were found, there are "
        "none, or DNS failed in whole or in part.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("result", dns_names)},
};
metric_t worker_metric_dns_refused = {
    .name = "lk_worker_dns_refused_total",
    .help = "Addresses in answers of DNS that do not count, since they are not public.",
    .type = METRIC_COUNTER,
};
metric_t worker_metric_dns_names = {
    .name = "lk_worker_dns_names",
    .help = "FQDNs that this worker looks up; 0 where another one does.",
    .type = METRIC_GAUGE,
};
metric_t worker_metric_refreshes = {
    .name = "lk_metadata_refreshes_total",
    .help = "Refreshes of identity providers' metadata, by what came of them: unchanged, changed, "
            "failed (not fetched, or not to be used), refused (of another entity id).",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("result", refresh_names)},
};
metric_t worker_metric_certificates = {
    .name = "lk_idp_certificates_expiring",
    .help = "Certificates that active providers' answers may be signed with and that have expired "
            "(past), or will within 7, 14 or 30 days; those within 7 days are among those within "
            "14. Looked up once a minute; the same for all workers.",
    .type = METRIC_GAUGE,
    .labels = {METRIC_LABEL("within", expiry_names)},
};
metric_t worker_metric_certificate_first = {
    .name = "lk_idp_certificate_first_expiry_seconds",
    .help =
        "When the first of them expires that has not yet, since 1970-01-01; 0 if there is none.",
    .type = METRIC_GAUGE,
};
metric_t worker_metric_sso_logins = {
    .name = "lk_sso_logins_total",
    .help = "Logins by single sign-on.",
    .type = METRIC_COUNTER,
};
metric_t worker_metric_sso_denials = {
    .name = "lk_sso_denials_total",
    .help = "Logins by single sign-on that were denied, by reason.",
    .type = METRIC_COUNTER,
    .labels = {{.name = "reason", .values = saml_reason_words, .count = SAML_REASON_COUNT}},
    .sparse = true,
};
metric_t worker_metric_sip_denials = {
    .name = "lk_sip_denials_total",
    .help = "Calls that were not authorized, by reason.",
    .type = METRIC_COUNTER,
    .labels = {{.name = "reason", .values = reason_words, .count = REASON_COUNT}},
    .sparse = true,
};
metric_t worker_metric_sip_lockouts = {
    .name = "lk_sip_lockouts_total",
    .help = "Lock-outs that began: of a user name from one source (pair), or of a source.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("of", lockout_names)},
};
metric_t worker_metric_sip_replays = {
    .name = "lk_sip_replays_total",
    .help = "Right responses that had been used before.",
    .type = METRIC_COUNTER,
};
metric_t worker_metric_sip_full = {
    .name = "lk_sip_memory_full_total",
    .help = "Facts that found their part of the memory full: counts and lockouts took the place of "
            "the oldest; responses and nonces had none, and the call was denied.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("part", memory_names)},
};

static metric_t *const all[] = {
    &calls,
    &failures,
    &worker_metric_replayed,
    &queues,
    &held,
    &gateways,
    &worker_metric_link_batch,
    &worker_metric_commit_batch,
    &worker_metric_commit_time,
    &worker_metric_commit_failures,
    &worker_metric_gate_wait,
    &worker_metric_gate_timeouts,
    &wal,
    &worker_metric_hash_time,
    &worker_metric_dns_lookups,
    &worker_metric_dns_refused,
    &worker_metric_dns_names,
    &worker_metric_refreshes,
    &worker_metric_certificates,
    &worker_metric_certificate_first,
    &worker_metric_sso_logins,
    &worker_metric_sso_denials,
    &worker_metric_uses_dropped,
    &worker_metric_sip_denials,
    &worker_metric_sip_lockouts,
    &worker_metric_sip_replays,
    &worker_metric_sip_full,
    METRICS_OF_PROCESS,
};

/* ---- what is known elsewhere ---- */

static struct {
    const service_t *contract;
    const char **operations;
    jobs_t *queues[QUEUE_COUNT];
    char wal[STORE_PATH_SIZE];
} watched;

static void refresh(void *context)
{
    (void)context;
    metrics_process_refresh();
    for (size_t i = 0; i < QUEUE_COUNT; i++)
        if (watched.queues[i] != NULL)
            metric_set(&queues, i, (int64_t)jobs_count(watched.queues[i]));
    struct stat info;
    metric_set(&wal, 0, stat(watched.wal, &info) == 0 ? (int64_t)info.st_size : 0);
}

const metrics_t *worker_metrics(const service_t *contract)
{
    static metrics_t metrics = {
        .items = all, .count = ARRAY_LEN(all), .label = "program", .refresh = refresh};
    watched.contract = contract;
    metrics.value = contract->name;
    return &metrics;
}

/* ---- beginning and ending ---- */

void worker_metrics_begin(void)
{
    size_t count = OPERATION_FIRST + watched.contract->operation_count;
    watched.operations = mem_array(count, sizeof(*watched.operations));
    watched.operations[OPERATION_NONE] = "none";
    for (size_t i = 0; i < watched.contract->operation_count; i++)
        watched.operations[OPERATION_FIRST + i] = watched.contract->operations[i].name;
    calls.labels[0].values = watched.operations;
    calls.labels[0].count = count;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        outcome_names[i] = outcome_name((outcome_t)i);
    metrics_open(worker_metrics(watched.contract));
    metrics_process_refresh();
}

void worker_metrics_end(void)
{
    if (watched.operations == NULL)
        return;
    metrics_close(worker_metrics(watched.contract));
    mem_free(watched.operations);
    watched.operations = NULL;
}

void worker_metrics_watch(jobs_t *writes, jobs_t *slow, jobs_t *waiting, const char *database)
{
    watched.queues[QUEUE_WRITER] = writes;
    watched.queues[QUEUE_SLOW] = slow;
    watched.queues[QUEUE_WAITING] = waiting;
    (void)!text_format(watched.wal, sizeof(watched.wal), "%s-wal", database);
}

/* ---- counting ---- */

void worker_metrics_call(const call_t *call)
{
    if (watched.operations == NULL)
        return;
    size_t operation = OPERATION_NONE;
    if (call->operation != NULL)
        operation = OPERATION_FIRST + (size_t)(call->operation - watched.contract->operations);
    metric_add(&calls, metric_cell(&calls, operation, call->reply.outcome), 1);
}

void worker_metrics_link(size_t calls_held, size_t gateways_heard)
{
    metric_set(&held, 0, (int64_t)calls_held);
    metric_set(&gateways, 0, (int64_t)gateways_heard);
}

void worker_metrics_failure(status_t status)
{
    size_t cause = ARRAY_LEN(cause_names) - 1;
    if (status == STATUS_BUSY)
        cause = 0;
    else if (status == STATUS_FULL)
        cause = 1;
    else if (status == STATUS_CORRUPT)
        cause = 2;
    else if (status == STATUS_TIMEOUT)
        cause = 3;
    metric_add(&failures, cause, 1);
}
