/* What keys.c and key_cache.c share. For nobody else. */
#ifndef LK_GATEWAY_KEYS_INTERNAL_H
#define LK_GATEWAY_KEYS_INTERNAL_H

#include "gateway/keys.h"

/* A stored key with its hash. */
typedef struct {
    uint8_t hash[KEY_HASH_SIZE];
    api_key_t key;
} hashed_key_t;

/* The hash that stands for a key's text. */
void keys_hash(const keys_t *keys, const char *secret, size_t length, uint8_t out[KEY_HASH_SIZE]);

/* Changes whenever another connection has changed the store. */
status_t keys_version(keys_t *keys, int64_t *out, err_t *err) MUST_CHECK;

/* Keys, oldest first; only those not revoked if live. The caller frees *out with mem_free. */
status_t keys_load(keys_t *keys, bool live, hashed_key_t **out, size_t *out_count, err_t *err)
    MUST_CHECK;

#endif
