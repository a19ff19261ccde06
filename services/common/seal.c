/* Sealing: authenticated encryption of values that must be had back.
 * Must never: let a key or an opened value reach an error text. Next: common/keyfile.c. */
#include "services/common/seal.h"

#include "common/keyfile.h"
#include "common/lines.h"
#include "common/mem.h"
#include "common/text.h"

#include <assert.h>
#include <pthread.h>
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

/* Not changed any more once it is in force. */
typedef struct {
    size_t count;
    seal_key_t keys[SEAL_KEYS_MAX]; /* the first seals */
} ring_t;

struct seal {
    char *path;
    pthread_rwlock_t *lock; /* of ring */
    ring_t *ring;
    ring_t *next; /* what a refresh has read, the first time; NULL: nothing new */
};

static const ring_t *hold(const seal_t *seal)
{
    (void)pthread_rwlock_rdlock(seal->lock);
    return seal->ring;
}

static void let_go(const seal_t *seal)
{
    (void)pthread_rwlock_unlock(seal->lock);
}

static void store_be(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static void derive(const seal_key_t *key, const char *context, uint8_t *out)
{
    (void)crypto_kdf_derive_from_key(out, KEY_SIZE, 1, context, key->master);
}

static const seal_key_t *find(const ring_t *ring, uint32_t id)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->keys[i].id == id)
            return &ring->keys[i];
    return NULL;
}

/* Returns what is wrong with the line, or NULL. */
static const char *add_key(ring_t *ring, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    uint64_t id = 0;
    if (colon == NULL || text_number(line, (size_t)(colon - line), UINT32_MAX, &id) != STATUS_OK ||
        id == 0)
        return "does not begin with a number from 1 and a colon";
    if (find(ring, (uint32_t)id) != NULL)
        return "has a number that stands above already";
    if (ring->count == SEAL_KEYS_MAX)
        return "is one key too many";
    seal_key_t *key = &ring->keys[ring->count];
    if (text_unhex(key->master, KEY_SIZE, colon + 1, length - (size_t)(colon + 1 - line)) !=
        STATUS_OK)
        return "does not have 64 hexadecimal digits after the colon";
    key->id = (uint32_t)id;
    derive(key, seal_context, key->sealing);
    ring->count++;
    return NULL;
}

static status_t read_keys(ring_t *ring, const char *path, const char *text, size_t length,
                          err_t *err)
{
    lines_t lines;
    const char *line = NULL;
    size_t line_length = 0;
    lines_begin(&lines, text, length);
    while (lines_next(&lines, &line, &line_length)) {
        const char *wrong = add_key(ring, line, line_length);
        if (wrong != NULL)
            return err_set(err, STATUS_INVALID, path, "line %zu %s", lines.number, wrong);
    }
    if (ring->count == 0)
        return err_set(err, STATUS_INVALID, path, "holds no key");
    return STATUS_OK;
}

static void free_ring(ring_t **ring)
{
    sodium_free(*ring);
    *ring = NULL;
}

/* sodium_malloc: locked where allowed, between guard pages, wiped when freed. */
static status_t read_ring(const char *path, ring_t **out, err_t *err)
{
    AUTO(free_ring) ring_t *ring = sodium_malloc(sizeof(*ring));
    if (ring == NULL)
        return err_errno(err, path, "no memory for its keys");
    sodium_memzero(ring, sizeof(*ring));
    char text[FILE_SIZE];
    size_t length = 0;
    status_t status = keyfile_read(path, text, sizeof(text), &length, err);
    if (status != STATUS_OK)
        return status;
    status = read_keys(ring, path, text, length, err);
    sodium_memzero(text, sizeof(text));
    if (status != STATUS_OK)
        return status;
    (void)sodium_mprotect_readonly(ring);
    *out = TAKE(ring);
    return STATUS_OK;
}

/* Who changes the keys must not wait for ever behind those who use them. */
static pthread_rwlock_t *make_lock(void)
{
    pthread_rwlock_t *lock = mem_zalloc(sizeof(*lock));
    pthread_rwlockattr_t kind;
    (void)pthread_rwlockattr_init(&kind);
    (void)pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(lock, &kind);
    (void)pthread_rwlockattr_destroy(&kind);
    return lock;
}

status_t seal_open_keys(const char *path, seal_t **out, err_t *err)
{
    if (sodium_init() < 0)
        return err_set(err, STATUS_SYSTEM, path, "libsodium does not start");
    AUTO(seal_close) seal_t *seal = mem_zalloc(sizeof(*seal));
    seal->lock = make_lock();
    seal->path = mem_array(strlen(path) + 1, 1);
    memcpy(seal->path, path, strlen(path) + 1);
    status_t status = read_ring(path, &seal->ring, err);
    if (status == STATUS_OK)
        *out = TAKE(seal);
    return status;
}

void seal_close(seal_t **seal)
{
    if (*seal == NULL)
        return;
    free_ring(&(*seal)->ring);
    free_ring(&(*seal)->next);
    (void)pthread_rwlock_destroy((*seal)->lock);
    mem_free((*seal)->lock);
    mem_free((*seal)->path);
    mem_free(*seal);
    *seal = NULL;
}

