/* The copy of the live keys that every request is looked up in: an open-addressing table, at most
 * half full, indexed by the keyed hash itself (nobody outside can aim at a slot).
 *
 * Must never: touch the store in key_cache_find, or stop early on a mismatch: every text costs one
 * hash and one probe. */
#include "gateway/keys_internal.h"

#include "common/clock.h"
#include "common/mem.h"

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

enum { LEAST_SLOTS = 64 };
/* Unknown keys cost an attacker nothing: what they cost the store is bounded. */
enum { LOOK_EVERY_MS = 50, LOOK_BURST = 5, LOOK_WAIT_MS = 100, LOOK_STEP_MS = 2 };

/* An index into `keys` + 1; 0 is free. */
typedef struct {
    hashed_key_t *keys;
    size_t count;
    uint32_t *slots;
    size_t mask;
} table_t;

struct key_cache {
    keys_t *store;
    pthread_mutex_t refreshing; /* guards the store's connection, version and next_look_ms */
    int64_t version;
    int64_t next_look_ms;
    _Atomic unsigned loads; /* how often the table was replaced */
    pthread_rwlock_t lock;  /* guards table */
    table_t table;
};

static size_t home(const table_t *table, const uint8_t hash[KEY_HASH_SIZE])
{
    size_t start = 0;
    memcpy(&start, hash, sizeof start);
    return start & table->mask;
}

static void build(table_t *table)
{
    size_t size = LEAST_SLOTS;
    while (size < 2 * table->count)
        size *= 2;
    table->slots = mem_array(size, sizeof *table->slots);
    table->mask = size - 1;
    for (size_t i = 0; i < table->count; i++) {
        size_t slot = home(table, table->keys[i].hash);
        while (table->slots[slot] != 0)
            slot = (slot + 1) & table->mask;
        table->slots[slot] = (uint32_t)(i + 1);
    }
}

static void free_table(table_t *table)
{
    mem_free(table->keys);
    mem_free(table->slots);
}

static status_t load(keys_t *store, table_t *out, int64_t *out_version, err_t *err)
{
    int64_t version = 0;
    table_t table = {0};
    /* Before the rows: a change in between then shows as a change the next time. */
    status_t status = keys_version(store, &version, err);
    if (status == STATUS_OK)
        status = keys_load(store, true, &table.keys, &table.count, err);
    if (status != STATUS_OK)
        return status;
    build(&table);
    *out = table;
    *out_version = version;
    return STATUS_OK;
}

status_t key_cache_new(keys_t *keys, key_cache_t **out, err_t *err)
{
    pthread_rwlockattr_t attributes;
    table_t table = {0};
    int64_t version = 0;
    status_t status = load(keys, &table, &version, err);
    if (status != STATUS_OK)
        return status;
    key_cache_t *cache = mem_zalloc(sizeof *cache);
    cache->store = keys;
    cache->version = version;
    cache->table = table;
    (void)pthread_mutex_init(&cache->refreshing, NULL);
    /* Else a stream of readers could keep a revocation waiting. */
    (void)pthread_rwlockattr_init(&attributes);
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&cache->lock, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    *out = cache;
    return STATUS_OK;
}

void key_cache_destroy(key_cache_t **cache)
{
    if (*cache == NULL)
        return;
    (void)pthread_rwlock_destroy(&(*cache)->lock);
    (void)pthread_mutex_destroy(&(*cache)->refreshing);
    free_table(&(*cache)->table);
    keys_close(&(*cache)->store);
    mem_free(*cache);
    *cache = NULL;
}

static status_t refresh(key_cache_t *cache, err_t *err)
{
    int64_t version = 0;
    table_t fresh = {0};
    status_t status = keys_version(cache->store, &version, err);
    if (status != STATUS_OK || version == cache->version)
        return status;
    status = load(cache->store, &fresh, &version, err);
    if (status != STATUS_OK)
        return status;
    (void)pthread_rwlock_wrlock(&cache->lock);
    table_t old = cache->table;
    cache->table = fresh;
    (void)pthread_rwlock_unlock(&cache->lock);
    cache->version = version;
    atomic_fetch_add(&cache->loads, 1);
    free_table(&old);
    return STATUS_OK;
}

