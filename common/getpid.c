/* getpid(2), asked of the kernel once.
 *
 * libzmq asks it a dozen times for every message, to notice a fork, and a system call costs half a
 * microsecond on the machines this runs on: docs/adr/0011. A program that links this file answers
 * for libzmq too, since a program's own symbols come before those of libraries. A forked child asks
 * anew. Must never: be linked into a library that others load. */
#include "common/getpid.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int known;

static void forget(void)
{
    atomic_store(&known, 0);
}

pid_t getpid(void)
{
    pid_t pid = atomic_load_explicit(&known, memory_order_relaxed);
    if (pid == 0) {
        pid = (pid_t)syscall(SYS_getpid);
        atomic_store(&known, pid);
    }
    return pid;
}

void getpid_keep(void)
{
    (void)pthread_atfork(NULL, NULL, forget);
    (void)getpid();
}
