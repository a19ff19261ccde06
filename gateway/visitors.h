/* The visitors: every connection at the worker port, and the end of those that are too many.
 *
 * libzmq accepts whoever comes, keeps him until his handshake's time is over, and has no call that
 * ends one connection. So this counts them by their descriptors, as libzmq's monitor tells of them,
 * and cuts by shutdown(2), which libzmq sees as the other side's end. A descriptor may have been
 * closed and given to something else since libzmq told of it: what is to be cut is held, by a
 * duplicate, and cut only if it is the same socket still (SO_COOKIE).
 *
 * Bound: so many that are no workers, or not yet. One more, and the oldest of them goes: a worker's
 * handshake takes milliseconds, and then it says READY at once, so it is among the newest. Workers
 * are never cut for room: the pool bounds them. Any thread. Next: zap.h. */
#ifndef LK_GATEWAY_VISITORS_H
#define LK_GATEWAY_VISITORS_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VISITORS_STRANGERS_MAX = 256, /* connections that are no workers */
    VISITORS_STRIKES_MAX = 16,    /* what one of them may do that workers don't */
};

typedef struct visitors visitors_t;

typedef struct {
    size_t open;          /* connections, about: libzmq may know better for a moment */
    uint64_t crowded_out; /* cut for room */
    uint64_t cut;         /* cut for what they did */
} visitors_counters_t;

/* workers: how many there may be. STATUS_SYSTEM: no descriptor (it keeps two for itself, since it
 * must work when there is none left). */
status_t visitors_new(size_t workers, visitors_t **out, err_t *err) MUST_CHECK;
/* NULL-safe; clears *visitors. */
void visitors_free(visitors_t **visitors);
/* The port that is bound: a socket that has another is none of ours. 0: it has none (ipc). */
void visitors_at(visitors_t *visitors, uint16_t port);

/* What libzmq's monitor tells. */
void visitors_accepted(visitors_t *visitors, int fd);
void visitors_gone(visitors_t *visitors, int fd);

/* That connection is a worker's, or is one no more. May come before the monitor's word: say it now
 * and then. */
void visitors_work(visitors_t *visitors, int fd, bool works);
/* It has done what workers don't. Returns whether it may stay: one that is welcome may, for a few
 * times. Else it is cut. */
bool visitors_tolerate(visitors_t *visitors, int fd, bool welcome);

visitors_counters_t visitors_counters(visitors_t *visitors);

#endif
