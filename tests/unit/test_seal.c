#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/seal.h"
#include "tests/support/scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_1 "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_2 "2:ffeeddccbbaa99887766554433221100FFEEDDCCBBAA99887766554433221100\n"

enum { VALUE_SIZE = 5 };
static const uint8_t value[VALUE_SIZE] = {'v', 'a', 'l', 'u', 'e'};
static const seal_place_t place = {"trunk-auth", "row", "realm", "MD5", 1};

static int set_up(void **state)
{
    scratch_t *scratch = malloc(sizeof(*scratch));
    *scratch = scratch_make();
    *state = scratch;
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(*state);
    free(*state);
    return 0;
}

static seal_t *keys_of(const scratch_t *scratch, const char *content)
{
    scratch_write(scratch, "seal.key", content, 0600);
    seal_t *seal = NULL;
    err_t err = {0};
    if (seal_open_keys(scratch_file(scratch, "seal.key"), &seal, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return seal;
}

static void a_sealed_value_comes_back(void **state)
{
    AUTO(seal_close) seal_t *seal = keys_of(*state, KEY_1);
    uint8_t sealed[VALUE_SIZE + SEAL_OVERHEAD];
    uint8_t again[VALUE_SIZE + SEAL_OVERHEAD];
    seal_close_value(seal, &place, value, VALUE_SIZE, sealed);
    seal_close_value(seal, &place, value, VALUE_SIZE, again);
    assert_memory_equal(sealed, "\0\0\0\1", 4);
    assert_memory_not_equal(sealed + 4, again + 4, 24); /* a nonce serves once */
    uint8_t opened[VALUE_SIZE];
    assert_int_equal(seal_open_value(seal, &place, sealed, sizeof(sealed), opened), STATUS_OK);
    assert_memory_equal(opened, value, VALUE_SIZE);
}

static void an_empty_value_can_be_sealed(void **state)
{
    AUTO(seal_close) seal_t *seal = keys_of(*state, KEY_1);
    uint8_t sealed[SEAL_OVERHEAD];
    uint8_t opened[1] = {77};
    seal_close_value(seal, &place, value, 0, sealed);
    assert_int_equal(seal_open_value(seal, &place, sealed, sizeof(sealed), opened), STATUS_OK);
    assert_int_equal(opened[0], 77);
}

static void a_value_opens_only_in_its_place(void **state)
{
    AUTO(seal_close) seal_t *seal = keys_of(*state, KEY_1);
    uint8_t sealed[VALUE_SIZE + SEAL_OVERHEAD];
    seal_close_value(seal, &place, value, VALUE_SIZE, sealed);
    static const seal_place_t others[] = {
        {"trunk-autH", "row", "realm", "MD5", 1}, {"trunk-auth", "roW", "realm", "MD5", 1},
        {"trunk-auth", "row", "realM", "MD5", 1}, {"trunk-auth", "row", "realm", "MD", 1},
        {"trunk-auth", "row", "realm", "MD5", 2}, {"trunk-auth", "rowr", "ealm", "MD5", 1},
        {"trunk-auth", "row", "realmMD5", "", 1},
    };
    uint8_t opened[VALUE_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(seal_open_value(seal, &others[i], sealed, sizeof(sealed), opened),
                         STATUS_CORRUPT);
}

static void every_damaged_byte_is_seen(void **state)
{
    AUTO(seal_close) seal_t *seal = keys_of(*state, KEY_1);
    uint8_t sealed[VALUE_SIZE + SEAL_OVERHEAD];
    seal_close_value(seal, &place, value, VALUE_SIZE, sealed);
    uint8_t opened[VALUE_SIZE];
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 0x10;
        assert_int_equal(seal_open_value(seal, &place, sealed, sizeof(sealed), opened),
                         i < 4 ? STATUS_UNKNOWN : STATUS_CORRUPT);
        sealed[i] ^= 0x10;
    }
    for (size_t length = 0; length < sizeof(sealed); length++)
        assert_int_equal(seal_open_value(seal, &place, sealed, length, opened), STATUS_CORRUPT);
    assert_int_equal(seal_open_value(seal, &place, sealed, sizeof(sealed), opened), STATUS_OK);
}

static void keys_can_be_rotated(void **state)
{
    AUTO(seal_close) seal_t *old = keys_of(*state, KEY_1);
    uint8_t sealed[VALUE_SIZE + SEAL_OVERHEAD];
    uint8_t opened[VALUE_SIZE];
    seal_close_value(old, &place, value, VALUE_SIZE, sealed);
    AUTO(seal_close) seal_t *both = keys_of(*state, "# new first\n\n" KEY_2 KEY_1);
    assert_int_equal(seal_open_value(both, &place, sealed, sizeof(sealed), opened), STATUS_OK);
    seal_close_value(both, &place, value, VALUE_SIZE, sealed);
    assert_memory_equal(sealed, "\0\0\0\2", 4);
    assert_int_equal(seal_open_value(old, &place, sealed, sizeof(sealed), opened), STATUS_UNKNOWN);
    /* The id alone does not open: it is part of what is authenticated, and the key differs. */
    sealed[3] = 1;
    assert_int_equal(seal_open_value(both, &place, sealed, sizeof(sealed), opened), STATUS_CORRUPT);
}

static void derived_keys_differ_by_purpose_and_key(void **state)
{
    AUTO(seal_close) seal_t *seal = keys_of(*state, KEY_2 KEY_1);
    uint8_t a[32];
    uint8_t b[32];
    uint32_t id = 0;
    seal_derive(seal, "purpose1", a, &id);
    assert_int_equal(id, 2);
    assert_int_equal(seal_derive_for(seal, 2, "purpose1", b), STATUS_OK);
    assert_memory_equal(a, b, 32);
    assert_int_equal(seal_derive_for(seal, 2, "purpose2", b), STATUS_OK);
    assert_memory_not_equal(a, b, 32);
    assert_int_equal(seal_derive_for(seal, 1, "purpose1", b), STATUS_OK);
    assert_memory_not_equal(a, b, 32);
    assert_int_equal(seal_derive_for(seal, 3, "purpose1", b), STATUS_UNKNOWN);
}

static void refused(const scratch_t *scratch, const char *content, const char *why)
{
    scratch_write(scratch, "seal.key", content, 0600);
    seal_t *seal = NULL;
    err_t err = {0};
    assert_int_equal(seal_open_keys(scratch_file(scratch, "seal.key"), &seal, &err),
                     STATUS_INVALID);
    assert_null(seal);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    assert_null(strstr(err.text, "0001020304"));
    assert_null(strstr(err.where, "0001020304"));
}

static void bad_files_are_refused(void **state)
{
    refused(*state, "", "holds no key");
    refused(*state, "# nothing\n \t\n\n", "holds no key");
    refused(*state, KEY_1 "nonsense\n", "line 2");
    refused(*state, "# a comment\n" KEY_1 "\n3:00\n", "line 4");
    refused(*state, "x" KEY_1, "line 1");
    refused(*state, " " KEY_1, "line 1");
    refused(*state,
            "0" KEY_2 "0:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
            "line 2");
    refused(*state, "4294967296" KEY_1, "line 1");
    refused(*state, ":000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
            "line 1");
    refused(*state, "1:g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
            "64 hexadecimal");
    refused(*state, "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0\n",
            "64 hexadecimal");
    refused(*state, "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\r\n",
            "64 hexadecimal");
    refused(*state, KEY_1 KEY_2 KEY_1, "line 3");
}

static void the_number_of_keys_is_bounded(void **state)
{
    char content[SEAL_KEYS_MAX * 80 + 80] = "";
    size_t used = 0;
    for (int i = 1; i <= SEAL_KEYS_MAX + 1; i++)
        used += (size_t)snprintf(content + used, sizeof(content) - used, "%d:%064d\n", i, i);
    refused(*state, content, "too many");
    *strstr(content, "17:") = '\0';
    AUTO(seal_close) seal_t *seal = keys_of(*state, content);
    uint8_t key[32];
    assert_int_equal(seal_derive_for(seal, SEAL_KEYS_MAX, "purpose1", key), STATUS_OK);
}

static void permissions_matter(void **state)
{
    const scratch_t *scratch = *state;
    seal_t *seal = NULL;
    err_t err = {0};
    const char *path = scratch_file(scratch, "seal.key");
    assert_int_equal(seal_open_keys(path, &seal, &err), STATUS_UNKNOWN);
    scratch_write(scratch, "seal.key", KEY_1, 0644);
    assert_int_equal(seal_open_keys(path, &seal, &err), STATUS_REFUSED);
    assert_null(seal);
}

static bool refreshed(seal_t *seal)
{
    bool changed = false;
    err_t err = {0};
    if (seal_refresh(seal, &changed, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return changed;
}

static void a_changed_file_counts_when_it_is_read_twice(void **state)
{
    const scratch_t *scratch = *state;
    AUTO(seal_close) seal_t *seal = keys_of(scratch, KEY_1);
    assert_false(refreshed(seal));
    scratch_write(scratch, "seal.key", KEY_2, 0600); /* half of it */
    assert_false(refreshed(seal));
    scratch_write(scratch, "seal.key", KEY_2 KEY_1, 0600);
    assert_false(refreshed(seal));
    assert_int_equal(seal_front(seal), 1);
    assert_true(refreshed(seal));
    assert_int_equal(seal_front(seal), 2);
    assert_false(refreshed(seal));
}

static void a_bad_file_leaves_the_keys(void **state)
{
    const scratch_t *scratch = *state;
    AUTO(seal_close) seal_t *seal = keys_of(scratch, KEY_1);
    scratch_write(scratch, "seal.key", KEY_2, 0600);
    assert_false(refreshed(seal));
    for (int i = 0; i < 2; i++) {
        bool changed = false;
        err_t err = {0};
        scratch_write(scratch, "seal.key", "2:0\n", 0600);
        assert_int_equal(seal_refresh(seal, &changed, &err), STATUS_INVALID);
        assert_false(changed);
        assert_int_equal(seal_front(seal), 1);
    }
    scratch_write(scratch, "seal.key", KEY_2, 0600);
    assert_false(refreshed(seal)); /* what was read before the bad one does not count */
    assert_true(refreshed(seal));
}

static void marks_tell_keys_and_their_order(void **state)
{
    static const char *const files[] = {KEY_1, KEY_2, KEY_1 KEY_2, KEY_2 KEY_1};
    uint32_t marks[4];
    for (size_t i = 0; i < 4; i++) {
        AUTO(seal_close) seal_t *seal = keys_of(*state, files[i]);
        AUTO(seal_close) seal_t *again = keys_of(*state, files[i]);
        marks[i] = seal_mark(seal);
        assert_int_equal(marks[i], seal_mark(again));
        assert_true(marks[i] < UINT32_C(1) << 30);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(marks[i], marks[j]);
    }
}

enum { SEALERS = 3, CHANGES = 20 };

static atomic_bool ends;

static void *seal_on(void *context)
{
    const seal_t *seal = context;
    uint8_t sealed[VALUE_SIZE + SEAL_OVERHEAD];
    uint8_t opened[VALUE_SIZE];
    intptr_t wrong = 0;
    while (!atomic_load(&ends)) {
        seal_close_value(seal, &place, value, VALUE_SIZE, sealed);
        wrong += seal_open_value(seal, &place, sealed, sizeof(sealed), opened) != STATUS_OK;
    }
    return (void *)wrong; // NOLINT(performance-no-int-to-ptr)
}

static void threads_seal_while_keys_change(void **state)
{
    const scratch_t *scratch = *state;
    AUTO(seal_close) seal_t *seal = keys_of(scratch, KEY_1 KEY_2);
    pthread_t threads[SEALERS];
    atomic_store(&ends, false);
    for (size_t i = 0; i < SEALERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, seal_on, seal), 0);
    for (int i = 0; i < CHANGES; i++) {
        scratch_write(scratch, "seal.key", i % 2 == 0 ? KEY_2 KEY_1 : KEY_1 KEY_2, 0600);
        assert_false(refreshed(seal));
        assert_true(refreshed(seal));
    }
    atomic_store(&ends, true);
    for (size_t i = 0; i < SEALERS; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_sealed_value_comes_back),
        WITH_FILE(an_empty_value_can_be_sealed),
        WITH_FILE(a_value_opens_only_in_its_place),
        WITH_FILE(every_damaged_byte_is_seen),
        WITH_FILE(keys_can_be_rotated),
        WITH_FILE(derived_keys_differ_by_purpose_and_key),
        WITH_FILE(bad_files_are_refused),
        WITH_FILE(the_number_of_keys_is_bounded),
        WITH_FILE(permissions_matter),
        WITH_FILE(a_changed_file_counts_when_it_is_read_twice),
        WITH_FILE(a_bad_file_leaves_the_keys),
        WITH_FILE(marks_tell_keys_and_their_order),
        WITH_FILE(threads_seal_while_keys_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
