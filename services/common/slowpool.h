/* Pools of threads for what would hold up the link and the writer, each with a reader connection of
 * its own, at lower priority than these two. A job whose deadline has passed is answered
 * UNAVAILABLE before any work is put into it.
 *
 *   the slow pool      takes the processor (hashing, long lists)
 *   the waiting pool   waits for other hosts, and reads what they say; only in services that do.
 *                      What it is given is portioned out by shares.h */
#ifndef LK_SERVICES_COMMON_SLOWPOOL_H
#define LK_SERVICES_COMMON_SLOWPOOL_H

#include "services/common/job.h"
#include "services/common/replylog.h"

enum { SLOWPOOL_THREADS_MAX = 256 };

/* Everything is borrowed until slowpool_stop. */
typedef struct {
    const replylog_t *log;
    const char *directory; /* of the database */
    size_t threads;
    size_t queue;     /* the jobs that may wait */
    jobs_t *writes;   /* where prepared writes go on to */
    jobs_t *finished; /* where answered jobs go */
} slowpool_spec_t;

typedef struct slowpool slowpool_t;

/* Errors: store_open's; STATUS_SYSTEM. */
status_t slowpool_start(const slowpool_spec_t *spec, slowpool_t **out, err_t *err) MUST_CHECK;

/* Where jobs for it are put. Full: answer UNAVAILABLE. */
jobs_t *slowpool_queue(slowpool_t *pool);

/* Works off what waits and ends the threads. NULL-safe; clears *pool. */
void slowpool_stop(slowpool_t **pool);

#endif
