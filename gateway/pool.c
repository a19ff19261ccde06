#include "gateway/pool.h"

#include "common/mem.h"
#include "common/text.h"
#include "proto/registry.h"

#include <assert.h>
#include <string.h>

enum { EVENTS_MAX = 64, ID_SLOT_BITS = 16 };

/* A doubly linked list of requests; a request is in one list at most. */
typedef struct {
    pending_t *first, *last;
    size_t count;
} list_t;

struct worker {
    char identity[POOL_IDENTITY_MAX];
    size_t identity_length;
    size_t service;
    char instance[UUID_SIZE];
    uint32_t window;
    list_t held;     /* sent, not answered */
    list_t outbox;   /* given to it, not sent yet */
    bool taking;     /* a REQUEST message is out and has not been answered */
    bool draining;   /* said DISCONNECT: finishes what it holds */
    pending_t *only; /* this worker is kept for one dangerous request */
    int64_t heard_ms;
    int64_t beat_ms; /* when we last sent it something */
};

/* A place for a request in flight; the generation makes ids of former tenants void. */
typedef struct {
    pending_t *pending;
    uint64_t generation;
} slot_t;

struct pool {
    pool_limits_t limits;
    pool_io_t io;
    worker_t *workers[POOL_WORKERS_MAX];
    size_t worker_count;
    list_t *queues; /* one per service */
    slot_t *slots;
    size_t *free_slots; /* a stack */
    size_t free_count;
    pending_t *done;
    batch_t batch;
    pool_counters_t counters;
    pool_event_t events[EVENTS_MAX];
    size_t event_count;
};

/* ---- lists ---- */

static void list_append(list_t *list, pending_t *pending)
{
    pending->previous = list->last;
    pending->next = NULL;
    if (list->last != NULL)
        list->last->next = pending;
    else
        list->first = pending;
    list->last = pending;
    list->count++;
}

static void list_prepend(list_t *list, pending_t *pending)
{
    pending->previous = NULL;
    pending->next = list->first;
    if (list->first != NULL)
        list->first->previous = pending;
    else
        list->last = pending;
    list->first = pending;
    list->count++;
}

static void list_remove(list_t *list, pending_t *pending)
{
    if (pending->previous != NULL)
        pending->previous->next = pending->next;
    else
        list->first = pending->next;
    if (pending->next != NULL)
        pending->next->previous = pending->previous;
    else
        list->last = pending->previous;
    pending->previous = pending->next = NULL;
    list->count--;
}

static list_t *list_of(pool_t *pool, pending_t *pending)
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
    pool->queues = mem_array(limits->services, sizeof(list_t));
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
    mem_free(self->queues);
    mem_free(self->slots);
    mem_free(self->free_slots);
    mem_free(self);
    *pool = NULL;
}

static void add_event(pool_t *pool, const worker_t *worker, bool joined, const char *why)
{
    if (pool->event_count == EVENTS_MAX)
        return;
    pool_event_t *event = &pool->events[pool->event_count++];
    event->joined = joined;
    event->service = registry[worker->service]->name;
    text_cut(event->instance, sizeof(event->instance), worker->instance);
    event->why = why;
}

bool pool_next_event(pool_t *pool, pool_event_t *out)
{
    if (pool->event_count == 0)
        return false;
    *out = pool->events[0];
    memmove(pool->events, pool->events + 1, --pool->event_count * sizeof(pool->events[0]));
    return true;
}

