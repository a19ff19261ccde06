/* A service's board: a page that its processes on one host share, where the version of the store
 * stands. A gateway on that host maps it too, and so may give an answer again without asking for it
 * as long as the version is the one that the answer was made of (ADR 0025).
 *
 * The rule that makes it safe: whoever changes what an answer may depend on (a row, a lock-out, an
 * address that a name leads to) raises the version after the change can be seen and before anybody
 * is told of it; who answers reads the version before what it answers from. Rows change under the
 * gate (gate.h), and there the version is no version from before the commit until after it: a
 * process that is killed between the two leaves it so, and answers are given again only once the
 * next one in the gate has mended it. No answer is then older than what anybody can have seen.
 *
 * It is a file, SERVICE.board, mapped MAP_SHARED: it outlives a process, and a process that is
 * killed leaves a whole 64-bit word or none. Its id and its first version are drawn when it is
 * made: a version counts on the board it was read from, and on no other. What counts is the file
 * that the path leads to at that moment: if it is deleted or replaced, whoever raises finds or
 * makes the new one first, and who holds the old one finds that it stands no more. Any thread,
 * unless said otherwise. */
#ifndef LK_PROTO_BOARD_H
#define LK_PROTO_BOARD_H

#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct board board_t;

/* For a process of the service: makes the file (0644: there is no secret on it) where there is none
 * or one of another form. `alone`: nobody else has the store open, so that what stands there may be
 * of another store: id and version are drawn anew. STATUS_TOO_LARGE: the path is too long;
 * STATUS_FULL; STATUS_SYSTEM. */
status_t board_open(const char *directory, const char *service, bool alone, board_t **out,
                    err_t *err) MUST_CHECK;
/* For a gateway, to read. STATUS_UNKNOWN: there is none that can be trusted (of this form, on a
 * file system of this host alone); it may come later. Else as above. */
status_t board_watch(const char *directory, const char *service, board_t **out, err_t *err)
    MUST_CHECK;
/* NULL-safe; clears *board. No other thread may use it any more. */
void board_close(board_t **board);

/* Never 0. */
uint64_t board_id(const board_t *board);
/* Acquires: what is read afterwards is no older. 0: none that an answer may be kept by, since a
 * change is under way. NULL-safe. */
uint64_t board_version(const board_t *board);

/* ---- The service ---- */

/* Releases, and a full barrier: what was changed before is seen by whoever sees the new version.
 * NULL-safe. Aborts if what lies at the path is neither this board nor can be used or removed:
 * nobody may be told of a change that others can't learn of. */
void board_raise(board_t *board);

/* Around a commit, by who holds the gate; the commit may fail. NULL-safe. */
void board_begin_change(board_t *board);
void board_end_change(board_t *board);
/* In the gate: ends the change of one that died in it. NULL-safe. */
void board_mend(board_t *board);

/* ---- Who watches ---- */

/* Whether the store is still as it was at that version on that board; about a microsecond. */
bool board_stands(const board_t *board, uint64_t id, uint64_t version);
/* Goes over to the file that the path leads to now, if it is another one. */
void board_refresh(board_t *board);

#endif
