/* A key store in a directory of its own, for tests. */
#ifndef LK_TESTS_COMPONENT_KEY_DESK_H
#define LK_TESTS_COMPONENT_KEY_DESK_H

#include "gateway/keys.h"
#include "tests/support/scratch.h"

typedef struct {
    scratch_t scratch;
    char hash_file[128];
    keys_t *keys; /* NULL once a cache has taken it over */
} key_desk_t;

extern key_desk_t desk;

/* cmocka's set-up and tear-down. */
int desk_open(void **state);
int desk_close(void **state);

/* A key to ask for: scope read, seven requests a second. */
api_key_t desk_wanted(const char *organization);
/* Makes it, or fails the test. */
api_key_t desk_make(keys_t *store, const api_key_t *key, char secret[KEY_SIZE]);
status_t desk_find(key_cache_t *cache, const char *secret);
key_cache_t *desk_cache(void);
/* The same store, opened a second time. */
keys_t *desk_another(void);

#endif
