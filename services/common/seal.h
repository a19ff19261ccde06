/* Sealing of values that must be had back: SIP digest HA1 (RFC 7616 section 3.4.2, RFC 8760).
 *
 * XChaCha20-Poly1305 (libsodium's ietf variant) with a random nonce; the associated data binds a
 * sealed value to its place, so that rows can't be swapped. What seals is derived from the file's
 * key (crypto_kdf), so that one key serves several purposes. Sealed form: key id (4 bytes, big
 * endian), nonce (24), ciphertext, tag (16). Columns of it are named sealed or NAME_sealed: a
 * backup finds there which keys it needs.
 *
 * The key file (LK_SEAL_KEY_FILE): lines "id:64 hex digits", id a decimal number from 1; blank
 * lines and lines that begin with # are skipped; the first key seals, all open. It may be changed
 * while processes run (seal_refresh, ADR 0028): a key must be in it, not in front, in all of them
 * before one of them seals with it, and stay until nothing is sealed with it any more. */
#ifndef LK_SERVICES_COMMON_SEAL_H
#define LK_SERVICES_COMMON_SEAL_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEAL_KEY_ID_SIZE = 4, SEAL_OVERHEAD = SEAL_KEY_ID_SIZE + 24 + 16, SEAL_KEYS_MAX = 16 };

typedef struct seal seal_t;

/* Where a sealed value stands. All are hashed into the associated data, unambiguously. */
typedef struct {
    const char *service;
    const char *row_id;
    const char *realm;
    const char *algorithm;
    int64_t generation;
} seal_place_t;

/* Reads the key file (keyfile.h's rules on permissions). Keys are locked in memory where allowed.
 * STATUS_INVALID: no key, a malformed line (its number is named), an id twice, over SEAL_KEYS_MAX;
 * STATUS_REFUSED, STATUS_UNKNOWN, STATUS_TOO_LARGE: of keyfile_read. */
status_t seal_open_keys(const char *path, seal_t **out, err_t *err) MUST_CHECK;
/* Wipes; NULL-safe; clears *seal. No other thread may use it any more; in between any may. */
void seal_close(seal_t **seal);

/* Reads the file again. Other keys come into force, for all threads at once, when two calls in a
 * row have read the same: it may be in the middle of being written. On failure, which is
 * seal_open_keys', the old ones stay in force. By one thread only: between its calls, which keys
 * there are does not change. */
status_t seal_refresh(seal_t *seal, bool *out_changed, err_t *err) MUST_CHECK;

/* Tells the keys in force, and their order, from others: 30 bits. */
uint32_t seal_mark(const seal_t *seal);

/* out holds length + SEAL_OVERHEAD bytes. */
void seal_close_value(const seal_t *seal, const seal_place_t *place, const uint8_t *value,
                      size_t length, uint8_t *out);

/* out holds sealed_length - SEAL_OVERHEAD bytes. STATUS_UNKNOWN: no such key id; STATUS_CORRUPT:
 * not sealed for this place, or damaged (out is then zeroed). */
status_t seal_open_value(const seal_t *seal, const seal_place_t *place, const uint8_t *sealed,
                         size_t sealed_length, uint8_t *out) MUST_CHECK;

/* A 32-byte key for another purpose, derived from the sealing key (crypto_kdf) and the 8-character
 * context (not "lk-seal1", which is taken). *out_key_id is the sealing key's id; seal_derive_for
 * takes an older one. */
void seal_derive(const seal_t *seal, const char context[8], uint8_t out[32], uint32_t *out_key_id);
status_t seal_derive_for(const seal_t *seal, uint32_t key_id, const char context[8],
                         uint8_t out[32]) MUST_CHECK;

/* The sealing key's. */
uint32_t seal_front(const seal_t *seal);

/* Of the key that a value is sealed with: in its first bytes. */
uint32_t seal_key_id(const uint8_t sealed[SEAL_KEY_ID_SIZE]);

/* The ids of all keys, the sealing one first; returns how many. */
size_t seal_key_ids(const seal_t *seal, uint32_t out[SEAL_KEYS_MAX]);

#endif
