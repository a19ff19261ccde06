#include "services/fqdn-auth/token.h"

#include <sodium.h>
#include <string.h>

void token_make(const keeper_t *keeper, const char *connection_id, const char *text, token_t *out)
{
    uint8_t key[32];
    uint32_t key_id = 0; /* stands in front of the sealed token too */
    size_t length = strlen(text);
    const uint8_t *bytes = (const uint8_t *)text;
    seal_derive(keeper->seal, "lk-token", key, &key_id);
    (void)crypto_generichash(out->hash, sizeof(out->hash), bytes, length, key, sizeof(key));
    sodium_memzero(key, sizeof(key));
    seal_place_t place = {
        .service = keeper->service, .row_id = connection_id, .realm = "", .algorithm = "token"};
    out->sealed_length = length + SEAL_OVERHEAD;
    seal_close_value(keeper->seal, &place, bytes, length, out->sealed);
}
