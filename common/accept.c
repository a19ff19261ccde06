/* accept(2) and accept4(2), for libraries that can't be without descriptors.
 *
 * civetweb and libzmq try again at once when accept fails, and again, for ever: two threads spin,
 * and clients wait for nobody. So one descriptor is kept aside: when there is none left, it is
 * given up for the moment that it takes to accept the connection and close it. The client sees the
 * end of it, and the listener goes on: docs/adr/0024. A program that links this file answers for
 * its libraries, too, since a program's own symbols come before those of libraries. Must never: be
 * linked into a library that others load. */
#include "common/accept.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int spare = -1;
static atomic_uint_least64_t refused;

static int take(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

/* Of a kind that wants nothing but a descriptor: no file that may be missing. */
static void keep_spare(void)
{
    if (spare < 0)
        spare = eventfd(0, EFD_CLOEXEC);
}

/* Where nothing can be given up, since others took it: who asks again at once must not spin. */
static void rest(void)
{
    const struct timespec a_millisecond = {.tv_nsec = 1000L * 1000};
    (void)nanosleep(&a_millisecond, NULL);
}

static void refuse(int connection)
{
    (void)close(connection);
    atomic_fetch_add(&refused, 1);
}

/* Returns whether one was there to be refused. Another thread may take the descriptor first: then
 * it is of use, or goes back to be the spare one (kept), and the next call tries again. */
static bool refuse_one(int fd)
{
    (void)pthread_mutex_lock(&lock);
    if (spare >= 0)
        (void)close(spare);
    spare = -1;
    int refusal = take(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (refusal >= 0)
        refuse(refusal);
    keep_spare();
    bool lost = spare < 0;
    (void)pthread_mutex_unlock(&lock);
    if (lost)
        rest();
    return refusal >= 0;
}

/* Whoever took the last descriptor, while none was spare, gives it back: with no spare one, the
 * next accept would spin. Returns the connection, or -1 with it refused. */
static int kept(int connection)
{
    (void)pthread_mutex_lock(&lock);
    keep_spare();
    if (spare < 0) {
        refuse(connection);
        keep_spare();
        connection = -1;
        errno = ECONNABORTED;
    }
    (void)pthread_mutex_unlock(&lock);
    return connection;
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
    int accepted = take(fd, address.__sockaddr__, length, flags);
    if (accepted >= 0)
        return kept(accepted);
    if (errno != EMFILE && errno != ENFILE)
        return -1;
    int failed = errno;
    errno = refuse_one(fd) ? ECONNABORTED : failed;
    return -1;
}

int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict length)
{
    return accept4(fd, address, length, 0);
}

void accept_keep(void)
{
    (void)pthread_mutex_lock(&lock);
    keep_spare();
    (void)pthread_mutex_unlock(&lock);
}

uint64_t accept_refused(void)
{
    return atomic_load(&refused);
}
