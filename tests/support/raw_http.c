#include "tests/support/raw_http.h"

#include "common/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* A close that was promised is waited for; one that was not, only looked for. */
enum { CLOSE_LOOK_MS = 100, CLOSE_WAIT_MS = 5000, ASK_MS = 5000 };

int raw_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        abort();
    return fd;
}

void raw_send(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server may well have closed */
        bytes += sent;
        length -= (size_t)sent;
    }
}

void raw_send_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

/* Bytes of the response that begins at text, or 0 if it is not whole yet. */
static size_t response_size(const char *text, bool head)
{
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL)
        return 0;
    size_t size = (size_t)(end - text) + 4;
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    if (!head && length != NULL && length < end)
        size += strtoul(length + 18, NULL, 10);
    return size <= strlen(text) ? size : 0;
}

static int count_whole(const raw_reply_t *reply, bool head)
{
    const char *text = reply->bytes;
    int count = 0;
    for (size_t size = 0; (size = response_size(text, head)) > 0; text += size)
        count++;
    return count;
}

static bool read_more(int fd, int64_t deadline, raw_reply_t *out)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int64_t left = deadline - clock_ms();
    if (left <= 0 || out->length + 1 >= sizeof out->bytes || poll(&wait, 1, (int)left) <= 0)
        return false;
    ssize_t got = recv(fd, out->bytes + out->length, sizeof out->bytes - 1 - out->length, 0);
    if (got <= 0) {
        out->closed = true;
        return false;
    }
    out->length += (size_t)got;
    out->bytes[out->length] = '\0';
    return true;
}

void raw_receive(int fd, int count, bool head, int limit_ms, raw_reply_t *out)
{
    int64_t deadline = clock_ms() + limit_ms;
    out->status = 0;
    out->closed = false;
    out->length = 0;
    out->bytes[0] = '\0';
    while (count_whole(out, head) < count && read_more(fd, deadline, out))
        continue;
    if (strncmp(out->bytes, "HTTP/1.1 ", 9) == 0)
        out->status = (int)strtol(out->bytes + 9, NULL, 10);
}

bool raw_is_closed(int fd, int limit_ms)
{
    int64_t deadline = clock_ms() + limit_ms;
    char waste[4096];
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - clock_ms();
        if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
            return false;
        if (recv(fd, waste, sizeof waste, 0) <= 0)
            return true;
    }
}

void raw_ask(int port, const char *request, raw_reply_t *out)
{
    int fd = raw_connect(port);
    raw_send_text(fd, request);
    raw_receive(fd, 1, strncmp(request, "HEAD ", 5) == 0, ASK_MS, out);
    bool promised = strcasestr(out->bytes, "\r\nConnection: close\r\n") != NULL;
    out->closed = out->closed || raw_is_closed(fd, promised ? CLOSE_WAIT_MS : CLOSE_LOOK_MS);
    (void)close(fd);
}
