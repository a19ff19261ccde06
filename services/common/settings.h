/* The settings of a worker: those that all services have, and a service's own. */
#ifndef LK_SERVICES_COMMON_SETTINGS_H
#define LK_SERVICES_COMMON_SETTINGS_H

#include "common/metrics_http.h"
#include "services/common/sip/memory.h"
#include "services/common/worker.h"

typedef struct {
    char gateways[2048];
    char data_dir[512];
    char seal_key_file[512];
    bool digest;
    bool curve;
    char curve_dir[512];
    char realms[REALMS_MAX * REALM_SIZE];
    char pwhash[32];
    int64_t slow_threads;
    int64_t slow_wait_ms;
    int64_t window;
    char log_level[8];
    int64_t drain_seconds;
    char metrics_listen[METRICS_LISTEN_SIZE];
    int64_t fetch_threads; /* 0: no handler waits */
    sip_settings_t sip;    /* of a service with a family */
} settings_t;

/* One table of all of them, for the program; the caller frees it (mem_free). Offsets are those that
 * settings_load fills. */
setting_t *settings_rows(const worker_spec_t *spec, size_t *out_count);

/* Reads them, and has the service check its own. The caller frees *out (mem_free); *out_own, the
 * service's struct, lies inside. Errors: config_load's, the service's check's. */
status_t settings_load(const program_t *program, const worker_spec_t *spec, settings_t **out,
                       const void **out_own, err_t *err) MUST_CHECK;

#endif
