/* Reading files that hold secrets. */
#ifndef LK_COMMON_KEYFILE_H
#define LK_COMMON_KEYFILE_H

#include "common/status.h"

#include <stddef.h>

/* Reads the file at path into out[size] and a NUL; *out_length is without the NUL.
 * The caller wipes out (sodium_memzero) when done.
 * STATUS_REFUSED if others can read or write it, its group can write it, its owner is neither root
 * nor the process's user, or it is no regular file; STATUS_UNKNOWN if it is not there;
 * STATUS_TOO_LARGE if it does not fit. Errors name the path, never the content. */
status_t keyfile_read(const char *path, char *out, size_t size, size_t *out_length, err_t *err)
    MUST_CHECK;

#endif
