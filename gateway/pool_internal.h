/* What pool.c and pool_messages.c share. */
#ifndef LK_GATEWAY_POOL_INTERNAL_H
#define LK_GATEWAY_POOL_INTERNAL_H

#include "gateway/pool.h"

enum { EVENTS_MAX = 64, ID_SLOT_BITS = 16 };

typedef struct worker {
    char identity[POOL_IDENTITY_MAX];
    size_t identity_length;
    char key[CURVE_KEY_SIZE];
    uint64_t line; /* sender_t's */
    size_t service;
    char instance[UUID_SIZE];
    uint32_t window;
    pendings_t held;   /* sent, not answered */
    pendings_t outbox; /* given to it, not sent yet */
    unsigned untaken;  /* REQUEST messages that are out and have not been answered */
    bool draining;     /* said DISCONNECT: finishes what it holds */
    pending_t *only;   /* this worker is kept for one dangerous request */
    size_t chatter;    /* since chatter_ms */
    int64_t chatter_ms;
    int64_t heard_ms;
    int64_t beat_ms; /* when we last sent it something */
} worker_t;

/* A place for a request in flight; the generation makes ids of former tenants void. */
typedef struct {
    pending_t *pending;
    uint64_t generation;
} slot_t;

struct pool {
    pool_limits_t limits;
    pool_io_t io;
    worker_t **workers; /* room for POOL_WORKERS_MAX of each service */
    size_t worker_count;
    pendings_t *queues; /* one per service */
    int64_t *live_ms;   /* one per service: when a tick last found a live worker */
    slot_t *slots;
    size_t *free_slots; /* a stack */
    size_t free_count;
    pending_t *done;
    batch_t batch;
    pool_counters_t counters;
    bool stopped;
    pool_event_t events[EVENTS_MAX];
    size_t event_count;
    pool_event_t refusal; /* the latest one, and how many */
};

/* Hands out what waits for a service and sends it. */
void pool_advance(pool_t *pool, size_t service, int64_t now_ms);
/* Ends a request: out of its list, among the done. */
void pool_finish(pool_t *pool, pending_t *pending, pending_end_t end);
/* The worker is no more: its requests go back to the queue. died: they count it as a death. */
void pool_lose(pool_t *pool, worker_t *worker, const char *why, bool died);
/* Puts the requests of one of a worker's lists back at the head of the queue, in their order. */
void pool_reclaim(pool_t *pool, pendings_t *list, bool died);
void pool_forget(pool_t *pool, worker_t *worker);
void pool_note(pool_t *pool, const worker_t *worker, bool joined, const char *why);
/* Strangers can cause these as often as they like: they never take the place of another event. */
void pool_note_refusal(pool_t *pool, const worker_t *stranger, const char *why);
status_t pool_send_command(pool_t *pool, worker_t *worker, command_t command, int64_t now_ms);

#endif
