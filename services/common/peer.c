/* One gateway's connection. Must never: block. Next: proto/frames.c. */
#include "services/common/peer.h"

#include "common/text.h"
#include "proto/scan.h"

#include <string.h>

enum {
    LINGER_MS = 500, /* for replies on their way: libzmq drops what is not sent by then */
    RECONNECT_MS = 100,
    RECONNECT_MAX_MS = 1000,
    CONNECT_MS = 2000,
    HANDSHAKE_MS = 5000,
    PAUSE_MS = 100,
    PAUSE_MAX_MS = 1000,
    GOOD_MS = 1000, /* a connection that has lived so long was a good one */
    REPLIES_MAX = SCAN_BYTES_MAX / 2,
};

void peer_init(peer_t *peer, const char *address, int64_t now_ms)
{
    *peer = (peer_t){.listed = true, .open_ms = now_ms};
    text_cut(peer->address, sizeof(peer->address), address);
    batch_init(&peer->replies);
}

static void close_socket(peer_t *peer, int linger_ms)
{
    if (peer->socket == NULL)
        return;
    (void)zmq_setsockopt(peer->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    (void)zmq_close(peer->socket);
    peer->socket = NULL;
}

void peer_free(peer_t *peer)
{
    close_socket(peer, LINGER_MS);
    batch_free(&peer->replies);
}

static bool set_options(const peer_t *peer, void *socket, uint32_t window)
{
    const struct {
        int option;
        int value;
    } options[] = {
        {ZMQ_LINGER, LINGER_MS},
        {ZMQ_IMMEDIATE, 1}, /* nothing waits for a gateway that is not there */
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
        {ZMQ_CONNECT_TIMEOUT, CONNECT_MS},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        /* Never reached by a gateway that keeps to its window. */
        {ZMQ_SNDHWM, (int)(2 * window + 64)},
        {ZMQ_RCVHWM, (int)(2 * window + 64)},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, 30},
        {ZMQ_TCP_KEEPALIVE_INTVL, 5},
        {ZMQ_TCP_KEEPALIVE_CNT, 3},
        {ZMQ_IPV6, strchr(peer->address, '[') != NULL},
    };
    int64_t largest = SCAN_BYTES_MAX;
    bool good = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof(largest)) == 0;
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        good = zmq_setsockopt(socket, options[i].option, &options[i].value,
                              sizeof(options[i].value)) == 0 &&
               good;
    return good;
}

static status_t connect_peer(peer_t *peer, const peer_options_t *options, err_t *err)
{
    size_t fd_size = sizeof(peer->fd);
    if (options->curve == NULL && !curve_is_local(peer->address))
        return err_set(err, STATUS_REFUSED, peer->address,
                       "is another machine: that needs LK_CURVE=on");
    peer->socket = zmq_socket(options->context, ZMQ_DEALER);
    if (peer->socket == NULL || !set_options(peer, peer->socket, options->window))
        return err_errno(err, peer->address, "cannot be connected to");
    status_t status =
        options->curve == NULL ? STATUS_OK : curve_dial(options->curve, NULL, peer->socket, err);
    if (status != STATUS_OK)
        return status;
    if (zmq_getsockopt(peer->socket, ZMQ_FD, &peer->fd, &fd_size) != 0 ||
        zmq_connect(peer->socket, peer->address) != 0)
        return err_errno(err, peer->address, "cannot be connected to");
    return STATUS_OK;
}

status_t peer_open(peer_t *peer, const peer_options_t *options, uint64_t connection, int64_t now_ms,
                   err_t *err)
{
    peer->connection = connection;
    peer->greeted = false;
    peer->heard = false;
    peer->opened_ms = peer->heard_ms = peer->sent_ms = now_ms;
    peer->held = peer->lingering = 0;
    batch_clear(&peer->replies);
    peer->unsettled = true;
    status_t status = connect_peer(peer, options, err);
    if (status != STATUS_OK)
        peer_lose(peer, now_ms);
    return status;
}

void peer_lose(peer_t *peer, int64_t now_ms)
{
    close_socket(peer, 0);
    if (peer->heard && now_ms - peer->opened_ms >= GOOD_MS)
        peer->pause_ms = 0;
    peer->open_ms = now_ms + peer->pause_ms;
    peer->pause_ms = peer->pause_ms == 0 ? PAUSE_MS : 2 * peer->pause_ms;
    if (peer->pause_ms > PAUSE_MAX_MS)
        peer->pause_ms = PAUSE_MAX_MS;
    peer->greeted = false;
    peer->heard = false;
}

