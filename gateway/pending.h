/* One request on its way through the pool, and lists of them. */
#ifndef LK_GATEWAY_PENDING_H
#define LK_GATEWAY_PENDING_H

#include "proto/frames.h"

#include <semaphore.h>

struct worker;

typedef enum {
    PENDING_ANSWERED,
    PENDING_TIMEOUT,     /* deadline passed: what became of it is not known */
    PENDING_UNAVAILABLE, /* no live worker, or the queue is full: nothing was done */
    PENDING_POISON,      /* three workers died over it */
} pending_end_t;

/* One request on its way. The asking thread owns it and must not touch it between submit and
 * `done`. */
typedef struct pending pending_t;
struct pending {
    /* Set by the asker: */
    size_t service; /* index in the registry */
    const void *request;
    size_t request_length;
    int64_t deadline_ms;
    /* Set by the pool, for the asker: */
    pending_end_t end;
    char *reply; /* PENDING_ANSWERED: an envelope, mem_free by the asker */
    size_t reply_length;
    unsigned sends; /* to how many workers it went, one after another */
    bool ended;     /* `end` is set */
    sem_t done;     /* posted by the broker once it has ended */
    bool receives;  /* broker.c: posted, not because it has ended, but to receive for all */
    /* The pool's own: */
    uint64_t id;
    int64_t queued_ms;
    unsigned deaths;
    bool sent;
    struct worker *holder;
    pending_t *previous, *next;
};

/* A doubly linked list; a request is in one at most. Zeroed memory is an empty list. */
typedef struct {
    pending_t *first, *last;
    size_t count;
} pendings_t;

void pendings_append(pendings_t *list, pending_t *pending);
void pendings_prepend(pendings_t *list, pending_t *pending);
void pendings_remove(pendings_t *list, pending_t *pending);

#endif
