#include "common/endpoint.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static status_t parse_host(const char *host, size_t length, endpoint_t *out)
{
    char text[INET6_ADDRSTRLEN];
    bool bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
    if (text_copy(text, sizeof(text), host + bracketed, length - 2 * (size_t)bracketed) !=
        STATUS_OK)
        return STATUS_INVALID;
    out->any.sa_family = bracketed ? AF_INET6 : AF_INET;
    void *bytes = bracketed ? (void *)&out->v6.sin6_addr : (void *)&out->v4.sin_addr;
    return inet_pton(out->any.sa_family, text, bytes) == 1 ? STATUS_OK : STATUS_INVALID;
}

status_t endpoint_parse(const char *text, size_t length, endpoint_t *out)
{
    endpoint_t endpoint;
    uint64_t port = 0;
    memset(&endpoint, 0, sizeof(endpoint));
    const char *colon = memrchr(text, ':', length);
    if (colon == NULL || parse_host(text, (size_t)(colon - text), &endpoint) != STATUS_OK ||
        text_number(colon + 1, (size_t)(text + length - colon - 1), UINT16_MAX, &port) != STATUS_OK)
        return STATUS_INVALID;
    endpoint_set_port(&endpoint, (uint16_t)port);
    *out = endpoint;
    return STATUS_OK;
}

static bool is_v6(const endpoint_t *endpoint)
{
    return endpoint->any.sa_family == AF_INET6;
}

uint16_t endpoint_port(const endpoint_t *endpoint)
{
    return ntohs(is_v6(endpoint) ? endpoint->v6.sin6_port : endpoint->v4.sin_port);
}

void endpoint_set_port(endpoint_t *endpoint, uint16_t port)
{
    if (is_v6(endpoint))
        endpoint->v6.sin6_port = htons(port);
    else
        endpoint->v4.sin_port = htons(port);
}

socklen_t endpoint_size(const endpoint_t *endpoint)
{
    return is_v6(endpoint) ? sizeof(endpoint->v6) : sizeof(endpoint->v4);
}

endpoint_t endpoint_of(int socket)
{
    endpoint_t endpoint;
    socklen_t size = sizeof(endpoint);
    memset(&endpoint, 0, sizeof(endpoint));
    if (getsockname(socket, &endpoint.any, &size) != 0 ||
        (endpoint.any.sa_family != AF_INET && !is_v6(&endpoint)))
        memset(&endpoint, 0, sizeof(endpoint));
    return endpoint;
}

bool endpoint_is_at(const endpoint_t *local, const endpoint_t *bound)
{
    if (local->any.sa_family != bound->any.sa_family || local->any.sa_family == AF_UNSPEC ||
        endpoint_port(local) != endpoint_port(bound))
        return false;
    if (is_v6(bound))
        return IN6_IS_ADDR_UNSPECIFIED(&bound->v6.sin6_addr) ||
               IN6_ARE_ADDR_EQUAL(&bound->v6.sin6_addr, &local->v6.sin6_addr);
    return bound->v4.sin_addr.s_addr == htonl(INADDR_ANY) ||
           bound->v4.sin_addr.s_addr == local->v4.sin_addr.s_addr;
}

status_t endpoint_refused(const char *setting, const char *listen, int failed, err_t *err)
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
