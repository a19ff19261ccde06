/* Identifiers: UUIDs (RFC 9562). Ours are version 7, so that they sort by time of making. */
#ifndef LK_COMMON_UUID_H
#define LK_COMMON_UUID_H

#include <stdbool.h>
#include <stddef.h>

enum { UUID_SIZE = 37 }; /* 36 characters and NUL */

/* A new version 7 UUID, lower case. Within one process later ones sort after earlier ones
 * (RFC 9562 section 6.2, method 1: a counter within the millisecond). Thread-safe.
 * sodium_init() must have run. */
void uuid_new(char out[UUID_SIZE]);

/* Whether the bytes are 8-4-4-4-12 hexadecimal digits, of any version and case. */
bool uuid_well_formed(const char *bytes, size_t length);

/* Copies a well-formed one in lower case: ours are, clients may send either. In place too. */
void uuid_fold(char out[UUID_SIZE], const char *uuid);

#endif
