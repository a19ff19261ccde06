/* Every operation on API keys with the Nth SQLite call failing: what was acknowledged is there,
 * what failed is not, nothing leaks, and the store serves on. */
#include "gateway/keys.h"

#include "common/mem.h"
#include "tests/support/scratch.h"
#include "tests/support/sqlite_fault.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    scratch_t scratch;
    char hash_file[128];
    keys_t *keys;
    key_cache_t *cache;
    char secret[KEY_SIZE];
    api_key_t made;
    int met, made_count;
} fixture_t;

static fixture_t fixture;

static int set_up(void **state)
{
    fixture_t *f = &fixture;
    err_t err;
    *state = f;
    memset(f, 0, sizeof *f);
    if (sodium_init() < 0)
        return -1;
    f->scratch = scratch_make();
    scratch_write(&f->scratch, "hash.key",
                  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600);
    (void)snprintf(f->hash_file, sizeof f->hash_file, "%s", scratch_file(&f->scratch, "hash.key"));
    return keys_open(f->scratch.path, f->hash_file, &f->keys, &err) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    keys_close(&f->keys);
    key_cache_destroy(&f->cache);
    scratch_remove(&f->scratch);
    return 0;
}

static status_t open_keys(void *context)
{
    fixture_t *f = context;
    err_t err;
    keys_close(&f->keys);
    return keys_open(f->scratch.path, f->hash_file, &f->keys, &err);
}

static void is_not_open(void *context, int code, status_t status)
{
    fixture_t *f = context;
    (void)code;
    assert_int_not_equal(status, STATUS_OK);
    assert_null(f->keys);
    f->met++;
}

static void opening(void **state)
{
    fixture_t *f = *state;
    sqlite_fault_each(open_keys, is_not_open, f);
    assert_true(f->met > 0);
    assert_non_null(f->keys);
}

static status_t create(void *context)
{
    fixture_t *f = context;
    api_key_t wanted = {.scope = SCOPE_READ};
    err_t err;
    (void)snprintf(wanted.organization, sizeof wanted.organization, "o%d", f->met);
    (void)snprintf(f->secret, sizeof f->secret, "untouched");
    status_t status = keys_create(f->keys, &wanted, f->secret, &f->made, &err);
    f->made_count += status == STATUS_OK;
    return status;
}

static void count_keys(fixture_t *f)
{
    api_key_t *list = NULL;
    size_t count = 0;
    err_t err;
    assert_int_equal(keys_list(f->keys, &list, &count, &err), STATUS_OK);
    assert_int_equal(count, f->made_count);
    mem_free(list);
}

static void acknowledged_is_there(void *context, int code, status_t status)
{
    fixture_t *f = context;
    (void)code;
    if (status != STATUS_OK)
        assert_string_equal(f->secret, "untouched");
    count_keys(f);
    f->met++;
}

static void creating(void **state)
{
    fixture_t *f = *state;
    sqlite_fault_each(create, acknowledged_is_there, f);
    assert_true(f->met > 0 && f->made_count > 0);
    count_keys(f);
}

static status_t revoke(void *context)
{
    fixture_t *f = context;
    err_t err;
    return keys_revoke(f->keys, f->made.id, &err);
}

static void is_not_revoked(void *context, int code, status_t status)
{
    fixture_t *f = context;
    api_key_t *list = NULL;
    size_t count = 0;
    err_t err;
    (void)code;
    assert_int_equal(keys_list(f->keys, &list, &count, &err), STATUS_OK);
    assert_int_equal(count, 1);
    if (status == STATUS_OK)
        assert_true(list[0].revoked_at != 0);
    f->met++;
    mem_free(list);
}

static void revoking(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(create(f), STATUS_OK);
    sqlite_fault_each(revoke, is_not_revoked, f);
    assert_true(f->met > 0);
}

/* Each run finds a change: another connection has made a key. */
static status_t refresh(void *context)
{
    fixture_t *f = context;
    err_t err;
    return key_cache_refresh(f->cache, &err);
}

static void old_copy_serves(void *context, int code, status_t status)
{
    fixture_t *f = context;
    api_key_t found;
    (void)code;
    assert_int_not_equal(status, STATUS_OK);
    assert_int_equal(key_cache_find(f->cache, f->secret, KEY_SIZE - 1, &found), STATUS_OK);
    f->met++;
}

static void refreshing(void **state)
{
    fixture_t *f = *state;
    err_t err;
    api_key_t found, wanted = {.scope = SCOPE_READ, .organization = "later"};
    char later[KEY_SIZE];
    assert_int_equal(create(f), STATUS_OK);
    assert_int_equal(key_cache_new(f->keys, &f->cache, &err), STATUS_OK);
    f->keys = NULL;
    assert_int_equal(keys_open(f->scratch.path, f->hash_file, &f->keys, &err), STATUS_OK);
    assert_int_equal(keys_create(f->keys, &wanted, later, &f->made, &err), STATUS_OK);
    sqlite_fault_each(refresh, old_copy_serves, f);
    assert_true(f->met > 0);
    assert_int_equal(key_cache_find(f->cache, later, KEY_SIZE - 1, &found), STATUS_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(creating, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revoking, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refreshing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
