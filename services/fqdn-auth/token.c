#include "services/fqdn-auth/token.h"

#include <sodium.h>
#include <string.h>

static bool hash(const keeper_t *keeper, uint32_t key_id, const uint8_t *text, size_t length,
                 uint8_t out[TOKEN_HASH_SIZE])
{
    uint8_t key[32];
    if (seal_derive_for(keeper->seal, key_id, "lk-token", key) != STATUS_OK)
        return false;
    (void)crypto_generichash(out, TOKEN_HASH_SIZE, text, length, key, sizeof(key));
    sodium_memzero(key, sizeof(key));
    return true;
}

size_t token_hash(const keeper_t *keeper, const char *text,
                  uint8_t out[SEAL_KEYS_MAX][TOKEN_HASH_SIZE])
{
    if (keeper->seal == NULL)
        return 0;
    uint32_t key_ids[SEAL_KEYS_MAX];
    size_t made = 0;
    for (size_t i = 0, count = seal_key_ids(keeper->seal, key_ids); i < count; i++)
        made += hash(keeper, key_ids[i], (const uint8_t *)text, strlen(text), out[made]);
    return made;
}

void token_make(const keeper_t *keeper, const char *connection_id, const char *text, token_t *out)
{
    size_t length = strlen(text);
    out->hash_count = token_hash(keeper, text, out->hashes);
    seal_place_t place = {
        .service = keeper->service, .row_id = connection_id, .realm = "", .algorithm = "token"};
    out->sealed_length = length + SEAL_OVERHEAD;
    seal_close_value(keeper->seal, &place, (const uint8_t *)text, length, out->sealed);
}

void token_bind(query_t *renew, const keeper_t *keeper, const seal_place_t *place,
                const uint8_t *value, size_t length)
{
    static uint8_t digest[TOKEN_HASH_SIZE]; /* borrowed by the query; the writer's alone */
    if (hash(keeper, seal_front(keeper->seal), value, length, digest))
        query_blob(renew, 2, digest, sizeof(digest));
    query_text(renew, 3, place->row_id);
}
