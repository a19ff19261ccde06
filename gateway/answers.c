#include "gateway/answers.h"

#include "common/mem.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

enum { WAYS = 8, LOCKS = 64, OPERATOR = 1 };

/* What is looked at to find a slot; apart from what stands in it. */
typedef struct {
    uint64_t hash;
    freshness_t fresh; /* board 0: the slot is free */
    uint64_t asked;    /* the lock's count when it was last given or kept */
    media_t media;
    uint16_t key_length, body_length;
} head_t;

enum { CONTENT = ANSWERS_SLOT - sizeof(head_t), KEY_MAX = CONTENT };

typedef struct {
    _Alignas(64) pthread_mutex_t lock; /* guards every LOCKS-th set */
    uint64_t count;
} guard_t;

struct answers {
    guard_t guards[LOCKS];
    size_t sets; /* a power of two */
    head_t *heads;
    unsigned char *contents; /* CONTENT each: the key, then the body */
    unsigned char secret[crypto_shorthash_KEYBYTES];
};

/* A key as bytes: operation, view, query. */
typedef struct {
    unsigned char bytes[KEY_MAX];
    size_t length;
    uint64_t hash;
} flat_t;

answers_t *answers_new(size_t bytes)
{
    answers_t *answers = mem_zalloc(sizeof(*answers));
    answers->sets = 1;
    while (answers->sets * 2 * WAYS * ANSWERS_SLOT <= bytes)
        answers->sets *= 2;
    answers->heads = mem_array(answers->sets * WAYS, sizeof(head_t));
    answers->contents = mem_array(answers->sets * WAYS, CONTENT);
    for (size_t i = 0; i < LOCKS; i++)
        (void)pthread_mutex_init(&answers->guards[i].lock, NULL);
    randombytes_buf(answers->secret, sizeof(answers->secret));
    return answers;
}

static unsigned char *content_of(answers_t *answers, const head_t *head)
{
    return answers->contents + (size_t)(head - answers->heads) * CONTENT;
}

static void drop(answers_t *answers, head_t *head)
{
    sodium_memzero(content_of(answers, head), (size_t)head->key_length + head->body_length);
    *head = (head_t){0};
}

void answers_destroy(answers_t **answers)
{
    answers_t *self = *answers;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->sets * WAYS; i++)
        if (self->heads[i].fresh.board != 0)
            drop(self, &self->heads[i]);
    for (size_t i = 0; i < LOCKS; i++)
        (void)pthread_mutex_destroy(&self->guards[i].lock);
    mem_free(self->heads);
    mem_free(self->contents);
    mem_free(self);
    *answers = NULL;
}

static bool put(flat_t *flat, const void *bytes, size_t length)
{
    if (length > sizeof(flat->bytes) - flat->length)
        return false;
    memcpy(flat->bytes + flat->length, bytes, length);
    flat->length += length;
    return true;
}

/* False: too long to be kept. Operation and view have one length each, so that no two keys are the
 * same bytes. */
static bool flatten(const answers_t *answers, const answer_key_t *key, flat_t *out)
{
    unsigned char view[UUID_SIZE] = {OPERATOR};
    assert((key->operation->flags & OPERATION_KEPT) != 0 && key->operation->path_schema == NULL);
    if (!key->is_operator)
        memcpy(view, key->organization_id, sizeof(view));
    const uintptr_t operation = (uintptr_t)key->operation;
    out->length = 0;
    if (!put(out, &operation, sizeof(operation)) || !put(out, view, sizeof(view)) ||
        (key->query != NULL && !put(out, key->query, strlen(key->query))))
        return false;
    unsigned char hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, out->bytes, out->length, answers->secret);
    memcpy(&out->hash, hash, sizeof(out->hash));
    return true;
}

static guard_t *enter(answers_t *answers, size_t set)
{
    guard_t *guard = &answers->guards[set % LOCKS];
    (void)pthread_mutex_lock(&guard->lock);
    guard->count++;
    return guard;
}

