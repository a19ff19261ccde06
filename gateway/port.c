/* Must never: bind a socket that lets strangers in where they can reach it. Next: zap.c. */
#include "gateway/port.h"

#include "gateway/multipart.h"
#include "proto/frames.h"
#include "proto/scan.h"

#include <errno.h>
#include <string.h>

/* A worker gives its connection up after FRAMES_SILENCE_MS without a word: to wait for its
 * handshake longer than that helps nobody but strangers. */
enum { LINGER_MS = 1000, HANDSHAKE_MS = 2 * FRAMES_SILENCE_MS, SKIPPED_AT_ONCE = 64 };

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

static endpoint_t bound_at(const char *text)
{
    endpoint_t endpoint = {.any = {.sa_family = AF_UNSPEC}};
    const size_t scheme = strlen("tcp://");
    if (strncmp(text, "tcp://", scheme) != 0 ||
        endpoint_parse(text + scheme, strlen(text) - scheme, &endpoint) != STATUS_OK)
        endpoint.any.sa_family = AF_UNSPEC;
    return endpoint;
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
    endpoint_t bound = bound_at(out->endpoint);
    if (out->visitors != NULL)
        visitors_at(out->visitors, &bound);
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

/* ---- receiving ---- */

/* What a message's frames are on the wire: a frame of ZMTP (ZeroMQ RFC 37) around CURVE's MESSAGE
 * (RFC 26: name, nonce, box of flags and bytes). The identity is not sent. */
static size_t wire_bytes(port_message_t *message)
{
    enum { MESSAGE = 8 + 8 + 16 + 1, SHORT = 255, SHORT_HEAD = 2, LONG_HEAD = 9 };
    size_t sum = 0;
    for (size_t i = 1; i < message->count; i++) {
        size_t size = MESSAGE + zmq_msg_size(&message->frames[i]);
        sum += size + (size > SHORT ? LONG_HEAD : SHORT_HEAD);
    }
    return sum;
}

/* libzmq tells of every frame but the identity whose it is. */
static void name_sender(port_t *port, port_message_t *message)
{
    zmq_msg_t *identity = &message->frames[0], *last = &message->frames[message->count - 1];
    message->sender = (sender_t){
        .identity = zmq_msg_data(identity), .length = zmq_msg_size(identity), .key = message->key};
    if (port->visitors == NULL) {
        message->key[0] = '\0';
        return;
    }
    message->sender.line = zap_read_user(zmq_msg_gets(last, "User-Id"), message->key);
    visitors_said(port->visitors, message->sender.line, zmq_msg_get(last, ZMQ_SRCFD),
                  wire_bytes(message));
    if (message->too_many)
        (void)visitors_tolerate(port->visitors, message->sender.line, false);
}

received_t port_receive(port_t *port, port_message_t *out)
{
    if (port->skips) {
        port->skips = multipart_skip(port->router, SKIPPED_AT_ONCE);
        return RECEIVED_WASTE;
    }
    out->count = multipart_receive(port->router, out->frames, PORT_FRAMES_MAX, &out->too_many);
    if (out->count == 0)
        return RECEIVED_NOTHING;
    port->skips = out->too_many;
    name_sender(port, out);
    return RECEIVED_MESSAGE;
}

void port_message_close(port_message_t *message)
{
    multipart_close(message->frames, message->count);
}

/* ---- sending ---- */

static status_t send_frame(void *router, const void *bytes, size_t length, int flags)
{
    zmq_msg_t frame;
    if (zmq_msg_init_size(&frame, length) != 0)
        return STATUS_BUSY;
    if (length > 0)
        memcpy(zmq_msg_data(&frame), bytes, length);
    if (zmq_msg_send(&frame, router, flags | ZMQ_DONTWAIT) >= 0)
        return STATUS_OK;
    status_t status = zmq_errno() == EAGAIN ? STATUS_BUSY : STATUS_CLOSED;
    (void)zmq_msg_close(&frame);
    return status;
}

/* Only the identity frame can fail to be routed; the others follow it. */
status_t port_send(const port_t *port, const void *identity, size_t identity_length,
                   command_t command, const void *body, size_t body_length)
{
    char head[FRAMES_HEAD_SIZE];
    frames_write_head(command, head);
    status_t status = send_frame(port->router, identity, identity_length, ZMQ_SNDMORE);
    if (status == STATUS_OK)
        status = send_frame(port->router, head, sizeof(head), body == NULL ? 0 : ZMQ_SNDMORE);
    if (status == STATUS_OK && body != NULL)
        status = send_frame(port->router, body, body_length, 0);
    return status;
}
