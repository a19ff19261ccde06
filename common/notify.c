#include "common/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The length of the address, 0 if the path is none: absolute, or with an @ for an abstract one. */
static socklen_t address_of(const char *path, struct sockaddr_un *out)
{
    size_t length = strlen(path);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((path[0] != '/' && path[0] != '@') || length < 2 || length >= sizeof(out->sun_path))
        return 0;
    memcpy(out->sun_path, path, length);
    if (path[0] == '@')
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

bool notify_manager(const char *assignments)
{
    struct sockaddr_un address;
    const char *path = getenv("NOTIFY_SOCKET");
    socklen_t address_length = path == NULL ? 0 : address_of(path, &address);
    if (address_length == 0)
        return false;
    int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0)
        return false;
    ssize_t sent = sendto(file, assignments, strlen(assignments), MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&address, address_length);
    (void)close(file);
    return sent >= 0;
}
