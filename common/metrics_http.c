/* The loop. Every connection: one request, one response, then the other side's end is awaited, so
 * that a reset does not overtake the response. */
#include "common/metrics_http.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LOWER_PRIORITY = 10,
    PAUSE_MS = 100, /* no descriptor for one more: look again then */
    POLL_FIXED = 2,
    RESPONSE_HEAD = 256,
};

typedef enum { ASKING, ANSWERING, ENDING } phase_t;

typedef struct {
    int fd; /* -1: free */
    phase_t phase;
    int64_t deadline_ms;
    size_t length; /* of what has been read, or of the response */
    size_t sent;
    char *response;
    char head[METRICS_HTTP_HEAD];
} connection_t;

struct metrics_http {
    const metrics_t *metrics;
    int listener;
    int stop; /* eventfd */
    int64_t listen_from_ms;
    pthread_t thread;
    char endpoint[METRICS_LISTEN_SIZE];
    connection_t connections[METRICS_HTTP_CONNECTIONS];
};

static void end(connection_t *connection)
{
    if (connection->fd >= 0)
        (void)close(connection->fd);
    mem_free(connection->response);
    connection->response = NULL;
    connection->fd = -1;
}

/* ---- answering ---- */

static void answer(connection_t *connection, const char *status, const char *more, char *text,
                   size_t length)
{
    char head[RESPONSE_HEAD];
    (void)!text_format(head, sizeof(head),
                       "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n%s\r\n",
                       status, length, more);
    size_t head_length = strlen(head);
    connection->response = mem_array(head_length + length, 1);
    memcpy(connection->response, head, head_length);
    if (text != NULL)
        memcpy(connection->response + head_length, text, length);
    connection->length = head_length + length;
    connection->sent = 0;
    connection->phase = ANSWERING;
}

static void refuse(connection_t *connection, const char *status)
{
    answer(connection, status, "Allow: GET, HEAD\r\n", NULL, 0);
}

/* Whether that word stands at *at; moves on behind it. */
static bool take_word(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

/* A whole head stands in connection->head, with a NUL behind it. */
static void serve(const metrics_http_t *server, connection_t *connection)
{
    const char *at = connection->head;
    bool head_only = take_word(&at, "HEAD ");
    if (!head_only && !take_word(&at, "GET ")) {
        refuse(connection, "405 Method Not Allowed");
        return;
    }
    size_t target = strcspn(at, " ?\r\n");
    const char *version = at + strcspn(at, " \r\n");
    if (!take_word(&version, " HTTP/1.")) {
        refuse(connection, "400 Bad Request");
        return;
    }
    if (target != strlen("/metrics") || strncmp(at, "/metrics", target) != 0) {
        refuse(connection, "404 Not Found");
        return;
    }
    size_t length = 0;
    AUTO(mem_release) char *text = metrics_text(server->metrics, &length);
    answer(connection, "200 OK", "", text, length);
    if (head_only)
        connection->length -= length;
}

/* ---- one connection ---- */

static void take_request(const metrics_http_t *server, connection_t *connection)
{
    size_t room = sizeof(connection->head) - 1 - connection->length;
    ssize_t count = recv(connection->fd, connection->head + connection->length, room, 0);
    if (count <= 0) {
        if (count == 0 || (errno != EAGAIN && errno != EINTR))
            end(connection);
        return;
    }
    connection->length += (size_t)count;
    connection->head[connection->length] = '\0';
    if (strstr(connection->head, "\r\n\r\n") != NULL)
        serve(server, connection);
    else if (strlen(connection->head) < connection->length)
        refuse(connection, "400 Bad Request");
    else if (connection->length == sizeof(connection->head) - 1)
        refuse(connection, "431 Request Header Fields Too Large");
}

static void send_response(connection_t *connection)
{
    ssize_t count = send(connection->fd, connection->response + connection->sent,
                         connection->length - connection->sent, MSG_NOSIGNAL);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR)
            end(connection);
        return;
    }
    connection->sent += (size_t)count;
    if (connection->sent < connection->length)
        return;
    (void)shutdown(connection->fd, SHUT_WR);
    connection->phase = ENDING;
}

