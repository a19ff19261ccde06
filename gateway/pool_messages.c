/* What workers say, and what becomes of it. Must never: trust an id, an identity or a count. */
#include "gateway/pool_internal.h"

#include "common/mem.h"
#include "common/text.h"
#include "proto/registry.h"

#include <string.h>

static worker_t *with_identity(const pool_t *pool, const sender_t *sender)
{
    for (size_t i = 0; i < pool->worker_count; i++) {
        worker_t *worker = pool->workers[i];
        if (worker->identity_length == sender->length &&
            memcmp(worker->identity, sender->identity, sender->length) == 0)
            return worker;
    }
    return NULL;
}

/* Identities are used again when a connection is gone: what comes with another key is another's. */
static worker_t *find_worker(const pool_t *pool, const sender_t *sender)
{
    worker_t *worker = with_identity(pool, sender);
    return worker != NULL && strcmp(worker->key, sender->key) == 0 ? worker : NULL;
}

static worker_t *find_instance(const pool_t *pool, const char *instance)
{
    for (size_t i = 0; i < pool->worker_count; i++)
        if (strcmp(pool->workers[i]->instance, instance) == 0)
            return pool->workers[i];
    return NULL;
}

static bool is_tolerated(const pool_t *pool, const sender_t *sender)
{
    return pool->io.tolerate == NULL || pool->io.tolerate(pool->io.context, sender);
}

void pool_garbage(pool_t *pool, const sender_t *sender)
{
    pool->counters.bad_messages++;
    if (!is_tolerated(pool, sender))
        return;
    status_t status = pool->io.send(pool->io.context, sender->identity, sender->length,
                                    COMMAND_DISCONNECT, NULL, 0);
    (void)status; /* a stranger that is gone already is no loss */
}

static void note_works(const pool_t *pool, const worker_t *worker)
{
    if (pool->io.works != NULL)
        pool->io.works(pool->io.context, worker->line, true);
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

/* Whether the sender may be a worker of that service. A refusal is told of. */
static bool may_serve(pool_t *pool, const sender_t *sender, const ready_t *ready, size_t service)
{
    if (pool->io.may_serve == NULL || pool->io.may_serve(pool->io.context, sender->key, service))
        return true;
    worker_t stranger = {.service = service};
    text_cut(stranger.instance, sizeof(stranger.instance), ready->instance);
    text_cut(stranger.key, sizeof(stranger.key), sender->key);
    pool->counters.refused_workers++;
    pool_note_refusal(pool, &stranger, "its key is not allowed to serve that");
    return false;
}

/* Each service has its own room: whoever has one's key can't keep out the others. */
static size_t count_workers(const pool_t *pool, size_t service)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->worker_count; i++)
        count += pool->workers[i]->service == service;
    return count;
}

static void on_ready(pool_t *pool, const sender_t *sender, const void *body, size_t body_length,
                     int64_t now_ms)
{
    ready_t ready;
    size_t service = 0;
    if (with_identity(pool, sender) != NULL || sender->length > POOL_IDENTITY_MAX ||
        frames_read_ready(body, body_length, &ready) != STATUS_OK ||
        !service_index(ready.service, &service) || !may_serve(pool, sender, &ready, service) ||
        count_workers(pool, service) == POOL_WORKERS_MAX) {
        pool_garbage(pool, sender);
        return;
    }
    worker_t *former = find_instance(pool, ready.instance);
    if (former != NULL && strcmp(former->key, sender->key) != 0) {
        pool_garbage(pool, sender); /* another's name */
        return;
    }
    if (!is_tolerated(pool, sender)) /* once in a connection's life, not again and again */
        return;
    if (former != NULL)
        pool_lose(pool, former, "it has connected anew", false);
    worker_t *worker = mem_zalloc(sizeof(*worker));
    memcpy(worker->identity, sender->identity, sender->length);
    worker->identity_length = sender->length;
    text_cut(worker->key, sizeof(worker->key), sender->key);
    worker->line = sender->line;
    worker->service = service;
    text_cut(worker->instance, sizeof(worker->instance), ready.instance);
    worker->window = ready.window;
    worker->heard_ms = now_ms;
    pool->workers[pool->worker_count++] = worker;
    note_works(pool, worker);
    pool_note(pool, worker, true, "it is ready");
    if (pool_send_command(pool, worker, COMMAND_HEARTBEAT, now_ms) == STATUS_CLOSED)
        pool_lose(pool, worker, "its connection is gone", false);
    pool_advance(pool, service, now_ms);
}

