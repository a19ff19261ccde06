/* An open-loop load generator: requests are due at a fixed rate, whatever becomes of those before,
 * and a latency counts from the moment its request was due. (A generator that waits for an answer
 * before it asks again leaves out just those requests that would have waited: coordinated
 * omission.)
 *
 *   open-loop PORT KEY RATE SECONDS CONNECTIONS < REQUESTS
 *
 * REQUESTS: lines "METHOD PATH [BODY]", sent in turns to 127.0.0.1; %n in a body becomes a text
 * that no other request has. One that finds no connection free for 50 ms is given up, as a proxy
 * would: the client's own bound, told apart from the server's refusals. Prints one line:
 *
 *   RESULT ok/s refused/s other lost given-up/s  p50 p99 of ok, in ms  p50 p99 of refused, in ms
 * p99.9 of ok, in ms
 *
 * refused: 503 and 429; other: a status that is neither these nor 2xx; lost: no whole answer. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_MAX = 2048,
    HEAD_MAX = 4096,
    GIVE_UP_US = 50 * 1000,
    LAST_WAIT_US = 15 * 1000 * 1000, /* for answers, once the time is over */
};

typedef struct {
    int fd;         /* -1: not connected */
    bool busy;      /* an answer is awaited */
    int64_t due_us; /* of the request */
    char request[REQUEST_MAX];
    size_t length, sent;
    char head[HEAD_MAX]; /* of the answer, as far as it has come */
    size_t head_length;
    int64_t body_left; /* -1: the head is not whole */
    int status;
    bool close; /* says the answer */
} line_t;

typedef struct {
    int64_t *us;
    size_t count, room;
} samples_t;

static struct {
    in_port_t port;
    const char *key;
    double rate;
    int64_t begin_us, end_us;
    int epoll;
    line_t *lines, **free_lines;
    size_t line_count, free_count;
    char **templates;
    size_t template_count;
    uint64_t next; /* the request that is due next */
    uint64_t other, lost, given_up;
    samples_t ok, refused;
} g;

