#include "services/common/reply_seal.h"

#include "common/mem.h"

#include <sodium.h>
#include <string.h>

enum {
    MARK = 0xc1, /* never used (msgpack specification, "Formats") */
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    OVERHEAD = 1 + NONCE_SIZE + TAG_SIZE,
};
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == REPLY_SEAL_KEY_SIZE, "one size");

/* Fingerprints are made with the key itself. */
static void make_own_key(const uint8_t key[REPLY_SEAL_KEY_SIZE], uint8_t out[REPLY_SEAL_KEY_SIZE])
{
    static const unsigned char purpose[] = "linekeeper reply seal";
    (void)crypto_generichash(out, REPLY_SEAL_KEY_SIZE, purpose, sizeof(purpose), key,
                             REPLY_SEAL_KEY_SIZE);
}

/* Both with their NUL, so that no two rows read the same. The caller frees. */
static unsigned char *name_row(const reply_row_t *row, size_t *out_length)
{
    size_t scope = strlen(row->scope) + 1, key = strlen(row->idempotency_key) + 1;
    unsigned char *name = mem_zalloc(scope + key);
    memcpy(name, row->scope, scope);
    memcpy(name + scope, row->idempotency_key, key);
    *out_length = scope + key;
    return name;
}

void reply_seal(const uint8_t key[REPLY_SEAL_KEY_SIZE], const reply_row_t *row, const void *reply,
                size_t length, msgpack_sbuffer *out)
{
    uint8_t own[REPLY_SEAL_KEY_SIZE];
    size_t name_length = 0;
    unsigned char *name = name_row(row, &name_length);
    unsigned char *sealed = mem_zalloc(OVERHEAD + length);
    unsigned char *nonce = sealed + 1;
    make_own_key(key, own);
    sealed[0] = MARK;
    randombytes_buf(nonce, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_SIZE, NULL, reply, length, name,
                                                     name_length, NULL, nonce, own);
    (void)msgpack_sbuffer_write(out, (const char *)sealed, OVERHEAD + length);
    sodium_memzero(own, sizeof(own));
    mem_free(sealed);
    mem_free(name);
}

bool reply_is_sealed(const void *bytes, size_t length)
{
    return length > 0 && *(const unsigned char *)bytes == MARK;
}

status_t reply_unseal(const uint8_t key[REPLY_SEAL_KEY_SIZE], const reply_row_t *row,
                      const void *sealed, size_t length, msgpack_sbuffer *out)
{
    if (length <= OVERHEAD || !reply_is_sealed(sealed, length))
        return STATUS_CORRUPT;
    uint8_t own[REPLY_SEAL_KEY_SIZE];
    size_t name_length = 0, size = length - OVERHEAD;
    unsigned char *name = name_row(row, &name_length);
    unsigned char *reply = mem_zalloc(size);
    const unsigned char *nonce = (const unsigned char *)sealed + 1;
    make_own_key(key, own);
    bool good = crypto_aead_xchacha20poly1305_ietf_decrypt(reply, NULL, NULL, nonce + NONCE_SIZE,
                                                           size + TAG_SIZE, name, name_length,
                                                           nonce, own) == 0;
    if (good)
        (void)msgpack_sbuffer_write(out, (const char *)reply, size);
    sodium_memzero(own, sizeof(own));
    sodium_memzero(reply, size);
    mem_free(reply);
    mem_free(name);
    return good ? STATUS_OK : STATUS_CORRUPT;
}
