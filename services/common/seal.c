/* Sealing: authenticated encryption of values that must be had back.
 * Must never: let a key or an opened value reach an error text. Next: common/keyfile.c. */
#include "services/common/seal.h"

#include "common/keyfile.h"
#include "common/lines.h"
#include "common/text.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

enum {
    KEY_SIZE = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    ID_SIZE = SEAL_KEY_ID_SIZE,
    PLACE_SIZE = 32,
    FILE_SIZE = 16384,
};

_Static_assert(KEY_SIZE == crypto_kdf_KEYBYTES, "a key of the file is a master key");
_Static_assert(SEAL_OVERHEAD == ID_SIZE + NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "what stands in front of and behind the ciphertext");

/* The context under which the key that seals is derived: no other purpose may have it. */
static const char seal_context[crypto_kdf_CONTEXTBYTES + 1] = "lk-seal1";

typedef struct {
    uint32_t id;
    uint8_t master[KEY_SIZE]; /* as the file has it: only derived from */
    uint8_t sealing[KEY_SIZE];
} seal_key_t;

struct seal {
    size_t count;
    seal_key_t keys[SEAL_KEYS_MAX]; /* the first seals */
};

static void derive(const seal_key_t *key, const char *context, uint8_t *out)
{
    (void)crypto_kdf_derive_from_key(out, KEY_SIZE, 1, context, key->master);
}

static const seal_key_t *find(const seal_t *seal, uint32_t id)
{
    for (size_t i = 0; i < seal->count; i++)
        if (seal->keys[i].id == id)
            return &seal->keys[i];
    return NULL;
}

/* Returns what is wrong with the line, or NULL. */
static const char *add_key(seal_t *seal, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    uint64_t id = 0;
    if (colon == NULL || text_number(line, (size_t)(colon - line), UINT32_MAX, &id) != STATUS_OK ||
        id == 0)
        return "does not begin with a number from 1 and a colon";
    if (find(seal, (uint32_t)id) != NULL)
        return "has a number that stands above already";
    if (seal->count == SEAL_KEYS_MAX)
        return "is one key too many";
    seal_key_t *key = &seal->keys[seal->count];
    if (text_unhex(key->master, KEY_SIZE, colon + 1, length - (size_t)(colon + 1 - line)) !=
        STATUS_OK)
        return "does not have 64 hexadecimal digits after the colon";
    key->id = (uint32_t)id;
    derive(key, seal_context, key->sealing);
    seal->count++;
    return NULL;
}

static status_t read_keys(seal_t *seal, const char *path, const char *text, size_t length,
                          err_t *err)
{
    lines_t lines;
    const char *line = NULL;
    size_t line_length = 0;
    lines_begin(&lines, text, length);
    while (lines_next(&lines, &line, &line_length)) {
        const char *wrong = add_key(seal, line, line_length);
        if (wrong != NULL)
            return err_set(err, STATUS_INVALID, path, "line %zu %s", lines.number, wrong);
    }
    if (seal->count == 0)
        return err_set(err, STATUS_INVALID, path, "holds no key");
    return STATUS_OK;
}

/* sodium_malloc: locked where allowed, between guard pages, wiped when freed. */
status_t seal_open_keys(const char *path, seal_t **out, err_t *err)
{
    if (sodium_init() < 0)
        return err_set(err, STATUS_SYSTEM, path, "libsodium does not start");
    AUTO(seal_close) seal_t *seal = sodium_malloc(sizeof(*seal));
    if (seal == NULL)
        return err_errno(err, path, "no memory for its keys");
    sodium_memzero(seal, sizeof(*seal));
    char text[FILE_SIZE];
    size_t length = 0;
    status_t status = keyfile_read(path, text, sizeof(text), &length, err);
    if (status != STATUS_OK)
        return status;
    status = read_keys(seal, path, text, length, err);
    sodium_memzero(text, sizeof(text));
    if (status != STATUS_OK)
        return status;
    (void)sodium_mprotect_readonly(seal);
    *out = TAKE(seal);
    return STATUS_OK;
}

