#include "gateway/pool_internal.h"

#include "common/mem.h"
#include "common/text.h"
#include "proto/registry.h"

#include <assert.h>
#include <string.h>

static pendings_t *list_of(pool_t *pool, pending_t *pending)
{
    if (pending->holder == NULL)
        return &pool->queues[pending->service];
    return pending->sent ? &pending->holder->held : &pending->holder->outbox;
}

/* ---- making and ending ---- */

pool_t *pool_new(const pool_limits_t *limits, const pool_io_t *io)
{
    assert(limits->in_flight_max < (size_t)1 << ID_SLOT_BITS);
    pool_t *pool = mem_zalloc(sizeof(*pool));
    pool->limits = *limits;
    pool->io = *io;
    pool->workers = mem_array(limits->services * POOL_WORKERS_MAX, sizeof(worker_t *));
    pool->queues = mem_array(limits->services, sizeof(pendings_t));
    pool->live_ms = mem_array(limits->services, sizeof(int64_t));
    pool->slots = mem_array(limits->in_flight_max, sizeof(slot_t));
    pool->free_slots = mem_array(limits->in_flight_max, sizeof(size_t));
    for (size_t i = 0; i < limits->in_flight_max; i++)
        pool->free_slots[pool->free_count++] = limits->in_flight_max - 1 - i;
    batch_init(&pool->batch);
    return pool;
}

void pool_destroy(pool_t **pool)
{
    pool_t *self = *pool;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->worker_count; i++)
        mem_free(self->workers[i]);
    batch_free(&self->batch);
    mem_free(self->workers);
    mem_free(self->queues);
    mem_free(self->live_ms);
    mem_free(self->slots);
    mem_free(self->free_slots);
    mem_free(self);
    *pool = NULL;
}

static void fill_event(pool_event_t *event, const worker_t *worker, const char *why)
{
    *event = (pool_event_t){.service = registry[worker->service]->name, .why = why};
    text_cut(event->key, sizeof(event->key), worker->key);
    text_cut(event->instance, sizeof(event->instance), worker->instance);
}

void pool_note(pool_t *pool, const worker_t *worker, bool joined, const char *why)
{
    if (pool->event_count == EVENTS_MAX)
        return;
    pool_event_t *event = &pool->events[pool->event_count++];
    fill_event(event, worker, why);
    event->joined = joined;
}

void pool_note_refusal(pool_t *pool, const worker_t *stranger, const char *why)
{
    size_t count = pool->refusal.refused;
    fill_event(&pool->refusal, stranger, why);
    pool->refusal.refused = count + 1;
}

bool pool_next_event(pool_t *pool, pool_event_t *out)
{
    if (pool->event_count == 0) {
        *out = pool->refusal;
        pool->refusal.refused = 0;
        return out->refused > 0;
    }
    *out = pool->events[0];
    memmove(pool->events, pool->events + 1, --pool->event_count * sizeof(pool->events[0]));
    return true;
}

void pool_finish(pool_t *pool, pending_t *pending, pending_end_t end)
{
    pendings_remove(list_of(pool, pending), pending);
    for (size_t i = 0; i < pool->worker_count;
         i++) /* one may be kept for it while it still waits */
        if (pool->workers[i]->only == pending)
            pool->workers[i]->only = NULL;
    size_t slot = pending->id & (((uint64_t)1 << ID_SLOT_BITS) - 1);
    pool->slots[slot].pending = NULL;
    pool->free_slots[pool->free_count++] = slot;
    pending->end = end;
    pending->ended = true;
    pending->holder = NULL;
    pending->next = pool->done;
    pool->done = pending;
    switch (end) {
    case PENDING_ANSWERED:
        break;
    case PENDING_TIMEOUT:
        pool->counters.timed_out++;
        break;
    case PENDING_UNAVAILABLE:
        pool->counters.unavailable++;
        break;
    case PENDING_POISON:
        pool->counters.poison++;
        break;
    }
}

