#include "services/fqdn-auth/token.h"

#include <sodium.h>
#include <string.h>

size_t token_hash(const keeper_t *keeper, const char *text,
                  uint8_t out[SEAL_KEYS_MAX][TOKEN_HASH_SIZE])
{
    if (keeper->seal == NULL)
        return 0;
    uint8_t key[32];
    uint32_t key_ids[SEAL_KEYS_MAX];
    size_t made = 0;
    for (size_t i = 0, count = seal_key_ids(keeper->seal, key_ids); i < count; i++)
        if (seal_derive_for(keeper->seal, key_ids[i], "lk-token", key) == STATUS_OK)
            (void)crypto_generichash(out[made++], TOKEN_HASH_SIZE, (const uint8_t *)text,
                                     strlen(text), key, sizeof(key));
    sodium_memzero(key, sizeof(key));
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
