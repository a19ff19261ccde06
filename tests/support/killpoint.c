/* Preloaded into a worker, ends a process at one exact moment of a write: killpoints.py.
 *
 * A file POINT.N in the directory $KILLPOINTS arms it: the first process that comes to that point
 * and removes the file sends the signal. The file's text: which write of the group, whom (0:
 * itself), and with which signal.
 *
 *   half       inside the transaction, after that many of the group's writes
 *   prepared   all of the group is done, nothing is committed
 *   written    committing: in the WAL file, not flushed
 *   synced     committing: flushed, and no other process can see it yet
 *   committed  COMMIT has returned, no reply has left the writer's thread
 *   replying   the link thread has the replies and has not sent them
 *   copying    a backup has its moment of the store, and no page of it yet
 *
 * A write is what has left a row in the reply log: the writer's tidying up trips nothing. */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TIMES_MAX = 4, TEXT_SIZE = 64 };

static _Thread_local int writes; /* of this thread's transaction */
static _Thread_local bool committing;
static atomic_bool committed; /* and the link thread has not heard of it */

static bool read_order(const char *path, long order[3])
{
    char text[TEXT_SIZE] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool any = read(file, text, sizeof(text) - 1) > 0;
    (void)close(file);
    char *at = text;
    for (int i = 0; i < 3; i++)
        order[i] = strtol(at, &at, 10);
    return any;
}

static void come_to(const char *point, int count)
{
    const char *directory = getenv("KILLPOINTS");
    char path[PATH_MAX];
    long order[3];
    for (int i = 0; directory != NULL && i < TIMES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.%d", directory, point, i);
        if (read_order(path, order) && count >= order[0] && unlink(path) == 0) {
            (void)kill(order[1] == 0 ? getpid() : (pid_t)order[1], (int)order[2]);
            return;
        }
    }
}

/* A function and an object have pointers of two kinds, which POSIX makes one. */
#define NEXT(type, name)                                                                           \
    static type next;                                                                              \
    if (next == NULL) {                                                                            \
        void *found = dlsym(RTLD_NEXT, name);                                                      \
        memcpy(&next, &found, sizeof(next));                                                       \
    }

typedef int (*step_t)(sqlite3_stmt *);
typedef int (*flush_t)(int);
typedef int (*read_event_t)(int, eventfd_t *);
typedef int (*copy_t)(sqlite3_backup *, int);

static int commit(step_t next, sqlite3_stmt *statement)
{
    come_to("prepared", writes);
    committing = true;
    int code = next(statement);
    committing = false;
    come_to("committed", writes);
    writes = 0;
    atomic_store(&committed, true);
    return code;
}

int sqlite3_step(sqlite3_stmt *statement)
{
    NEXT(step_t, "sqlite3_step")
    const char *sql = sqlite3_sql(statement);
    if (sql == NULL)
        return next(statement);
    if (writes > 0 && strcmp(sql, "COMMIT") == 0)
        return commit(next, statement);
    int code = next(statement);
    if (strncmp(sql, "BEGIN", strlen("BEGIN")) == 0)
        writes = 0;
    writes += strncmp(sql, "INSERT INTO reply_log", strlen("INSERT INTO reply_log")) == 0;
    if (writes > 0 && strncmp(sql, "RELEASE", strlen("RELEASE")) == 0)
        come_to("half", writes);
    return code;
}

static int flush(flush_t next, int file)
{
    if (!committing)
        return next(file);
    come_to("written", writes);
    int code = next(file);
    come_to("synced", writes);
    return code;
}

int fdatasync(int file)
{
    NEXT(flush_t, "fdatasync")
    return flush(next, file);
}

int fsync(int file)
{
    NEXT(flush_t, "fsync")
    return flush(next, file);
}

int sqlite3_backup_step(sqlite3_backup *backup, int pages)
{
    NEXT(copy_t, "sqlite3_backup_step")
    come_to("copying", INT_MAX);
    return next(backup, pages);
}

int eventfd_read(int file, eventfd_t *value)
{
    NEXT(read_event_t, "eventfd_read")
    int code = next(file, value);
    if (atomic_exchange(&committed, false))
        come_to("replying", INT_MAX);
    return code;
}
