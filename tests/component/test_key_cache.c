/* API keys: the copy that a running gateway keeps in memory. */
#include "tests/component/key_desk.h"

#include "common/clock.h"
#include "tests/support/await.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_many_keys(void **state)
{
    enum { MANY = 300 };
    static char secrets[MANY][KEY_SIZE];
    (void)state;
    api_key_t ask = desk_wanted("o");
    for (size_t i = 0; i < MANY; i++)
        (void)desk_make(desk.keys, &ask, secrets[i]);
    key_cache_t *cache = desk_cache();
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(desk_find(cache, secrets[i]), STATUS_OK);
    key_cache_destroy(&cache);
}

typedef struct {
    key_cache_t *cache;
    const char *secret;
} sought_t;

static bool is_unknown(void *context)
{
    const sought_t *sought = context;
    return desk_find(sought->cache, sought->secret) == STATUS_UNKNOWN;
}

static void test_expiry_needs_no_refresh(void **state)
{
    char secret[KEY_SIZE];
    (void)state;
    api_key_t ask = desk_wanted("o");
    ask.expires_at = clock_utc_ms() + 1500; /* it is found before that on a slow disk too */
    (void)desk_make(desk.keys, &ask, secret);
    key_cache_t *cache = desk_cache();
    assert_int_equal(desk_find(cache, secret), STATUS_OK);
    sought_t sought = {cache, secret};
    assert_true(await(is_unknown, &sought, 10000));
    assert_true(clock_utc_ms() >= ask.expires_at);
    assert_int_equal(desk_find(cache, secret), STATUS_UNKNOWN);
    key_cache_destroy(&cache);
}

static void test_changes_show_after_a_refresh(void **state)
{
    char before[KEY_SIZE], later[KEY_SIZE];
    err_t err = {0};
    (void)state;
    api_key_t ask = desk_wanted("o");
    api_key_t made = desk_make(desk.keys, &ask, before);
    key_cache_t *cache = desk_cache();
    keys_t *other = desk_another();
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    (void)desk_make(other, &ask, later);
    assert_int_equal(desk_find(cache, later), STATUS_UNKNOWN);
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    assert_int_equal(desk_find(cache, later), STATUS_OK);
    assert_int_equal(desk_find(cache, before), STATUS_OK);
    assert_int_equal(keys_revoke(other, made.id, &err), STATUS_OK);
    assert_int_equal(keys_revoke(other, made.id, &err), STATUS_OK);
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    assert_int_equal(desk_find(cache, before), STATUS_UNKNOWN);
    assert_int_equal(desk_find(cache, later), STATUS_OK);
    assert_int_equal(keys_revoke(other, "nobody", &err), STATUS_UNKNOWN);
    keys_close(&other);
    key_cache_destroy(&cache);
}

static status_t seek(key_cache_t *cache, const char *secret)
{
    api_key_t found;
    return key_cache_seek(cache, secret, strlen(secret), &found);
}

