#include "common/metrics_process.h"

#include "common/accept.h"
#include "common/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const versions[] = {LK_VERSION};

metric_t metric_build_info = {
    .name = "lk_build_info",
    .help = "1, with the program's version.",
    .type = METRIC_GAUGE,
    .labels = {METRIC_LABEL("version", versions)},
};
metric_t metric_cpu = {
    .name = "process_cpu_seconds_total",
    .help = "Processor time used, user and system.",
    .type = METRIC_COUNTER,
    .unit = METRIC_SECONDS,
};
metric_t metric_memory = {
    .name = "process_resident_memory_bytes",
    .help = "Memory in use.",
    .type = METRIC_GAUGE,
};
metric_t metric_files = {
    .name = "process_open_fds",
    .help = "Open file descriptors.",
    .type = METRIC_GAUGE,
};
metric_t metric_files_max = {
    .name = "process_max_fds",
    .help = "The most file descriptors that may be open.",
    .type = METRIC_GAUGE,
};
metric_t metric_files_refused = {
    .name = "lk_accepts_refused_total",
    .help = "Connections closed at once, since no file descriptor was left for them.",
    .type = METRIC_COUNTER,
};
metric_t metric_start_time = {
    .name = "process_start_time_seconds",
    .help = "When the process started, since 1970-01-01.",
    .type = METRIC_GAUGE,
    .unit = METRIC_SECONDS,
};

static int64_t microseconds(struct timeval time)
{
    return time.tv_sec * INT64_C(1000000) + time.tv_usec;
}

static void refresh_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    long long resident = 0;
    if (fscanf(file, "%*s %lld", &resident) == 1) // NOLINT(cert-err34-c): the kernel's own number
        metric_set(&metric_memory, 0, resident * sysconf(_SC_PAGESIZE));
    (void)fclose(file);
}

/* What the listing itself takes is none of the program's. */
static void refresh_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return;
    int64_t count = -1;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    metric_set(&metric_files, 0, count);
}

void metrics_process_refresh(void)
{
    static int64_t started_us;
    if (started_us == 0)
        started_us = clock_utc_ms() * 1000;
    metric_set(&metric_build_info, 0, 1);
    metric_set(&metric_start_time, 0, started_us);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metric_set(&metric_cpu, 0, microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(&metric_files_max, 0, (int64_t)limit.rlim_cur);
    metric_set(&metric_files_refused, 0, (int64_t)accept_refused());
    refresh_memory();
    refresh_files();
}
