/* From LK_METRICS_LISTEN to a socket. */
#include "common/metrics_http.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16, PORT_MAX = 65535 };

static const char setting[] = "LK_METRICS_LISTEN";

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address_t;

typedef struct {
    address_t address;
    uint64_t port;
    bool or_next; /* the first free one from there on */
} place_t;

bool metrics_are_off(const char *listen)
{
    return strcmp(listen, "off") == 0;
}

static status_t parse_host(const char *host, size_t length, address_t *out)
{
    char text[INET6_ADDRSTRLEN];
    memset(out, 0, sizeof(*out));
    bool bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
    if (text_copy(text, sizeof(text), host + bracketed, length - 2 * (size_t)bracketed) !=
        STATUS_OK)
        return STATUS_INVALID;
    out->any.sa_family = bracketed ? AF_INET6 : AF_INET;
    void *bytes = bracketed ? (void *)&out->v6.sin6_addr : (void *)&out->v4.sin_addr;
    return inet_pton(out->any.sa_family, text, bytes) == 1 ? STATUS_OK : STATUS_INVALID;
}

static status_t parse(const char *listen, place_t *out, err_t *err)
{
    place_t place = {.port = 0};
    size_t length = strlen(listen);
    place.or_next = length > 0 && listen[length - 1] == '+';
    length -= place.or_next;
    const char *colon = strrchr(listen, ':');
    if (colon == NULL ||
        parse_host(listen, (size_t)(colon - listen), &place.address) != STATUS_OK ||
        text_number(colon + 1, (size_t)(listen + length - colon - 1), PORT_MAX, &place.port) !=
            STATUS_OK)
        return err_set(err, STATUS_INVALID, setting,
                       "\"%s\" is neither off nor an address and a port, such as 127.0.0.1:8090, "
                       "127.0.0.1:8090+ or [::1]:8090",
                       listen);
    *out = place;
    return STATUS_OK;
}

static int try_port(address_t *address, uint64_t port, int *out_fd)
{
    socklen_t size = sizeof(address->v4);
    if (address->any.sa_family == AF_INET6) {
        size = sizeof(address->v6);
        address->v6.sin6_port = htons((uint16_t)port);
    } else {
        address->v4.sin_port = htons((uint16_t)port);
    }
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    const int on = 1; /* so that a new start finds the port of the last one free */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &address->any, size) == 0 && listen(fd, BACKLOG) == 0) {
        *out_fd = fd;
        return 0;
    }
    int failed = errno;
    (void)close(fd);
    return failed;
}

static status_t explain(const char *listen, int failed, err_t *err)
{
    if (failed == EADDRINUSE)
        return err_set(err, STATUS_BUSY, setting, "%s is taken by another process", listen);
    if (failed == EADDRNOTAVAIL)
        return err_set(err, STATUS_INVALID, setting, "%s is no address of this machine", listen);
    if (failed == EACCES)
        return err_set(err, STATUS_REFUSED, setting, "%s is a port for root only", listen);
    errno = failed;
    return err_errno(err, setting, "can't listen");
}

static void name_endpoint(int fd, char out[METRICS_LISTEN_SIZE])
{
    address_t bound;
    socklen_t size = sizeof(bound);
    char host[INET6_ADDRSTRLEN] = "";
    memset(&bound, 0, sizeof(bound));
    (void)getsockname(fd, &bound.any, &size);
    bool v6 = bound.any.sa_family == AF_INET6;
    (void)inet_ntop(bound.any.sa_family,
                    v6 ? (const void *)&bound.v6.sin6_addr : (const void *)&bound.v4.sin_addr, host,
                    sizeof(host));
    (void)!text_format(out, METRICS_LISTEN_SIZE, v6 ? "[%s]:%u" : "%s:%u", host,
                       ntohs(v6 ? bound.v6.sin6_port : bound.v4.sin_port));
}

status_t metrics_listen(const char *listen, int *out_fd, char out_endpoint[METRICS_LISTEN_SIZE],
                        err_t *err)
{
    place_t place = {.port = 0};
    status_t status = parse(listen, &place, err);
    if (status != STATUS_OK)
        return status;
    int failed = EADDRINUSE;
    uint64_t tries = place.or_next ? METRICS_LISTEN_PORTS : 1;
    for (uint64_t i = 0; failed == EADDRINUSE && i < tries && place.port + i <= PORT_MAX; i++)
        failed = try_port(&place.address, place.port + i, out_fd);
    if (failed != 0)
        return explain(listen, failed, err);
    name_endpoint(*out_fd, out_endpoint);
    return STATUS_OK;
}
