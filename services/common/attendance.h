/* Who has a database open: the first of a host's processes looks it over, the others need not.
 *
 * A lock on the third byte of the gate's file (use.h has the second: an open-file-description lock,
 * which dies with its process): exclusive while its holder looks for damage, shared as long as one
 * has it open. */
#ifndef LK_SERVICES_COMMON_ATTENDANCE_H
#define LK_SERVICES_COMMON_ATTENDANCE_H

#include "common/status.h"

typedef struct attendance attendance_t;

typedef enum {
    ATTENDANCE_FIRST,    /* nobody has it open: look it over, then attendance_settle */
    ATTENDANCE_AMONG,    /* others have it open, and it has been looked over */
    ATTENDANCE_UNSETTLED /* another looks it over right now: ask again */
} attendance_claim_t;

/* Opens (makes, 0600) path + ".gate" and claims nothing yet. */
status_t attendance_open(const char *database_path, attendance_t **out, err_t *err) MUST_CHECK;
/* Nobody is kept away any more; NULL-safe; clears *attendance. */
void attendance_close(attendance_t **attendance);

/* Call it inside the gate, so that claims come one after another. */
attendance_claim_t attendance_claim(attendance_t *attendance);
/* After ATTENDANCE_FIRST: the database is good, others may come. */
void attendance_settle(attendance_t *attendance);

#endif
