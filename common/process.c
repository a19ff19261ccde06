#include "common/process.h"

#include "common/accept.h"
#include "common/getpid.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void process_begin(void)
{
    const struct rlimit none = {0};
    const struct sched_param batch = {0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)sched_setscheduler(0, SCHED_BATCH, &batch);
    accept_keep();
    getpid_keep();
}

status_t process_descriptors(size_t need, err_t *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return err_errno(err, "RLIMIT_NOFILE", "reading");
    if (limit.rlim_max < need)
        return err_set(err, STATUS_REFUSED, "RLIMIT_NOFILE",
                       "allows %llu open files; with these settings %zu are needed (ulimit -Hn)",
                       (unsigned long long)limit.rlim_max, need);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? STATUS_OK
                                                 : err_errno(err, "RLIMIT_NOFILE", "raising");
}
