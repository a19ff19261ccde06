#include "tests/component/key_desk.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

key_desk_t desk;

int desk_open(void **state)
{
    err_t err = {0};
    (void)state;
    if (sodium_init() < 0)
        return -1;
    desk.scratch = scratch_make();
    scratch_write(&desk.scratch, "hash.key",
                  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600);
    (void)snprintf(desk.hash_file, sizeof desk.hash_file, "%s",
                   scratch_file(&desk.scratch, "hash.key"));
    return keys_open(desk.scratch.path, desk.hash_file, &desk.keys, &err) == STATUS_OK ? 0 : -1;
}

int desk_close(void **state)
{
    (void)state;
    keys_close(&desk.keys);
    scratch_remove(&desk.scratch);
    return 0;
}

api_key_t desk_wanted(const char *organization)
{
    api_key_t key = {.scope = SCOPE_READ, .rate_limit = 7};
    (void)snprintf(key.organization, sizeof key.organization, "%s", organization);
    (void)snprintf(key.label, sizeof key.label, "label");
    return key;
}

api_key_t desk_make(keys_t *store, const api_key_t *key, char secret[KEY_SIZE])
{
    err_t err = {0};
    api_key_t made;
    if (keys_create(store, key, secret, &made, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return made;
}

status_t desk_find(key_cache_t *cache, const char *secret)
{
    api_key_t found;
    return key_cache_find(cache, secret, strlen(secret), &found);
}

key_cache_t *desk_cache(void)
{
    err_t err = {0};
    key_cache_t *cache = NULL;
    assert_int_equal(key_cache_new(desk.keys, &cache, &err), STATUS_OK);
    desk.keys = NULL; /* taken over */
    return cache;
}

keys_t *desk_another(void)
{
    err_t err = {0};
    keys_t *other = NULL;
    if (keys_open(desk.scratch.path, desk.hash_file, &other, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return other;
}
