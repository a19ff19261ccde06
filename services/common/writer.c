/* Group commit inside the gate.
 * Must never: answer a success before its commit, or hold the gate while it waits for anything but
 * the database. Next: link_calls.c, which sends the replies. */
#include "services/common/writer.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/common/dispatch.h"
#include "services/common/gate.h"
#include "services/common/worker_metrics.h"

#include <assert.h>

enum {
    CHECKPOINT_PAGES = 1000,
    TURN_WAIT_MS = 500,  /* waiting for the gate, we look so often who has come and who is late */
    IDLE_MS = 10 * 1000, /* a writer that is idle for so long empties the WAL */
    TIDY_WAIT_MS = 100,  /* when no call waits it does not wait long for its turn, */
    TIDY_AGAIN_MS = 250, /* but tries again */
    END_WAIT_MS = 2000,  /* for its turn to do the chores of the end */
    PAUSE_MS = 1000,     /* no step of a transaction lasts so long: this process stood still */
};

struct writer {
    const replylog_t *log;
    store_t *store;
    gate_t *gate;
    chores_t *chores;
    int64_t tidy_ms; /* when it will have been idle for long */
    jobs_t queue;
    jobs_t *finished;
    board_t *board;
    pthread_t thread;
    log_limit_t warnings;
};

/* A full disk, or a gate that is held, fails it every time. */
static void warn(writer_t *writer, const char *event, const err_t *err)
{
    int64_t held_back = 0;
    if (log_due(&writer->warnings, clock_ms(), &held_back))
        log_failure(LOG_WARN, event, err);
}

/* The finished queue has no limit, and is closed only after us. */
static void give(writer_t *writer, job_t *chain)
{
    bool given = jobs_put(writer->finished, chain);
    assert(given);
    (void)given;
}

