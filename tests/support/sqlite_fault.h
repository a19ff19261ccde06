/* Makes the Nth call of SQLite fail, to test that every store operation survives it.
 *
 * Link lk_sqlite_fault: the calls of the tested code then go through here (ld's --wrap).
 * What fails: open_v2, prepare_v3, step, exec, the binds, wal_checkpoint_v2. A failing call does
 * nothing, except that codes of SQLite's own choice (FULL, IOERR) roll the transaction back, as
 * SQLite does. Not for several threads. */
#ifndef LK_TESTS_SUPPORT_SQLITE_FAULT_H
#define LK_TESTS_SUPPORT_SQLITE_FAULT_H

#include "common/status.h"

#include <stdbool.h>

/* The nth call from now (from 1) fails with `code`, an SQLITE_ constant; the others don't. */
void sqlite_fault_arm(unsigned nth, int code);
/* Whether it has failed; from then on nothing does. */
bool sqlite_fault_disarm(void);

/* Runs operation(context) with the 1st, 2nd, ... call failing, for FULL, BUSY, IOERR, CORRUPT and
 * NOMEM, until a run has met no failure. After each run that did: check(context, code, status). */
typedef status_t sqlite_fault_operation_t(void *context);
typedef void sqlite_fault_check_t(void *context, int code, status_t status);
void sqlite_fault_each(sqlite_fault_operation_t *operation, sqlite_fault_check_t *check,
                       void *context);

/* The status that store gives for such a code. */
status_t sqlite_fault_status(int code);

#endif
