/* Nonces of ours: known again by who has the key, and by nobody else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/sip/nonce.h"
#include "tests/support/scratch.h"

#include <stdlib.h>
#include <string.h>

#define KEY_1 "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_2 "2:ffeeddccbbaa99887766554433221100FFEEDDCCBBAA99887766554433221100\n"
#define NOW   INT64_C(1750000000123)

static seal_t *keys_of(const scratch_t *scratch, const char *content)
{
    scratch_write(scratch, "seal.key", content, 0600);
    seal_t *seal = NULL;
    err_t err = {0};
    if (seal_open_keys(scratch_file(scratch, "seal.key"), &seal, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return seal;
}

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

static void every_replica_knows_it_again(void **state)
{
    AUTO(seal_close) seal_t *seal = keys_of(*state, KEY_1);
    AUTO(seal_close) seal_t *replica = keys_of(*state, KEY_1);
    char nonce[NONCE_TEXT_SIZE], other[NONCE_TEXT_SIZE];
    int64_t made = 0;
    nonce_make(seal, "trunk-auth", NOW, nonce);
    nonce_make(seal, "trunk-auth", NOW, other);
    assert_int_equal(strlen(nonce), NONCE_TEXT_SIZE - 1);
    assert_string_not_equal(nonce, other);
    for (const char *at = nonce; *at != '\0'; at++)
        assert_true(*at > ' ' && *at < 0x7f && *at != '"' && *at != '\\');
    assert_int_equal(nonce_read(replica, "trunk-auth", nonce, &made), NONCE_OURS);
    assert_int_equal(made, NOW);
}

static void an_older_key_still_knows_its_own(void **state)
{
    AUTO(seal_close) seal_t *before = keys_of(*state, KEY_1);
    AUTO(seal_close) seal_t *after = keys_of(*state, KEY_2 KEY_1);
    AUTO(seal_close) seal_t *gone = keys_of(*state, KEY_2);
    char nonce[NONCE_TEXT_SIZE];
    int64_t made = 0;
    nonce_make(before, "s", NOW, nonce);
    assert_int_equal(nonce_read(after, "s", nonce, &made), NONCE_OURS);
    nonce_make(after, "s", NOW, nonce);
    assert_int_equal(nonce_read(gone, "s", nonce, &made), NONCE_OURS);
    assert_int_equal(nonce_read(before, "s", nonce, &made), NONCE_FORGED);
}

/* What looks like ours is never taken for another's, whose age begins when it is first seen. */
static void nothing_else_is_ours(void **state)
{
    AUTO(seal_close) seal_t *seal = keys_of(*state, KEY_1);
    char nonce[NONCE_TEXT_SIZE];
    int64_t made = 7;
    nonce_make(seal, "s", NOW, nonce);
    assert_int_equal(nonce_read(seal, "other", nonce, &made), NONCE_FORGED);
    assert_int_equal(nonce_read(NULL, "s", nonce, &made), NONCE_FORGED);
    for (size_t i = 3; i < NONCE_TEXT_SIZE - 1; i++) {
        char altered[NONCE_TEXT_SIZE + 1];
        memcpy(altered, nonce, sizeof(nonce));
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        assert_int_equal(nonce_read(seal, "s", altered, &made), NONCE_FORGED);
        memcpy(altered, nonce, sizeof(nonce));
        altered[i] = '\0';
        assert_int_equal(nonce_read(seal, "s", altered, &made), NONCE_FORGED);
    }
    char longer[NONCE_TEXT_SIZE + 4];
    memcpy(longer, nonce, sizeof(nonce));
    memcpy(longer + NONCE_TEXT_SIZE - 1, "AAAA", 5);
    assert_int_equal(nonce_read(seal, "s", longer, &made), NONCE_FORGED);
    assert_int_equal(nonce_read(seal, "s", "", &made), NONCE_FOREIGN);
    assert_int_equal(nonce_read(seal, "s", "lk", &made), NONCE_FOREIGN);
    assert_int_equal(nonce_read(seal, "s", "ZlgKCmZYCQoVs5oMnMqt6g==", &made), NONCE_FOREIGN);
    assert_int_equal(made, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_replica_knows_it_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_key_still_knows_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_else_is_ours, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
