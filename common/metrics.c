/* Counting. The text is metrics_text.c's. */
#include "common/metrics_internal.h"

#include "common/mem.h"

#include <assert.h>

enum { CACHE_LINE = 64, CELLS_PER_LINE = CACHE_LINE / sizeof(atomic_int_least64_t) };

size_t metric_series(const metric_t *metric)
{
    size_t series = 1;
    for (size_t i = 0; i < METRIC_LABELS_MAX && metric->labels[i].name != NULL; i++)
        series *= metric->labels[i].count;
    return series;
}

size_t metric_cells_each(const metric_t *metric)
{
    return metric->type == METRIC_HISTOGRAM ? metric->bound_count + 2 : 1;
}

void metrics_open(const metrics_t *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        metric_t *metric = metrics->items[i];
        assert(metric->cells == NULL && metric->bound_count <= METRIC_BOUNDS_MAX);
        size_t cells = metric_series(metric) * metric_cells_each(metric);
        metric->stride = (cells + CELLS_PER_LINE - 1) / CELLS_PER_LINE * CELLS_PER_LINE;
        size_t bytes = METRIC_SHARDS * metric->stride * sizeof(*metric->cells);
        metric->memory = mem_zalloc(bytes + CACHE_LINE);
        uintptr_t off = (uintptr_t)metric->memory % CACHE_LINE;
        metric->cells = (void *)((char *)metric->memory + (CACHE_LINE - off));
    }
}

void metrics_close(const metrics_t *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        metric_t *metric = metrics->items[i];
        mem_free(metric->memory);
        metric->memory = NULL;
        metric->cells = NULL;
    }
}

/* Threads take turns at the shards, in the order in which they first count something. */
static size_t own_shard(void)
{
    static atomic_uint next;
    static _Thread_local unsigned shard; /* from 1 */
    if (shard == 0)
        shard = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % METRIC_SHARDS + 1;
    return shard - 1;
}

static void add(const metric_t *metric, size_t at, int64_t count)
{
    assert(at < metric->stride);
    (void)atomic_fetch_add_explicit(&metric->cells[own_shard() * metric->stride + at], count,
                                    memory_order_relaxed);
}

void metric_add(metric_t *metric, size_t cell, int64_t count)
{
    if (metric->cells != NULL)
        add(metric, cell, count);
}

void metric_observe(metric_t *metric, size_t cell, int64_t value)
{
    if (metric->cells == NULL)
        return;
    size_t first = cell * metric_cells_each(metric);
    size_t bucket = 0;
    while (bucket < metric->bound_count && value > metric->bounds[bucket])
        bucket++;
    add(metric, first + bucket, 1);
    add(metric, first + metric->bound_count + 1, value);
}

void metric_set(metric_t *metric, size_t cell, int64_t value)
{
    if (metric->cells != NULL)
        atomic_store_explicit(&metric->cells[cell], value, memory_order_relaxed);
}

int64_t metric_sum(const metric_t *metric, size_t at)
{
    int64_t sum = 0;
    for (size_t shard = 0; metric->cells != NULL && shard < METRIC_SHARDS; shard++)
        sum +=
            atomic_load_explicit(&metric->cells[shard * metric->stride + at], memory_order_relaxed);
    return sum;
}

int64_t metric_value(const metric_t *metric, size_t cell)
{
    if (metric->type != METRIC_HISTOGRAM)
        return metric_sum(metric, cell);
    int64_t count = 0;
    for (size_t bucket = 0; bucket <= metric->bound_count; bucket++)
        count += metric_sum(metric, cell * metric_cells_each(metric) + bucket);
    return count;
}
