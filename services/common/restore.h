/* A store put back from a copy (backup.h). Nothing is deleted: what was there stays beside it. */
#ifndef LK_SERVICES_COMMON_RESTORE_H
#define LK_SERVICES_COMMON_RESTORE_H

#include "services/common/backup.h"

typedef enum {
    RESTORE_CHECK, /* the copy, whoever works with the store */
    RESTORE_TRY,   /* all but the change */
    RESTORE_STAGE, /* and keeps the copy beside the store, for restore_staged */
    RESTORE_DO,
} restore_depth_t;

typedef struct {
    int copy;                  /* read to its end; borrowed */
    const char *name;          /* the copy's, in errors */
    const char *seal_key_file; /* must hold the keys of what is sealed; "": is not looked at */
    restore_depth_t depth;
} restore_t;

/* Reads the copy into the directory, checks it (backup_check) and puts it in the store's place, in
 * one step (rename(2)). What was there is then out_aside, "FILE.before-TIME", with its
 * WAL in it, or beside it if it was too damaged for that; "" if nothing was there. The directory
 * must exist. Has the store alone (use.h) all the while, but for RESTORE_CHECK.
 * STATUS_BUSY: a process works with the store; STATUS_CONFLICT: there is a file of the aside's
 * name; backup_check's errors; STATUS_FULL; STATUS_SYSTEM. On failure the store is as it was. */
status_t restore_store(const store_spec_t *spec, const char *directory, const restore_t *restore,
                       backup_facts_t *out, char out_aside[STORE_PATH_SIZE], err_t *err) MUST_CHECK;

/* For several stores that must change together: RESTORE_STAGE them all, which finds out whatever
 * may go wrong and leaves FILE.staged, in the place of a former one. Then restore_staged puts each
 * in place: a matter of names. Errors as above; STATUS_UNKNOWN: none is staged. */
status_t restore_staged(const store_spec_t *spec, const char *directory,
                        char out_aside[STORE_PATH_SIZE], err_t *err) MUST_CHECK;
/* Deletes it, if there is one, and what killed processes have left. STATUS_SYSTEM. */
status_t restore_unstage(const store_spec_t *spec, const char *directory, err_t *err) MUST_CHECK;

#endif
