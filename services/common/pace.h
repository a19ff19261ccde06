/* How long the next call would have to wait for a pool of threads, judged by what the last ones
 * took: a queue is to be bounded by time, and how much time a length means depends on the machine.
 *
 * Any thread; nothing is locked, since an estimate that is off by one call is as good.
 * Next: slowpool.h, which refuses by it. */
#ifndef LK_SERVICES_COMMON_PACE_H
#define LK_SERVICES_COMMON_PACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t threads;
    atomic_size_t load;      /* calls that came and are not done */
    _Atomic int64_t mean_us; /* of one call, the last eight or so; 0: none has been measured */
} pace_t;

void pace_init(pace_t *pace, size_t threads);

/* A call has come. */
void pace_enter(pace_t *pace);
/* It is gone. took_us: its work; 0: none was done. */
void pace_leave(pace_t *pace, int64_t took_us);

/* Whether the next call would find every thread taken. */
bool pace_is_busy(const pace_t *pace);
/* How long until it finds one free, in milliseconds. */
int64_t pace_wait_ms(const pace_t *pace);
/* What one call takes, in milliseconds. */
int64_t pace_mean_ms(const pace_t *pace);

#endif