static void leave(guard_t *guard)
{
    (void)pthread_mutex_unlock(&guard->lock);
}

static size_t set_of(const answers_t *answers, uint64_t hash)
{
    return (size_t)(hash & (answers->sets - 1));
}

static head_t *seek(answers_t *answers, const flat_t *flat)
{
    head_t *heads = &answers->heads[set_of(answers, flat->hash) * WAYS];
    for (size_t i = 0; i < WAYS; i++)
        if (heads[i].fresh.board != 0 && heads[i].hash == flat->hash &&
            heads[i].key_length == flat->length &&
            memcmp(content_of(answers, &heads[i]), flat->bytes, flat->length) == 0)
            return &heads[i];
    return NULL;
}

static bool is_fresh(const freshness_t *fresh, const answers_now_t *now)
{
    return fresh->board == now->board && fresh->version == now->version && now->board != 0 &&
           now->version != 0 && now->now_utc_ms < fresh->until_utc_ms;
}

bool answers_find(answers_t *answers, const answer_key_t *key, const answers_now_t *now,
                  msgpack_sbuffer *out_body, media_t *out_media)
{
    flat_t flat;
    if (!flatten(answers, key, &flat))
        return false;
    guard_t *guard = enter(answers, set_of(answers, flat.hash));
    head_t *head = seek(answers, &flat);
    bool found = head != NULL && is_fresh(&head->fresh, now);
    if (found) {
        const char *body = (const char *)content_of(answers, head) + head->key_length;
        if (head->body_length > 0)
            (void)msgpack_sbuffer_write(out_body, body, head->body_length);
        *out_media = head->media;
        head->asked = guard->count;
    } else if (head != NULL) {
        drop(answers, head);
    }
    leave(guard);
    return found;
}

/* The key's own, else a free one, else the one that was not asked for longest. */
static head_t *choose(answers_t *answers, const flat_t *flat)
{
    head_t *heads = &answers->heads[set_of(answers, flat->hash) * WAYS];
    head_t *chosen = seek(answers, flat);
    for (size_t i = 0; chosen == NULL && i < WAYS; i++)
        if (heads[i].fresh.board == 0)
            chosen = &heads[i];
    if (chosen != NULL)
        return chosen;
    chosen = &heads[0];
    for (size_t i = 1; i < WAYS; i++)
        if (heads[i].asked < chosen->asked)
            chosen = &heads[i];
    return chosen;
}

void answers_keep(answers_t *answers, const answer_key_t *key, const freshness_t *fresh,
                  media_t media, const char *body, size_t length)
{
    flat_t flat;
    if (fresh->board == 0 || fresh->version == 0 || !flatten(answers, key, &flat) ||
        length > CONTENT - flat.length)
        return;
    guard_t *guard = enter(answers, set_of(answers, flat.hash));
    head_t *head = choose(answers, &flat);
    drop(answers, head);
    unsigned char *content = content_of(answers, head);
    memcpy(content, flat.bytes, flat.length);
    if (length > 0)
        memcpy(content + flat.length, body, length);
    *head = (head_t){.hash = flat.hash,
                     .fresh = *fresh,
                     .asked = guard->count,
                     .media = media,
                     .key_length = (uint16_t)flat.length,
                     .body_length = (uint16_t)length};
    leave(guard);
}

static bool is_any(const freshness_t *fresh, const answers_now_t *now, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_fresh(fresh, &now[i]))
            return true;
    return false;
}

void answers_sweep(answers_t *answers, const answers_now_t *now, size_t count)
{
    for (size_t set = 0; set < answers->sets; set++) {
        guard_t *guard = enter(answers, set);
        head_t *heads = &answers->heads[set * WAYS];
        for (size_t i = 0; i < WAYS; i++)
            if (heads[i].fresh.board != 0 && !is_any(&heads[i].fresh, now, count))
                drop(answers, &heads[i]);
        leave(guard);
    }
}
