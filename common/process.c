#include "common/process.h"

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
    getpid_keep();
}
