/* Where Prometheus fetches a program's numbers: GET /metrics, on an address of its own.
 *
 * One thread, never blocking, with everything bounded: METRICS_HTTP_CONNECTIONS at once, each for
 * METRICS_HTTP_MS and one request of METRICS_HTTP_HEAD bytes at most. One more takes the place of
 * the oldest that has its answer, or that has not asked yet, or else of the oldest: idle ones keep
 * nobody out, and an answer on its way is cut last. There is no access control: the address is for
 * who may see the numbers (loopback, a network of one's own), and nothing else can be asked.
 * Must never: hold up a thread that serves. docs/adr/0018-metrics.md. */
#ifndef LK_COMMON_METRICS_HTTP_H
#define LK_COMMON_METRICS_HTTP_H

#include "common/metrics.h"

enum {
    METRICS_HTTP_CONNECTIONS = 8,
    METRICS_HTTP_MS = 10000,
    METRICS_HTTP_HEAD = 4096,
    METRICS_LISTEN_SIZE = 64,
    METRICS_LISTEN_PORTS = 100,
};

typedef struct metrics_http metrics_http_t;

/* Whether LK_METRICS_LISTEN says that nobody shall see metrics. */
bool metrics_are_off(const char *listen);

/* Listens on "ADDRESS:PORT" or "[IPV6]:PORT" (numbers, no names) and starts the thread. With a '+'
 * behind, the first port that is free from there on, of METRICS_LISTEN_PORTS: for many programs of
 * one kind on a host. metrics is borrowed until metrics_http_stop, and open. STATUS_INVALID: listen
 * is malformed or no address of this machine; STATUS_BUSY: the port is taken; STATUS_REFUSED: it is
 * for root only; STATUS_SYSTEM. */
status_t metrics_http_start(const metrics_t *metrics, const char *listen, metrics_http_t **out,
                            err_t *err) MUST_CHECK;
/* The address and port that it listens on. */
const char *metrics_http_endpoint(const metrics_http_t *server);
/* Cuts what is open and ends the thread. NULL-safe; clears *server. */
void metrics_http_stop(metrics_http_t **server);

/* metrics_listen.c: a socket that listens as metrics_http_start says, and where. */
status_t metrics_listen(const char *listen, int *out_fd, char out_endpoint[METRICS_LISTEN_SIZE],
                        err_t *err) MUST_CHECK;

#endif
