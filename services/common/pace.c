#include "services/common/pace.h"

enum { WEIGHT = 8, US_PER_MS = 1000 };

void pace_init(pace_t *pace, size_t threads)
{
    pace->threads = threads;
    atomic_init(&pace->load, 0);
    atomic_init(&pace->mean_us, 0);
}

void pace_enter(pace_t *pace)
{
    (void)atomic_fetch_add(&pace->load, 1);
}

/* Two threads at once may lose one of two measurements: there will be others. */
void pace_leave(pace_t *pace, int64_t took_us)
{
    (void)atomic_fetch_sub(&pace->load, 1);
    if (took_us <= 0)
        return;
    int64_t mean_us = atomic_load(&pace->mean_us);
    atomic_store(&pace->mean_us, mean_us == 0 ? took_us : mean_us + (took_us - mean_us) / WEIGHT);
}

bool pace_is_busy(const pace_t *pace)
{
    return atomic_load(&pace->load) >= pace->threads;
}

int64_t pace_wait_ms(const pace_t *pace)
{
    size_t load = atomic_load(&pace->load);
    if (load < pace->threads)
        return 0;
    int64_t before = (int64_t)(load - pace->threads + 1); /* so many must end first */
    return before * atomic_load(&pace->mean_us) / (int64_t)pace->threads / US_PER_MS;
}

int64_t pace_mean_ms(const pace_t *pace)
{
    return atomic_load(&pace->mean_us) / US_PER_MS;
}