pending_t *pool_take_done(pool_t *pool)
{
    pending_t *done = pool->done;
    pool->done = NULL;
    return done;
}

pending_t *pool_first_waiting(pool_t *pool)
{
    for (size_t i = 0; i < pool->worker_count; i++)
        if (pool->workers[i]->held.first != NULL)
            return pool->workers[i]->held.first;
    for (size_t i = 0; i < pool->worker_count; i++)
        if (pool->workers[i]->outbox.first != NULL)
            return pool->workers[i]->outbox.first;
    for (size_t i = 0; i < pool->limits.services; i++)
        if (pool->queues[i].first != NULL)
            return pool->queues[i].first;
    return NULL;
}

/* ---- sending ---- */

status_t pool_send_command(pool_t *pool, worker_t *worker, command_t command, int64_t now_ms)
{
    worker->beat_ms = now_ms;
    return pool->io.send(pool->io.context, worker->identity, worker->identity_length, command, NULL,
                         0);
}

/* A busy worker gets what has gathered when it has taken the last message; one with little to do
 * gets each request at once. */
static bool must_wait(const worker_t *worker)
{
    return worker->untaken > 0 &&
           (worker->untaken >= POOL_UNTAKEN_MAX || worker->held.count >= POOL_BUSY);
}

/* Packs as much of the outbox as one message may hold. Returns the first request that has no room.
 */
static const pending_t *pack(pool_t *pool, const worker_t *worker, int64_t now_ms)
{
    const pending_t *pending = worker->outbox.first;
    batch_clear(&pool->batch);
    for (; pending != NULL; pending = pending->next) {
        if (pool->batch.count > 0 &&
            pool->batch.bytes.size + pending->request_length > POOL_MESSAGE_BYTES)
            break;
        batch_add_request(&pool->batch, pending->id, pending->deadline_ms - now_ms,
                          pending->sends > 0, pending->request, pending->request_length);
    }
    return pending;
}

/* Sends what has gathered in one message, unless the worker has enough to do. */
static status_t flush(pool_t *pool, worker_t *worker, int64_t now_ms)
{
    if (worker->outbox.count == 0 || must_wait(worker))
        return STATUS_OK;
    const pending_t *rest = pack(pool, worker, now_ms);
    size_t length = 0;
    const void *body = batch_bytes(&pool->batch, &length);
    status_t status = pool->io.send(pool->io.context, worker->identity, worker->identity_length,
                                    COMMAND_REQUEST, body, length);
    batch_clear(&pool->batch); /* there may be passwords in it */
    if (status != STATUS_OK)
        return status;
    worker->untaken++;
    worker->beat_ms = now_ms;
    while (worker->outbox.first != rest) {
        pending_t *pending = worker->outbox.first;
        pendings_remove(&worker->outbox, pending);
        pendings_append(&worker->held, pending);
        pending->sent = true;
        pending->sends++;
        pool->counters.sent++;
    }
    return STATUS_OK;
}

/* ---- choosing ---- */

static size_t load_of(const worker_t *worker)
{
    return worker->held.count + worker->outbox.count;
}

static bool is_live(const worker_t *worker, size_t service)
{
    return worker->service == service && !worker->draining;
}

/* The live worker with the fewest requests and room for one more. */
static worker_t *choose(const pool_t *pool, const pending_t *pending)
{
    bool alone = pending->deaths >= POOL_DEATHS_BEFORE_ALONE;
    worker_t *best = NULL;
    for (size_t i = 0; i < pool->worker_count; i++) {
        worker_t *worker = pool->workers[i];
        bool kept = worker->only != NULL && worker->only != pending;
        if (!is_live(worker, pending->service) || kept || load_of(worker) >= worker->window)
            continue;
        if (alone && worker->only == pending) /* kept for this one: no other will do */
            return worker;
        if (best == NULL || load_of(worker) < load_of(best))
            best = worker;
    }
    return best;
}

