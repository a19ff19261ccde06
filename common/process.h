/* What every long-running program of ours asks of the kernel at its start. */
#ifndef LK_COMMON_PROCESS_H
#define LK_COMMON_PROCESS_H

#include "common/status.h"

#include <stddef.h>

/* Once, first of all in main, before any thread:
 *   no core dumps, no ptrace by others of the same user: secrets stay inside (prctl(2),
 * setrlimit(2)); SCHED_BATCH (sched(7)): a thread that is woken does not push its waker off the
 * processor, so that one that wakes many, as a batch of replies does, gets to its end first
 * (docs/adr/0012); getpid() is kept (getpid.h), and accept() never left without a descriptor
 * (accept.h). What the kernel refuses is left as it is: none of it is needed to run. */
void process_begin(void);

/* Raises the limit on open files to the hard one. STATUS_REFUSED if that is less than needed. */
status_t process_descriptors(size_t need, err_t *err) MUST_CHECK;

#endif
