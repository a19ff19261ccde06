/* A peer: one gateway as the link sees it. One DEALER socket at a time; a connection that is lost
 * is never repaired but replaced, so that READY opens every one of them.
 *
 * Nothing here blocks: what can't be sent at once means that the connection is lost. Belongs to the
 * link thread. Next: proto/frames.h. */
#ifndef LK_SERVICES_COMMON_PEER_H
#define LK_SERVICES_COMMON_PEER_H

#include "proto/curve.h"
#include "proto/frames.h"
#include "services/common/resolver.h"

#include <zmq.h>

typedef struct {
    char address[RESOLVER_ADDRESS_SIZE];
    bool listed;         /* the resolver still names it */
    void *socket;        /* NULL between two connections */
    int fd;              /* ZMQ_FD: readable when something has happened, told once */
    bool unsettled;      /* something may have happened that fd does not tell any more: look */
    uint64_t connection; /* its number; none is used twice */
    bool greeted;        /* READY is sent */
    bool heard;          /* it has answered on this connection */
    unsigned vain_tries; /* connections since it last answered */
    int64_t opened_ms;
    int64_t heard_ms; /* the last message, or opened_ms */
    int64_t sent_ms;
    int64_t open_ms; /* when to open the next connection */
    int64_t pause_ms;
    size_t held;      /* requests of this connection without an answer */
    size_t lingering; /* of these, in the slow or the waiting pool */
    batch_t replies;  /* waiting to be sent together */
} peer_t;

void peer_init(peer_t *peer, const char *address, int64_t now_ms);
/* Closes, lets replies on their way go out for half a second, and frees what it holds. */
void peer_free(peer_t *peer);

/* What all connections of a link are opened with. */
typedef struct {
    void *context;        /* libzmq's */
    uint32_t window;      /* of READY */
    const curve_t *curve; /* NULL: plain text */
} peer_options_t;

/* Begins a connection. STATUS_REFUSED: in plain text, to another machine. */
status_t peer_open(peer_t *peer, const peer_options_t *options, uint64_t connection, int64_t now_ms,
                   err_t *err) MUST_CHECK;

/* Ends the connection. The next one is due at once if this one had been good for a while, else
 * after a pause of 100 ms, 200 ms, ... 1 s. */
void peer_lose(peer_t *peer, int64_t now_ms);

/* Says READY, if there is a connection to say it on. */
void peer_greet(peer_t *peer, const ready_t *ready, int64_t now_ms);

/* False: the connection is lost. body: NULL for none. */
bool peer_send(peer_t *peer, command_t command, const void *body, size_t length, int64_t now_ms)
    MUST_CHECK;

/* Adds a reply to those that wait, and sends these first if the message would grow too large for
 * its receiver. */
bool peer_add_reply(peer_t *peer, uint64_t id, const void *reply, size_t length, int64_t now_ms)
    MUST_CHECK;
/* Sends what waits in one REPLY message, even if it is nothing. */
bool peer_flush(peer_t *peer, int64_t now_ms) MUST_CHECK;

/* The next message: STATUS_OK, with its body (an initialised message, perhaps empty, that the
 * caller closes); STATUS_BUSY: none is there; STATUS_INVALID: one that is no message of ours. */
status_t peer_receive(peer_t *peer, command_t *out_command, zmq_msg_t *out_body) MUST_CHECK;

#endif
