/* The gateway program: settings, parts in order, and the clockwork that runs until a signal.
 * The tour of a request begins in http.h. */
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/notify.h"
#include "common/process.h"
#include "common/text.h"
#include "gateway/config.h"
#include "gateway/curve_command.h"
#include "gateway/gateway_metrics.h"
#include "gateway/handler.h"
#include "gateway/key_command.h"
#include "gateway/openapi.h"
#include "proto/registry.h"
#include "services/common/backup_command.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BEAT_MS = 50, KEYS_EVERY_MS = 250, DRAIN_IDLE_MS = 500 };

/* The parts of a running gateway, in the order in which they depend on each other. */
typedef struct {
    keys_t *keys;
    curve_t *curve; /* both NULL: LK_CURVE=off */
    allow_t *allow;
    gateway_t gateway;
    http_server_t *http;
    metrics_http_t *metrics;
} parts_t;

static void stop_parts(parts_t *parts)
{
    metrics_http_stop(&parts->metrics);
    if (parts->gateway.broker != NULL) /* who waits for a worker holds up the HTTP server's end */
        broker_end(parts->gateway.broker);
    http_stop(&parts->http);
    boards_close(&parts->gateway.boards);
    broker_stop(&parts->gateway.broker);
    curve_close(&parts->curve);
    allow_close(&parts->allow);
    key_cache_destroy(&parts->gateway.keys);
    keys_close(&parts->keys);
    router_destroy(&parts->gateway.router);
    limiter_destroy(&parts->gateway.limiter);
    limiter_destroy(&parts->gateway.strangers);
    mem_release(&parts->gateway.openapi);
    gateway_metrics_end();
}

static status_t start_metrics(const gateway_config_t *config, parts_t *parts, err_t *err)
{
    if (metrics_are_off(config->metrics_listen))
        return STATUS_OK;
    gateway_metrics_watch(parts->gateway.broker);
    return metrics_http_start(&gateway_metrics, config->metrics_listen, &parts->metrics, err);
}

static status_t open_curve(const gateway_config_t *config, parts_t *parts, err_t *err)
{
    char path[sizeof(config->curve_dir) + sizeof("/" CURVE_WORKERS)];
    if (!config->curve)
        return STATUS_OK;
    status_t status = curve_open_gateway(config->curve_dir, &parts->curve, err);
    if (status == STATUS_OK)
        status = text_format(path, sizeof(path), "%s/" CURVE_WORKERS, config->curve_dir);
    if (status == STATUS_OK)
        status = allow_open(path, &parts->allow, err);
    return status;
}

static void open_boards(const gateway_config_t *config, gateway_t *gateway)
{
    const char *directory = config->board_dir[0] == '\0' ? config->data_dir : config->board_dir;
    if (config->answer_cache_mib > 0)
        gateway->boards =
            boards_open(directory, (size_t)config->answer_cache_mib << 20, gateway->broker);
}

static status_t start_parts(const gateway_config_t *config, parts_t *parts, err_t *err)
{
    gateway_t *gateway = &parts->gateway;
    if (!metrics_are_off(config->metrics_listen))
        gateway_metrics_begin();
    gateway->request_ms = config->answer_ms;
    gateway->call_ms = config->call_answer_ms;
    gateway->router = router_new();
    gateway->limiter = limiter_new(config->rate_limit);
    gateway->strangers = limiter_new(config->sso_rate_limit);
    gateway->openapi = openapi_text(&gateway->openapi_length);
    status_t status = proxies_parse(config->trusted_proxies, &gateway->proxies, err);
    if (status == STATUS_OK)
        status = keys_open(config->data_dir, config->hash_file, &parts->keys, err);
    if (status == STATUS_OK)
        status = key_cache_new(TAKE(parts->keys), &gateway->keys, err);
    if (status == STATUS_OK)
        status = open_curve(config, parts, err);
    if (status != STATUS_OK)
        return status;
    broker_settings_t broker = {.listen = config->worker_listen,
                                .queue_max = config->queue,
                                .in_flight_max = config->http_threads + config->queue,
                                .curve = parts->curve,
                                .allow = parts->allow};
    status = broker_start(&broker, &gateway->broker, err);
    if (status == STATUS_OK)
        open_boards(config, gateway);
    if (status == STATUS_OK)
        status = start_metrics(config, parts, err);
    if (status != STATUS_OK)
        return status;
    http_settings_t http = {.listen = config->listen,
                            .threads = config->http_threads,
                            .beside = broker_descriptors(),
                            .request_ms = config->request_ms,
                            .keep_alive_ms = config->keep_alive_ms,
                            .drain_idle_ms = DRAIN_IDLE_MS,
                            .url_limit = router_url_limit(),
                            .discard_limit = BODY_LIMIT};
    http_handler_t handler = gateway_handler(gateway);
    status = http_start(&http, &handler, &parts->http, err); /* last: from now on it serves */
    if (status == STATUS_OK)
        gateway_metrics_watch_http(parts->http);
    return status;
}

