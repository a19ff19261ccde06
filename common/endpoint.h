/* Where a socket is bound: an IP address and a port. */
#ifndef LK_COMMON_ENDPOINT_H
#define LK_COMMON_ENDPOINT_H

#include "common/status.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

typedef union {
    struct sockaddr any; /* AF_UNSPEC: none */
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} endpoint_t;

/* Reads "ADDRESS:PORT" or "[IPV6]:PORT": numbers, no names. STATUS_INVALID. */
status_t endpoint_parse(const char *text, size_t length, endpoint_t *out) MUST_CHECK;
uint16_t endpoint_port(const endpoint_t *endpoint);
void endpoint_set_port(endpoint_t *endpoint, uint16_t port);
/* Of what is in it, for bind(2). */
socklen_t endpoint_size(const endpoint_t *endpoint);

/* The socket's own end; AF_UNSPEC if it has none. */
endpoint_t endpoint_of(int socket);
/* Whether a socket whose own end is `local` was accepted at `bound`, or is the listener there:
 * one that is bound to every address (0.0.0.0, ::) has connections at each. */
bool endpoint_is_at(const endpoint_t *local, const endpoint_t *bound);

/* Tells why `listen`, the value of that setting, can't be listened at. failed: bind(2)'s errno.
 * STATUS_BUSY: the port is taken; STATUS_INVALID: no address of this machine; STATUS_REFUSED: a
 * port for root only; else STATUS_SYSTEM. */
status_t endpoint_refused(const char *setting, const char *listen, int failed, err_t *err);

#endif
