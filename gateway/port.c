/* Must never: bind a socket that lets strangers in where they can reach it. Next: zap.c. */
#include "gateway/port.h"

#include "common/text.h"
#include "proto/frames.h"
#include "proto/scan.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

/* A worker gives its connection up after FRAMES_SILENCE_MS without a word: to wait for its
 * handshake longer than that helps nobody but strangers. */
enum { LINGER_MS = 1000, HANDSHAKE_MS = 2 * FRAMES_SILENCE_MS };

static status_t set_option(void *router, int option, int value, err_t *err)
{
    if (zmq_setsockopt(router, option, &value, sizeof(value)) == 0)
        return STATUS_OK;
    return err_set(err, STATUS_SYSTEM, "zmq_setsockopt", "option %d: %s", option,
                   zmq_strerror(zmq_errno()));
}

/* The handler stands before the socket does: nobody comes in unasked. */
static status_t guard(const port_settings_t *settings, void *context, port_t *port, err_t *err)
{
    if (settings->curve == NULL && !curve_is_local(settings->listen))
        return err_set(err, STATUS_INVALID, "LK_WORKER_LISTEN",
                       "%s is not of this machine alone: that needs LK_CURVE=on, or listen at "
                       "127.0.0.1",
                       settings->listen);
    if (settings->curve == NULL)
        return STATUS_OK;
    status_t status = visitors_new(settings->workers, &port->visitors, err);
    if (status == STATUS_OK)
        status = zap_start(context, port->router, settings->allow, port->visitors, &port->zap, err);
    if (status == STATUS_OK)
        status = curve_serve(settings->curve, port->router, err);
    return status;
}

/* 0: it has none. */
static uint16_t port_number(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');
    uint64_t port = 0;
    if (strncmp(endpoint, "tcp://", 6) != 0 ||
        text_number(colon + 1, strlen(colon + 1), UINT16_MAX, &port) != STATUS_OK)
        return 0;
    return (uint16_t)port;
}

status_t port_open(const port_settings_t *settings, void *context, port_t *out, err_t *err)
{
    const char *listen = settings->listen;
    static const struct {
        int option, value;
    } options[] = {
        {ZMQ_ROUTER_MANDATORY, 1}, {ZMQ_LINGER, LINGER_MS},           {ZMQ_SNDHWM, 1000},
        {ZMQ_RCVHWM, 1000},        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS}, {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_BACKLOG, 256},
    };
    out->router = zmq_socket(context, ZMQ_ROUTER);
    if (out->router == NULL)
        return err_set(err, STATUS_SYSTEM, listen, "no socket: %s", zmq_strerror(zmq_errno()));
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        status_t set = set_option(out->router, options[i].option, options[i].value, err);
        if (set != STATUS_OK)
            return set;
    }
    int64_t largest = SCAN_BYTES_MAX;
    if (zmq_setsockopt(out->router, ZMQ_MAXMSGSIZE, &largest, sizeof(largest)) != 0)
        return err_set(err, STATUS_SYSTEM, "zmq_setsockopt", "ZMQ_MAXMSGSIZE");
    status_t status = guard(settings, context, out, err);
    if (status != STATUS_OK)
        return status;
    if (zmq_bind(out->router, listen) != 0)
        return err_set(err, zmq_errno() == EADDRINUSE ? STATUS_BUSY : STATUS_INVALID,
                       "LK_WORKER_LISTEN", "can't listen on %s: %s", listen,
                       zmq_strerror(zmq_errno()));
    size_t size = sizeof(out->endpoint);
    size_t fd_size = sizeof(out->fd);
    if (zmq_getsockopt(out->router, ZMQ_LAST_ENDPOINT, out->endpoint, &size) != 0 ||
        zmq_getsockopt(out->router, ZMQ_FD, &out->fd, &fd_size) != 0)
        return err_set(err, STATUS_SYSTEM, listen, "%s", zmq_strerror(zmq_errno()));
    if (out->visitors != NULL)
        visitors_at(out->visitors, port_number(out->endpoint));
    return STATUS_OK;
}

void port_close(port_t *port, void *context)
{
    if (port->zap != NULL)
        (void)zmq_socket_monitor(port->router, NULL, 0); /* nobody takes its events any more */
    if (port->router != NULL)
        (void)zmq_close(port->router);
    if (context != NULL)
        (void)zmq_ctx_shutdown(context); /* ends the ZAP handler's wait */
    zap_stop(&port->zap);
    visitors_free(&port->visitors);
}
