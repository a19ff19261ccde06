/* The allow list: which public key may serve what. A file, LK_CURVE_DIR/workers, of lines
 *   SERVICE... KEY
 * (blanks between; KEY in Z85 or hexadecimal; # begins a comment line). A key serves the services
 * on its line and no other; a service may have several keys. It is read again when it changes, so
 * that a key is revoked by taking its line out, the last one too. To begin with, a list must hold a
 * key. Any thread. */
#ifndef LK_GATEWAY_ALLOW_H
#define LK_GATEWAY_ALLOW_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { ALLOW_KEYS_MAX = 256 };

typedef struct allow allow_t;

/* Errors: keyfile_read's; STATUS_INVALID names the line, or says that there is no key. */
status_t allow_open(const char *path, allow_t **out, err_t *err) MUST_CHECK;
/* NULL-safe; clears *allow. */
void allow_close(allow_t **allow);

/* Reads the file again. Another list comes into force when two calls in a row have read the same:
 * it may be in the middle of being written. On failure the old one stays in force. */
status_t allow_refresh(allow_t *allow, bool *out_changed, err_t *err) MUST_CHECK;

/* key: in Z85. */
bool allow_knows(allow_t *allow, const char *key);
/* service: its index in the registry. */
bool allow_serves(allow_t *allow, const char *key, size_t service);

#endif
