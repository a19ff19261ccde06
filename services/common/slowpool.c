/* Threads for work that is slow or waits. Must never: write. Next: writer.c. */
#include "services/common/slowpool.h"

#include "common/clock.h"
#include "common/mem.h"
#include "services/common/dispatch.h"
#include "services/common/pace.h"

#include <assert.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOWER_PRIORITY = 10, WAIT_MS = 60 * 1000, CROWDED_WAIT_MS = 100 };

typedef struct {
    slowpool_t *pool;
    store_t *reader;
    pthread_t thread;
} slow_thread_t;

struct slowpool {
    slowpool_spec_t spec;
    jobs_t queue;
    pace_t pace;  /* of the jobs that slowpool_give took */
    size_t count; /* of threads that run */
    slow_thread_t *threads;
};

static void give(slowpool_t *pool, job_t *job)
{
    bool given = jobs_put(pool->spec.finished, job);
    assert(given); /* no limit, and closed only after us */
    (void)given;
}

static void read_slowly(slow_thread_t *self, job_t *job)
{
    err_t err;
    job->call.version = board_version(self->pool->spec.board);
    if (store_begin_read(self->reader, &err) != STATUS_OK) {
        dispatch_finish_with(job, call_failure(err.status), &err);
        return;
    }
    dispatch_read(job, self->reader);
    store_end_read(self->reader);
    dispatch_finish(job);
}

/* Returns whether the job goes on to the writer. The log is asked first: what was answered already
 * need not be hashed again. */
static bool prepare(slow_thread_t *self, job_t *job)
{
    err_t err;
    status_t status = replylog_find(self->pool->spec.log, self->reader, job, &err);
    if (status != STATUS_OK) {
        dispatch_finish_with(job, call_failure(status), &err);
        return false;
    }
    if (!job->call.answered)
        job->handler->prepare(&job->call, self->reader);
    if (!job->call.answered && jobs_put(self->pool->spec.writes, job))
        return true;
    if (job->call.answered)
        dispatch_finish(job);
    else
        dispatch_finish_with(job, OUTCOME_UNAVAILABLE, NULL);
    return false;
}

/* What had to wait may turn out to have waited too long. */
static bool is_hopeless(const slowpool_t *pool, const job_t *job)
{
    return dispatch_is_late(job, clock_ms() + (job->queued ? pace_mean_ms(&pool->pace) : 0));
}

/* Returns whether the job goes on to the writer, which may be done with it already. */
static bool work(slow_thread_t *self, job_t *job)
{
    if (job->lane != LANE_SLOW_READ)
        return prepare(self, job);
    read_slowly(self, job);
    return false;
}

static void take(slow_thread_t *self, job_t *job)
{
    slowpool_t *pool = self->pool;
    bool paced = job->paced;
    int64_t begun_us = clock_us();
    bool hopeless = is_hopeless(pool, job);
    bool gone = !hopeless && work(self, job);
    if (hopeless)
        dispatch_finish_with(job, OUTCOME_UNAVAILABLE, NULL);
    if (paced)
        pace_leave(&pool->pace, hopeless ? 0 : clock_us() - begun_us);
    if (!gone)
        give(pool, job);
}

static void *run(void *context)
{
    slow_thread_t *self = context;
    /* On Linux a thread has a priority of its own. Being refused it is no reason to stop. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), LOWER_PRIORITY);
    for (;;) {
        job_t *job = jobs_take(&self->pool->queue, 1, clock_ms() + WAIT_MS);
        if (job != NULL)
            take(self, job);
        else if (jobs_closed(&self->pool->queue))
            return NULL;
    }
}

void slowpool_stop(slowpool_t **pool)
{
    slowpool_t *stopping = *pool;
    if (stopping == NULL)
        return;
    jobs_close(&stopping->queue);
    for (size_t i = 0; i < stopping->spec.threads; i++) {
        if (i < stopping->count)
            (void)pthread_join(stopping->threads[i].thread, NULL);
        store_close(&stopping->threads[i].reader);
    }
    jobs_free(&stopping->queue);
    mem_free(stopping->threads);
    mem_free(stopping);
    *pool = NULL;
}

status_t slowpool_start(const slowpool_spec_t *spec, slowpool_t **out, err_t *err)
{
    AUTO(slowpool_stop) slowpool_t *pool = mem_zalloc(sizeof(*pool));
    pool->spec = *spec;
    jobs_init(&pool->queue, spec->queue, -1);
    pace_init(&pool->pace, spec->threads);
    pool->threads = mem_array(spec->threads, sizeof(*pool->threads));
    for (size_t i = 0; i < spec->threads; i++) {
        slow_thread_t *self = &pool->threads[i];
        self->pool = pool;
        status_t status = store_open(replylog_store(spec->log), spec->directory, STORE_READER,
                                     &self->reader, err);
        if (status != STATUS_OK)
            return status;
        if (pthread_create(&self->thread, NULL, run, self) != 0)
            return err_set(err, STATUS_SYSTEM, "slow pool", "a thread cannot be started");
        pool->count++;
    }
    *out = TAKE(pool);
    return STATUS_OK;
}

bool slowpool_give(slowpool_t *pool, job_t *job, bool crowded, int64_t now_ms)
{
    pace_t *pace = &pool->pace;
    int64_t wait_ms = pace_wait_ms(pace);
    int64_t longest_ms = job->again ? INT64_MAX : crowded ? CROWDED_WAIT_MS : pool->spec.wait_ms;
    job->paced = true;
    job->queued = pace_is_busy(pace);
    job->next = NULL;
    if (job->queued &&
        (wait_ms > longest_ms || dispatch_is_late(job, now_ms + wait_ms + pace_mean_ms(pace))))
        return false;
    pace_enter(pace); /* before a thread can leave */
    if (jobs_put(&pool->queue, job))
        return true;
    pace_leave(pace, 0);
    return false;
}

jobs_t *slowpool_queue(slowpool_t *pool)
{
    return &pool->queue;
}
