/* Must never: shut down a socket that it has not recognised. Next: zap.c, which tells of them. */
#include "gateway/visitors.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd;
    bool works;
    bool over; /* it is cut: libzmq will tell that it is gone */
    unsigned strikes;
    uint64_t number; /* in the order of their coming */
    uint64_t cookie;
} visitor_t;

struct visitors {
    pthread_mutex_t lock;
    uint16_t port;
    int hand; /* the number that what is to be cut is duplicated to */
    int rest; /* what the hand holds otherwise */
    uint64_t came;
    uint64_t crowded_out, cut;
    size_t room, count;
    visitor_t items[];
};

status_t visitors_new(size_t workers, visitors_t **out, err_t *err)
{
    size_t room = VISITORS_STRANGERS_MAX + workers;
    visitors_t *visitors = mem_zalloc(sizeof(*visitors) + room * sizeof(visitors->items[0]));
    (void)pthread_mutex_init(&visitors->lock, NULL);
    visitors->room = room;
    visitors->rest = eventfd(0, EFD_CLOEXEC);
    visitors->hand = fcntl(visitors->rest, F_DUPFD_CLOEXEC, 0);
    if (visitors->hand < 0) {
        status_t status = err_errno(err, "worker port", "no descriptors");
        visitors_free(&visitors);
        return status;
    }
    *out = visitors;
    return STATUS_OK;
}

void visitors_free(visitors_t **visitors)
{
    if (*visitors == NULL)
        return;
    if ((*visitors)->rest >= 0)
        (void)close((*visitors)->rest);
    if ((*visitors)->hand >= 0)
        (void)close((*visitors)->hand);
    (void)pthread_mutex_destroy(&(*visitors)->lock);
    mem_free(*visitors);
    *visitors = NULL;
}

/* ---- sockets ---- */

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof(address);
    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    if (address.any.sa_family == AF_INET)
        return ntohs(address.v4.sin_port);
    return address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port) : 0;
}

/* What no other socket has, as long as the machine runs. */
static bool read_cookie(int fd, uint64_t *out)
{
    socklen_t size = sizeof(*out);
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, out, &size) == 0;
}

/* Needs no free descriptor. */
static void shut(const visitors_t *visitors, const visitor_t *visitor)
{
    uint64_t cookie = 0;
    if (dup3(visitor->fd, visitors->hand, O_CLOEXEC) < 0)
        return; /* gone already */
    if (read_cookie(visitors->hand, &cookie) && cookie == visitor->cookie)
        (void)shutdown(visitors->hand, SHUT_RDWR);
    (void)dup3(visitors->rest, visitors->hand, O_CLOEXEC);
}

/* ---- the list; the mutex is held ---- */

static visitor_t *find(visitors_t *visitors, int fd)
{
    for (size_t i = 0; i < visitors->count; i++)
        if (visitors->items[i].fd == fd)
            return &visitors->items[i];
    return NULL;
}

static void forget(visitors_t *visitors, visitor_t *visitor)
{
    *visitor = visitors->items[--visitors->count];
}

/* For one more stranger. */
static void make_room(visitors_t *visitors)
{
    visitor_t *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < visitors->count; i++) {
        visitor_t *visitor = &visitors->items[i];
        if (visitor->works)
            continue;
        count++;
        if (oldest == NULL || visitor->number < oldest->number)
            oldest = visitor;
    }
    if (count < VISITORS_STRANGERS_MAX)
        return;
    visitors->crowded_out++;
    shut(visitors, oldest);
    forget(visitors, oldest);
}

/* The visitor of that descriptor as it is now; NULL: it is none, or there is no room. */
static visitor_t *meet(visitors_t *visitors, int fd)
{
    uint64_t cookie = 0;
    visitor_t *visitor = find(visitors, fd);
    bool is_ours = port_of(fd) == visitors->port && read_cookie(fd, &cookie);
    if (visitor != NULL && is_ours && visitor->cookie == cookie)
        return visitor;
    if (visitor != NULL)
        forget(visitors, visitor);
    if (!is_ours)
        return NULL;
    make_room(visitors);
    if (visitors->count == visitors->room)
        return NULL;
    visitor = &visitors->items[visitors->count++];
    *visitor = (visitor_t){.fd = fd, .cookie = cookie, .number = ++visitors->came};
    return visitor;
}

/* ---- what is told and asked ---- */

static void lock(visitors_t *visitors)
{
    (void)pthread_mutex_lock(&visitors->lock);
}

static void unlock(visitors_t *visitors)
{
    (void)pthread_mutex_unlock(&visitors->lock);
}

void visitors_at(visitors_t *visitors, uint16_t port)
{
    lock(visitors);
    visitors->port = port;
    unlock(visitors);
}

void visitors_accepted(visitors_t *visitors, int fd)
{
    lock(visitors);
    (void)meet(visitors, fd);
    unlock(visitors);
}

/* What is told of a former connection may come late: who works is known from his own words. */
void visitors_gone(visitors_t *visitors, int fd)
{
    lock(visitors);
    visitor_t *visitor = find(visitors, fd);
    if (visitor != NULL && !visitor->works)
        forget(visitors, visitor);
    unlock(visitors);
}

void visitors_work(visitors_t *visitors, int fd, bool works)
{
    lock(visitors);
    if (!works)
        make_room(visitors);
    visitor_t *visitor = meet(visitors, fd);
    if (visitor != NULL)
        visitor->works = works;
    unlock(visitors);
}

bool visitors_tolerate(visitors_t *visitors, int fd, bool welcome)
{
    lock(visitors);
    visitor_t *visitor = meet(visitors, fd);
    bool stays =
        visitor != NULL && !visitor->over && welcome && ++visitor->strikes <= VISITORS_STRIKES_MAX;
    if (visitor != NULL && !visitor->over && !stays) {
        visitors->cut++;
        visitor->over = true;
        shut(visitors, visitor);
    }
    unlock(visitors);
    return stays;
}

/* A worker's end may have been told while it was one. */
static void forget_the_gone(visitors_t *visitors)
{
    for (size_t i = 0; i < visitors->count;) {
        uint64_t cookie = 0;
        visitor_t *visitor = &visitors->items[i];
        if (read_cookie(visitor->fd, &cookie) && cookie == visitor->cookie)
            i++;
        else
            forget(visitors, visitor);
    }
}

visitors_counters_t visitors_counters(visitors_t *visitors)
{
    lock(visitors);
    forget_the_gone(visitors);
    visitors_counters_t counters = {
        .open = visitors->count, .crowded_out = visitors->crowded_out, .cut = visitors->cut};
    unlock(visitors);
    return counters;
}