static void give(pending_t *pending, worker_t *worker)
{
    pending->holder = worker;
    pending->sent = false;
    pendings_append(&worker->outbox, pending);
}

/* Gives waiting requests to workers with room, oldest first. One that must run alone keeps a worker
 * for itself and waits until that has finished the rest. */
static void drain_queue(pool_t *pool, size_t service)
{
    pendings_t *queue = &pool->queues[service];
    pending_t *pending = queue->first;
    while (pending != NULL) {
        pending_t *next = pending->next;
        worker_t *worker = choose(pool, pending);
        if (worker == NULL)
            return;
        if (pending->deaths >= POOL_DEATHS_BEFORE_ALONE) {
            worker->only = pending;
            if (load_of(worker) > 0) {
                pending = next;
                continue;
            }
        }
        pendings_remove(queue, pending);
        give(pending, worker);
        pending = next;
    }
}

void pool_advance(pool_t *pool, size_t service, int64_t now_ms)
{
    drain_queue(pool, service);
    for (size_t i = 0; i < pool->worker_count; i++) {
        worker_t *worker = pool->workers[i];
        if (worker->service != service)
            continue;
        if (flush(pool, worker, now_ms) == STATUS_CLOSED) {
            pool_lose(pool, worker, "its connection is gone", true);
            drain_queue(pool, service);
            i = (size_t)-1; /* the list has changed: from the start */
        }
    }
}

size_t pool_live(const pool_t *pool, size_t service)
{
    size_t live = 0;
    for (size_t i = 0; i < pool->worker_count; i++)
        live += is_live(pool->workers[i], service);
    return live;
}

size_t pool_queued(const pool_t *pool, size_t service)
{
    return pool->queues[service].count;
}

pool_load_t pool_load(const pool_t *pool, size_t service, int64_t now_ms)
{
    pool_load_t load = {.queued = pool->queues[service].count};
    for (size_t i = 0; i < pool->worker_count; i++) {
        const worker_t *worker = pool->workers[i];
        if (worker->service != service)
            continue;
        bool live = is_live(worker, service);
        load.held += load_of(worker);
        load.live += live;
        load.draining += worker->draining;
        load.busy += live && load_of(worker) > 0;
        load.silent += live && now_ms - worker->heard_ms >= (int64_t)2 * FRAMES_HEARTBEAT_MS;
    }
    return load;
}

pool_counters_t pool_counters(const pool_t *pool)
{
    return pool->counters;
}

bool pool_submit(pool_t *pool, pending_t *pending, int64_t now_ms)
{
    pendings_t *queue = &pool->queues[pending->service];
    pending->deaths = 0;
    pending->sends = 0;
    pending->sent = false;
    pending->holder = NULL;
    pending->reply = NULL;
    pending->ended = false;
    pending->receives = false;
    pending->queued_ms = now_ms;
    if (pool->stopped || queue->count >= pool->limits.queue_max || pool->free_count == 0) {
        pool->counters.queue_full += !pool->stopped;
        pool->counters.unavailable += pool->stopped;
        pending->end = PENDING_UNAVAILABLE;
        pending->ended = true;
        pending->next = pool->done;
        pool->done = pending;
        return false;
    }
    size_t slot = pool->free_slots[--pool->free_count];
    pool->slots[slot].pending = pending;
    pending->id = ++pool->slots[slot].generation << ID_SLOT_BITS | slot;
    pendings_append(queue, pending);
    uint64_t sent_before = pool->counters.sent;
    pool_advance(pool, pending->service, now_ms);
    return pool->counters.sent != sent_before;
}

/* ---- losing a worker ---- */

void pool_forget(pool_t *pool, worker_t *worker)
{
    for (size_t i = 0; i < pool->worker_count; i++) {
        if (pool->workers[i] != worker)
            continue;
        pool->workers[i] = pool->workers[--pool->worker_count];
        if (pool->io.works != NULL)
            pool->io.works(pool->io.context, worker->line, false);
        mem_free(worker);
        return;
    }
}

