#include "gateway/config.h"

#include "gateway/gateway_metrics.h"
#include "services/common/backup_command.h"

/* clang-format off */
static const setting_t settings[] = {
    SETTING_TEXT_ROW(gateway_config_t, listen, "LK_LISTEN", "127.0.0.1:8080",
        "Address and port of the HTTP API."),
    SETTING_TEXT_ROW(gateway_config_t, worker_listen, "LK_WORKER_LISTEN", "tcp://127.0.0.1:8081",
        "Where workers dial in: tcp://ADDRESS:PORT or ipc:///PATH."),
    SETTING_TEXT_ROW(gateway_config_t, data_dir, "LK_DATA_DIR", "./var",
        "Folder of the stores."),
    SETTING_NUMBER_ROW(gateway_config_t, answer_cache_mib, "LK_ANSWER_CACHE_MIB", "16", 0, 4096,
        "Memory for answers of call authorization that are given again until the store changes, in MiB; 0: every call asks a worker."),
    SETTING_TEXT_ROW(gateway_config_t, board_dir, "LK_BOARD_DIR", "",
        "Where workers on this host write down their store's version; LK_DATA_DIR if empty. Without it no answer is given again."),
    SETTING_TEXT_ROW(gateway_config_t, hash_file, "LK_API_KEY_HASH_FILE", "./var/keys/api-key-hash",
        "File with 64 hex digits: the key that API keys are hashed with."),
    SETTING_SWITCH_ROW(gateway_config_t, curve, "LK_CURVE", "on",
        "Whether workers dial in by CURVE, encrypted and known by key; off: in plain text, on this machine alone."),
    SETTING_TEXT_ROW(gateway_config_t, curve_dir, "LK_CURVE_DIR", "./var/keys/curve",
        "Folder of CURVE's keys: gateway.key and workers (which key may serve what). gateway curve-keys makes them."),
    SETTING_TEXT_ROW(gateway_config_t, log_level, "LK_LOG_LEVEL", "info",
        "Lowest level that is logged: debug, info, warn or error."),
    SETTING_TEXT_ROW(gateway_config_t, trusted_proxies, "LK_TRUSTED_PROXIES", "",
        "Addresses and CIDR ranges, between commas, whose X-Forwarded-For is believed."),
    SETTING_NUMBER_ROW(gateway_config_t, rate_limit, "LK_RATE_LIMIT", "0", 0, 1000000,
        "Requests a second per API key and gateway; 0 for no limit. A key's own limit goes before."),
    SETTING_NUMBER_ROW(gateway_config_t, sso_rate_limit, "LK_SSO_RATE_LIMIT", "20", 0, 1000000,
        "Requests a second below /sso per client address (IPv6: per /64) and gateway, which need no key; 0 for no limit. Behind a proxy, name it in LK_TRUSTED_PROXIES, else all its clients are one."),
    SETTING_NUMBER_ROW(gateway_config_t, http_threads, "LK_HTTP_THREADS", "512", 4, 4000,
        "Connections that are served at once, one thread each; more are answered 503 at once."),
    SETTING_NUMBER_ROW(gateway_config_t, request_ms, "LK_REQUEST_MS", "10000", 100, 600000,
        "A whole request must have arrived within this time, in milliseconds."),
    SETTING_NUMBER_ROW(gateway_config_t, keep_alive_ms, "LK_KEEP_ALIVE_MS", "15000", 100, 600000,
        "How long an idle connection is kept, in milliseconds."),
    SETTING_NUMBER_ROW(gateway_config_t, answer_ms, "LK_ANSWER_MS", "10000", 100, 60000,
        "How long a worker may take to answer before 504, in milliseconds."),
    SETTING_NUMBER_ROW(gateway_config_t, call_answer_ms, "LK_CALL_ANSWER_MS", "1500", 50, 60000,
        "The same for call authorization."),
    SETTING_NUMBER_ROW(gateway_config_t, queue, "LK_QUEUE", "1024", 1, 10000,
        "Requests that may wait for a worker, per service; more are answered 503."),
    SETTING_NUMBER_ROW(gateway_config_t, not_ready_ms, "LK_NOT_READY_MS", "2000", 0, 600000,
        "Asked to end, it serves on for so long but is not ready, for a load balancer to see it; 0 where there is none. In milliseconds."),
    SETTING_NUMBER_ROW(gateway_config_t, drain_seconds, "LK_DRAIN_SECONDS", "10", 0, 3600,
        "How long after that it may finish what it holds."),
    SETTING_TEXT_ROW(gateway_config_t, metrics_listen, "LK_METRICS_LISTEN", "127.0.0.1:8090+",
        "Address and port where Prometheus gets /metrics; a + behind: the first free port from there on; off: nowhere."),
};
/* clang-format on */

const program_t gateway_program = {
    .name = "gateway",
    .summary = "Linekeeper's HTTP API and the broker that its workers dial",
    .usage = "Usage:\n"
             "  gateway                 serve in the foreground until SIGTERM or SIGINT\n"
             "  gateway key COMMAND     make, list and revoke API keys; see gateway key --help\n"
             "  gateway curve-keys      make what is missing of CURVE's keys in LK_CURVE_DIR\n"
             "  gateway services        print the services that need a worker, one a line\n"
             "  gateway openapi         print the OpenAPI document of the API\n" BACKUP_USAGE(
                 "gateway ", "        ") "  gateway --help | --version | --metrics\n"
                                         "Exit codes: 0 clean stop, 1 failed, 64 wrong usage, 65 "
                                         "the store is damaged or a copy refused,\n"
                                         "75 the store is in use, 78 wrong setting or key file.\n",
    .settings = settings,
    .setting_count = ARRAY_LEN(settings),
    .metrics = &gateway_metrics,
};
