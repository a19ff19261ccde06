#include "services/fqdn-auth/token.h"

#include <sodium.h>
#include <string.h>

void token_make(const keeper_t *keeper, const char *connection_id, const char *text, token_t *out)
{
    uint8_t key[32];
    uint32_t key_ids[SEAL_KEYS_MAX];
    size_t length = strlen(text);
    const uint8_t *bytes = (const uint8_t *)text;
    out->hash_count = 0;
    for (size_t i = 0, count = seal_key_ids(keeper->seal, key_ids); i < count; i++)
        if (seal_derive_for(keeper->seal, key_ids[i], "lk-token", key) == STATUS_OK)
            (void)crypto_generichash(out->hashes[out->hash_count++], TOKEN_HASH_SIZE, bytes, length,
                                     key, sizeof(key));
    sodium_memzero(key, sizeof(key));
    seal_place_t place = {
        .service = keeper->service, .row_id = connection_id, .realm = "", .algorithm = "token"};
    out->sealed_length = length + SEAL_OVERHEAD;
    seal_close_value(keeper->seal, &place, bytes, length, out->sealed);
}
