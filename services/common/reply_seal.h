/* Replies that hold what only their asker may know, such as a session's token: kept sealed, with a
 * key made of the one that the row's fingerprint is made with, which is not in the database.
 * XChaCha20-Poly1305; the row's scope and idempotency key go into it, so that no reply can stand in
 * another row. Next: replylog.c. */
#ifndef LK_SERVICES_COMMON_REPLY_SEAL_H
#define LK_SERVICES_COMMON_REPLY_SEAL_H

#include "common/status.h"

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

enum { REPLY_SEAL_KEY_SIZE = 32 };

/* Which row it is. Borrowed. */
typedef struct {
    const char *scope, *idempotency_key;
} reply_row_t;

/* Appends the sealed reply: a byte that begins no msgpack, a nonce, the rest. */
void reply_seal(const uint8_t key[REPLY_SEAL_KEY_SIZE], const reply_row_t *row, const void *reply,
                size_t length, msgpack_sbuffer *out);
/* Whether that is one; else it is a reply as it is. */
bool reply_is_sealed(const void *bytes, size_t length);
/* Appends the reply. STATUS_CORRUPT: it is not sealed with that key, for that row; nothing is
 * appended. */
status_t reply_unseal(const uint8_t key[REPLY_SEAL_KEY_SIZE], const reply_row_t *row,
                      const void *sealed, size_t length, msgpack_sbuffer *out) MUST_CHECK;

#endif
