/* Who waits for whom: each worker thread's connection with its deadline, and the watcher thread
 * that shuts a connection down when its deadline has passed.
 *
 * civetweb's own timeouts begin anew with every byte, so a client that drips, or does not read,
 * could hold a thread for ever; and it does not tell the socket. The watcher finds it by the peer's
 * address (http_sockets.c), which happens only when something is overdue.
 * Must never: touch a descriptor without the line's lock (it could be another's by then). */
#include "gateway/http_internal.h"

#include "common/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void http_line_enter(http_line_t *line, line_phase_t phase, int64_t deadline_ms)
{
    (void)pthread_mutex_lock(&line->lock);
    line->phase = phase;
    line->since_ms = clock_ms();
    line->deadline_ms = deadline_ms;
    if (phase == LINE_FRESH)
        line->cut = false;
    (void)pthread_mutex_unlock(&line->lock);
}

bool http_line_begin(http_line_t *line, int64_t *out_since, bool *out_fresh)
{
    (void)pthread_mutex_lock(&line->lock);
    *out_since = line->since_ms;
    *out_fresh = line->phase == LINE_FRESH;
    line->phase = LINE_HANDLING;
    line->deadline_ms = 0;
    bool cut = line->cut;
    (void)pthread_mutex_unlock(&line->lock);
    return cut;
}

bool http_line_is_cut(http_line_t *line)
{
    (void)pthread_mutex_lock(&line->lock);
    bool cut = line->cut;
    (void)pthread_mutex_unlock(&line->lock);
    return cut;
}

static bool is_waiting(line_phase_t phase)
{
    return phase == LINE_FRESH || phase == LINE_IDLE || phase == LINE_READING;
}

typedef enum { CROWD_NONE, CROWD_SCARCE, CROWD_FULL } crowd_t;

/* One round of the watcher's. The sockets are listed when the first of it is cut: one that is not
 * among them by then is cut in the next round. */
typedef struct {
    const http_server_t *server;
    crowd_t crowd;
    bool stopping;
    bool listed;
    http_sockets_t sockets;
} round_t;

static void cut(round_t *round, http_line_t *line)
{
    /* Asked only now: before its first request civetweb does not tell. */
    const struct mg_request_info *info = mg_get_request_info(line->connection);
    if (info == NULL)
        return;
    struct sockaddr_in peer = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)info->remote_port)};
    (void)inet_pton(AF_INET, info->remote_addr, &peer.sin_addr);
    if (!round->listed)
        http_sockets_list(round->server, &round->sockets);
    round->listed = true;
    int fd = http_sockets_find(&round->sockets, &peer);
    if (fd < 0)
        return;
    (void)shutdown(fd, line->phase == LINE_WRITING ? SHUT_RDWR : SHUT_RD);
    line->cut = true;
    line->deadline_ms = 0;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whose thread is wanted for somebody else. */
static bool is_in_the_way(line_phase_t phase, crowd_t crowd)
{
    return crowd == CROWD_FULL ? is_waiting(phase) : crowd == CROWD_SCARCE && phase == LINE_IDLE;
}

static void inspect(round_t *round, http_line_t *line)
{
    const http_server_t *server = round->server;
    (void)pthread_mutex_lock(&line->lock);
    int64_t now = clock_ms();
    bool overdue = line->deadline_ms != 0 && now >= line->deadline_ms;
    if (is_in_the_way(line->phase, round->crowd))
        overdue = overdue || now >= line->since_ms + HTTP_CROWDED_MS;
    int64_t drained_ms = atomic_load(&server->drained_ms);
    if (drained_ms != 0 && (line->phase == LINE_FRESH || line->phase == LINE_IDLE))
        overdue =
            overdue || now >= later(line->since_ms, drained_ms) + server->settings.drain_idle_ms;
    if (round->stopping)
        overdue = overdue || is_waiting(line->phase);
    if (overdue && line->phase != LINE_FREE && !line->cut)
        cut(round, line);
    (void)pthread_mutex_unlock(&line->lock);
}