void pool_reclaim(pool_t *pool, pendings_t *list, bool died)
{
    while (list->last != NULL) {
        pending_t *pending = list->last;
        if (died && pending->sent)
            pending->deaths++;
        if (pending->deaths > POOL_DEATHS_BEFORE_ALONE) {
            pool_finish(pool, pending, PENDING_POISON);
            continue;
        }
        pool->counters.resent += pending->sent;
        pendings_remove(list, pending);
        pending->holder = NULL;
        pending->sent = false;
        pendings_prepend(&pool->queues[pending->service], pending);
    }
}

void pool_lose(pool_t *pool, worker_t *worker, const char *why, bool died)
{
    pool->counters.lost_workers++;
    pool_note(pool, worker, false, why);
    pool_reclaim(pool, &worker->outbox, died);
    pool_reclaim(pool, &worker->held, died);
    pool_forget(pool, worker);
}

/* ---- time ---- */

static bool tick_worker(pool_t *pool, worker_t *worker, int64_t now_ms)
{
    if (now_ms - worker->heard_ms >= FRAMES_SILENCE_MS) {
        pool->counters.silent_workers++;
        pool_lose(pool, worker, "it is silent", true);
        return false;
    }
    if (worker->draining && worker->held.count == 0) {
        pool_forget(pool, worker);
        return false;
    }
    if (now_ms - worker->beat_ms >= FRAMES_HEARTBEAT_MS &&
        pool_send_command(pool, worker, COMMAND_HEARTBEAT, now_ms) == STATUS_CLOSED) {
        pool_lose(pool, worker, "its connection is gone", true);
        return false;
    }
    return true;
}

/* How a request ends that gets no answer: a worker may have done what it asks, or certainly not. */
static pending_end_t unanswered(const pending_t *pending)
{
    return pending->sends > 0 ? PENDING_TIMEOUT : PENDING_UNAVAILABLE;
}

static void note_live(pool_t *pool, int64_t now_ms)
{
    for (size_t service = 0; service < pool->limits.services; service++)
        if (pool_live(pool, service) > 0)
            pool->live_ms[service] = now_ms;
}

/* How long it has waited without a worker: one that was held by a worker for long still waits for
 * the next when that has died. */
static int64_t waited_in_vain(const pool_t *pool, const pending_t *pending, int64_t now_ms)
{
    if (pending->holder != NULL || pool_live(pool, pending->service) > 0)
        return 0;
    int64_t live_ms = pool->live_ms[pending->service];
    return now_ms - (live_ms > pending->queued_ms ? live_ms : pending->queued_ms);
}

static void tick_pending(pool_t *pool, pending_t *pending, int64_t now_ms)
{
    if (now_ms >= pending->deadline_ms ||
        waited_in_vain(pool, pending, now_ms) >= POOL_NO_WORKER_MS)
        pool_finish(pool, pending, unanswered(pending));
}

void pool_tick(pool_t *pool, int64_t now_ms)
{
    note_live(pool, now_ms);
    for (size_t i = 0; i < pool->worker_count;)
        i += tick_worker(pool, pool->workers[i], now_ms);
    for (size_t i = 0; i < pool->limits.in_flight_max; i++)
        if (pool->slots[i].pending != NULL)
            tick_pending(pool, pool->slots[i].pending, now_ms);
    for (size_t service = 0; service < pool->limits.services; service++)
        pool_advance(pool, service, now_ms);
}

void pool_stop(pool_t *pool)
{
    pool->stopped = true;
    for (size_t i = 0; i < pool->limits.in_flight_max; i++)
        if (pool->slots[i].pending != NULL)
            pool_finish(pool, pool->slots[i].pending, unanswered(pool->slots[i].pending));
    for (size_t i = 0; i < pool->worker_count; i++) {
        status_t status = pool_send_command(pool, pool->workers[i], COMMAND_DISCONNECT, 0);
        (void)status;
    }
}
