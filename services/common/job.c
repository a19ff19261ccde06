#include "services/common/job.h"

#include "common/clock.h"
#include "common/mem.h"

#include <sodium.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

enum { KEPT_BUFFER = 64 * 1024 }; /* a larger one is given back after use */

job_t *job_new(size_t records_size)
{
    job_t *job = mem_zalloc(sizeof(*job) + records_size);
    job->records_size = records_size;
    msgpack_sbuffer_init(&job->call.body_bytes);
    msgpack_sbuffer_init(&job->reply);
    return job;
}

unsigned char *job_records(job_t *job, size_t size)
{
    if (size <= job->records_size)
        return job->records;
    job->large = mem_zalloc(size);
    job->large_size = size;
    return job->large;
}

static void drop_large(job_t *job)
{
    if (job->large == NULL)
        return;
    sodium_memzero(job->large, job->large_size);
    mem_free(TAKE(job->large));
    job->large_size = 0;
}

static void end_state(call_t *call)
{
    if (call->state != NULL && call->free_state != NULL)
        call->free_state(call->state);
    call->state = NULL;
    call->free_state = NULL;
}

void job_free(job_t **job)
{
    if (*job == NULL)
        return;
    end_state(&(*job)->call);
    call_headers_clear(&(*job)->call);
    drop_large(*job);
    msgpack_sbuffer_destroy(&(*job)->call.body_bytes);
    msgpack_sbuffer_destroy(&(*job)->reply);
    sodium_memzero((*job)->records, (*job)->records_size);
    sodium_memzero((*job)->digest, sizeof((*job)->digest));
    mem_free(*job);
    *job = NULL;
}

static void clear_buffer(msgpack_sbuffer *buffer)
{
    if (buffer->alloc > KEPT_BUFFER) {
        msgpack_sbuffer_destroy(buffer);
        msgpack_sbuffer_init(buffer); /* destroy leaves the pointer */
    }
    msgpack_sbuffer_clear(buffer);
}

static void wipe(const schema_t *schema, const void *record, job_t *job)
{
    if (schema != NULL && record != NULL && job->large == NULL)
        sodium_memzero(job->records + ((const unsigned char *)record - job->records),
                       schema->record_size);
}

/* Only what was used: a job has room for the largest of all records. */
void job_clear(job_t *job)
{
    call_t *call = &job->call;
    end_state(call);
    call_headers_clear(call);
    if (call->operation != NULL) {
        wipe(call->operation->path_schema, call->path, job);
        wipe(call->operation->query, call->query, job);
        wipe(call->operation->head, call->head, job);
        wipe(call->operation->body, call->body, job);
    }
    drop_large(job);
    call->operation = NULL;
    call->path = call->query = call->head = call->body = NULL;
    call->answered = false;
    call->failed = false;
    call->on_link = false;
    call->deferred = false;
    call->version = 0;
    clear_buffer(&call->body_bytes);
    clear_buffer(&job->reply);
    sodium_memzero(job->digest, sizeof(job->digest));
    job->handler = NULL;
    job->lane = LANE_DONE;
    job->paced = job->queued = false;
    job->next = NULL;
}

void jobs_init(jobs_t *jobs, size_t limit, int event)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&jobs->lock, NULL);
    (void)pthread_cond_init(&jobs->filled, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    jobs->first = NULL;
    jobs->end = &jobs->first;
    jobs->count = 0;
    jobs->limit = limit;
    jobs->closed = false;
    jobs->event = event;
}

void jobs_free(jobs_t *jobs)
{
    while (jobs->first != NULL) {
        job_t *job = jobs->first;
        jobs->first = job->next;
        job_free(&job);
    }
    (void)pthread_cond_destroy(&jobs->filled);
    (void)pthread_mutex_destroy(&jobs->lock);
}

bool jobs_put(jobs_t *jobs, job_t *chain)
{
    if (chain == NULL)
        return true;
    size_t count = 1;
    job_t *last = chain;
    for (; last->next != NULL; last = last->next)
        count++;
    (void)pthread_mutex_lock(&jobs->lock);
    bool fits = !jobs->closed && count <= jobs->limit - jobs->count;
    bool was_empty = jobs->count == 0;
    if (fits) {
        *jobs->end = chain;
        jobs->end = &last->next;
        jobs->count += count;
        (void)pthread_cond_signal(&jobs->filled);
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    if (fits && was_empty && jobs->event >= 0)
        (void)eventfd_write(jobs->event, 1);
    return fits;
}

static void wait_filled(jobs_t *jobs, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    while (jobs->count == 0 && !jobs->closed)
        if (pthread_cond_timedwait(&jobs->filled, &jobs->lock, &until) != 0)
            return;
}

job_t *jobs_take(jobs_t *jobs, size_t most, int64_t until_ms)
{
    (void)pthread_mutex_lock(&jobs->lock);
    if (jobs->event < 0)
        wait_filled(jobs, until_ms);
    job_t *chain = jobs->first;
    job_t **cut = &jobs->first;
    for (size_t i = 0; i < most && *cut != NULL; i++) {
        cut = &(*cut)->next;
        jobs->count--;
    }
    jobs->first = *cut;
    if (jobs->first == NULL)
        jobs->end = &jobs->first;
    *cut = NULL;
    (void)pthread_mutex_unlock(&jobs->lock);
    return chain;
}

void jobs_close(jobs_t *jobs)
{
    (void)pthread_mutex_lock(&jobs->lock);
    jobs->closed = true;
    (void)pthread_cond_broadcast(&jobs->filled);
    (void)pthread_mutex_unlock(&jobs->lock);
}

size_t jobs_count(jobs_t *jobs)
{
    (void)pthread_mutex_lock(&jobs->lock);
    size_t count = jobs->count;
    (void)pthread_mutex_unlock(&jobs->lock);
    return count;
}

size_t jobs_length(const job_t *chain)
{
    size_t length = 0;
    for (; chain != NULL; chain = chain->next)
        length++;
    return length;
}

bool jobs_closed(jobs_t *jobs)
{
    (void)pthread_mutex_lock(&jobs->lock);
    bool closed = jobs->closed;
    (void)pthread_mutex_unlock(&jobs->lock);
    return closed;
}
