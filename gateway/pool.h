/* The broker's mind: which workers live, what each holds, and where the next request goes.
 *
 * A state machine without sockets, locks or clocks, so that every case of loss can be tested by
 * itself: messages and the time come in as calls, messages go out through pool_io_t, and finished
 * requests are collected with pool_take_done. broker.c wraps it.
 *
 * Rules:
 * - A request goes to the live worker with the fewest held requests, within that worker's window.
 * - With no room it queues, bounded in count, and in time by its deadline. With no live worker it
 * waits POOL_NO_WORKER_MS at most, counted from the loss of the last one if that came later:
 * UNAVAILABLE, or TIMEOUT if a worker may have run it.
 * - A worker that holds little is sent each request at once. A busy one (POOL_BUSY) gets its next
 *   REQUEST message when it has taken the last; what comes meanwhile travels together.
 * - A worker that is silent for FRAMES_SILENCE_MS, or that a send finds gone, is lost: what it
 * holds goes to others. Safe, since a worker applies a write with a known idempotency key once.
 * - A request that has seen two workers die runs once more with a worker of its own; if that one
 * dies too, the request is poison and is refused. */
#ifndef LK_GATEWAY_POOL_H
#define LK_GATEWAY_POOL_H

#include "gateway/pending.h"
#include "proto/curve.h"
#include "proto/scan.h"

enum {
    POOL_IDENTITY_MAX = 32, /* ours are ROUTER's own: 5 bytes */
    POOL_WORKERS_MAX = 64,  /* of one service */
    POOL_NO_WORKER_MS = 2000,
    POOL_DEATHS_BEFORE_ALONE = 2,
    POOL_UNTAKEN_MAX = 8, /* REQUEST messages that a worker has not taken yet */
    /* Of one REQUEST message, about: heartbeats wait behind it. */
    POOL_MESSAGE_BYTES = SCAN_BYTES_MAX / 16,
    POOL_BUSY = 8,              /* a worker that holds so many is sent batches */
    POOL_CHATTER_MAX = 1000,    /* of one worker in a second: messages that move nothing on */
    POOL_CHATTER_BYTES = 65536, /* of such a message that count as another */
};

/* Who a message is from. */
typedef struct {
    const void *identity;
    size_t length;
    const char *key; /* that its connection has proved to have (proto/curve.h); "" for none */
    uint64_t line;   /* the connection, as pool_io_t knows it */
} sender_t;

/* How the pool sends. Returns STATUS_OK, STATUS_BUSY (try again on the next tick) or STATUS_CLOSED
 * (the peer is gone). body NULL: no body frame. */
typedef struct {
    status_t (*send)(void *context, const void *identity, size_t identity_length, command_t command,
                     const void *body, size_t body_length);
    /* Whether that key may serve; NULL: whoever is there may. */
    bool (*may_serve)(void *context, const char *key, size_t service);
    /* The sender has done what workers don't. Returns whether it is to be answered all the same:
     * its connection may have been ended. NULL: it is. */
    bool (*tolerate)(void *context, const sender_t *sender);
    /* A connection (sender_t.line) is a worker's, or is one no more. NULL: of no interest. */
    void (*works)(void *context, uint64_t line, bool works);
    void *context;
} pool_io_t;

typedef struct {
    size_t services;      /* how many there are */
    size_t queue_max;     /* waiting requests per service */
    size_t in_flight_max; /* requests in the pool, all together */
} pool_limits_t;

typedef struct {
    uint64_t sent, resent, timed_out, unavailable, poison, lost_workers, bad_messages, late_replies,
        refused_workers;     /* a READY for a service that is not the key's */
    uint64_t queue_full;     /* refused at once; not among `unavailable` */
    uint64_t silent_workers; /* among lost_workers */
} pool_counters_t;

typedef struct pool pool_t;

/* Aborts when memory is out. io is copied. */
pool_t *pool_new(const pool_limits_t *limits, const pool_io_t *io);
/* Every request must have been taken by pool_take_done. NULL-safe; clears *pool. */
void pool_destroy(pool_t **pool);

/* Accepts a request; it may be done at once. Returns whether a message was sent. */
bool pool_submit(pool_t *pool, pending_t *pending, int64_t now_ms);

/* A message from a worker. One that talks without end (POOL_CHATTER_MAX) is lost. A malformed one
 * is counted and answered with DISCONNECT, if it is tolerated. One that comes with another key than
 * the worker's READY did is a stranger's. */
void pool_message(pool_t *pool, const sender_t *sender, command_t command, const void *body,
                  size_t body_length, int64_t now_ms);
/* A message that is none of the protocol's. */
void pool_garbage(pool_t *pool, const sender_t *sender);

/* Who may serve has changed: workers that may not any more are sent away. */
void pool_recheck(pool_t *pool, int64_t now_ms);

/* Heartbeats, silence, deadlines, sends that were busy. Call it at least every 50 ms. */
void pool_tick(pool_t *pool, int64_t now_ms);

/* Ends everything that waits, and at once whatever is submitted later; says
 * DISCONNECT to all workers. */
void pool_stop(pool_t *pool);

/* A request that has not ended, any; NULL if there is none. */
pending_t *pool_first_waiting(pool_t *pool);

/* The finished requests, linked by `next`; NULL if none. */
pending_t *pool_take_done(pool_t *pool);

/* Live workers of a service. */
size_t pool_live(const pool_t *pool, size_t service);
size_t pool_queued(const pool_t *pool, size_t service);

/* How a service's workers fare. silent: live, but not heard for two heartbeats. */
typedef struct {
    size_t live, busy, silent, draining; /* workers; those that are busy or silent are live too */
    size_t held, queued;                 /* requests */
} pool_load_t;
pool_load_t pool_load(const pool_t *pool, size_t service, int64_t now_ms);
pool_counters_t pool_counters(const pool_t *pool);

/* What happened since the last call, for the log: workers that came and went, then the latest of
 * those that were refused. Returns false when there is nothing more. */
typedef struct {
    const char *service;
    const char *why;
    size_t refused; /* so many have never been in; this is the latest, and key says who */
    bool joined;    /* else lost */
    char instance[UUID_SIZE];
    char key[CURVE_KEY_SIZE];
} pool_event_t;
bool pool_next_event(pool_t *pool, pool_event_t *out);

#endif
