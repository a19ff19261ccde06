/* The broker's state machine with fake workers, a fake clock and no sockets, for its tests. */
#ifndef LK_TESTS_UNIT_POOL_WORLD_H
#define LK_TESTS_UNIT_POOL_WORLD_H

#include "gateway/pool.h"

enum { SENT_MAX = 256, REQUESTS = 32, DEADLINE_MS = 10000 };

/* What the pool sent, oldest first. */
typedef struct {
    char to;
    command_t command;
    uint32_t count;
    uint64_t ids[REQUESTS];
    bool again[REQUESTS];
} sent_t;

typedef struct {
    pool_t *pool;
    int64_t now;
    sent_t sent[SENT_MAX];
    size_t sent_count;
    char gone;  /* a send to this worker finds nobody */
    char stuck; /* a send to this worker would block */
    pending_t pending[REQUESTS];
    bool ended[REQUESTS];
} world_t;

/* A pool of one service. */
void new_world(world_t *world, size_t queue_max);
/* Notes what has ended. */
void collect(world_t *world);
/* Frees it; whatever still waits is ended. */
void end_world(world_t *world);
/* A worker says READY; its name is its identity. Names ten apart are one instance. */
void join(world_t *world, char worker, uint32_t window);
/* Submits request `index`, of one byte. */
void submit(world_t *world, size_t index);
/* One REPLY message with answers for these ids. */
void reply(world_t *world, char worker, const uint64_t *ids, size_t count);
/* Lets that much time pass. */
void tick(world_t *world, int64_t milliseconds);
/* A heartbeat of the worker. */
void beat(world_t *world, char worker);
/* The last message that the pool sent. */
const sent_t *last_sent(const world_t *world);
/* How many messages of that command it has sent. */
size_t sent_of(const world_t *world, command_t command);
/* Submits as many as make the worker busy: the next ones gather. */
void make_busy(world_t *world);

#endif
