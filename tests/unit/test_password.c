#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/password.h"

#include <string.h>

static void costs_are_read(void **state)
{
    (void)state;
    password_cost_t cost = {0};
    err_t err = {0};
    assert_int_equal(password_cost_parse("interactive", &cost, &err), STATUS_OK);
    assert_true(cost.passes == 2 && cost.memory_bytes == 64UL << 20);
    assert_int_equal(password_cost_parse("moderate", &cost, &err), STATUS_OK);
    assert_true(cost.passes == 3 && cost.memory_bytes == 256UL << 20);
    assert_int_equal(password_cost_parse("2:19", &cost, &err), STATUS_OK);
    assert_true(cost.passes == 2 && cost.memory_bytes == 19UL << 20);
}

static void low_and_malformed_costs_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",      "weak",  "1:19",  "2:18",  "2",    ":64", "2:",     "2:64:",
        "+2:64", " 2:64", "2:64 ", "65:64", "2:-1", "0:0", "2:4097", "2:99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        password_cost_t cost = {7, 7};
        err_t err = {0};
        assert_int_equal(password_cost_parse(wrong[i], &cost, &err), STATUS_INVALID);
        assert_true(cost.passes == 7 && cost.memory_bytes == 7);
        assert_string_equal(err.where, "LK_PWHASH");
    }
}

static void a_hash_knows_its_password_and_cost(void **state)
{
    (void)state;
    password_cost_t cost = {2, 19UL << 20};
    password_cost_t dearer = {3, 19UL << 20};
    char hash[PASSWORD_HASH_SIZE];
    err_t err = {0};
    assert_int_equal(password_hash(&cost, "s3cret\0x", 8, hash, &err), STATUS_OK);
    assert_true(strncmp(hash, "$argon2id$", 10) == 0);
    assert_null(strstr(hash, "s3cret"));
    assert_true(password_matches(hash, "s3cret\0x", 8));
    assert_false(password_matches(hash, "s3cret", 6));
    assert_false(password_matches("", "s3cret", 6));
    assert_false(password_is_outdated(&cost, hash));
    assert_true(password_is_outdated(&dearer, hash));
    assert_true(password_is_outdated(&cost, "no hash"));
}

static void a_stand_in_costs_as_much(void **state)
{
    (void)state;
    password_cost_t cost = {2, 19UL << 20};
    char hash[PASSWORD_HASH_SIZE];
    password_stand_in(&cost, hash);
    assert_false(password_is_outdated(&cost, hash)); /* it can be read, and is of that cost */
    assert_false(password_matches(hash, "", 0));
    cost = (password_cost_t){64, 4096UL << 20};
    password_stand_in(&cost, hash);
    assert_false(password_is_outdated(&cost, hash));
}

static void memory_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    password_cost_t cost = {2, (size_t)1 << 60};
    char hash[PASSWORD_HASH_SIZE] = "untouched";
    err_t err = {0};
    assert_int_equal(password_hash(&cost, "x", 1, hash, &err), STATUS_SYSTEM);
    assert_string_equal(hash, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_read),
        cmocka_unit_test(low_and_malformed_costs_are_refused),
        cmocka_unit_test(a_hash_knows_its_password_and_cost),
        cmocka_unit_test(a_stand_in_costs_as_much),
        cmocka_unit_test(memory_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
