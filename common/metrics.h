/* Numbers about a running program, for Prometheus: counters, gauges and histograms.
 *
 * A metric is a static object; all of a program's stand in one table, which drives the exposition
 * and docs/metrics.md. Labels have closed lists of values, given before the first thread: what a
 * client or peer sends can never make a new series. Values are integers; METRIC_SECONDS counts
 * microseconds and is shown as seconds.
 *
 *   metric_add(&metric_calls, metric_cell(&metric_calls, operation, outcome), 1);
 *
 * Adding is one relaxed atomic addition in a part of memory that few other threads write to (two
 * for a histogram): a few nanoseconds. Before metrics_open, and so in a program whose metrics are
 * off, it does nothing. What is known elsewhere (lengths of queues) is not counted here but set by
 * the refresh of the table, when somebody asks.
 * Must never: hold what identifies a person, a key, a path or an address. Next: metrics_http.h. */
#ifndef LK_COMMON_METRICS_H
#define LK_COMMON_METRICS_H

#include "common/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METRIC_LABELS_MAX = 2,
    METRIC_BOUNDS_MAX = 20,
    METRIC_SHARDS = 8, /* parts of memory that threads are spread over */
};

typedef enum { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } metric_type_t;
typedef enum { METRIC_PLAIN, METRIC_SECONDS } metric_unit_t;

typedef struct {
    const char *name; /* NULL: no such label */
    const char *const *values;
    size_t count;
} metric_label_t;

typedef struct {
    const char *name;
    const char *help; /* one sentence */
    metric_type_t type;
    metric_unit_t unit;
    metric_label_t labels[METRIC_LABELS_MAX];
    const int64_t *bounds; /* of a histogram's buckets, ascending, in the stored unit */
    size_t bound_count;
    bool sparse; /* series that are 0 are left out: for many of them, few of which happen */
    /* metrics_open's: */
    atomic_int_least64_t *cells;
    size_t stride; /* cells of one shard */
    void *memory;
} metric_t;

#define METRIC_LABEL(name_, values_)                                                               \
    {                                                                                              \
        .name = (name_), .values = (values_), .count = ARRAY_LEN(values_)                          \
    }
#define METRIC_BOUNDS(bounds_) .bounds = (bounds_), .bound_count = ARRAY_LEN(bounds_)

/* All metrics of a program. */
typedef struct {
    metric_t *const *items;
    size_t count;
    const char *label, *value; /* added to every series, such as service="trunk-auth"; or NULL */
    void (*refresh)(void *context); /* sets what is known elsewhere; NULL: nothing is */
    void *context;
} metrics_t;

/* Makes room for the values, all 0. Labels must be complete by now. Before the first thread. */
void metrics_open(const metrics_t *metrics);
/* No thread adds any more. What is added from now on is lost. */
void metrics_close(const metrics_t *metrics);

/* The whole table in the text exposition format 0.0.4; the caller frees it. Runs the refresh: one
 * thread at a time. */
char *metrics_text(const metrics_t *metrics, size_t *out_length);

/* The cell of values of the labels, in their order; each must be below its label's count. */
static inline size_t metric_cell(const metric_t *metric, size_t first, size_t second)
{
    size_t second_count = metric->labels[1].name == NULL ? 1 : metric->labels[1].count;
    return first * second_count + second;
}

/* A counter goes up. Any thread. */
void metric_add(metric_t *metric, size_t cell, int64_t count);
/* A value falls into a histogram. Any thread. */
void metric_observe(metric_t *metric, size_t cell, int64_t value);
/* A gauge, or a counter that is kept elsewhere, now has that value. One thread at a time. */
void metric_set(metric_t *metric, size_t cell, int64_t value);

/* One line a metric, for people and for docs/metrics.md: name, type, labels between commas or "-",
 * help. */
void metrics_print(const metrics_t *metrics);

/* What has been counted, or is set: for tests and refreshes. Of a histogram: how many values. */
int64_t metric_value(const metric_t *metric, size_t cell);

#endif
