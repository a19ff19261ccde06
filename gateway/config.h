/* The gateway's settings. One table: reading, --help and docs/settings.md follow it. */
#ifndef LK_GATEWAY_CONFIG_H
#define LK_GATEWAY_CONFIG_H

#include "common/config.h"
#include "common/metrics_http.h"

typedef struct {
    char listen[256];
    char worker_listen[256];
    char data_dir[512];
    int64_t answer_cache_mib;
    char board_dir[512];
    char hash_file[512];
    bool curve;
    char curve_dir[512];
    char log_level[16];
    char trusted_proxies[2048];
    int64_t rate_limit;
    int64_t sso_rate_limit;
    int64_t http_threads;
    int64_t request_ms;
    int64_t keep_alive_ms;
    int64_t answer_ms;
    int64_t call_answer_ms;
    int64_t queue;
    int64_t not_ready_ms;
    int64_t drain_seconds;
    char metrics_listen[METRICS_LISTEN_SIZE];
} gateway_config_t;

extern const program_t gateway_program;

#endif
