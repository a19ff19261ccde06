/* Looks over foreign msgpack before anything is decoded. Allocates nothing.
 *
 * msgpack-c believes the counts it reads: five bytes can make it ask for gigabytes. So every byte
 * string that comes from another process passes here first. */
#ifndef LK_PROTO_SCAN_H
#define LK_PROTO_SCAN_H

#include "common/status.h"

#include <stddef.h>

enum {
    SCAN_DEPTH_MAX = 24,               /* JSON's 16, and what stands around it */
    SCAN_ELEMENTS_MAX = 1 << 20,       /* 24 bytes each once decoded */
    SCAN_BYTES_MAX = 16 * 1024 * 1024, /* a whole message; also the sockets' MAXMSGSIZE */
};

/* Whether bytes are exactly one complete msgpack object within the limits, with no extension types
 * and only strings as map keys.
 * STATUS_INVALID, or STATUS_TOO_LARGE when a limit is passed. */
status_t scan_msgpack(const void *bytes, size_t length) MUST_CHECK;

#endif