/* What may change while the program runs. A failure is told of when it begins; what was read before
 * stays in force. */
typedef struct {
    int64_t next_ms;
    bool keys_failed, allow_failed;
} refresh_t;

static void note_failure(bool failed, bool *was_failed, const char *event, const err_t *err)
{
    if (failed && !*was_failed)
        log_failure(LOG_ERROR, event, err);
    *was_failed = failed;
}

static void refresh(parts_t *parts, refresh_t *state)
{
    err_t err;
    bool changed = false;
    if (clock_ms() < state->next_ms)
        return;
    boards_refresh(parts->gateway.boards);
    state->next_ms = clock_ms() + KEYS_EVERY_MS;
    bool failed = key_cache_refresh(parts->gateway.keys, &err) != STATUS_OK;
    note_failure(failed, &state->keys_failed, "keys_not_refreshed", &err);
    if (parts->allow == NULL)
        return;
    failed = allow_refresh(parts->allow, &changed, &err) != STATUS_OK;
    note_failure(failed, &state->allow_failed, "workers_not_refreshed", &err);
    if (!changed)
        return;
    log_line_t line = log_line(LOG_INFO, "workers_refreshed");
    log_end(&line);
    broker_recheck(parts->gateway.broker);
}

/* What runs while main waits. */
typedef struct {
    parts_t *parts;
    const sigset_t *signals;
    refresh_t refresh;
    bool told; /* the service manager, if there is one: we are ready */
} clockwork_t;

static bool never(const parts_t *parts)
{
    (void)parts;
    return false;
}

static bool nobody_is_connected(const parts_t *parts)
{
    return http_connections(parts->http) == 0;
}

/* Waits for a signal that ends the program, for the deadline, or for `over`, looked at after each
 * beat; meanwhile keeps keys fresh and the log flowing. Returns the signal, 0 for none. */
static int serve_on(clockwork_t *clockwork, int64_t until_ms, bool (*over)(const parts_t *))
{
    const struct timespec beat = {.tv_nsec = BEAT_MS * 1000000L};
    while (clock_ms() < until_ms) {
        int signal_number = sigtimedwait(clockwork->signals, NULL, &beat);
        if (signal_number > 0)
            return signal_number;
        log_flush();
        refresh(clockwork->parts, &clockwork->refresh);
        if (!clockwork->told)
            clockwork->told = notify_manager("READY=1");
        if (over(clockwork->parts))
            break;
    }
    return 0;
}

static void log_stage(const char *event, int signal_number, const parts_t *parts)
{
    log_line_t line = log_line(LOG_INFO, event);
    if (signal_number != 0)
        log_text(&line, "signal", strsignal(signal_number));
    log_number(&line, "connections", http_connections(parts->http));
    log_number(&line, "in_flight", http_in_flight(parts->http));
    log_end(&line);
}

/* Not ready first, so that nobody is sent here any more; then whoever is still here is answered and
 * let go. Another signal ends the waiting. */
static void drain(clockwork_t *clockwork, const gateway_config_t *config)
{
    parts_t *parts = clockwork->parts;
    atomic_store(&parts->gateway.stopping, true);
    clockwork->told = true;
    (void)notify_manager("STOPPING=1");
    int hurry = serve_on(clockwork, clock_ms() + config->not_ready_ms, never);
    log_stage("draining", hurry, parts);
    http_drain(parts->http);
    if (hurry == 0)
        hurry = serve_on(clockwork, clock_ms() + config->drain_seconds * 1000, nobody_is_connected);
    if (hurry != 0 || http_in_flight(parts->http) > 0)
        log_stage("drain_cut", hurry, parts);
    broker_end(parts->gateway.broker); /* what no worker has answered by now */
}

