/* The worker's end of the worker protocol, played by a thread of the test: it says READY, beats,
 * and answers at once. What it answers is made from the request, so that the asker can tell its
 * own. Where nobody answers any more, it connects anew, as a worker does. */
#ifndef LK_TESTS_SUPPORT_FAKE_WORKER_H
#define LK_TESTS_SUPPORT_FAKE_WORKER_H

#include "proto/curve.h"
#include "proto/frames.h"

#include <pthread.h>
#include <stdatomic.h>

/* The answer to "x" is "answer to x". A request that begins with this is held until the worker is
 * told to let go. */
#define FAKE_HOLD "hold"

typedef enum {
    FAKE_WORKS,
    FAKE_LETS_GO, /* answers what it holds, and works on */
    FAKE_SILENT,  /* takes nothing, says nothing; the connection stays */
    FAKE_ENDS,    /* closes the socket without a word */
} fake_manner_t;

typedef struct {
    char endpoint[256];
    ready_t ready;
    _Atomic int manner;                 /* fake_manner_t; may be set at any time */
    _Atomic unsigned taken, called_off; /* requests; DISCONNECTs from the gateway */
    /* The thread's own: */
    pthread_t thread;
    void *context, *socket;
    const curve_t *curve;
    const char *gateway;
    int64_t heard_ms;
    batch_t held;
} fake_worker_t;

/* Starts it; it may take a moment until the broker knows it. Aborts on failure. */
void fake_worker_start(fake_worker_t *worker, const char *endpoint, const char *service);
/* By CURVE: with that key, to the gateway of that one; both are borrowed. */
void fake_worker_start_with(fake_worker_t *worker, const char *endpoint, const char *service,
                            const curve_t *curve, const char *gateway);
/* Ends it and waits for its thread. */
void fake_worker_end(fake_worker_t *worker);

#endif