/* Takes the late ones out of the group and answers them. */
static void drop_late(writer_t *writer, job_t **group)
{
    err_t err;
    (void)err_set(&err, STATUS_TIMEOUT, "writer", "its turn to write did not come in time");
    int64_t now_ms = clock_ms();
    job_t *late = NULL;
    for (job_t **at = group; *at != NULL;) {
        job_t *job = *at;
        if (!dispatch_is_late(job, now_ms)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = late;
        late = job;
        dispatch_finish_with(job, OUTCOME_UNAVAILABLE, &err);
    }
    give(writer, late);
}

static void fail_all(writer_t *writer, job_t *group, const err_t *err)
{
    metric_add(&worker_metric_commit_failures, 0, 1);
    for (job_t *job = group; job != NULL; job = job->next)
        dispatch_finish_with(job, call_failure(err->status), err);
    give(writer, group);
}

/* Runs one call inside its savepoint. */
static void run_saved(writer_t *writer, job_t *job)
{
    call_t *call = &job->call;
    err_t err;
    status_t status = replylog_find(writer->log, writer->store, job, &err);
    if (status == STATUS_OK && call->answered) {
        dispatch_finish(job); /* an earlier run's */
        store_undo(writer->store);
        return;
    }
    if (status == STATUS_OK) {
        job->handler->write(call, writer->store);
        assert(call->answered);
        dispatch_finish(job);
        if (!call_is_kept(call)) {
            store_undo(writer->store);
            return;
        }
        status = replylog_keep(writer->log, writer->store, job, &err);
    }
    if (status == STATUS_OK)
        status = store_keep(writer->store, &err);
    if (status != STATUS_OK) {
        store_undo(writer->store);
        dispatch_finish_with(job, call_failure(status), &err);
    }
}

static int64_t earliest_deadline(const job_t *group)
{
    int64_t deadline_ms = group->call.deadline_ms;
    for (const job_t *job = group->next; job != NULL; job = job->next)
        if (job->call.deadline_ms < deadline_ms)
            deadline_ms = job->call.deadline_ms;
    return deadline_ms;
}

/* The steps of a transaction, of which each job is one. A disk may be slow in all of them. */
typedef struct {
    int64_t last_ms, longest_ms;
} steps_t;

static void take_step(steps_t *steps)
{
    int64_t now_ms = clock_ms();
    if (now_ms - steps->last_ms > steps->longest_ms)
        steps->longest_ms = now_ms - steps->last_ms;
    steps->last_ms = now_ms;
}

/* A process that stood still (SIGSTOP, a suspended machine) must not do now what its clients have
 * been told was not done. */
static status_t check_in_time(const job_t *group, const steps_t *steps, err_t *err)
{
    if (steps->longest_ms >= PAUSE_MS && earliest_deadline(group) <= steps->last_ms)
        return err_set(err, STATUS_TIMEOUT, "writer", "stood still for %lld ms",
                       (long long)steps->longest_ms);
    return STATUS_OK;
}

static bool any_kept(const job_t *group)
{
    for (const job_t *job = group; job != NULL; job = job->next)
        if (call_is_kept(&job->call))
            return true;
    return false;
}

/* No answer from before stands once somebody can see what is committed. */
static status_t commit(writer_t *writer, const job_t *group, err_t *err)
{
    if (!any_kept(group))
        return store_commit(writer->store, err);
    board_begin_change(writer->board);
    status_t status = store_commit(writer->store, err);
    board_end_change(writer->board);
    return status;
}

/* One transaction for all. STATUS_OK: every job has its answer. Else none of it was done. */
static status_t run_group(writer_t *writer, job_t *group, err_t *err)
{
    steps_t steps = {.last_ms = clock_ms()};
    status_t status = store_begin(writer->store, err);
    if (status != STATUS_OK)
        return status;
    take_step(&steps);
    int64_t now_utc_ms = clock_utc_ms();
    for (job_t *job = group; job != NULL; job = job->next) {
        status = store_save(writer->store, err);
        if (status != STATUS_OK) {
            store_rollback(writer->store);
            return status;
        }
        job->call.now_utc_ms = now_utc_ms;
        run_saved(writer, job);
        take_step(&steps);
    }
    status = check_in_time(group, &steps, err);
    if (status != STATUS_OK) {
        store_rollback(writer->store);
        return status;
    }
    return commit(writer, group, err);
}

static status_t run_measured(writer_t *writer, job_t *group, err_t *err)
{
    int64_t begun_us = clock_us();
    status_t status = run_group(writer, group, err);
    if (status == STATUS_OK) {
        metric_observe(&worker_metric_commit_time, 0, clock_us() - begun_us);
        metric_observe(&worker_metric_commit_batch, 0, (int64_t)jobs_length(group));
    }
    return status;
}

static void checkpoint(writer_t *writer, int64_t least_pages)
{
    err_t err;
    if (store_checkpoint(writer->store, least_pages, &err) != STATUS_OK)
        warn(writer, "checkpoint_failed", &err);
}

/* What came while we waited for the gate travels with the rest. */
static void take_more(writer_t *writer, job_t **group)
{
    job_t **end = group;
    while (*end != NULL)
        end = &(*end)->next;
    size_t count = jobs_length(*group);
    if (count < WRITER_GROUP)
        *end = jobs_take(&writer->queue, WRITER_GROUP - count, 0);
}

/* The replies go out before chores and the checkpoint: those are no business of theirs. */
static void run_in_gate(writer_t *writer, job_t *group)
{
    err_t err;
    take_more(writer, &group);
    drop_late(writer, &group);
    if (group != NULL) {
        if (run_measured(writer, group, &err) == STATUS_OK)
            give(writer, group);
        else
            fail_all(writer, group, &err);
        if (chores_look(writer->chores, writer->store, false))
            (void)chores_run(writer->chores, writer->store);
        checkpoint(writer, CHECKPOINT_PAGES);
    }
    gate_leave(writer->gate);
}

static void work(writer_t *writer, job_t *group)
{
    int64_t begun_us = clock_us();
    for (drop_late(writer, &group); group != NULL; drop_late(writer, &group)) {
        err_t err;
        int64_t until_ms = clock_ms() + TURN_WAIT_MS;
        if (earliest_deadline(group) < until_ms)
            until_ms = earliest_deadline(group);
        status_t status = gate_take(writer->gate, until_ms, &err);
        if (status == STATUS_OK) {
            metric_observe(&worker_metric_gate_wait, 0, clock_us() - begun_us);
            run_in_gate(writer, group);
            return;
        }
        if (status != STATUS_TIMEOUT) {
            fail_all(writer, group, &err);
            return;
        }
        metric_add(&worker_metric_gate_timeouts, 0, 1);
        warn(writer, "gate_not_taken", &err);
        take_more(writer, &group);
    }
}

/* Nobody waits. */
static void tidy(writer_t *writer)
{
    err_t err;
    bool is_idle = clock_ms() >= writer->tidy_ms;
    bool any_due = chores_look(writer->chores, writer->store, false);
    if (is_idle)
        writer->tidy_ms = clock_ms() + IDLE_MS;
    if (!is_idle && !any_due)
        return;
    if (gate_take(writer->gate, clock_ms() + TIDY_WAIT_MS, &err) != STATUS_OK) {
        chores_put_off(writer->chores, TIDY_AGAIN_MS);
        return; /* who has it sees to the WAL */
    }
    (void)chores_run(writer->chores, writer->store);
    checkpoint(writer, is_idle ? 1 : CHECKPOINT_PAGES);
    board_mend(writer->board);
    gate_leave(writer->gate);
}

/* One that fails is not tried again: the process is to end. */
static void end(writer_t *writer)
{
    err_t err;
    bool goes_on = true;
    int64_t until_ms = clock_ms() + END_WAIT_MS;
    while (goes_on && chores_look(writer->chores, writer->store, true)) {
        goes_on = gate_take(writer->gate, until_ms, &err) == STATUS_OK;
        if (!goes_on) {
            warn(writer, "gate_not_taken", &err);
            return;
        }
        goes_on = chores_run(writer->chores, writer->store);
        gate_leave(writer->gate);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void *run(void *context)
{
    writer_t *writer = context;
    for (;;) {
        int64_t wake_ms = earlier(writer->tidy_ms, chores_next_ms(writer->chores));
        job_t *group = jobs_take(&writer->queue, WRITER_GROUP, wake_ms);
        if (group != NULL) {
            work(writer, group);
            writer->tidy_ms = clock_ms() + IDLE_MS;
        } else if (jobs_closed(&writer->queue)) {
            end(writer);
            return NULL;
        } else {
            tidy(writer);
        }
    }
}

static void release(writer_t **writer)
{
    if (*writer == NULL)
        return;
    store_close(&(*writer)->store);
    gate_close(&(*writer)->gate);
    jobs_free(&(*writer)->queue);
    mem_free(*writer);
    *writer = NULL;
}

status_t writer_start(const replylog_t *log, const char *directory, chores_t *chores,
                      board_t *board, jobs_t *finished, writer_t **out, err_t *err)
{
    AUTO(release) writer_t *writer = mem_zalloc(sizeof(*writer));
    writer->log = log;
    writer->chores = chores;
    writer->tidy_ms = clock_ms() + IDLE_MS;
    writer->finished = finished;
    writer->board = board;
    jobs_init(&writer->queue, WRITER_QUEUE, -1);
    char path[STORE_PATH_SIZE];
    status_t status = store_path(replylog_store(log), directory, path, err);
    if (status == STATUS_OK)
        status = gate_open(path, &writer->gate, err);
    if (status == STATUS_OK)
        status = store_open(replylog_store(log), directory, STORE_WRITER, &writer->store, err);
    if (status != STATUS_OK)
        return status;
    if (pthread_create(&writer->thread, NULL, run, writer) != 0)
        return err_set(err, STATUS_SYSTEM, "writer", "its thread cannot be started");
    *out = TAKE(writer);
    return STATUS_OK;
}

jobs_t *writer_queue(writer_t *writer)
{
    return &writer->queue;
}

void writer_stop(writer_t **writer)
{
    if (*writer == NULL)
        return;
    jobs_close(&(*writer)->queue);
    (void)pthread_join((*writer)->thread, NULL);
    release(writer);
}
