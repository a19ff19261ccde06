/* Organizations and their API keys: the gateway's own SQLite store, shared by all gateways of a
 * host, and each gateway's copy of it in memory.
 *
 * A key is "lk_" and 43 characters of base64url (256 random bits). Only its BLAKE2b hash is kept,
 * keyed with the content of LK_API_KEY_HASH_FILE. A running gateway looks at the store's
 * data_version every 250 ms and reloads when it has changed, so a revocation is honoured within a
 * second; and at once when it is asked for a key it does not know, so that a new key holds from its
 * first request on. */
#ifndef LK_GATEWAY_KEYS_H
#define LK_GATEWAY_KEYS_H

#include "common/status.h"
#include "common/text.h"
#include "common/uuid.h"
#include "proto/principal.h"
#include "services/common/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_SIZE = 3 + 43 + 1, KEY_HASH_SIZE = 32 };

/* A stored key; the secret itself is not in here. */
typedef struct {
    char id[UUID_SIZE];
    char organization_id[UUID_SIZE];
    char organization[TEXT_SIZE(128)];
    char label[TEXT_SIZE(128)];
    scope_t scope;
    bool is_operator;   /* sees all organizations */
    int64_t created_at; /* UTC ms */
    int64_t expires_at; /* UTC ms; 0: never */
    int64_t revoked_at; /* UTC ms; 0: not */
    int64_t rate_limit; /* requests a second; 0: LK_RATE_LIMIT */
} api_key_t;

typedef struct keys keys_t;           /* the store */
typedef struct key_cache key_cache_t; /* a running gateway's copy */

/* What gateway.db is. Static. */
const store_spec_t *keys_store(void);
/* A backup_key_check_t (services/common/backup_command.h) of LK_API_KEY_HASH_FILE. STATUS_INVALID;
 * keyfile_read's errors. */
status_t keys_check(const char *hash_file, char out[65], err_t *err) MUST_CHECK;

/* Opens (makes) gateway.db below directory. hash_file: LK_API_KEY_HASH_FILE, 64 hex digits. */
status_t keys_open(const char *directory, const char *hash_file, keys_t **out, err_t *err)
    MUST_CHECK;
void keys_close(keys_t **keys);

/* Makes a key; the organization is made if none has that name. wanted: organization, label, scope,
 * is_operator, expires_at, rate_limit. out_secret is shown once and never again. */
status_t keys_create(keys_t *keys, const api_key_t *wanted, char out_secret[KEY_SIZE],
                     api_key_t *out, err_t *err) MUST_CHECK;
/* All keys, oldest first. The caller frees *out with mem_free. */
status_t keys_list(keys_t *keys, api_key_t **out, size_t *out_count, err_t *err) MUST_CHECK;
/* STATUS_UNKNOWN: no such id. Revoking twice is fine. */
status_t keys_revoke(keys_t *keys, const char *id, err_t *err) MUST_CHECK;

/* Loads all live keys; takes over keys. Starts no thread: call key_cache_refresh regularly. */
status_t key_cache_new(keys_t *keys, key_cache_t **out, err_t *err) MUST_CHECK;
void key_cache_destroy(key_cache_t **cache);
/* Reloads if the store has changed. Any thread. */
status_t key_cache_refresh(key_cache_t *cache, err_t *err) MUST_CHECK;
/* Finds a live (not revoked, not expired) key by its text. Any thread, never blocks on the store.
 * STATUS_UNKNOWN, at the same cost, for anything else. */
status_t key_cache_find(key_cache_t *cache, const char *secret, size_t length, api_key_t *out)
    MUST_CHECK;
/* As key_cache_find; but for an unknown text of a key's form the store is looked at first, at most
 * 20 times a second (5 at once) whoever asks: beyond that, and where the store is slow, the copy's
 * word holds until key_cache_refresh. Any thread; waits 100 ms at most for another one's look. */
status_t key_cache_seek(key_cache_t *cache, const char *secret, size_t length, api_key_t *out)
    MUST_CHECK;

#endif
