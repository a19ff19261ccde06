/* The server's sockets, found among the process's descriptors: civetweb does not tell them.
 * Must never: take another part's socket for one of ours (the worker port may have the same number
 * at another address). Next: http_line.c. */
#include "gateway/http_internal.h"

#include "common/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static bool is_listener(int fd)
{
    int yes = 0;
    socklen_t length = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &length) == 0 && yes != 0;
}

static bool read_peer(int fd, struct sockaddr_in *out)
{
    socklen_t length = sizeof *out;
    return getpeername(fd, (struct sockaddr *)out, &length) == 0 && out->sin_family == AF_INET;
}

static bool is_peer(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

static void add(http_sockets_t *sockets, int fd)
{
    struct sockaddr_in peer = {0};
    if (is_listener(fd)) {
        sockets->listener = fd;
        return;
    }
    if (!read_peer(fd, &peer))
        return;
    if (sockets->count == sockets->room) {
        sockets->room = sockets->room == 0 ? 64 : 2 * sockets->room;
        sockets->items = mem_resize(sockets->items, sockets->room * sizeof *sockets->items);
    }
    sockets->items[sockets->count++] = (http_socket_t){.fd = fd, .peer = peer};
}

void http_sockets_list(const http_server_t *server, http_sockets_t *out)
{
    *out = (http_sockets_t){.listener = -1};
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char *end = NULL;
        long fd = strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != '\0')
            continue;
        endpoint_t local = endpoint_of((int)fd);
        if (endpoint_is_at(&local, &server->bound))
            add(out, (int)fd);
    }
    (void)closedir(directory);
}

int http_sockets_find(const http_sockets_t *sockets, const struct sockaddr_in *peer)
{
    struct sockaddr_in now = {0};
    for (size_t i = 0; i < sockets->count; i++)
        if (is_peer(&sockets->items[i].peer, peer))
            return read_peer(sockets->items[i].fd, &now) && is_peer(&now, peer)
                       ? sockets->items[i].fd
                       : -1;
    return -1;
}

void http_sockets_free(http_sockets_t *sockets)
{
    mem_free(sockets->items);
    *sockets = (http_sockets_t){.listener = -1};
}
