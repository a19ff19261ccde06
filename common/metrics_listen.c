/* From LK_METRICS_LISTEN to a socket. */
#include "common/endpoint.h"
#include "common/metrics_http.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static const char setting[] = "LK_METRICS_LISTEN";

typedef struct {
    endpoint_t endpoint;
    bool or_next; /* the first free port from there on */
} place_t;

bool metrics_are_off(const char *listen)
{
    return strcmp(listen, "off") == 0;
}

static status_t parse(const char *listen, place_t *out, err_t *err)
{
    place_t place;
    size_t length = strlen(listen);
    place.or_next = length > 0 && listen[length - 1] == '+';
    if (endpoint_parse(listen, length - place.or_next, &place.endpoint) != STATUS_OK)
        return err_set(err, STATUS_INVALID, setting,
                       "\"%s\" is neither off nor an address and a port, such as 127.0.0.1:8090, "
                       "127.0.0.1:8090+ or [::1]:8090",
                       listen);
    *out = place;
    return STATUS_OK;
}

static int try_endpoint(const endpoint_t *endpoint, int *out_fd)
{
    int fd = socket(endpoint->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    const int on = 1; /* so that a new start finds the port of the last one free */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &endpoint->any, endpoint_size(endpoint)) == 0 && listen(fd, BACKLOG) == 0) {
        *out_fd = fd;
        return 0;
    }
    int failed = errno;
    (void)close(fd);
    return failed;
}

static void name_endpoint(int fd, char out[METRICS_LISTEN_SIZE])
{
    endpoint_t bound = endpoint_of(fd);
    char host[INET6_ADDRSTRLEN] = "";
    bool v6 = bound.any.sa_family == AF_INET6;
    (void)inet_ntop(bound.any.sa_family,
                    v6 ? (const void *)&bound.v6.sin6_addr : (const void *)&bound.v4.sin_addr, host,
                    sizeof(host));
    (void)!text_format(out, METRICS_LISTEN_SIZE, v6 ? "[%s]:%u" : "%s:%u", host,
                       endpoint_port(&bound));
}

status_t metrics_listen(const char *listen, int *out_fd, char out_endpoint[METRICS_LISTEN_SIZE],
                        err_t *err)
{
    place_t place = {0};
    status_t status = parse(listen, &place, err);
    if (status != STATUS_OK)
        return status;
    int failed = EADDRINUSE;
    int port = endpoint_port(&place.endpoint);
    int tries = place.or_next ? METRICS_LISTEN_PORTS : 1;
    for (int i = 0; failed == EADDRINUSE && i < tries && port + i <= UINT16_MAX; i++) {
        endpoint_set_port(&place.endpoint, (uint16_t)(port + i));
        failed = try_endpoint(&place.endpoint, out_fd);
    }
    if (failed != 0)
        return endpoint_refused(setting, listen, failed, err);
    name_endpoint(*out_fd, out_endpoint);
    return STATUS_OK;
}
