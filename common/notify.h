/* What a process tells the service manager that started it: by systemd's notification protocol, a
 * datagram to the socket that NOTIFY_SOCKET names (sd_notify(3), "Notes"). Why not by libsystemd:
 * docs/adr/0035. */
#ifndef LK_COMMON_NOTIFY_H
#define LK_COMMON_NOTIFY_H

#include <stdbool.h>

/* Sends assignments, one a line: READY=1, STATUS=..., STOPPING=1. Never waits. False: nobody asked
 * (no NOTIFY_SOCKET), or it did not get there; no process ends for that. Any thread. */
bool notify_manager(const char *assignments);

#endif
