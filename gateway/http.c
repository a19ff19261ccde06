/* Start and stop of the HTTP server; the rest stands in http_*.c. Next: http_serve.c. */
#include "gateway/http_internal.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/process.h"
#include "common/text.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char setting[] = "LK_LISTEN";

/* IPv4 only: Debian's civetweb is built without IPv6. */
static status_t parse_listen(const char *listen, endpoint_t *out, err_t *err)
{
    endpoint_t endpoint;
    if (endpoint_parse(listen, strlen(listen), &endpoint) != STATUS_OK)
        return err_set(err, STATUS_INVALID, setting,
                       "\"%s\" is not an IPv4 address and a port, such as 127.0.0.1:8080", listen);
    if (endpoint.any.sa_family != AF_INET)
        return err_set(err, STATUS_INVALID, setting,
                       "%s is an IPv6 address: this build's HTTP server speaks IPv4 only", listen);
    *out = endpoint;
    return STATUS_OK;
}

/* civetweb only says that it failed; asking the kernel once more tells why. */
static status_t explain(const http_settings_t *settings, const endpoint_t *endpoint,
                        const char *reason, err_t *err)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, setting, "making a socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int failed = bind(fd, &endpoint->any, endpoint_size(endpoint)) == 0 ? 0 : errno;
    (void)close(fd);
    return failed != 0 ? endpoint_refused(setting, settings->listen, failed, err)
                       : err_set(err, STATUS_SYSTEM, setting, "%s can't be served: %s",
                                 settings->listen, reason);
}

static void init_library(void)
{
    mg_init_library(MG_FEATURES_DEFAULT);
}

static struct mg_context *start_civetweb(http_server_t *server, const char *listen, char *reason,
                                         size_t reason_size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const http_settings_t *settings = &server->settings;
    char threads[24], request_ms[24], keep_ms[24], head[24], queue[24];
    /* Longer than our own limit: the watcher cuts first, and knows that it was a timeout. */
    if (text_format(request_ms, sizeof request_ms, "%lld",
                    (long long)settings->request_ms + 1000) ||
        text_format(threads, sizeof threads, "%zu", server->line_count) ||
        text_format(keep_ms, sizeof keep_ms, "%lld", (long long)settings->keep_alive_ms) ||
        text_format(head, sizeof head, "%zu", settings->url_limit + HTTP_HEAD_ROOM) ||
        text_format(queue, sizeof queue, "%d", HTTP_QUEUE))
        return NULL;
    const char *options[] = {
        /* clang-format off */
        "listening_ports",             listen,
        "num_threads",                 threads,
        "request_timeout_ms",          request_ms,
        "keep_alive_timeout_ms",       keep_ms,
        "enable_keep_alive",           "yes",
        "max_request_size",            head,
        "connection_queue",            queue,
        "listen_backlog",              "1024",
        "tcp_nodelay",                 "1",
        "decode_url",                  "no",
        "enable_directory_listing",    "no",
        "enable_auth_domain_check",    "no",
        "access_control_allow_origin", "",
        NULL,
        /* clang-format on */
    };
    struct mg_callbacks callbacks;
    unsigned code = 0;
    struct mg_error_data error = {&code, reason, reason_size};
    struct mg_init_data init = {&callbacks, server, options};
    sigset_t all, before;
    (void)pthread_once(&once, init_library);
    http_serve_callbacks(&callbacks);
    /* Its threads inherit the mask: signals are for main alone. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    struct mg_context *context = mg_start2(&init, &error);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return context;
}

static void free_server(http_server_t *server)
{
    for (size_t i = 0; i < server->line_count; i++) {
        (void)pthread_mutex_destroy(&server->lines[i].lock);
        mem_free(server->lines[i].buffer);
    }
    (void)pthread_cond_destroy(&server->watch_wake);
    (void)pthread_mutex_destroy(&server->watch_lock);
    if (server->plug >= 0)
        (void)close(server->plug);
    mem_free(server->lines);
    mem_free(server);
}

static http_server_t *new_server(const http_settings_t *settings, const http_handler_t *handler)
{
    http_server_t *server = mem_zalloc(sizeof *server);
    pthread_condattr_t monotonic;
    server->plug = -1;
    server->settings = *settings;
    server->handler = *handler;
    server->line_count = (size_t)settings->threads + HTTP_DOORS;
    server->lines = mem_array(server->line_count, sizeof *server->lines);
    for (size_t i = 0; i < server->line_count; i++)
        (void)pthread_mutex_init(&server->lines[i].lock, NULL);
    (void)pthread_mutex_init(&server->watch_lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->watch_wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return server;
}

status_t http_start(const http_settings_t *settings, const http_handler_t *handler,
                    http_server_t **out, err_t *err)
{
    endpoint_t endpoint;
    struct mg_server_port bound;
    char reason[160] = "";
    status_t status = parse_listen(settings->listen, &endpoint, err);
    if (status == STATUS_OK)
        status = process_descriptors((size_t)settings->threads + settings->beside + HTTP_DOORS +
                                         HTTP_QUEUE + HTTP_FD_MARGIN,
                                     err);
    if (status != STATUS_OK)
        return status;
    http_server_t *server = new_server(settings, handler);
    server->context = start_civetweb(server, settings->listen, reason, sizeof reason);
    server->settings.listen = NULL; /* was only borrowed */
    if (server->context == NULL) {
        free_server(server);
        return explain(settings, &endpoint, reason, err);
    }
    if (mg_get_server_ports(server->context, 1, &bound) == 1)
        endpoint_set_port(&endpoint, (uint16_t)bound.port);
    server->bound = endpoint;
    status = http_watch_start(server, err);
    if (status != STATUS_OK) {
        mg_stop(server->context);
        free_server(server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

int http_port(const http_server_t *server)
{
    return endpoint_port(&server->bound);
}

void http_drain(http_server_t *server)
{
    if (atomic_load(&server->drained_ms) != 0)
        return;
    atomic_store(&server->drained_ms, clock_ms());
    http_listen_end(server);
}

int http_in_flight(const http_server_t *server)
{
    return atomic_load(&server->in_flight);
}

int http_connections(const http_server_t *server)
{
    return atomic_load(&server->connections);
}

void http_stop(http_server_t **server)
{
    if (*server == NULL)
        return;
    /* Once its stop flag is up, civetweb cuts a response that does not go out in one piece. */
    const struct timespec beat = {.tv_nsec = 5 * 1000000L};
    int64_t deadline_ms = clock_ms() + HTTP_STOP_MS;
    http_drain(*server);
    while (http_in_flight(*server) > 0 && clock_ms() < deadline_ms)
        (void)nanosleep(&beat, NULL);
    http_watch_stop(*server);
    mg_stop((*server)->context);
    http_watch_end(*server);
    free_server(*server);
    *server = NULL;
}
