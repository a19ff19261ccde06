/* Fingerprints of certificates as people write them: hexadecimal, with colons or blanks in it; and
 * the hashes that make them. */
#ifndef LK_PROTO_FINGERPRINT_H
#define LK_PROTO_FINGERPRINT_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    FINGERPRINT_BYTES_MAX = 64,
    FINGERPRINT_SIZE = 3 * FINGERPRINT_BYTES_MAX, /* "AB:CD:..." and NUL */
};

typedef enum {
    FINGERPRINT_SHA1,
    FINGERPRINT_SHA256,
    FINGERPRINT_SHA384,
    FINGERPRINT_SHA512,
    FINGERPRINT_ALGORITHMS
} fingerprint_algorithm_t;

/* "sha1", ... in the order of the enum, with a NULL behind the last. */
extern const char *const fingerprint_words[FINGERPRINT_ALGORITHMS + 1];

/* The bytes that the hash makes. */
size_t fingerprint_bytes(fingerprint_algorithm_t algorithm);

/* The hash that makes so many bytes; FINGERPRINT_ALGORITHMS if none does. */
fingerprint_algorithm_t fingerprint_of_size(size_t size);

/* Reads as many bytes as one of the hashes makes, of either case; colons and blanks count for
 * nothing, wherever they stand. STATUS_INVALID for anything else. */
status_t fingerprint_read(const char *text, size_t length, uint8_t out[FINGERPRINT_BYTES_MAX],
                          size_t *out_size) MUST_CHECK;

/* Upper case with colons; at most FINGERPRINT_BYTES_MAX bytes. */
void fingerprint_write(const uint8_t *bytes, size_t size, char out[FINGERPRINT_SIZE]);

#endif
