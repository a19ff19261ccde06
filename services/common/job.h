/* A job: one call on its way through the worker's threads; and the queues between them.
 *
 * Exactly one thread holds a job at any time: the link makes it, hands it to the slow pool or the
 * writer, and gets it back with its reply packed. Only the link frees jobs.
 * Next: dispatch.h. */
#ifndef LK_SERVICES_COMMON_JOB_H
#define LK_SERVICES_COMMON_JOB_H

#include "services/common/call.h"

#include <pthread.h>
#include <stdalign.h>

/* Where a call is worked on. */
typedef enum {
    LANE_DONE,      /* answered already: a fault, no right, too late */
    LANE_READ,      /* at once, by the link thread */
    LANE_SLOW_READ, /* by the slow pool */
    LANE_PREPARE,   /* by the slow pool, then by the writer */
    LANE_WAIT,      /* by the waiting pool, then by the writer */
    LANE_WRITE,     /* by the writer */
} lane_t;

/* Whether it may take long, or wait: such calls may not fill a gateway's window. */
static inline bool lane_lingers(lane_t lane)
{
    return lane == LANE_SLOW_READ || lane == LANE_PREPARE || lane == LANE_WAIT;
}

enum { JOB_DIGEST_SIZE = 32 };

typedef struct job {
    call_t call;
    const handler_t *handler;
    lane_t lane;
    bool paced, queued;  /* slowpool.c: judged before it was taken; found no thread free */
    bool again;          /* frames.h: not to be refused while there is time */
    uint64_t id;         /* the gateway's number for it */
    uint64_t connection; /* the connection it came on: link.c */
    uint8_t digest[JOB_DIGEST_SIZE]; /* what is asked: replylog.h */
    msgpack_sbuffer reply;           /* the finished envelope */
    struct job *next;                /* in a queue */
    size_t records_size;
    unsigned char *large; /* the same, of an operation that needs more than the job has */
    size_t large_size;
    alignas(max_align_t) unsigned char records[]; /* path, query, head and body of the call */
} job_t;

job_t *job_new(size_t records_size);
/* NULL-safe; clears *job; wipes. */
void job_free(job_t **job);
/* Room for so many bytes of records, zeroed; until job_clear. */
unsigned char *job_records(job_t *job, size_t size);
/* Makes it ready for another call: what the last one left is wiped, buffers are kept. */
void job_clear(job_t *job);

/* Jobs between two threads. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    job_t *first;
    job_t **end;
    size_t count;
    size_t limit;
    bool closed;
    int event; /* eventfd, readable while there may be jobs; -1: taken by waiting */
} jobs_t;

/* event: an eventfd of the caller's, for a reader that polls, or -1. */
void jobs_init(jobs_t *jobs, size_t limit, int event);
/* No thread uses it any more. What is left in it is freed. */
void jobs_free(jobs_t *jobs);

/* Appends a chain of jobs (job->next, NULL at the end; may be NULL). False if the queue is closed
 * or would grow over its limit: the caller still holds them. */
bool jobs_put(jobs_t *jobs, job_t *chain) MUST_CHECK;

/* Takes up to `most` jobs as a chain, waiting for the first one until clock_ms() reaches until_ms.
 * NULL: none came, or the queue is closed and empty. */
job_t *jobs_take(jobs_t *jobs, size_t most, int64_t until_ms);

/* Refuses further jobs and ends every wait; what is inside can still be taken. */
void jobs_close(jobs_t *jobs);
size_t jobs_count(jobs_t *jobs);
/* How many a chain holds; 0 for NULL. */
size_t jobs_length(const job_t *chain);
bool jobs_closed(jobs_t *jobs);

#endif