/* ---- other keys ---- */

static bool is_same(const ring_t *a, const ring_t *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->keys[i].id == b->keys[i].id &&
               sodium_memcmp(a->keys[i].master, b->keys[i].master, KEY_SIZE) == 0;
    return same;
}

/* Takes *ring. */
static void put_in_force(seal_t *seal, ring_t **ring)
{
    ring_t *old = seal->ring;
    (void)pthread_rwlock_wrlock(seal->lock);
    seal->ring = TAKE(*ring);
    (void)pthread_rwlock_unlock(seal->lock);
    free_ring(&old);
}

/* The file is small: to read it is simpler than to tell from its times whether it is another. */
status_t seal_refresh(seal_t *seal, bool *out_changed, err_t *err)
{
    AUTO(free_ring) ring_t *ring = NULL;
    AUTO(free_ring) ring_t *before = TAKE(seal->next);
    status_t status = read_ring(seal->path, &ring, err);
    if (status != STATUS_OK)
        return status;
    assert(ring != NULL);
    bool is_new = !is_same(seal->ring, ring);
    bool again = is_new && before != NULL && is_same(before, ring);
    if (again)
        put_in_force(seal, &ring);
    else if (is_new)
        seal->next = TAKE(ring);
    *out_changed = again;
    return STATUS_OK;
}

uint32_t seal_mark(const seal_t *seal)
{
    uint8_t hash[KEY_SIZE];
    uint8_t id[ID_SIZE];
    uint8_t part[KEY_SIZE];
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    const ring_t *ring = hold(seal);
    for (size_t i = 0; i < ring->count; i++) {
        store_be(id, ring->keys[i].id, sizeof(id));
        derive(&ring->keys[i], "lk-mark1", part);
        (void)crypto_generichash_update(&state, id, sizeof(id));
        (void)crypto_generichash_update(&state, part, sizeof(part));
    }
    let_go(seal);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    sodium_memzero(part, sizeof(part));
    return seal_key_id(hash) >> 2;
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
    uint8_t ad[PLACE_SIZE];
    uint8_t *nonce = out + ID_SIZE;
    randombytes_buf(nonce, NONCE_SIZE);
    const seal_key_t *key = &hold(seal)->keys[0];
    hash_place(place, key->id, ad);
    store_be(out, key->id, ID_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_SIZE, NULL, value, length, ad,
                                                     sizeof(ad), NULL, nonce, key->sealing);
    let_go(seal);
}

uint32_t seal_key_id(const uint8_t sealed[SEAL_KEY_ID_SIZE])
{
    uint32_t id = 0;
    for (size_t i = 0; i < SEAL_KEY_ID_SIZE; i++)
        id = id << 8 | sealed[i];
    return id;
}

static status_t open_with(const seal_key_t *key, const seal_place_t *place, const uint8_t *sealed,
                          size_t sealed_length, uint8_t *out)
{
    if (key == NULL)
        return STATUS_UNKNOWN;
    uint8_t ad[PLACE_SIZE];
    hash_place(place, key->id, ad);
    const uint8_t *nonce = sealed + ID_SIZE;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, nonce + NONCE_SIZE,
                                                   sealed_length - ID_SIZE - NONCE_SIZE, ad,
                                                   sizeof(ad), nonce, key->sealing) != 0)
        return STATUS_CORRUPT;
    return STATUS_OK;
}

status_t seal_open_value(const seal_t *seal, const seal_place_t *place, const uint8_t *sealed,
                         size_t sealed_length, uint8_t *out)
{
    if (sealed_length < SEAL_OVERHEAD)
        return STATUS_CORRUPT;
    const ring_t *ring = hold(seal);
    status_t status = open_with(find(ring, seal_key_id(sealed)), place, sealed, sealed_length, out);
    let_go(seal);
    return status;
}

void seal_derive(const seal_t *seal, const char context[8], uint8_t out[32], uint32_t *out_key_id)
{
    assert(memcmp(context, seal_context, crypto_kdf_CONTEXTBYTES) != 0);
    const ring_t *ring = hold(seal);
    derive(&ring->keys[0], context, out);
    *out_key_id = ring->keys[0].id;
    let_go(seal);
}

status_t seal_derive_for(const seal_t *seal, uint32_t key_id, const char context[8],
                         uint8_t out[32])
{
    assert(memcmp(context, seal_context, crypto_kdf_CONTEXTBYTES) != 0);
    const seal_key_t *key = find(hold(seal), key_id);
    if (key != NULL)
        derive(key, context, out);
    let_go(seal);
    return key != NULL ? STATUS_OK : STATUS_UNKNOWN;
}

uint32_t seal_front(const seal_t *seal)
{
    uint32_t id = hold(seal)->keys[0].id;
    let_go(seal);
    return id;
}

size_t seal_key_ids(const seal_t *seal, uint32_t out[SEAL_KEYS_MAX])
{
    const ring_t *ring = hold(seal);
    size_t count = ring->count;
    for (size_t i = 0; i < count; i++)
        out[i] = ring->keys[i].id;
    let_go(seal);
    return count;
}