static void fail(const char *what)
{
    (void)fprintf(stderr, "open-loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *grow(void *array, size_t count, size_t size)
{
    void *grown = reallocarray(array, count, size);
    if (grown == NULL)
        fail("memory");
    return grown;
}

/* ---- what is measured ---- */

static void note(samples_t *samples, int64_t us)
{
    if (samples->count == samples->room) {
        samples->room = samples->room * 2 + 1024;
        samples->us = grow(samples->us, samples->room, sizeof(*samples->us));
    }
    samples->us[samples->count++] = us;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static double percentile_ms(const samples_t *sorted, size_t per_mille)
{
    if (sorted->count == 0)
        return 0;
    size_t place = (sorted->count - 1) * per_mille / 1000;
    return (double)sorted->us[place] / 1e3;
}

static void report(void)
{
    double seconds = (double)(g.end_us - g.begin_us) / 1e6;
    if (g.ok.count > 0)
        qsort(g.ok.us, g.ok.count, sizeof(*g.ok.us), compare);
    if (g.refused.count > 0)
        qsort(g.refused.us, g.refused.count, sizeof(*g.refused.us), compare);
    (void)printf("RESULT %.1f %.1f %" PRIu64 " %" PRIu64 " %.1f %.3f %.3f %.3f %.3f %.3f\n",
                 (double)g.ok.count / seconds, (double)g.refused.count / seconds, g.other, g.lost,
                 (double)g.given_up / seconds, percentile_ms(&g.ok, 500), percentile_ms(&g.ok, 990),
                 percentile_ms(&g.refused, 500), percentile_ms(&g.refused, 990),
                 percentile_ms(&g.ok, 999));
}

/* ---- connections ---- */

static void hang_up(line_t *line)
{
    if (line->fd >= 0)
        (void)close(line->fd);
    line->fd = -1;
}

static void set_free(line_t *line)
{
    line->busy = false;
    g.free_lines[g.free_count++] = line;
}

static void lose(line_t *line)
{
    hang_up(line);
    if (!line->busy)
        return; /* idle, and closed by the server: that may be */
    g.lost++;
    set_free(line);
}

static bool dial(line_t *line)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(g.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = line};
    int on = 1;
    line->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (line->fd < 0 || setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        fail("socket");
    if (connect(line->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
        return false;
    if (epoll_ctl(g.epoll, EPOLL_CTL_ADD, line->fd, &event) != 0)
        fail("epoll");
    return true;
}

/* ---- a request ---- */

static void write_request(line_t *line)
{
    char body[REQUEST_MAX / 2];
    char method[16], path[512];
    const char *template = g.templates[g.next % g.template_count];
    int read = 0;
    if (sscanf(template, "%15s %511s %n", method, path, &read) != 2)
        fail("malformed line of requests");
    const char *rest = template + read;
    const char *mark = strstr(rest, "%n");
    if (mark == NULL)
        (void)snprintf(body, sizeof(body), "%s", rest);
    else
        (void)snprintf(body, sizeof(body), "%.*s%jx-%" PRIu64 "%s", (int)(mark - rest), rest,
                       (intmax_t)g.begin_us, g.next, mark + 2);
    line->length =
        (size_t)snprintf(line->request, sizeof(line->request),
                         "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                         method, path, g.key, strlen(body), body);
    if (line->length >= sizeof(line->request))
        fail("request too long");
}

static void send_rest(line_t *line)
{
    while (line->sent < line->length) {
        ssize_t sent =
            send(line->fd, line->request + line->sent, line->length - line->sent, MSG_NOSIGNAL);
        if (sent < 0)
            return; /* not yet, or gone: reading will tell */
        line->sent += (size_t)sent;
    }
}

static void ask(line_t *line, int64_t due_us)
{
    write_request(line);
    line->busy = true;
    line->due_us = due_us;
    line->sent = line->head_length = 0;
    line->body_left = -1;
    if (line->fd < 0 && !dial(line))
        lose(line);
    else
        send_rest(line);
}

/* ---- its answer ---- */

static void answered(line_t *line)
{
    int64_t took_us = now_us() - line->due_us;
    if (line->status >= 200 && line->status < 300)
        note(&g.ok, took_us);
    else if (line->status == 503 || line->status == 429)
        note(&g.refused, took_us);
    else
        g.other++;
    if (line->close)
        hang_up(line);
    set_free(line);
}

/* Takes what came, at most up to the head's end. Returns how much that was. */
static size_t take_head(line_t *line, const char *bytes, size_t length)
{
    size_t room = sizeof(line->head) - 1 - line->head_length;
    size_t before = line->head_length;
    size_t taken = length < room ? length : room;
    memcpy(line->head + before, bytes, taken);
    line->head_length += taken;
    line->head[line->head_length] = '\0';
    const char *end = strstr(line->head, "\r\n\r\n");
    if (end == NULL) {
        if (taken < length)
            fail("an answer's head is too long");
        return taken;
    }
    const char *content = strcasestr(line->head, "\r\nContent-Length:");
    const char *closes = strcasestr(line->head, "\r\nConnection: close");
    line->status = (int)strtol(line->head + sizeof("HTTP/1.1"), NULL, 10);
    line->body_left = content != NULL && content < end ? strtoll(content + 17, NULL, 10) : 0;
    line->close = closes != NULL && closes < end;
    return (size_t)(end + 4 - line->head) - before;
}

static void take(line_t *line, const char *bytes, size_t length)
{
    if (line->body_left < 0) {
        length -= take_head(line, bytes, length);
    }
    if (line->body_left < 0)
        return;
    line->body_left -= (int64_t)length;
    if (line->body_left <= 0)
        answered(line);
}

static void receive(line_t *line)
{
    static char bytes[65536];
    send_rest(line);
    while (line->fd >= 0) {
        ssize_t got = recv(line->fd, bytes, sizeof(bytes), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0 || !line->busy) {
            lose(line);
            return;
        }
        take(line, bytes, (size_t)got);
    }
}

/* ---- time ---- */

static int64_t due_us(void)
{
    return g.begin_us + (int64_t)((double)g.next / g.rate * 1e6);
}

/* Sends what is due. Returns how long until there is something to do again. */
static int64_t send_due(void)
{
    int64_t now = now_us();
    for (;; g.next++) {
        int64_t due = due_us();
        if (due >= g.end_us)
            return GIVE_UP_US;
        if (due > now)
            return due - now;
        if (g.free_count > 0)
            ask(g.free_lines[--g.free_count], due);
        else if (now - due > GIVE_UP_US)
            g.given_up++;
        else
            return due + GIVE_UP_US - now + 1;
    }
}

static void run(void)
{
    struct epoll_event events[256];
    g.begin_us = now_us();
    g.end_us += g.begin_us;
    for (;;) {
        int64_t wait_us = send_due();
        bool all_sent = due_us() >= g.end_us;
        if (all_sent && (g.free_count == g.line_count || now_us() > g.end_us + LAST_WAIT_US))
            break;
        struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
        int count = epoll_pwait2(g.epoll, events, 256, &wait, NULL);
        for (int i = 0; i < count; i++)
            receive(events[i].data.ptr);
    }
    g.lost += g.line_count - g.free_count;
}

static void read_templates(void)
{
    char *text = NULL;
    size_t room = 0;
    while (getline(&text, &room, stdin) > 0) {
        text[strcspn(text, "\n")] = '\0';
        g.templates = grow(g.templates, g.template_count + 1, sizeof(*g.templates));
        g.templates[g.template_count++] = text;
        text = NULL;
    }
    free(text);
    if (g.template_count == 0)
        fail("no requests on standard input");
}

int main(int argc, char *argv[])
{
    if (argc != 6) {
        (void)fputs("usage: open-loop PORT KEY RATE SECONDS CONNECTIONS < REQUESTS\n", stderr);
        return 64;
    }
    g.port = (in_port_t)strtoul(argv[1], NULL, 10);
    g.key = argv[2];
    g.rate = strtod(argv[3], NULL);
    g.end_us = (int64_t)(strtod(argv[4], NULL) * 1e6);
    g.line_count = strtoul(argv[5], NULL, 10);
    read_templates();
    g.lines = grow(NULL, g.line_count, sizeof(*g.lines));
    g.free_lines = grow(NULL, g.line_count, sizeof(line_t *));
    for (size_t i = 0; i < g.line_count; i++) {
        g.lines[i].fd = -1;
        set_free(&g.lines[i]);
    }
    g.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (g.epoll < 0 || g.rate <= 0 || g.line_count == 0)
        fail("wrong arguments");
    run();
    report();
    return 0;
}
