/* Files that processes share by mapping them: there whole, or not at all. */
#ifndef LK_COMMON_MAPFILE_H
#define LK_COMMON_MAPFILE_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct {
    const char *path;
    mode_t mode;
    size_t size;      /* bytes, room for all of which is taken: a full disk is met here, not when
                         they are written to */
    const void *head; /* what its first bytes are; the rest is 0 */
    size_t head_length;
    bool or_larger;
    bool replaces; /* what is there; else that stays, and it is STATUS_OK too */
} mapfile_t;

/* Makes it under another name, then gives it its own. Its owner is the directory's. STATUS_FULL,
 * STATUS_TOO_LARGE (the path), STATUS_SYSTEM. */
status_t mapfile_make(const mapfile_t *file, err_t *err) MUST_CHECK;

/* Opens one which begins with these bytes, of exactly that size or, with or_larger, at least that;
 * the caller closes it (file_close).
 * STATUS_UNKNOWN: there is none; STATUS_CORRUPT: it is another thing; STATUS_SYSTEM. */
status_t mapfile_open(const mapfile_t *file, bool writes, int *out_file, err_t *err) MUST_CHECK;

#endif