static bool send_part(void *socket, const void *bytes, size_t length, int flags)
{
    zmq_msg_t part;
    if (zmq_msg_init_size(&part, length) != 0)
        return false;
    if (length > 0)
        memcpy(zmq_msg_data(&part), bytes, length);
    if (zmq_msg_send(&part, socket, flags | ZMQ_DONTWAIT) >= 0)
        return true;
    (void)zmq_msg_close(&part);
    return false;
}

bool peer_send(peer_t *peer, command_t command, const void *body, size_t length, int64_t now_ms)
{
    char head[FRAMES_HEAD_SIZE];
    frames_write_head(command, head);
    peer->unsettled = true; /* a send may take in what fd would have told */
    if (!send_part(peer->socket, head, sizeof(head), body == NULL ? 0 : ZMQ_SNDMORE) ||
        (body != NULL && !send_part(peer->socket, body, length, 0)))
        return false;
    peer->sent_ms = now_ms;
    return true;
}

void peer_greet(peer_t *peer, const ready_t *ready, int64_t now_ms)
{
    msgpack_sbuffer body;
    msgpack_packer out;
    msgpack_sbuffer_init(&body);
    msgpack_packer_init(&out, &body, msgpack_sbuffer_write);
    frames_write_ready(ready, &out);
    peer->greeted = peer_send(peer, COMMAND_READY, body.data, body.size, now_ms);
    if (!peer->greeted)
        peer->unsettled = false; /* not connected: nothing waits, and fd tells when it is */
    msgpack_sbuffer_destroy(&body);
}

bool peer_add_reply(peer_t *peer, uint64_t id, const void *reply, size_t length, int64_t now_ms)
{
    if (peer->replies.count > 0 && peer->replies.bytes.size + length > REPLIES_MAX &&
        !peer_flush(peer, now_ms))
        return false;
    batch_add_reply(&peer->replies, id, reply, length);
    return true;
}

bool peer_flush(peer_t *peer, int64_t now_ms)
{
    size_t length = 0;
    const void *bytes = batch_bytes(&peer->replies, &length);
    bool sent = peer_send(peer, COMMAND_REPLY, bytes, length, now_ms);
    batch_clear(&peer->replies);
    return sent;
}

/* Takes the rest of a message off the socket. Returns whether there was any. */
static bool drop_rest(void *socket)
{
    bool any = false;
    int more = 0;
    size_t size = sizeof(more);
    while (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more != 0) {
        zmq_msg_t part;
        (void)zmq_msg_init(&part);
        bool received = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0;
        (void)zmq_msg_close(&part);
        if (!received)
            return true;
        any = true;
    }
    return any;
}

static status_t receive_head(void *socket, command_t *out_command, bool *out_more)
{
    zmq_msg_t head;
    (void)zmq_msg_init(&head);
    if (zmq_msg_recv(&head, socket, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&head);
        return STATUS_BUSY;
    }
    status_t status = frames_read_head(zmq_msg_data(&head), zmq_msg_size(&head), out_command);
    *out_more = zmq_msg_more(&head) != 0;
    (void)zmq_msg_close(&head);
    return status;
}

status_t peer_receive(peer_t *peer, command_t *out_command, zmq_msg_t *out_body)
{
    bool more = false;
    command_t command = COMMAND_HEARTBEAT;
    status_t status = receive_head(peer->socket, &command, &more);
    peer->unsettled = status != STATUS_BUSY;
    if (status == STATUS_BUSY)
        return status;
    zmq_msg_t body;
    (void)zmq_msg_init(&body);
    if (more && zmq_msg_recv(&body, peer->socket, ZMQ_DONTWAIT) < 0)
        status = STATUS_INVALID;
    if (drop_rest(peer->socket) || more != (command == COMMAND_REQUEST))
        status = STATUS_INVALID;
    if (status != STATUS_OK) {
        (void)zmq_msg_close(&body);
        return STATUS_INVALID;
    }
    *out_command = command;
    *out_body = body; /* a zmq_msg_t may be moved as long as it is closed once */
    return STATUS_OK;
}
