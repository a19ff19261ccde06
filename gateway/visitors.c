/* Must never: shut down a socket that it has not recognised. Next: zap.c, which tells of them. */
#include "gateway/visitors.h"

#include "common/mem.h"

#include <fcntl.h>
#include <linux/tcp.h> /* more than netinet/tcp.h has */
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
    uint64_t came;
    uint64_t number; /* 0: it has said nothing yet */
    uint64_t cookie;
    uint64_t received, taken; /* bytes: in all at the last look; in messages that were read */
} visitor_t;

struct visitors {
    pthread_mutex_t lock;
    bool is_bound;
    endpoint_t bound; /* AF_UNSPEC: ipc */
    int hand;         /* the number that what is to be cut is duplicated to */
    int rest;         /* what the hand holds otherwise */
    uint64_t order;   /* of their coming, and of their being let in */
    visitors_counters_t counters;
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
    visitors->hand = visitors->rest < 0 ? -1 : fcntl(visitors->rest, F_DUPFD_CLOEXEC, 0);
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

/* What no other socket has, as long as the machine runs. */
static bool read_cookie(int fd, uint64_t *out)
{
    socklen_t size = sizeof(*out);
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, out, &size) == 0;
}

static bool is_same(const visitor_t *visitor)
{
    uint64_t cookie = 0;
    return read_cookie(visitor->fd, &cookie) && cookie == visitor->cookie;
}

/* Of a socket that is told from another afterwards. 0: the kernel does not tell. */
static uint64_t received(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
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

/* Somebody may have come before the address is known. */
static bool is_ours(const visitors_t *visitors, int fd)
{
    endpoint_t local = endpoint_of(fd);
    return !visitors->is_bound || endpoint_is_at(&local, &visitors->bound) ||
           (local.any.sa_family == AF_UNSPEC && visitors->bound.any.sa_family == AF_UNSPEC);
}

static visitor_t *at_descriptor(visitors_t *visitors, int fd)
{
    for (size_t i = 0; i < visitors->count; i++)
        if (visitors->items[i].fd == fd)
            return &visitors->items[i];
    return NULL;
}

static visitor_t *of_number(visitors_t *visitors, uint64_t number)
{
    for (size_t i = 0; number != 0 && i < visitors->count; i++)
        if (visitors->items[i].number == number)
            return &visitors->items[i];
    return NULL;
}

static void forget(visitors_t *visitors, visitor_t *visitor)
{
    *visitor = visitors->items[--visitors->count];
}

static void cut(visitors_t *visitors, visitor_t *visitor)
{
    visitors->counters.cut++;
    visitor->over = true;
    shut(visitors, visitor);
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
        if (oldest == NULL || visitor->came < oldest->came)
            oldest = visitor;
    }
    if (count < VISITORS_STRANGERS_MAX)
        return;
    visitors->counters.crowded_out++;
    shut(visitors, oldest);
    forget(visitors, oldest);
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

void visitors_at(visitors_t *visitors, const endpoint_t *bound)
{
    lock(visitors);
    visitors->bound = *bound;
    visitors->is_bound = true;
    unlock(visitors);
}

void visitors_accepted(visitors_t *visitors, int fd)
{
    lock(visitors);
    visitor_t *former = at_descriptor(visitors, fd);
    if (former != NULL)
        forget(visitors, former);
    uint64_t cookie = 0;
    if (is_ours(visitors, fd) && read_cookie(fd, &cookie)) {
        make_room(visitors);
        if (visitors->count < visitors->room)
            visitors->items[visitors->count++] =
                (visitor_t){.fd = fd, .cookie = cookie, .came = ++visitors->order};
    }
    unlock(visitors);
}

void visitors_gone(visitors_t *visitors, int fd)
{
    lock(visitors);
    visitor_t *visitor = at_descriptor(visitors, fd);
    if (visitor != NULL)
        forget(visitors, visitor);
    unlock(visitors);
}

uint64_t visitors_admit(visitors_t *visitors)
{
    lock(visitors);
    uint64_t number = ++visitors->order;
    unlock(visitors);
    return number;
}

/* Who was let in before this visitor came is one that had its descriptor earlier. */
void visitors_said(visitors_t *visitors, uint64_t number, int fd, size_t bytes)
{
    lock(visitors);
    visitor_t *visitor = of_number(visitors, number);
    if (visitor == NULL) {
        visitor = at_descriptor(visitors, fd);
        if (visitor != NULL && (visitor->number != 0 || number < visitor->came))
            visitor = NULL;
    }
    if (visitor != NULL) {
        visitor->number = number;
        visitor->taken += bytes;
    }
    unlock(visitors);
}

void visitors_work(visitors_t *visitors, uint64_t number, bool works)
{
    lock(visitors);
    visitor_t *visitor = of_number(visitors, number);
    if (visitor != NULL && visitor->works && !works)
        make_room(visitors);
    visitor = of_number(visitors, number); /* it may have another place */
    if (visitor != NULL)
        visitor->works = works;
    unlock(visitors);
}

bool visitors_tolerate(visitors_t *visitors, uint64_t number, bool welcome)
{
    lock(visitors);
    visitor_t *visitor = of_number(visitors, number);
    bool stays =
        visitor != NULL && !visitor->over && welcome && ++visitor->strikes <= VISITORS_STRIKES_MAX;
    if (visitor != NULL && !visitor->over && !stays)
        cut(visitors, visitor);
    unlock(visitors);
    return stays;
}

/* ---- bytes ---- */

/* What had come by the last look, and was in no message when all had been read. */
static uint64_t unread(const visitor_t *visitor)
{
    return !visitor->over && visitor->received > visitor->taken ? visitor->received - visitor->taken
                                                                : 0;
}

static visitor_t *greediest(visitors_t *visitors, uint64_t *out_all)
{
    visitor_t *found = NULL;
    *out_all = 0;
    for (size_t i = 0; i < visitors->count; i++) {
        visitor_t *visitor = &visitors->items[i];
        *out_all += unread(visitor);
        if (found == NULL || unread(visitor) > unread(found))
            found = visitor;
    }
    return found;
}

static void look(visitors_t *visitors)
{
    for (size_t i = 0; i < visitors->count;) {
        visitor_t *visitor = &visitors->items[i];
        visitor->received = received(visitor->fd);
        if (is_same(visitor))
            i++;
        else
            forget(visitors, visitor);
    }
}

void visitors_watch(visitors_t *visitors)
{
    uint64_t all = 0;
    lock(visitors);
    for (visitor_t *most = greediest(visitors, &all);
         most != NULL && (unread(most) > VISITORS_UNREAD_MAX || all > VISITORS_UNREAD_ALL_MAX);
         most = greediest(visitors, &all))
        cut(visitors, most);
    visitors->counters.unread = all;
    look(visitors);
    visitors->counters.open = visitors->count;
    visitors->counters.looks++;
    unlock(visitors);
}

visitors_counters_t visitors_counters(visitors_t *visitors)
{
    lock(visitors);
    visitors_counters_t counters = visitors->counters;
    unlock(visitors);
    return counters;
}
