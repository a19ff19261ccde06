#include "gateway/limiter.h"

#include "common/ipnet.h"
#include "common/mem.h"
#include "common/text.h"

#include <pthread.h>
#include <string.h>

enum { BUCKETS = 4096, PROBES = 8 };

static const int64_t second_us = 1000000;

/* Tokens are counted in microseconds of a request's share, so that no fraction is lost. */
typedef struct {
    char key_id[UUID_SIZE];
    int64_t level; /* rate * second_us when full; a request takes second_us */
    int64_t seen_us;
} bucket_t;

struct limiter {
    pthread_mutex_t lock;
    int64_t rate;
    bucket_t buckets[BUCKETS];
};

limiter_t *limiter_new(int64_t rate)
{
    limiter_t *limiter = mem_zalloc(sizeof(*limiter));
    (void)pthread_mutex_init(&limiter->lock, NULL);
    limiter->rate = rate;
    return limiter;
}

void limiter_destroy(limiter_t **limiter)
{
    if (*limiter == NULL)
        return;
    (void)pthread_mutex_destroy(&(*limiter)->lock);
    mem_free(*limiter);
    *limiter = NULL;
}

/* The random end of a version 7 UUID spreads well. */
static size_t place_of(const char *key_id)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *c = key_id; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    return hash % BUCKETS;
}

/* The key's bucket, or the one that was used longest ago among those it may have, made full: a key
 * that comes back after others have taken its place starts anew. */
static bucket_t *bucket_of(limiter_t *limiter, const char *key_id, int64_t full, int64_t now_us)
{
    size_t place = place_of(key_id);
    bucket_t *oldest = &limiter->buckets[place];
    for (size_t i = 0; i < PROBES; i++) {
        bucket_t *bucket = &limiter->buckets[(place + i) % BUCKETS];
        if (strcmp(bucket->key_id, key_id) == 0)
            return bucket;
        if (bucket->seen_us < oldest->seen_us)
            oldest = bucket;
    }
    text_cut(oldest->key_id, sizeof(oldest->key_id), key_id);
    oldest->level = full;
    oldest->seen_us = now_us;
    return oldest;
}

static void refill(bucket_t *bucket, int64_t rate, int64_t full, int64_t now_us)
{
    int64_t passed_us = now_us - bucket->seen_us;
    if (passed_us > second_us)
        passed_us = second_us;
    if (passed_us > 0) {
        bucket->level += passed_us * rate;
        bucket->seen_us = now_us;
    }
    if (bucket->level > full)
        bucket->level = full;
}

void limiter_network(const char *client, char out[UUID_SIZE])
{
    enum { SUBSCRIBER = 64 };
    char text[IPNET_TEXT_SIZE];
    ipnet_t address;
    text_cut(text, sizeof(text), client);
    if (ipnet_parse(client, strlen(client), &address) == STATUS_OK && !address.ipv4) {
        ipnet_t network = ipnet_of(address.first, SUBSCRIBER);
        ipnet_format(&network, text);
    }
    text_cut(out, UUID_SIZE, text);
}

allowance_t limiter_take(limiter_t *limiter, const char *key_id, int64_t own_rate, int64_t now_us)
{
    int64_t rate = own_rate > 0 ? own_rate : limiter->rate;
    if (rate <= 0)
        return (allowance_t){.allowed = true};
    int64_t full = rate * second_us;
    (void)pthread_mutex_lock(&limiter->lock);
    bucket_t *bucket = bucket_of(limiter, key_id, full, now_us);
    refill(bucket, rate, full, now_us);
    bool allowed = bucket->level >= second_us;
    if (allowed)
        bucket->level -= second_us;
    int64_t level = bucket->level;
    (void)pthread_mutex_unlock(&limiter->lock);
    return (allowance_t){.limited = true,
                         .allowed = allowed,
                         .limit = rate,
                         .remaining = level / second_us,
                         .reset_s = level == full ? 0 : 1};
}
