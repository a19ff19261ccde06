/* What is stored of an ip_authentication_token: a hash under the seal's newest key, and the sealed
 * token itself. What was stored under an older key of the seal has that key's hash until it is
 * sealed again (reseal.h), so a token is looked for under all of them: it stays unique when a new
 * key is put in front, as long as all workers have the new one.
 *
 * Must never: keep the token in the clear. */
#ifndef LK_SERVICES_FQDN_AUTH_TOKEN_H
#define LK_SERVICES_FQDN_AUTH_TOKEN_H

#include "proto/fqdn_auth.h"
#include "services/common/reseal.h"

enum {
    TOKEN_HASH_SIZE = 32,
    TOKEN_SEALED_MAX = TEXT_SIZE(FQDN_AUTH_TOKEN_MAX) + SEAL_OVERHEAD,
};

typedef struct {
    uint8_t hashes[SEAL_KEYS_MAX][TOKEN_HASH_SIZE]; /* BLAKE2b, keyed; the first is stored */
    size_t hash_count;
    uint8_t sealed[TOKEN_SEALED_MAX];
    size_t sealed_length;
} token_t;

/* The hashes of a token under all keys; returns how many: 0 without a seal. That a keyed hash is
 * looked up tells nothing of the token by the time that it takes. */
size_t token_hash(const keeper_t *keeper, const char *text,
                  uint8_t out[SEAL_KEYS_MAX][TOKEN_HASH_SIZE]);

/* Quick. The keeper has a seal (LK_DIGEST is not off). */
void token_make(const keeper_t *keeper, const char *connection_id, const char *text, token_t *out);

/* Of sealed_table_t: $2 the hash under the newest key, $3 the connection. */
void token_bind(query_t *renew, const keeper_t *keeper, const seal_place_t *place,
                const uint8_t *value, size_t length);

#endif
