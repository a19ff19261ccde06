/* A broker whose worker port speaks CURVE, a worker that is in, and strangers who come. */
#ifndef LK_TESTS_COMPONENT_CURVE_DESK_H
#define LK_TESTS_COMPONENT_CURVE_DESK_H

#include "tests/component/asking.h"
#include "tests/support/scratch.h"

typedef struct {
    world_t world; /* first: what asking.h makes and takes */
    scratch_t scratch;
    curve_t *gateway;
    curve_t *keys[2]; /* key i is on the list for service i */
    allow_t *allow;
    uint64_t wanted; /* for the conditions */
} curve_desk_t;

/* For cmocka: *state is the desk. */
int curve_desk_open(void **state);
int curve_desk_close(void **state);
/* The list of workers, with the first service's key or without it. */
void curve_desk_write(const curve_desk_t *desk, bool with_first);
void curve_desk_refresh(const curve_desk_t *desk);
/* The worker answers, and has done so all the while. */
void curve_desk_assert_works(curve_desk_t *desk);

/* A peer of the worker port, not connected yet. */
typedef struct {
    void *context, *socket;
} stranger_t;

void stranger_open(stranger_t *stranger);
void stranger_connect(const stranger_t *stranger, const curve_desk_t *desk);
void stranger_connect_with(const stranger_t *stranger, const curve_desk_t *desk,
                           const curve_t *key);
void stranger_close(stranger_t *stranger);
/* False: there is no connection to say it on, as a stranger finds. */
bool stranger_says_ready(const stranger_t *stranger, size_t service, int flags);

#endif
