/* Files as a whole: copying, whose they are, and when they are on disk. */
#ifndef LK_COMMON_FILE_H
#define LK_COMMON_FILE_H

#include "common/status.h"

#include <stddef.h>

/* For AUTO: closes a descriptor that is one, and sets it to -1. */
void file_close(int *file);

/* Writes all of it. STATUS_FULL: no room; STATUS_SYSTEM. */
status_t file_write(int file, const char *bytes, size_t length, const char *where, err_t *err)
    MUST_CHECK;

/* Copies from where `from` stands to its end, and syncs `to` if it is a regular file. where: the
 * name of the copy in errors. STATUS_FULL: no room; STATUS_SYSTEM. */
status_t file_copy(int from, int to, const char *where, err_t *err) MUST_CHECK;

/* What root makes in somebody's directory is that one's: gives the file to the owner of the
 * directory that `path` lies in. Does nothing for other users. */
status_t file_adopt(int file, const char *path, err_t *err) MUST_CHECK;

/* Makes the names in the directory that `path` lies in last. */
status_t file_sync_directory(const char *path, err_t *err) MUST_CHECK;

#endif