static void await_end(connection_t *connection)
{
    char dropped[512];
    ssize_t count = recv(connection->fd, dropped, sizeof(dropped), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        end(connection);
}

static void step(const metrics_http_t *server, connection_t *connection)
{
    switch (connection->phase) {
    case ASKING:
        take_request(server, connection);
        if (connection->fd < 0 || connection->phase != ANSWERING)
            return;
        send_response(connection); /* most often all of it, at once */
        return;
    case ANSWERING:
        send_response(connection);
        return;
    case ENDING:
        await_end(connection);
        return;
    }
}

/* ---- all of them ---- */

/* Whether a loses its place before b. */
static bool goes_before(const connection_t *a, const connection_t *b)
{
    static const int claims[] = {[ENDING] = 0, [ASKING] = 1, [ANSWERING] = 2};
    if (claims[a->phase] != claims[b->phase])
        return claims[a->phase] < claims[b->phase];
    return a->deadline_ms < b->deadline_ms;
}

/* A free place, or one that is taken from somebody. */
static connection_t *make_place(metrics_http_t *server)
{
    connection_t *first = &server->connections[0];
    for (size_t i = 0; i < METRICS_HTTP_CONNECTIONS; i++) {
        connection_t *connection = &server->connections[i];
        if (connection->fd < 0)
            return connection;
        if (goes_before(connection, first))
            first = connection;
    }
    end(first);
    return first;
}

static void take_connection(metrics_http_t *server, int64_t now_ms)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            server->listen_from_ms = now_ms + PAUSE_MS;
        return;
    }
    connection_t *connection = make_place(server);
    connection->fd = fd;
    connection->phase = ASKING;
    connection->length = 0;
    connection->deadline_ms = now_ms + METRICS_HTTP_MS;
}

static int fill_poll(const metrics_http_t *server, struct pollfd *items, int64_t now_ms)
{
    bool listens = now_ms >= server->listen_from_ms;
    int64_t next_ms = listens ? INT64_MAX : server->listen_from_ms;
    items[0] = (struct pollfd){.fd = server->stop, .events = POLLIN};
    items[1] = (struct pollfd){.fd = listens ? server->listener : -1, .events = POLLIN};
    for (size_t i = 0; i < METRICS_HTTP_CONNECTIONS; i++) {
        const connection_t *connection = &server->connections[i];
        short events = connection->phase == ANSWERING ? POLLOUT : POLLIN;
        items[POLL_FIXED + i] = (struct pollfd){.fd = connection->fd, .events = events};
        if (connection->fd >= 0 && connection->deadline_ms < next_ms)
            next_ms = connection->deadline_ms;
    }
    if (next_ms == INT64_MAX)
        return -1;
    return next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
}

static void *run(void *context)
{
    metrics_http_t *server = context;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOWER_PRIORITY);
    for (;;) {
        struct pollfd items[POLL_FIXED + METRICS_HTTP_CONNECTIONS];
        int ready = poll(items, ARRAY_LEN(items), fill_poll(server, items, clock_ms()));
        int64_t now_ms = clock_ms();
        if (ready > 0 && items[0].revents != 0)
            return NULL;
        for (size_t i = 0; i < METRICS_HTTP_CONNECTIONS; i++) {
            connection_t *connection = &server->connections[i];
            if (ready > 0 && connection->fd >= 0 && items[POLL_FIXED + i].revents != 0)
                step(server, connection);
            if (connection->fd >= 0 && now_ms >= connection->deadline_ms)
                end(connection);
        }
        if (ready > 0 && items[1].revents != 0)
            take_connection(server, now_ms);
    }
}

/* ---- starting and stopping ---- */

static void release(metrics_http_t **server)
{
    if (*server == NULL)
        return;
    for (size_t i = 0; i < METRICS_HTTP_CONNECTIONS; i++)
        end(&(*server)->connections[i]);
    if ((*server)->listener >= 0)
        (void)close((*server)->listener);
    if ((*server)->stop >= 0)
        (void)close((*server)->stop);
    mem_free(*server);
    *server = NULL;
}

status_t metrics_http_start(const metrics_t *metrics, const char *listen, metrics_http_t **out,
                            err_t *err)
{
    AUTO(release) metrics_http_t *server = mem_zalloc(sizeof(*server));
    server->metrics = metrics;
    server->listener = -1;
    for (size_t i = 0; i < METRICS_HTTP_CONNECTIONS; i++)
        server->connections[i].fd = -1;
    server->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop < 0)
        return err_errno(err, "metrics", "no descriptors");
    status_t status = metrics_listen(listen, &server->listener, server->endpoint, err);
    if (status != STATUS_OK)
        return status;
    if (pthread_create(&server->thread, NULL, run, server) != 0)
        return err_set(err, STATUS_SYSTEM, "metrics", "a thread cannot be started");
    *out = TAKE(server);
    return STATUS_OK;
}

const char *metrics_http_endpoint(const metrics_http_t *server)
{
    return server->endpoint;
}

void metrics_http_stop(metrics_http_t **server)
{
    if (*server == NULL)
        return;
    (void)eventfd_write((*server)->stop, 1);
    (void)pthread_join((*server)->thread, NULL);
    release(server);
}
