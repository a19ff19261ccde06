/* The write gate: one flock per database, in turn.
 *
 * Why flock: the kernel lets go when a holder dies, it works across containers that share a volume
 * (a robust mutex in shared memory does not: it names its owner by thread id, which pid namespaces
 * repeat), and flock(1) can hold it in a script. Must never: be held while waiting for a client.
 * Next: store.c. */
#include "services/common/gate.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { RETICK_MS = 5 }; /* a tick that came just before the thread slept is repeated */

struct gate {
    int file;
    bool held;
    char *path;
};

/* Out of the way of programs that give the first real-time signals a meaning. */
static int tick_signal(void)
{
    return SIGRTMIN + 9;
}

static void ignore_tick(int number)
{
    (void)number;
}

/* A handler, since an ignored signal ends no wait; without SA_RESTART for the same reason. */
static void install_handler(void)
{
    struct sigaction action = {.sa_handler = ignore_tick};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(tick_signal(), &action, NULL);
}

static char *file_of(const char *database_path)
{
    static const char suffix[] = ".gate";
    size_t length = strlen(database_path);
    char *path = mem_array(length + sizeof(suffix), 1);
    memcpy(path, database_path, length);
    memcpy(path + length, suffix, sizeof(suffix));
    return path;
}

static status_t open_file(const char *path, int *out_file, err_t *err)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (file < 0)
        return err_errno(err, path, "the write gate cannot be opened");
    status_t status = file_adopt(file, path, err);
    if (status != STATUS_OK) {
        (void)close(file);
        return status;
    }
    *out_file = file;
    return STATUS_OK;
}

status_t gate_open_file(const char *database_path, int *out_file, err_t *err)
{
    AUTO(mem_release) char *path = file_of(database_path);
    return open_file(path, out_file, err);
}

status_t gate_open(const char *database_path, gate_t **out, err_t *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, install_handler);
    AUTO(gate_close) gate_t *gate = mem_zalloc(sizeof(*gate));
    gate->file = -1;
    gate->path = file_of(database_path);
    status_t status = open_file(gate->path, &gate->file, err);
    if (status == STATUS_OK)
        *out = TAKE(gate);
    return status;
}

void gate_close(gate_t **gate)
{
    if (*gate == NULL)
        return;
    file_close(&(*gate)->file);
    mem_free((*gate)->path);
    mem_free(*gate);
    *gate = NULL;
}

/* The kernel wakes all waiters of an flock at once, and who leaves and comes back at once may
 * overtake them. So one waits in the door, and only who has the door may take the gate: who comes
 * back finds the door taken. An open-file-description lock on the same file, which flock ignores.
 */
static int lock_door(int file, bool wait)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = GATE_BYTE_DOOR, .l_len = 1};
    return fcntl(file, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
}

static void unlock_door(int file)
{
    struct flock lock = {
        .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = GATE_BYTE_DOOR, .l_len = 1};
    (void)fcntl(file, F_OFD_SETLK, &lock);
}

static int lock_gate(int file, bool wait)
{
    return flock(file, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
}

static void arm(timer_t timer, int64_t first_ms)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = first_ms / 1000, .tv_nsec = first_ms % 1000 * 1000000L},
        .it_interval = {.tv_nsec = RETICK_MS * 1000000L},
    };
    (void)timer_settime(timer, 0, &when, NULL);
}

/* Waits in lock(), until it succeeds or the deadline passes. */
static status_t wait_for(gate_t *gate, int (*lock)(int, bool), timer_t timer, int64_t deadline_ms,
                         err_t *err)
{
    for (;;) {
        int64_t left = deadline_ms - clock_ms();
        if (left <= 0)
            return err_set(err, STATUS_TIMEOUT, gate->path,
                           "another process holds the write gate: is one stopped (state T in ps)? "
                           "Continue or kill it");
        arm(timer, left);
        if (lock(gate->file, true) == 0)
            return STATUS_OK;
        if (errno != EINTR)
            return err_errno(err, gate->path, "the write gate cannot be locked");
    }
}

static status_t lock_both(gate_t *gate, bool has_door, timer_t timer, int64_t deadline_ms,
                          err_t *err)
{
    status_t status = has_door ? STATUS_OK : wait_for(gate, lock_door, timer, deadline_ms, err);
    if (status != STATUS_OK)
        return status;
    status = wait_for(gate, lock_gate, timer, deadline_ms, err);
    unlock_door(gate->file);
    return status;
}

/* A timer of this thread's, since the signal must end the wait of this thread and no other's. */
static status_t wait_for_both(gate_t *gate, bool has_door, int64_t deadline_ms, err_t *err)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = tick_signal()};
    event.sigev_notify_thread_id = gettid();
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        if (has_door)
            unlock_door(gate->file);
        return err_errno(err, gate->path, "no timer to wait with");
    }
    sigset_t tick;
    sigset_t before;
    (void)sigemptyset(&tick);
    (void)sigaddset(&tick, tick_signal());
    (void)pthread_sigmask(SIG_UNBLOCK, &tick, &before);
    status_t status = lock_both(gate, has_door, timer, deadline_ms, err);
    (void)timer_delete(timer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static status_t take_once(gate_t *gate, int64_t deadline_ms, err_t *err)
{
    bool has_door = lock_door(gate->file, false) == 0;
    if (!has_door || lock_gate(gate->file, false) != 0)
        return wait_for_both(gate, has_door, deadline_ms, err);
    unlock_door(gate->file);
    return STATUS_OK;
}

/* A lock on a deleted file excludes nobody who comes later. */
static bool is_deleted(const gate_t *gate)
{
    struct stat info;
    return fstat(gate->file, &info) == 0 && info.st_nlink == 0;
}

static status_t reopen(gate_t *gate, err_t *err)
{
    int file = -1;
    status_t status = open_file(gate->path, &file, err);
    if (status != STATUS_OK)
        return status;
    file_close(&gate->file);
    gate->file = file;
    return STATUS_OK;
}

status_t gate_take(gate_t *gate, int64_t deadline_ms, err_t *err)
{
    assert(!gate->held);
    for (;;) {
        status_t status = take_once(gate, deadline_ms, err);
        if (status == STATUS_OK && is_deleted(gate))
            status = reopen(gate, err);
        else
            gate->held = status == STATUS_OK;
        if (status != STATUS_OK || gate->held)
            return status;
    }
}

void gate_leave(gate_t *gate)
{
    assert(gate->held);
    gate->held = false;
    (void)flock(gate->file, LOCK_UN);
}
