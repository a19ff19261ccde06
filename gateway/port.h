/* The worker port: the ROUTER socket that workers dial, guarded by CURVE and a ZAP handler where it
 * has keys. Next: zap.h. */
#ifndef LK_GATEWAY_PORT_H
#define LK_GATEWAY_PORT_H

#include "gateway/pool.h"
#include "gateway/zap.h"

#include <zmq.h>

typedef struct {
    const char *listen;
    const curve_t *curve; /* both or neither; borrowed until port_close. NULL: plain text */
    allow_t *allow;
    size_t workers; /* how many there may be */
} port_settings_t;

typedef struct {
    void *router;
    int fd;     /* ZMQ_FD */
    zap_t *zap; /* NULL: plain text */
    visitors_t *visitors;
    bool skips; /* the message at hand has too many frames: what is left of it is dropped */
    char endpoint[256];
} port_t;

/* Binds. STATUS_BUSY if the address is taken; STATUS_INVALID if it is none, or must not be listened
 * at in plain text; STATUS_SYSTEM. Whatever it returns, port_close ends it; *out begins zeroed. */
status_t port_open(const port_settings_t *settings, void *context, port_t *out, err_t *err)
    MUST_CHECK;
/* Closes, and shuts the context down (zmq_ctx_shutdown): its other sockets are of no use then. */
void port_close(port_t *port, void *context);

/* ---- messages; calls from one thread at a time ---- */

enum { PORT_FRAMES_MAX = 3 };

typedef struct {
    zmq_msg_t frames[PORT_FRAMES_MAX]; /* identity, head, body */
    size_t count;
    bool too_many; /* it had more frames: they are dropped, and its connection is cut */
    sender_t sender;
    char key[CURVE_KEY_SIZE];
} port_message_t;

typedef enum {
    RECEIVED_NOTHING, /* there is nothing more */
    RECEIVED_WASTE,   /* frames were dropped: go on, now or later */
    RECEIVED_MESSAGE  /* end it with port_message_close */
} received_t;

/* The next message. However many frames it has, a call takes little time. */
received_t port_receive(port_t *port, port_message_t *out);
void port_message_close(port_message_t *message);

/* As pool_io_t has it. */
status_t port_send(const port_t *port, const void *identity, size_t identity_length,
                   command_t command, const void *body, size_t body_length) MUST_CHECK;

#endif
