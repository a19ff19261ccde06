/* What the process's control group allows it (cgroups(7)): a container's limits, a systemd unit's.
 */
#ifndef LK_COMMON_CGROUP_H
#define LK_COMMON_CGROUP_H

#include <stdint.h>

/* Bytes of memory beyond which the kernel kills the process: the least that the group or one above
 * it, as far as they can be seen from here, is limited to (version 2's memory.max, version 1's
 * memory.limit_in_bytes). INT64_MAX: no limit is known. root: "" for the machine itself; tests give
 * a folder that stands for it. */
int64_t cgroup_memory_limit(const char *root);

#endif
