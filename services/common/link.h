/* The link: the thread that speaks with the gateways. It owns all sockets, answers fast reads
 * itself, and hands the rest to the slow pool and the writer. It never blocks, so it always
 * heartbeats. The protocol: proto/frames.h. */
#ifndef LK_SERVICES_COMMON_LINK_H
#define LK_SERVICES_COMMON_LINK_H

#include "proto/board.h"
#include "proto/curve.h"
#include "services/common/dispatch.h"
#include "services/common/slowpool.h"

/* Everything is borrowed for the run. */
typedef struct {
    const char *gateways; /* LK_GATEWAYS */
    const curve_t *curve; /* NULL: plain text, to this machine alone */
    ready_t ready;
    int64_t drain_ms; /* the longest that finishing may take */
    dispatch_t *dispatch;
    store_t *reader;
    slowpool_t *slow;
    jobs_t *waiting;      /* the waiting pool's; NULL: no handler waits */
    size_t waiters;       /* its threads */
    jobs_t *writes;       /* the writer's */
    const board_t *board; /* that answers may be kept by; NULL: none */
    jobs_t *finished;     /* answered jobs come back here; its event wakes the link */
    int signals;          /* signalfd: any signal begins the drain */
} link_config_t;

/* Runs until a signal comes, then says DISCONNECT, finishes what is held and sends the replies.
 * *out_held: the calls that were not finished in time. STATUS_INVALID: LK_GATEWAYS is malformed;
 * STATUS_SYSTEM. */
status_t link_run(const link_config_t *config, size_t *out_held, err_t *err) MUST_CHECK;

#endif
