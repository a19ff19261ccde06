/* The writer: the one thread of a process that changes the database.
 *
 * It takes everything that waits (up to WRITER_GROUP), waits for its turn at the gate, and runs all
 * of it in one transaction, each call under a savepoint of its own; one commit, then the replies.
 * A call whose deadline passes before its turn is answered UNAVAILABLE: nothing was done.
 * Background work (chores.h) is done after the replies, and while no call waits. */
#ifndef LK_SERVICES_COMMON_WRITER_H
#define LK_SERVICES_COMMON_WRITER_H

#include "proto/board.h"
#include "services/common/chores.h"
#include "services/common/job.h"
#include "services/common/replylog.h"

enum { WRITER_QUEUE = 1024, WRITER_GROUP = 64 };

typedef struct writer writer_t;

/* Opens a connection and the gate, and starts the thread. log, chores (which the thread has to
 * itself), board (which each commit of calls raises; NULL: none) and finished (where answered jobs
 * go) are borrowed until writer_stop. Errors: store_open's, gate_open's; STATUS_SYSTEM. */
status_t writer_start(const replylog_t *log, const char *directory, chores_t *chores,
                      board_t *board, jobs_t *finished, writer_t **out, err_t *err) MUST_CHECK;

/* Where jobs for it are put. Full: answer UNAVAILABLE. */
jobs_t *writer_queue(writer_t *writer);

/* Works off what waits, does the chores of the end, and ends the thread. NULL-safe; clears *writer.
 */
void writer_stop(writer_t **writer);

#endif
