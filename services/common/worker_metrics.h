/* A worker's numbers: what its threads count, and where the rest is read when somebody asks. All
 * of them: docs/metrics.md. Next: common/metrics.h. */
#ifndef LK_SERVICES_COMMON_WORKER_METRICS_H
#define LK_SERVICES_COMMON_WORKER_METRICS_H

#include "common/metrics.h"
#include "proto/service.h"
#include "services/common/job.h"

extern metric_t worker_metric_link_batch; /* calls of a REQUEST message */
extern metric_t worker_metric_replayed;
extern metric_t worker_metric_commit_batch;
extern metric_t worker_metric_commit_time; /* microseconds, as all times here */
extern metric_t worker_metric_commit_failures;
extern metric_t worker_metric_gate_wait;
extern metric_t worker_metric_gate_timeouts;
extern metric_t worker_metric_hash_time;
extern metric_t worker_metric_dns_lookups; /* cells: worker_dns_t */
extern metric_t worker_metric_dns_refused;
extern metric_t worker_metric_dns_names;

/* How the look-up of an FQDN ended. */
typedef enum {
    WORKER_DNS_FOUND,
    WORKER_DNS_NONE,
    WORKER_DNS_FAILED,
    WORKER_DNS_RESULTS
} worker_dns_t;

/* How the metadata of an identity provider was refreshed. */
typedef enum {
    WORKER_REFRESH_UNCHANGED,
    WORKER_REFRESH_CHANGED,
    WORKER_REFRESH_FAILED,  /* it can't be fetched or read */
    WORKER_REFRESH_REFUSED, /* it is of another entity id */
    WORKER_REFRESH_RESULTS
} worker_refresh_t;
extern metric_t worker_metric_refreshes; /* cells: worker_refresh_t */

/* Until when certificates of identity providers are valid. */
typedef enum {
    WORKER_EXPIRY_PAST,
    WORKER_EXPIRY_7_DAYS,
    WORKER_EXPIRY_14_DAYS,
    WORKER_EXPIRY_30_DAYS,
    WORKER_EXPIRY_RANGES
} worker_expiry_t;
extern metric_t worker_metric_certificates; /* cells: worker_expiry_t */
extern metric_t worker_metric_certificate_first;
extern metric_t worker_metric_sso_logins;
extern metric_t worker_metric_sso_denials;  /* by saml_reason_t */
extern metric_t worker_metric_uses_dropped; /* sip/uses.h */
extern metric_t worker_metric_sip_denials;  /* by reason_t */
extern metric_t worker_metric_sip_lockouts;
extern metric_t worker_metric_sip_replays;
extern metric_t worker_metric_sip_full;

typedef enum { WORKER_SIP_PAIR, WORKER_SIP_SOURCE } worker_sip_lockout_t;
typedef enum { WORKER_SIP_COUNTS, WORKER_SIP_LOCKOUTS, WORKER_SIP_FACTS } worker_sip_full_t;

/* The table of a service's worker. Static: one service a process. */
const metrics_t *worker_metrics(const service_t *contract);

/* Before the first thread, and when no thread counts any more. */
void worker_metrics_begin(void);
void worker_metrics_end(void);

/* Whom the refresh asks: borrowed while it may run. waiting may be NULL. */
void worker_metrics_watch(jobs_t *writes, jobs_t *slow, jobs_t *waiting, const char *database);

/* What the link holds now: it alone tells. */
void worker_metrics_link(size_t calls_held, size_t gateways_heard);

/* A call failed, and not by what it asks. */
void worker_metrics_failure(status_t status);

/* A call is answered, and its reply sent or lost. */
void worker_metrics_call(const call_t *call);

#endif
