/* The visitors: every connection at the worker port, and the end of those that are too many.
 *
 * libzmq accepts whoever comes, keeps him until his handshake's time is over, and has no call that
 * ends one connection. So this counts them by their descriptors, as libzmq's monitor tells of them,
 * and cuts by shutdown(2), which libzmq sees as the other side's end. Two things make that safe.
 * - A descriptor may have been closed and given to something else since libzmq told of it: what is
 *   to be cut is held, by a duplicate, and cut only if it is the same socket still (SO_COOKIE).
 * - A message may be read when the connection that it came by has gone, and another has its
 *   descriptor. So each connection that is let in gets a number of its own (visitors_admit), which
 *   stands with its messages: words count for the connection that has said them, or for none.
 *
 * Bounds: so many that are no workers, or not yet. One more, and the oldest of them goes: a
 * worker's handshake takes milliseconds, and then it says READY at once, so it is among the newest.
 * Workers are never cut for room: the pool bounds them. And so many bytes that have come and are in
 * no message yet, since libzmq keeps a message's frames until the last has come, without a bound on
 * their number. Any thread. Next: zap.h. */
#ifndef LK_GATEWAY_VISITORS_H
#define LK_GATEWAY_VISITORS_H

#include "common/endpoint.h"
#include "proto/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VISITORS_STRANGERS_MAX = 256, /* connections that are no workers */
    VISITORS_OVERSHOOT = 256,     /* more of them for a moment: some are cut, or not yet seen */
    VISITORS_STRIKES_MAX = 16,    /* what one of them may do that workers don't */
    VISITORS_UNREAD_MAX = 3 * SCAN_BYTES_MAX,     /* bytes of one connection: a message, and what
                                                     the kernel holds */
    VISITORS_UNREAD_ALL_MAX = 8 * SCAN_BYTES_MAX, /* of all together: who has most goes */
};

typedef struct visitors visitors_t;

typedef struct {
    size_t open;          /* connections, as of the last visitors_watch */
    uint64_t unread;      /* their bytes that were in no message by then */
    uint64_t looks;       /* how often that was */
    uint64_t crowded_out; /* cut for room */
    uint64_t cut;         /* cut for what they did */
} visitors_counters_t;

/* workers: how many there may be. STATUS_SYSTEM: no descriptor (it keeps two for itself, since it
 * must work when there is none left). */
status_t visitors_new(size_t workers, visitors_t **out, err_t *err) MUST_CHECK;
/* NULL-safe; clears *visitors. */
void visitors_free(visitors_t **visitors);
/* What is bound, AF_UNSPEC for ipc: from now on a socket that was not accepted there is none of
 * ours. */
void visitors_at(visitors_t *visitors, const endpoint_t *bound);

/* What libzmq's monitor tells, in its order. */
void visitors_accepted(visitors_t *visitors, int fd);
void visitors_gone(visitors_t *visitors, int fd);
/* A connection is let in: returns its number, never 0. Its coming has been told of before. */
uint64_t visitors_admit(visitors_t *visitors);

/* A message was read: of the connection of that number, which had that descriptor, and so many
 * bytes on the wire. */
void visitors_said(visitors_t *visitors, uint64_t number, int fd, size_t bytes);
/* That connection is a worker's, or is one no more. */
void visitors_work(visitors_t *visitors, uint64_t number, bool works);
/* It has done what workers don't. Returns whether it may stay: one that is welcome may, for a few
 * times. Else it is cut. False for one that is gone. */
bool visitors_tolerate(visitors_t *visitors, uint64_t number, bool welcome);

/* Cuts who has sent too much that is in no message, and forgets who is gone. Call it about every
 * 50 ms, when all messages have been read. */
void visitors_watch(visitors_t *visitors);
/* Takes no time. */
visitors_counters_t visitors_counters(visitors_t *visitors);

#endif