/* Takes the request out of wherever it is and lays it among the done. */
static void finish(pool_t *pool, pending_t *pending, pending_end_t end)
{
    list_remove(list_of(pool, pending), pending);
    if (pending->holder != NULL && pending->holder->only == pending)
        pending->holder->only = NULL;
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

static status_t send_command(pool_t *pool, worker_t *worker, command_t command, int64_t now_ms)
{
    worker->beat_ms = now_ms;
    return pool->io.send(pool->io.context, worker->identity, worker->identity_length, command, NULL,
                         0);
}

/* Sends all of the outbox in one message, unless one is out already. */
static status_t flush(pool_t *pool, worker_t *worker, int64_t now_ms)
{
    if (worker->outbox.count == 0 || worker->taking)
        return STATUS_OK;
    batch_clear(&pool->batch);
    for (pending_t *pending = worker->outbox.first; pending != NULL; pending = pending->next)
        batch_add_request(&pool->batch, pending->id, pending->deadline_ms - now_ms,
                          pending->request, pending->request_length);
    size_t length = 0;
    const void *body = batch_bytes(&pool->batch, &length);
    status_t status = pool->io.send(pool->io.context, worker->identity, worker->identity_length,
                                    COMMAND_REQUEST, body, length);
    if (status != STATUS_OK)
        return status;
    worker->taking = true;
    worker->beat_ms = now_ms;
    while (worker->outbox.first != NULL) {
        pending_t *pending = worker->outbox.first;
        list_remove(&worker->outbox, pending);
        list_append(&worker->held, pending);
        pending->sent = true;
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
    list_append(&worker->outbox, pending);
}

/* Gives waiting requests to workers with room, oldest first. One that must run alone keeps a worker
 * for itself and waits until that has finished the rest. */
static void drain_queue(pool_t *pool, size_t service)
{
    list_t *queue = &pool->queues[service];
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
        list_remove(queue, pending);
        give(pending, worker);
        pending = next;
    }
}

static void lose(pool_t *pool, worker_t *worker, const char *why, bool died);

/* Hands out what waits for a service and sends it. */
static void advance(pool_t *pool, size_t service, int64_t now_ms)
{
    drain_queue(pool, service);
    for (size_t i = 0; i < pool->worker_count; i++) {
        worker_t *worker = pool->workers[i];
        if (worker->service != service)
            continue;
        if (flush(pool, worker, now_ms) == STATUS_CLOSED) {
            lose(pool, worker, "its connection is gone", true);
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

pool_counters_t pool_counters(const pool_t *pool)
{
    return pool->counters;
}

bool pool_submit(pool_t *pool, pending_t *pending, int64_t now_ms)
{
    list_t *queue = &pool->queues[pending->service];
    pending->deaths = 0;
    pending->sent = false;
    pending->holder = NULL;
    pending->reply = NULL;
    pending->ended = false;
    pending->receives = false;
    pending->queued_ms = now_ms;
    if (queue->count >= pool->limits.queue_max || pool->free_count == 0) {
        pool->counters.unavailable++;
        pending->end = PENDING_UNAVAILABLE;
        pending->ended = true;
        pending->next = pool->done;
        pool->done = pending;
        return false;
    }
    size_t slot = pool->free_slots[--pool->free_count];
    pool->slots[slot].pending = pending;
    pending->id = ++pool->slots[slot].generation << ID_SLOT_BITS | slot;
    list_append(queue, pending);
    uint64_t sent_before = pool->counters.sent;
    advance(pool, pending->service, now_ms);
    return pool->counters.sent != sent_before;
}

/* ---- losing a worker ---- */

static void forget(pool_t *pool, worker_t *worker)
{
    for (size_t i = 0; i < pool->worker_count; i++) {
        if (pool->workers[i] != worker)
            continue;
        pool->workers[i] = pool->workers[--pool->worker_count];
        mem_free(worker);
        return;
    }
}

/* Puts what the worker had back at the head of the queue, in its order. */
static void reclaim(pool_t *pool, list_t *list, bool died)
{
    while (list->last != NULL) {
        pending_t *pending = list->last;
        if (died && pending->sent)
            pending->deaths++;
        if (pending->deaths > POOL_DEATHS_BEFORE_ALONE) {
            finish(pool, pending, PENDING_POISON);
            continue;
        }
        pool->counters.resent += pending->sent;
        list_remove(list, pending);
        pending->holder = NULL;
        pending->sent = false;
        list_prepend(&pool->queues[pending->service], pending);
    }
}

static void lose(pool_t *pool, worker_t *worker, const char *why, bool died)
{
    pool->counters.lost_workers++;
    add_event(pool, worker, false, why);
    reclaim(pool, &worker->outbox, died);
    reclaim(pool, &worker->held, died);
    forget(pool, worker);
}

/* ---- messages ---- */

static worker_t *find_worker(const pool_t *pool, const void *identity, size_t length)
{
    for (size_t i = 0; i < pool->worker_count; i++) {
        worker_t *worker = pool->workers[i];
        if (worker->identity_length == length && memcmp(worker->identity, identity, length) == 0)
            return worker;
    }
    return NULL;
}

static worker_t *find_instance(const pool_t *pool, const char *instance)
{
    for (size_t i = 0; i < pool->worker_count; i++)
        if (strcmp(pool->workers[i]->instance, instance) == 0)
            return pool->workers[i];
    return NULL;
}

void pool_garbage(pool_t *pool, const void *identity, size_t identity_length)
{
    pool->counters.bad_messages++;
    status_t status =
        pool->io.send(pool->io.context, identity, identity_length, COMMAND_DISCONNECT, NULL, 0);
    (void)status; /* a stranger that is gone already is no loss */
}

static bool service_index(const char *name, size_t *out)
{
    for (size_t i = 0; i < registry_count; i++) {
        if (strcmp(registry[i]->name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void on_ready(pool_t *pool, const void *identity, size_t identity_length, const void *body,
                     size_t body_length, int64_t now_ms)
{
    ready_t ready;
    size_t service = 0;
    if (find_worker(pool, identity, identity_length) != NULL ||
        identity_length > POOL_IDENTITY_MAX || pool->worker_count == POOL_WORKERS_MAX ||
        frames_read_ready(body, body_length, &ready) != STATUS_OK ||
        !service_index(ready.service, &service)) {
        pool_garbage(pool, identity, identity_length);
        return;
    }
    worker_t *former = find_instance(pool, ready.instance);
    if (former != NULL)
        lose(pool, former, "it has connected anew", false);
    worker_t *worker = mem_zalloc(sizeof(*worker));
    memcpy(worker->identity, identity, identity_length);
    worker->identity_length = identity_length;
    worker->service = service;
    text_cut(worker->instance, sizeof(worker->instance), ready.instance);
    worker->window = ready.window;
    worker->heard_ms = now_ms;
    pool->workers[pool->worker_count++] = worker;
    add_event(pool, worker, true, "it is ready");
    if (send_command(pool, worker, COMMAND_HEARTBEAT, now_ms) == STATUS_CLOSED)
        lose(pool, worker, "its connection is gone", false);
    advance(pool, service, now_ms);
}

static void take_reply(pool_t *pool, const worker_t *worker, const batch_item_t *item)
{
    size_t slot = item->id & (((uint64_t)1 << ID_SLOT_BITS) - 1);
    pending_t *pending = slot < pool->limits.in_flight_max ? pool->slots[slot].pending : NULL;
    if (pending == NULL || pending->id != item->id || pending->holder != worker || !pending->sent) {
        pool->counters.late_replies++; /* of a request that was given up or given to another */
        return;
    }
    pending->reply = mem_copy(item->bytes, item->length);
    pending->reply_length = item->length;
    finish(pool, pending, PENDING_ANSWERED);
}

static void on_reply(pool_t *pool, worker_t *worker, const void *body, size_t body_length,
                     int64_t now_ms)
{
    batch_reader_t batch;
    size_t service = worker->service;
    if (batch_read_replies(&batch, body, body_length) == STATUS_OK) {
        worker->taking = false;
        for (uint32_t i = 0; i < batch.count; i++) {
            batch_item_t item = batch_item(&batch, i);
            take_reply(pool, worker, &item);
        }
    } else {
        pool_garbage(pool, worker->identity, worker->identity_length);
        lose(pool, worker, "it sent a malformed reply", true);
    }
    batch_reader_free(&batch);
    advance(pool, service, now_ms);
}

/* The worker finishes what it holds; what it has not been sent goes to others. */
static void on_disconnect(pool_t *pool, worker_t *worker, int64_t now_ms)
{
    size_t service = worker->service;
    worker->draining = true;
    worker->only = NULL;
    add_event(pool, worker, false, "it is stopping");
    reclaim(pool, &worker->outbox, false);
    if (worker->held.count == 0)
        forget(pool, worker);
    advance(pool, service, now_ms);
}

void pool_message(pool_t *pool, const void *identity, size_t identity_length, command_t command,
                  const void *body, size_t body_length, int64_t now_ms)
{
    worker_t *worker = find_worker(pool, identity, identity_length);
    if (worker != NULL)
        worker->heard_ms = now_ms;
    switch (command) {
    case COMMAND_READY:
        on_ready(pool, identity, identity_length, body, body_length, now_ms);
        return;
    case COMMAND_REPLY:
        if (worker == NULL)
            break;
        on_reply(pool, worker, body, body_length, now_ms);
        return;
    case COMMAND_HEARTBEAT:
        if (worker == NULL)
            break;
        return;
    case COMMAND_DISCONNECT:
        if (worker != NULL)
            on_disconnect(pool, worker, now_ms);
        return;
    case COMMAND_REQUEST:
        break;
    }
    pool_garbage(pool, identity, identity_length);
}

/* ---- time ---- */

static bool tick_worker(pool_t *pool, worker_t *worker, int64_t now_ms)
{
    if (now_ms - worker->heard_ms >= FRAMES_SILENCE_MS) {
        lose(pool, worker, "it is silent", true);
        return false;
    }
    if (worker->draining && worker->held.count == 0) {
        forget(pool, worker);
        return false;
    }
    if (now_ms - worker->beat_ms >= FRAMES_HEARTBEAT_MS &&
        send_command(pool, worker, COMMAND_HEARTBEAT, now_ms) == STATUS_CLOSED) {
        lose(pool, worker, "its connection is gone", true);
        return false;
    }
    return true;
}

static void tick_pending(pool_t *pool, pending_t *pending, int64_t now_ms)
{
    bool waits = pending->holder == NULL;
    bool no_worker = waits && pool_live(pool, pending->service) == 0;
    if (no_worker && now_ms - pending->queued_ms >= POOL_NO_WORKER_MS)
        finish(pool, pending, PENDING_UNAVAILABLE);
    else if (now_ms >= pending->deadline_ms)
        finish(pool, pending,
               pending->sent || pending->deaths > 0 ? PENDING_TIMEOUT : PENDING_UNAVAILABLE);
}

void pool_tick(pool_t *pool, int64_t now_ms)
{
    for (size_t i = 0; i < pool->worker_count;)
        i += tick_worker(pool, pool->workers[i], now_ms);
    for (size_t i = 0; i < pool->limits.in_flight_max; i++)
        if (pool->slots[i].pending != NULL)
            tick_pending(pool, pool->slots[i].pending, now_ms);
    for (size_t service = 0; service < pool->limits.services; service++)
        advance(pool, service, now_ms);
}

void pool_stop(pool_t *pool)
{
    for (size_t i = 0; i < pool->limits.in_flight_max; i++)
        if (pool->slots[i].pending != NULL)
            finish(pool, pool->slots[i].pending, PENDING_UNAVAILABLE);
    for (size_t i = 0; i < pool->worker_count; i++) {
        status_t status = send_command(pool, pool->workers[i], COMMAND_DISCONNECT, 0);
        (void)status;
    }
}
