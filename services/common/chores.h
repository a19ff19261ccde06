/* Background work on the store: what a worker does in write transactions at intervals, off every
 * call's path. The writer thread does it, after the replies of a group have gone out or when no
 * call waits: so it is also done by a worker that is never idle.
 *
 * Each batch is bounded and has a transaction of its own; calls that have come meanwhile go before
 * the next one. All replicas do the same chores, in turn at the gate: a chore finds its work in the
 * store, or in what its own process holds. Not for threads: the writer's alone. */
#ifndef LK_SERVICES_COMMON_CHORES_H
#define LK_SERVICES_COMMON_CHORES_H

#include "common/log.h"
#include "services/common/store.h"

enum { CHORES_MAX = 8 };

typedef struct {
    const char *event; /* logged when it fails */
    int64_t every_ms;  /* it is looked at so often, */
    int64_t pause_ms;  /* and so soon again while more is left to do */
    bool at_end;       /* and once more, to its end, when the worker drains */
    void *context;     /* of all three: */

    /* Between transactions and without the gate: whether there is anything to do. Quick; may read
     * the store. NULL: always. */
    bool (*is_due)(void *context, store_t *writer, bool at_end);
    /* One batch, in a transaction. *out_more: something is left. */
    status_t (*run)(void *context, store_t *writer, bool *out_more, err_t *err);
    /* After the transaction: whether it was kept. Who has changed what calls are answered from
     * raises the board here (proto/board.h). NULL: does not matter. */
    void (*settle)(void *context, bool kept);
} chore_t;

typedef struct {
    size_t count;
    struct {
        chore_t chore;
        int64_t next_ms;
        bool due;
    } items[CHORES_MAX];
    log_limit_t warnings;
} chores_t;

/* Before the writer starts. */
void chores_add(chores_t *chores, const chore_t *chore);

/* When the next one is to be looked at, as clock_ms() tells time; INT64_MAX: there is none. */
int64_t chores_next_ms(const chores_t *chores);

/* Looks at those whose time has come, or, at the end, at those that have one then. Whether any has
 * something to do. */
bool chores_look(chores_t *chores, store_t *writer, bool at_end);
/* The caller holds the gate: does one batch of each that is due. False: one failed, which is logged
 * (once a second at most); it is tried again when its time comes. */
bool chores_run(chores_t *chores, store_t *writer);
/* The gate was not to be had: all that are due are looked at again in so many milliseconds. */
void chores_put_off(chores_t *chores, int64_t ms);

#endif
