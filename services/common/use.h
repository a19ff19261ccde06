/* Who uses a store: locks in the gate's file (gate.h), which end with their process, however that
 * ends.
 *
 *   use    every process that opens a store holds it for as long as it does, with others; a restore
 *          takes it alone, so that no database is replaced under somebody's feet
 *   look   the first one that will keep the store open looks it over for damage, alone
 *   good   held, with others, by all for whom it has been looked over: while one is there, who
 * comes need not look
 */
#ifndef LK_SERVICES_COMMON_USE_H
#define LK_SERVICES_COMMON_USE_H

#include "services/common/gate.h"
#include "services/common/store.h"

typedef enum {
    USE_SHARED, /* to work with it */
    USE_ALONE,  /* to replace it */
} use_t;

/* Takes it without waiting; *out_use holds it until it is closed (file_close). The directory must
 * exist. STATUS_BUSY: others work with it, or it is being replaced; STATUS_SYSTEM. */
status_t use_take(const store_spec_t *spec, const char *directory, use_t use, int *out_use,
                  err_t *err) MUST_CHECK;

typedef enum {
    USE_FIRST,     /* nobody keeps it open: look it over, then use_settle */
    USE_AMONG,     /* others keep it open, and it has been looked over */
    USE_UNSETTLED, /* another one looks it over right now: ask again */
} use_claim_t;

/* To keep the store open. */
use_claim_t use_claim(int use);
/* After USE_FIRST: others may come; or, if it is not good, look themselves. */
void use_settle(int use, bool good);

/* For what one process at a time does: whether it is the one that has this file of the gate open
 * (gate_open_file), from now until it closes it. */
bool use_lead(int file, gate_byte_t byte);

#endif