status_t key_cache_refresh(key_cache_t *cache, err_t *err)
{
    (void)pthread_mutex_lock(&cache->refreshing);
    status_t status = refresh(cache, err);
    (void)pthread_mutex_unlock(&cache->refreshing);
    return status;
}

static const hashed_key_t *look_up(const table_t *table, const uint8_t hash[KEY_HASH_SIZE])
{
    for (size_t slot = home(table, hash); table->slots[slot] != 0;
         slot = (slot + 1) & table->mask) {
        const hashed_key_t *found = &table->keys[table->slots[slot] - 1];
        if (sodium_memcmp(found->hash, hash, KEY_HASH_SIZE) == 0)
            return found;
    }
    return NULL;
}

status_t key_cache_find(key_cache_t *cache, const char *secret, size_t length, api_key_t *out)
{
    char text[KEY_SIZE] = {0};
    uint8_t hash[KEY_HASH_SIZE];
    bool proper = length == KEY_SIZE - 1;
    if (proper)
        memcpy(text, secret, KEY_SIZE - 1);
    keys_hash(cache->store, text, KEY_SIZE - 1, hash);
    sodium_memzero(text, sizeof text);
    int64_t now = clock_utc_ms();
    status_t status = STATUS_UNKNOWN;
    (void)pthread_rwlock_rdlock(&cache->lock);
    const hashed_key_t *found = look_up(&cache->table, hash);
    if (proper && found != NULL && (found->key.expires_at == 0 || found->key.expires_at > now)) {
        *out = found->key;
        status = STATUS_OK;
    }
    (void)pthread_rwlock_unlock(&cache->lock);
    return status;
}

static bool may_look(key_cache_t *cache)
{
    int64_t now = clock_ms();
    int64_t least = now - (int64_t)(LOOK_BURST - 1) * LOOK_EVERY_MS;
    if (cache->next_look_ms > now)
        return false;
    cache->next_look_ms = (cache->next_look_ms > least ? cache->next_look_ms : least);
    cache->next_look_ms += LOOK_EVERY_MS;
    return true;
}

/* By the monotonic clock, whatever the wall clock does meanwhile; in steps, since ThreadSanitizer
 * knows no pthread_mutex_clocklock. */
static bool lock_soon(pthread_mutex_t *lock)
{
    int64_t until_ms = clock_ms() + LOOK_WAIT_MS;
    while (pthread_mutex_trylock(lock) != 0) {
        if (clock_ms() >= until_ms)
            return false;
        (void)poll(NULL, 0, LOOK_STEP_MS);
    }
    return true;
}

/* Refreshes, unless another thread has since `loads` was read. */
static void look(key_cache_t *cache, unsigned loads)
{
    err_t ignored; /* a store that stays broken is told by who refreshes regularly */
    if (!lock_soon(&cache->refreshing))
        return;
    if (atomic_load(&cache->loads) == loads && may_look(cache)) {
        status_t status = refresh(cache, &ignored);
        (void)status;
    }
    (void)pthread_mutex_unlock(&cache->refreshing);
}

status_t key_cache_seek(key_cache_t *cache, const char *secret, size_t length, api_key_t *out)
{
    unsigned loads = atomic_load(&cache->loads);
    status_t status = key_cache_find(cache, secret, length, out);
    /* Expired and revoked ones go this way too: what they are must not show in the time it takes.
     */
    if (status == STATUS_OK || length != KEY_SIZE - 1 || memcmp(secret, "lk_", 3) != 0)
        return status;
    look(cache, loads);
    return atomic_load(&cache->loads) == loads ? status
                                               : key_cache_find(cache, secret, length, out);
}
