/* Making and knowing nonces. Must never: call one ours whose MAC is not right. */
#include "services/common/sip/nonce.h"

#include <sodium.h>
#include <string.h>

enum { MAC_SIZE = 24, HEAD_SIZE = NONCE_BYTES - MAC_SIZE, TIME_AT = 4, RANDOM_AT = 12 };

static const char mark[] = "lk.";
static const char context[] = "LK-NONCE";

static void make_mac(const uint8_t key[32], const char *purpose, const uint8_t head[HEAD_SIZE],
                     uint8_t out[MAC_SIZE])
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, key, 32, MAC_SIZE);
    (void)crypto_generichash_update(&state, head, HEAD_SIZE);
    (void)crypto_generichash_update(&state, (const uint8_t *)purpose, strlen(purpose));
    (void)crypto_generichash_final(&state, out, MAC_SIZE);
    sodium_memzero(&state, sizeof(state));
}

static void write_number(uint8_t *out, size_t size, uint64_t number)
{
    for (size_t i = size; i > 0; i--, number >>= 8)
        out[i - 1] = (uint8_t)number;
}

static uint64_t read_number(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

void nonce_make(const seal_t *seal, const char *purpose, int64_t now_utc_ms,
                char out[NONCE_TEXT_SIZE])
{
    uint8_t bytes[NONCE_BYTES], key[32];
    uint32_t key_id = 0;
    seal_derive(seal, context, key, &key_id);
    write_number(bytes, TIME_AT, key_id);
    write_number(bytes + TIME_AT, RANDOM_AT - TIME_AT, (uint64_t)now_utc_ms);
    randombytes_buf(bytes + RANDOM_AT, HEAD_SIZE - RANDOM_AT);
    make_mac(key, purpose, bytes, bytes + HEAD_SIZE);
    sodium_memzero(key, sizeof(key));
    memcpy(out, mark, sizeof(mark) - 1);
    (void)sodium_bin2base64(out + sizeof(mark) - 1, NONCE_TEXT_SIZE - (sizeof(mark) - 1), bytes,
                            sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

nonce_origin_t nonce_read(const seal_t *seal, const char *purpose, const char *nonce,
                          int64_t *out_made_utc_ms)
{
    uint8_t bytes[NONCE_BYTES], key[32], mac[MAC_SIZE];
    size_t length = 0;
    if (strncmp(nonce, mark, sizeof(mark) - 1) != 0)
        return NONCE_FOREIGN;
    const char *text = nonce + sizeof(mark) - 1;
    if (seal == NULL ||
        sodium_base642bin(bytes, sizeof(bytes), text, strlen(text), NULL, &length, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        length != sizeof(bytes) ||
        seal_derive_for(seal, seal_key_id(bytes), context, key) != STATUS_OK)
        return NONCE_FORGED;
    make_mac(key, purpose, bytes, mac);
    sodium_memzero(key, sizeof(key));
    if (sodium_memcmp(mac, bytes + HEAD_SIZE, MAC_SIZE) != 0)
        return NONCE_FORGED;
    *out_made_utc_ms = (int64_t)read_number(bytes + TIME_AT, RANDOM_AT - TIME_AT);
    return NONCE_OURS;
}