/* Loses a worker that takes our time without end: heartbeats in thousands, replies that nobody
 * waits for. */
static void note_chatter(pool_t *pool, const sender_t *sender, worker_t *worker, size_t length,
                         int64_t now_ms)
{
    if (now_ms - worker->chatter_ms >= 1000) {
        worker->chatter_ms = now_ms;
        worker->chatter = 0;
    }
    worker->chatter += 1 + length / POOL_CHATTER_BYTES;
    if (worker->chatter <= POOL_CHATTER_MAX)
        return;
    pool_garbage(pool, sender);
    size_t service = worker->service;
    pool_lose(pool, worker, "it talks without end", true);
    pool_advance(pool, service, now_ms);
}

static bool take_reply(pool_t *pool, const worker_t *worker, const batch_item_t *item)
{
    size_t slot = item->id & (((uint64_t)1 << ID_SLOT_BITS) - 1);
    pending_t *pending = slot < pool->limits.in_flight_max ? pool->slots[slot].pending : NULL;
    if (pending == NULL || pending->id != item->id || pending->holder != worker || !pending->sent) {
        pool->counters.late_replies++; /* of a request that was given up or given to another */
        return false;
    }
    pending->reply = mem_copy(item->bytes, item->length);
    pending->reply_length = item->length;
    pool_finish(pool, pending, PENDING_ANSWERED);
    return true;
}

static void on_reply(pool_t *pool, const sender_t *sender, worker_t *worker, const void *body,
                     size_t body_length, int64_t now_ms)
{
    batch_reader_t batch;
    size_t service = worker->service;
    if (batch_read_replies(&batch, body, body_length) == STATUS_OK) {
        bool of_use = worker->untaken > 0;
        worker->untaken -= of_use;
        for (uint32_t i = 0; i < batch.count; i++) {
            batch_item_t item = batch_item(&batch, i);
            of_use = take_reply(pool, worker, &item) || of_use;
        }
        if (!of_use)
            note_chatter(pool, sender, worker, body_length, now_ms);
    } else {
        pool_garbage(pool, sender);
        pool_lose(pool, worker, "it sent a malformed reply", true);
    }
    batch_reader_free(&batch);
    pool_advance(pool, service, now_ms);
}

/* The worker finishes what it holds; what it has not been sent goes to others. */
static void on_disconnect(pool_t *pool, worker_t *worker, int64_t now_ms)
{
    size_t service = worker->service;
    worker->draining = true;
    worker->only = NULL;
    pool_note(pool, worker, false, "it is stopping");
    pool_reclaim(pool, &worker->outbox, false);
    if (worker->held.count == 0)
        pool_forget(pool, worker);
    pool_advance(pool, service, now_ms);
}

void pool_recheck(pool_t *pool, int64_t now_ms)
{
    for (size_t i = 0; pool->io.may_serve != NULL && i < pool->worker_count;) {
        worker_t *worker = pool->workers[i];
        size_t service = worker->service;
        if (pool->io.may_serve(pool->io.context, worker->key, service)) {
            i++;
            continue;
        }
        status_t status = pool_send_command(pool, worker, COMMAND_DISCONNECT, now_ms);
        (void)status; /* if it is gone already, the better */
        pool_lose(pool, worker, "its key is not allowed to serve that any more", false);
        pool_advance(pool, service, now_ms);
        i = 0; /* the list has changed: from the start */
    }
}

void pool_message(pool_t *pool, const sender_t *sender, command_t command, const void *body,
                  size_t body_length, int64_t now_ms)
{
    worker_t *worker = find_worker(pool, sender);
    if (worker != NULL)
        worker->heard_ms = now_ms;
    switch (command) {
    case COMMAND_READY:
        on_ready(pool, sender, body, body_length, now_ms);
        return;
    case COMMAND_REPLY:
        if (worker == NULL)
            break;
        on_reply(pool, sender, worker, body, body_length, now_ms);
        return;
    case COMMAND_HEARTBEAT:
        if (worker == NULL)
            break;
        note_works(pool, worker);
        note_chatter(pool, sender, worker, 0, now_ms);
        return;
    case COMMAND_DISCONNECT:
        if (worker != NULL)
            on_disconnect(pool, worker, now_ms);
        (void)is_tolerated(pool, sender); /* once, too */
        return;
    case COMMAND_REQUEST:
        break;
    }
    pool_garbage(pool, sender);
}