static void block_signals(sigset_t *out)
{
    (void)sigemptyset(out);
    (void)sigaddset(out, SIGTERM);
    (void)sigaddset(out, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, out, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Left to itself, glibc raises this once a larger block is freed, and then every thread's arena
 * keeps what its largest request took: 64 forms at once left 127 MB behind, and 38 like this. */
static void give_back_large_blocks(void)
{
    enum { LARGE = 128 * 1024 };
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
}

static int serve(const gateway_config_t *config)
{
    sigset_t signals;
    give_back_large_blocks();
    block_signals(&signals);
    parts_t parts = {0};
    err_t err;
    status_t status = start_parts(config, &parts, &err);
    if (status != STATUS_OK) {
        log_failure(LOG_ERROR, "not_started", &err);
        stop_parts(&parts);
        if (status == STATUS_CORRUPT)
            return EXIT_DAMAGED;
        return status == STATUS_INVALID || status == STATUS_REFUSED || status == STATUS_UNKNOWN
                   ? EXIT_BAD_CONFIG
                   : EXIT_FAILED;
    }
    log_line_t line = log_line(LOG_INFO, "started");
    log_text(&line, "version", LK_VERSION);
    log_text(&line, "listen", config->listen);
    log_number(&line, "port", http_port(parts.http));
    log_text(&line, "workers", broker_endpoint(parts.gateway.broker));
    log_text(&line, "curve", parts.curve == NULL ? "off" : "on");
    if (parts.metrics != NULL)
        log_text(&line, "metrics", metrics_http_endpoint(parts.metrics));
    log_end(&line);
    log_gather();
    clockwork_t clockwork = {.parts = &parts, .signals = &signals};
    clockwork.told = notify_manager("READY=1");
    log_stage("stopping", serve_on(&clockwork, INT64_MAX, never), &parts);
    drain(&clockwork, config);
    stop_parts(&parts);
    log_flush();
    return EXIT_OK;
}

static int print_services(void)
{
    for (size_t i = 0; i < registry_count; i++)
        printf("%s\n", registry[i]->name);
    return EXIT_OK;
}

static int print_openapi(void)
{
    size_t length = 0;
    AUTO(mem_release) char *text = openapi_text(&length);
    bool written = fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0;
    return written ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char *argv[])
{
    bool key = argc > 1 && strcmp(argv[1], "key") == 0;
    if (!key && config_answer(&gateway_program, argc, argv))
        return EXIT_OK;
    if (argc == 2 && strcmp(argv[1], "services") == 0)
        return print_services();
    if (argc == 2 && strcmp(argv[1], "openapi") == 0)
        return print_openapi();
    bool curve_keys = argc == 2 && strcmp(argv[1], "curve-keys") == 0;
    bool backup = backup_is_meant(argc, argv);
    if (argc > 1 && !key && !curve_keys && !backup) {
        (void)fprintf(stderr, "gateway: unknown argument %s; try gateway --help\n", argv[1]);
        return EXIT_BAD_USAGE;
    }
    gateway_config_t config = {0};
    log_level_t level = LOG_INFO;
    err_t err;
    process_begin();
    log_open("gateway", LOG_INFO);
    status_t status = sodium_init() < 0 ? err_set(&err, STATUS_SYSTEM, "libsodium", "can't start")
                                        : config_load(&gateway_program, &config, &err);
    if (status == STATUS_OK && log_level_parse(config.log_level, &level) != STATUS_OK)
        status =
            err_set(&err, STATUS_INVALID, "LK_LOG_LEVEL", "is none of debug, info, warn and error");
    if (status != STATUS_OK) {
        log_failure(LOG_ERROR, "not_started", &err);
        return EXIT_BAD_CONFIG;
    }
    log_open("gateway", level);
    if (key)
        return key_command(argc - 2, argv + 2, config.data_dir, config.hash_file);
    if (curve_keys)
        return curve_command(config.curve_dir);
    if (backup) {
        const backup_command_t command = {.program = "gateway",
                                          .spec = keys_store(),
                                          .directory = config.data_dir,
                                          .seal_key_file = "",
                                          .hash_key_file = config.hash_file,
                                          .check_hash_key = keys_check};
        return backup_command(&command, argc, argv);
    }
    return serve(&config);
}
