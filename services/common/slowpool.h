/* Pools of threads for what would hold up the link and the writer, each with a reader connection of
 * its own, at lower priority than these two. No work is put into a job that can't be done in time:
 * it is answered UNAVAILABLE, at once where that can be foreseen (docs/adr/0021).
 *
 *   the slow pool      takes the processor (hashing, long lists)
 *   the waiting pool   waits for other hosts, and reads what they say; only in services that do.
 *                      What it is given is portioned out by shares.h */
#ifndef LK_SERVICES_COMMON_SLOWPOOL_H
#define LK_SERVICES_COMMON_SLOWPOOL_H

#include "proto/board.h"
#include "services/common/job.h"
#include "services/common/replylog.h"

enum { SLOWPOOL_THREADS_MAX = 256 };

/* Everything is borrowed until slowpool_stop. */
typedef struct {
    const replylog_t *log;
    const char *directory; /* of the database */
    size_t threads;
    size_t queue;         /* the jobs that may wait */
    int64_t wait_ms;      /* and how long, as far as it can be foreseen */
    jobs_t *writes;       /* where prepared writes go on to */
    const board_t *board; /* that answers may be kept by; NULL: none */
    jobs_t *finished;     /* where answered jobs go */
} slowpool_spec_t;

typedef struct slowpool slowpool_t;

/* Errors: store_open's; STATUS_SYSTEM. */
status_t slowpool_start(const slowpool_spec_t *spec, slowpool_t **out, err_t *err) MUST_CHECK;

/* Takes the job. False, with the job still the caller's: it would wait longer than wait_ms, or so
 * long that it would not be done by its deadline, or the queue is full. A free thread takes any
 * job, so that what is foreseen is always measured anew. crowded: who asks has much here already,
 * and may add only what waits no more than 100 ms. One that is sent again may wait until its
 * deadline, crowded or not. Link thread. */
bool slowpool_give(slowpool_t *pool, job_t *job, bool crowded, int64_t now_ms) MUST_CHECK;

/* What waits in it. Jobs that are put there past slowpool_give are not judged. */
jobs_t *slowpool_queue(slowpool_t *pool);

/* Works off what waits and ends the threads. NULL-safe; clears *pool. */
void slowpool_stop(slowpool_t **pool);

#endif