static void test_new_key_is_found_at_once(void **state)
{
    char later[KEY_SIZE];
    (void)state;
    api_key_t ask = desk_wanted("o");
    key_cache_t *cache = desk_cache();
    keys_t *other = desk_another();
    (void)desk_make(other, &ask, later);
    assert_int_equal(desk_find(cache, later), STATUS_UNKNOWN);
    assert_int_equal(seek(cache, ""), STATUS_UNKNOWN);
    assert_int_equal(seek(cache, "xx_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), STATUS_UNKNOWN);
    assert_int_equal(desk_find(cache, later), STATUS_UNKNOWN); /* those were not worth a look */
    assert_int_equal(seek(cache, later), STATUS_OK);
    assert_int_equal(desk_find(cache, later), STATUS_OK);
    assert_int_equal(seek(cache, "lk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), STATUS_UNKNOWN);
    keys_close(&other);
    key_cache_destroy(&cache);
}

/* Each key that is found at once has cost a look into the store. */
static void test_looks_are_bounded(void **state)
{
    enum { TRIES = 200, BURST = 5, EVERY_MS = 50 };
    char later[KEY_SIZE];
    int64_t found = 0;
    (void)state;
    api_key_t ask = desk_wanted("o");
    key_cache_t *cache = desk_cache();
    keys_t *other = desk_another();
    int64_t begin = clock_ms();
    for (int i = 0; i < TRIES; i++) {
        (void)desk_make(other, &ask, later);
        found += seek(cache, later) == STATUS_OK;
    }
    int64_t took = clock_ms() - begin;
    print_message("%lld of %d were found at once in %lld ms\n", (long long)found, TRIES,
                  (long long)took);
    assert_in_range(found, BURST, BURST + 1 + took / EVERY_MS);
    keys_close(&other);
    key_cache_destroy(&cache);
}

typedef struct {
    key_cache_t *cache;
    const char *secret;
    status_t status;
    pthread_barrier_t *start;
} seeker_t;

static void *seek_once(void *argument)
{
    seeker_t *seeker = argument;
    (void)pthread_barrier_wait(seeker->start);
    seeker->status = seek(seeker->cache, seeker->secret);
    return NULL;
}

static void test_many_seek_one_new_key(void **state)
{
    enum { SEEKERS = 4, ROUNDS = 5 };
    char later[KEY_SIZE];
    pthread_barrier_t start;
    (void)state;
    api_key_t ask = desk_wanted("o");
    key_cache_t *cache = desk_cache();
    keys_t *other = desk_another();
    (void)pthread_barrier_init(&start, NULL, SEEKERS);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[SEEKERS];
        seeker_t seekers[SEEKERS];
        (void)desk_make(other, &ask, later);
        for (int i = 0; i < SEEKERS; i++) {
            seekers[i] = (seeker_t){cache, later, STATUS_UNKNOWN, &start};
            assert_int_equal(pthread_create(&threads[i], NULL, seek_once, &seekers[i]), 0);
        }
        for (int i = 0; i < SEEKERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < SEEKERS; i++)
            assert_int_equal(seekers[i].status, STATUS_OK);
    }
    (void)pthread_barrier_destroy(&start);
    keys_close(&other);
    key_cache_destroy(&cache);
}

typedef struct {
    key_cache_t *cache;
    const char *secret;
    _Atomic bool stop;
    _Atomic int misses;
} readers_t;

static void *keep_finding(void *argument)
{
    readers_t *readers = argument;
    while (!atomic_load(&readers->stop))
        if (desk_find(readers->cache, readers->secret) != STATUS_OK)
            atomic_fetch_add(&readers->misses, 1);
    return NULL;
}

static void test_readers_never_miss_during_refreshes(void **state)
{
    char secret[KEY_SIZE], other_secret[KEY_SIZE];
    pthread_t threads[3];
    err_t err = {0};
    (void)state;
    api_key_t ask = desk_wanted("o");
    (void)desk_make(desk.keys, &ask, secret);
    readers_t readers = {.cache = desk_cache(), .secret = secret};
    keys_t *other = desk_another();
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_finding, &readers), 0);
    int bad = 0;
    for (int i = 0; i < 30; i++) {
        (void)desk_make(other, &ask, other_secret);
        int64_t begin = clock_ms();
        bad += key_cache_refresh(readers.cache, &err) != STATUS_OK;
        bad += desk_find(readers.cache, other_secret) != STATUS_OK;
        bad += clock_ms() - begin > 10000;
    }
    atomic_store(&readers.stop, true);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(bad, 0);
    assert_int_equal(readers.misses, 0);
    keys_close(&other);
    key_cache_destroy(&readers.cache);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_keys, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_expiry_needs_no_refresh, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_changes_show_after_a_refresh, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_new_key_is_found_at_once, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_looks_are_bounded, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_many_seek_one_new_key, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_readers_never_miss_during_refreshes, desk_open,
                                        desk_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
