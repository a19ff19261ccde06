/* The slow pool: threads for what would hold up the link and the writer: hashing, long lists.
 *
 * They run at lower priority, each with a reader connection of its own. A job whose deadline has
 * passed is answered UNAVAILABLE before any work is put into it. */
#ifndef LK_SERVICES_COMMON_SLOWPOOL_H
#define LK_SERVICES_COMMON_SLOWPOOL_H

#include "services/common/job.h"
#include "services/common/replylog.h"

enum { SLOWPOOL_QUEUE = 256, SLOWPOOL_THREADS_MAX = 256 };

typedef struct slowpool slowpool_t;

/* Everything is borrowed until slowpool_stop. writes: where prepared writes go on to; finished:
 * where answered jobs go. Errors: store_open's; STATUS_SYSTEM. */
status_t slowpool_start(const replylog_t *log, const char *directory, size_t threads,
                        jobs_t *writes, jobs_t *finished, slowpool_t **out, err_t *err) MUST_CHECK;

/* Where jobs for it are put. Full: answer UNAVAILABLE. */
jobs_t *slowpool_queue(slowpool_t *pool);

/* Works off what waits and ends the threads. NULL-safe; clears *pool. */
void slowpool_stop(slowpool_t **pool);

#endif