void seal_close(seal_t **seal)
{
    sodium_free(*seal);
    *seal = NULL;
}

static void store_be(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

/* Each text with its length in front: no two places hash the same bytes. */
static void hash_text(crypto_generichash_state *state, const char *text)
{
    uint8_t size[8];
    size_t length = strlen(text);
    store_be(size, length, sizeof(size));
    (void)crypto_generichash_update(state, size, sizeof(size));
    (void)crypto_generichash_update(state, (const uint8_t *)text, length);
}

static void hash_place(const seal_place_t *place, uint32_t key_id, uint8_t out[PLACE_SIZE])
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, PLACE_SIZE);
    hash_text(&state, place->service);
    hash_text(&state, place->row_id);
    hash_text(&state, place->realm);
    hash_text(&state, place->algorithm);
    uint8_t numbers[8 + ID_SIZE];
    store_be(numbers, (uint64_t)place->generation, 8);
    store_be(numbers + 8, key_id, ID_SIZE);
    (void)crypto_generichash_update(&state, numbers, sizeof(numbers));
    (void)crypto_generichash_final(&state, out, PLACE_SIZE);
}

void seal_close_value(const seal_t *seal, const seal_place_t *place, const uint8_t *value,
                      size_t length, uint8_t *out)
{
    const seal_key_t *key = &seal->keys[0];
    uint8_t ad[PLACE_SIZE];
    hash_place(place, key->id, ad);
    uint8_t *nonce = out + ID_SIZE;
    store_be(out, key->id, ID_SIZE);
    randombytes_buf(nonce, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_SIZE, NULL, value, length, ad,
                                                     sizeof(ad), NULL, nonce, key->sealing);
}

uint32_t seal_key_id(const uint8_t sealed[SEAL_KEY_ID_SIZE])
{
    uint32_t id = 0;
    for (size_t i = 0; i < SEAL_KEY_ID_SIZE; i++)
        id = id << 8 | sealed[i];
    return id;
}

status_t seal_open_value(const seal_t *seal, const seal_place_t *place, const uint8_t *sealed,
                         size_t sealed_length, uint8_t *out)
{
    if (sealed_length < SEAL_OVERHEAD)
        return STATUS_CORRUPT;
    uint32_t id = seal_key_id(sealed);
    const seal_key_t *key = find(seal, id);
    if (key == NULL)
        return STATUS_UNKNOWN;
    uint8_t ad[PLACE_SIZE];
    hash_place(place, id, ad);
    const uint8_t *nonce = sealed + ID_SIZE;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, nonce + NONCE_SIZE,
                                                   sealed_length - ID_SIZE - NONCE_SIZE, ad,
                                                   sizeof(ad), nonce, key->sealing) != 0)
        return STATUS_CORRUPT;
    return STATUS_OK;
}

void seal_derive(const seal_t *seal, const char context[8], uint8_t out[32], uint32_t *out_key_id)
{
    assert(memcmp(context, seal_context, crypto_kdf_CONTEXTBYTES) != 0);
    derive(&seal->keys[0], context, out);
    *out_key_id = seal->keys[0].id;
}

status_t seal_derive_for(const seal_t *seal, uint32_t key_id, const char context[8],
                         uint8_t out[32])
{
    assert(memcmp(context, seal_context, crypto_kdf_CONTEXTBYTES) != 0);
    const seal_key_t *key = find(seal, key_id);
    if (key == NULL)
        return STATUS_UNKNOWN;
    derive(key, context, out);
    return STATUS_OK;
}

size_t seal_key_ids(const seal_t *seal, uint32_t out[SEAL_KEYS_MAX])
{
    for (size_t i = 0; i < seal->count; i++)
        out[i] = seal->keys[i].id;
    return seal->count;
}
