/* What metrics.c and metrics_text.c share. */
#ifndef LK_COMMON_METRICS_INTERNAL_H
#define LK_COMMON_METRICS_INTERNAL_H

#include "common/metrics.h"

/* A histogram's series: a cell for each bound, one for what is above the last, one for the sum of
 * the values. Any other's: one. */
size_t metric_series(const metric_t *metric);
size_t metric_cells_each(const metric_t *metric);
/* A cell, over all shards; 0 before metrics_open. */
int64_t metric_sum(const metric_t *metric, size_t at);

#endif
