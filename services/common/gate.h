/* The write gate: writers of one database, in all processes of a host, take turns.
 *
 * An flock(2) on a file beside the database. Each writer thread opens its own gate, since a lock
 * belongs to an open file description. Everything that writes or checkpoints runs inside: SQLite
 * 3.7.0 to 3.51.2 can lose acknowledged rows when a checkpoint in one process races a WAL reset in
 * another, and its busy handler lets writers starve.
 *
 * The same file holds what else processes must know of each other, as locks of single bytes
 * (fcntl(2), which flock(2) ignores). */
#ifndef LK_SERVICES_COMMON_GATE_H
#define LK_SERVICES_COMMON_GATE_H

#include "common/status.h"

#include <stdint.h>

typedef enum {
    GATE_BYTE_DOOR,           /* who waits for the gate first: gate.c */
    GATE_BYTE_USE,            /* who has the database open: use.h */
    GATE_BYTE_GOOD,           /* who knows that it is not damaged: use.h */
    GATE_BYTE_LOOK,           /* who looks: use.h */
    GATE_BYTE_DNS,            /* who asks DNS: services/fqdn-auth/resolving.h */
    GATE_BYTE_KEYS = 1 << 20, /* from here on, 2^30: who has which seal keys: reseal.h */
} gate_byte_t;

/* Opens (makes, 0600) the file of the database at path, path + ".gate", as a new open file
 * description. The caller closes it: file_close. */
status_t gate_open_file(const char *database_path, int *out_file, err_t *err) MUST_CHECK;

typedef struct gate gate_t;

/* Opens the gate of the database at path. */
status_t gate_open(const char *database_path, gate_t **out, err_t *err) MUST_CHECK;
/* Lets go if held; NULL-safe; clears *gate. */
void gate_close(gate_t **gate);

/* Waits until the gate is ours, at most until clock_ms() reaches deadline_ms: STATUS_TIMEOUT. */
status_t gate_take(gate_t *gate, int64_t deadline_ms, err_t *err) MUST_CHECK;
void gate_leave(gate_t *gate);

#endif