static void inspect_all(http_server_t *server, bool stopping)
{
    size_t used = atomic_load(&server->lines_used);
    int64_t connections = atomic_load(&server->connections);
    crowd_t crowd = connections >= server->settings.threads ? CROWD_FULL
                    : http_is_crowded(server)               ? CROWD_SCARCE
                                                            : CROWD_NONE;
    round_t round = {.server = server, .crowd = crowd, .stopping = stopping};
    for (size_t i = 0; i < used && i < server->line_count; i++)
        inspect(&round, &server->lines[i]);
    http_sockets_free(&round.sockets);
}

static int64_t interval_ms(const http_settings_t *settings)
{
    int64_t shortest = settings->request_ms < settings->keep_alive_ms ? settings->request_ms
                                                                      : settings->keep_alive_ms;
    return shortest / 8 < 10 ? 10 : shortest / 8 > 100 ? 100 : shortest / 8;
}

/* Whether the kernel holds connections for accept(2). */
static bool has_backlog(int listener)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    return getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
           info.tcpi_unacked > 0; /* of a listener, it means that */
}

/* civetweb can't do without a listener, and spins on one that is closed: an eventfd takes its
 * place, on which nothing comes. First the accept loop must have left its poll, which would wait
 * for the old socket even then; should it be late, the stop takes up to 2 s longer. */
void http_listen_end(http_server_t *server)
{
    const struct timespec beat = {.tv_nsec = 1000000}, wake = {.tv_nsec = 10 * 1000000L};
    int64_t deadline_ms = clock_ms() + HTTP_BACKLOG_MS;
    http_sockets_t sockets;
    http_sockets_list(server, &sockets);
    int listener = sockets.listener;
    http_sockets_free(&sockets);
    server->plug = listener < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->plug < 0)
        return;
    while (has_backlog(listener) && clock_ms() < deadline_ms)
        (void)nanosleep(&beat, NULL);
    (void)shutdown(listener, SHUT_RDWR);
    (void)nanosleep(&wake, NULL);
    (void)!dup3(server->plug, listener, O_CLOEXEC);
}

/* The accept loop sleeps up to 2 s at a time. */
static void wake_accept(http_server_t *server)
{
    if (server->plug >= 0)
        (void)eventfd_write(server->plug, 1);
}

static void *watch(void *context)
{
    http_server_t *server = context;
    (void)pthread_mutex_lock(&server->watch_lock);
    while (server->watch != WATCH_END) {
        bool stopping = server->watch == WATCH_STOP;
        int64_t wait_ms = stopping ? 5 : interval_ms(&server->settings);
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)wait_ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&server->watch_wake, &server->watch_lock, &until);
        stopping = server->watch == WATCH_STOP;
        (void)pthread_mutex_unlock(&server->watch_lock);
        inspect_all(server, stopping);
        if (stopping)
            wake_accept(server);
        (void)pthread_mutex_lock(&server->watch_lock);
    }
    (void)pthread_mutex_unlock(&server->watch_lock);
    return NULL;
}

static void tell_watcher(http_server_t *server, int what)
{
    (void)pthread_mutex_lock(&server->watch_lock);
    server->watch = what == WATCH_END ? WATCH_END : WATCH_STOP;
    (void)pthread_cond_signal(&server->watch_wake);
    (void)pthread_mutex_unlock(&server->watch_lock);
}

status_t http_watch_start(http_server_t *server, err_t *err)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&server->watcher, NULL, watch, server);
    int failed = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return failed == 0 ? STATUS_OK : err_errno(err, "http", "starting a thread");
}

void http_watch_stop(http_server_t *server)
{
    tell_watcher(server, WATCH_STOP);
}

void http_watch_end(http_server_t *server)
{
    tell_watcher(server, WATCH_END);
    (void)pthread_join(server->watcher, NULL);
}
