/* Who may keep the waiting pool busy, and how much of it: hosts that don't answer must cost nobody
 * but those who named them.
 *
 *   all            hold at most `limit` calls there, at work or not: half of a gateway's window, so
 *                  that the window never fills with calls that wait
 *   organization   holds at most a quarter of these, and has at most a quarter of the threads at
 *                  work; what is over waits here and goes on when one of its own comes back
 *
 * What is sent again is held whoever holds how much, and has its turn like the rest: another worker
 * had let it in.
 *
 * Belongs to the link thread. Next: slowpool.h. */
#ifndef LK_SERVICES_COMMON_SHARES_H
#define LK_SERVICES_COMMON_SHARES_H

#include "services/common/job.h"

typedef struct shares shares_t;

/* queue: the pool's, without a limit of its own; borrowed. A quarter is never less than one. */
shares_t *shares_new(jobs_t *queue, size_t limit, size_t threads);
/* NULL-safe; clears *shares; frees the jobs that wait here. */
void shares_free(shares_t **shares);

/* Takes the job, for the pool. False: the organization holds what it may, or all do; the caller
 * still has it. */
bool shares_give(shares_t *shares, job_t *job) MUST_CHECK;

/* The job has come back answered; it stays the caller's. */
void shares_return(shares_t *shares, const job_t *job);

#endif
