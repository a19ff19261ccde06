/* Files that a process makes beside a store for its own work. They are whole copies, so none may
 * outlive its maker for long: it is locked (flock(2)) while the maker lives, and those that nobody
 * locks any more go when the next one is made. */
#ifndef LK_SERVICES_COMMON_WORKFILE_H
#define LK_SERVICES_COMMON_WORKFILE_H

#include "services/common/store.h"

enum { WORKFILE_PATH_SIZE = STORE_PATH_SIZE + sizeof(".incoming-XXXXXX") };

typedef enum { WORKFILE_INCOMING, WORKFILE_OUTGOING } workfile_kind_t;

typedef struct {
    int file; /* its lock ends with it; -1: none */
    char path[WORKFILE_PATH_SIZE];
} workfile_t;

#define WORKFILE_NONE                                                                              \
    {                                                                                              \
        .file = -1                                                                                 \
    }

/* Makes STORE.incoming-XXXXXX or STORE.outgoing-XXXXXX: empty, 0600, the directory owner's.
 * STATUS_TOO_LARGE: the store's name is too long; STATUS_SYSTEM. */
status_t workfile_make(const char *store, workfile_kind_t kind, workfile_t *out, err_t *err)
    MUST_CHECK;
/* Deletes those that killed processes have left, as workfile_make does. What it can't delete costs
 * room, and nothing else. */
void workfile_sweep(const char *store);
/* For AUTO: deletes it, unless it has got another name by now. */
void workfile_end(workfile_t *workfile);

#endif
