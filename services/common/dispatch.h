/* From the bytes of a request to a call that a handler can take, and from its answer back to bytes.
 *
 * dispatch_t belongs to the link thread; dispatch_read and dispatch_finish work on a job alone and
 * are for whichever thread holds it. Next: link.h. */
#ifndef LK_SERVICES_COMMON_DISPATCH_H
#define LK_SERVICES_COMMON_DISPATCH_H

#include "proto/frames.h"
#include "services/common/job.h"
#include "services/common/worker.h"

typedef struct dispatch dispatch_t;

/* STATUS_INVALID unless every operation has a handler that can serve it (a read: `read`; a write:
 * `write`). spec and keeper are borrowed until dispatch_free. */
status_t dispatch_new(const worker_spec_t *spec, const keeper_t *keeper, dispatch_t **out,
                      err_t *err) MUST_CHECK;
/* NULL-safe; clears *dispatch. */
void dispatch_free(dispatch_t **dispatch);

/* Decodes and checks one request and decides its lane. Never fails: what can't be served is
 * answered (LANE_DONE). The job is the caller's, until dispatch_drop; it holds nothing of the
 * item's bytes. now_ms: clock_ms(). */
job_t *dispatch_accept(dispatch_t *dispatch, const batch_item_t *item, int64_t now_ms);

/* Takes a job back, wiped, for another request. */
void dispatch_drop(dispatch_t *dispatch, job_t *job);

/* Runs the handler of a read. It is answered then, unless it is deferred. */
void dispatch_read(job_t *job, store_t *reader);

/* Packs the answer into job->reply, and logs it if it is a failure. */
void dispatch_finish(job_t *job);

/* Answers with `outcome` and packs, whatever was answered before: for lanes that are full, for
 * commits that failed. err may be NULL; it is logged. */
void dispatch_finish_with(job_t *job, outcome_t outcome, const err_t *err);

/* Whether nobody waits for the answer any more. */
bool dispatch_is_late(const job_t *job, int64_t now_ms);

#endif
