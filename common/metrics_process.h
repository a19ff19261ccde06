/* What every program says of itself, under the names that all programs use which Prometheus reads
 * ("Writing client libraries" in its documentation). */
#ifndef LK_COMMON_METRICS_PROCESS_H
#define LK_COMMON_METRICS_PROCESS_H

#include "common/metrics.h"

extern metric_t metric_build_info, metric_cpu, metric_memory, metric_files, metric_files_max,
    metric_files_refused, metric_start_time;

/* For a program's table. */
#define METRICS_OF_PROCESS                                                                         \
    &metric_build_info, &metric_cpu, &metric_memory, &metric_files, &metric_files_max,             \
        &metric_files_refused, &metric_start_time

/* For a program's refresh: sets all of them. The first call counts as the start. */
void metrics_process_refresh(void);

#endif
