/* A service's board: a page that its processes on one host share, where the version of the store
 * stands. A gateway on that host maps it too, and so may give an answer again without asking for it
 * as long as the version is the one that the answer was made of (ADR 0025).
 *
 * The rule that makes it safe: whoever changes what an answer may depend on (a row, a lock-out, an
 * address that a name leads to) raises the version after the change can be seen and before anybody
 * is told of it; who answers reads the version before what it answers from. An answer is then never
 * older than an acknowledged write: between a commit and its acknowledgement the version stands
 * below, as the client knows no better.
 *
 * It is a file, SERVICE.board, mapped MAP_SHARED: it outlives a process, and a process that is
 * killed leaves a whole 64-bit word or none. Its id is drawn when it is made: a version counts on
 * the board it was read from, and on no other. */
#ifndef LK_PROTO_BOARD_H
#define LK_PROTO_BOARD_H

#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct board board_t;

/* For a process of the service: makes the file (0644: there is no secret on it) where there is none
 * or one of another form. `alone`: nobody else has the store open, so that what stands there may be
 * of another store: it is made anew. */
status_t board_open(const char *directory, const char *service, bool alone, board_t **out,
                    err_t *err) MUST_CHECK;
/* For a gateway, to read. STATUS_UNKNOWN: there is none; it may come later. */
status_t board_watch(const char *directory, const char *service, board_t **out, err_t *err)
    MUST_CHECK;
/* NULL-safe; clears *board. */
void board_close(board_t **board);

/* Never 0. */
uint64_t board_id(const board_t *board);
/* Acquires: what is read afterwards is no older. */
uint64_t board_version(const board_t *board);
/* Releases, and a full barrier: what was changed before is seen by whoever sees the new version.
 * NULL-safe. */
void board_raise(board_t *board);

#endif
