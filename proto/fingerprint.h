/* Fingerprints of certificates as people write them: hexadecimal, with colons or blanks in it. */
#ifndef LK_PROTO_FINGERPRINT_H
#define LK_PROTO_FINGERPRINT_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    FINGERPRINT_BYTES_MAX = 64,
    FINGERPRINT_SIZE = 3 * FINGERPRINT_BYTES_MAX, /* "AB:CD:..." and NUL */
};

/* Reads 20, 32, 48 or 64 bytes (SHA-1, SHA-256, SHA-384, SHA-512) of either case; colons and blanks
 * count for nothing, wherever they stand. STATUS_INVALID for anything else. */
status_t fingerprint_read(const char *text, size_t length, uint8_t out[FINGERPRINT_BYTES_MAX],
                          size_t *out_size) MUST_CHECK;

/* Upper case with colons; at most FINGERPRINT_BYTES_MAX bytes. */
void fingerprint_write(const uint8_t *bytes, size_t size, char out[FINGERPRINT_SIZE]);

#endif
