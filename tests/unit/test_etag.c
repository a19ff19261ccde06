/* Entity tags: what is the same has the same, and If-None-Match names it in all its forms. */
#include "gateway/etag.h"

#include "common/compiler.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void the_same_bytes_have_the_same_tag(void **state)
{
    (void)state;
    char one[ETAG_SIZE], two[ETAG_SIZE];
    etag_make("list", 4, one);
    etag_make("list", 4, two);
    assert_string_equal(one, two);
    assert_int_equal(strlen(one), ETAG_SIZE - 1);
    assert_true(one[0] == '"' && strspn(one + 1, "0123456789abcdef") == 32);
    etag_make("lisp", 4, two);
    assert_string_not_equal(one, two);
    etag_make(NULL, 0, one);
    etag_make("", 0, two);
    assert_string_equal(one, two);
}

static void if_none_match_names_it(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool named;
    } rows[] = {
        {"\"abc\"", true},
        {" \t\"abc\" ", true},
        {"W/\"abc\"", true},
        {"\"x\", \"abc\"", true},
        {"\"x\",\"y\",W/\"abc\"", true},
        {",, \"a,b\" ,\"abc\",", true},
        {"\"abc\" , broken", true},
        {"*", true},
        {" * ", true},
        {"", false},
        {",", false},
        {"\"ABC\"", false},
        {"\"ab\"", false},
        {"\"abcd\"", false},
        {"\"\"", false},
        {"abc", false},
        {"\"abc", false},
        {"\"abc\"x", false},
        {"w/\"abc\"", false},
        {"W/ \"abc\"", false},
        {"broken, \"abc\"", false},
        {"\"x\" \"abc\"", false},
        {"*, \"abc\"", false},
        {"\"x, \"abc\"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (etag_is_named("\"abc\"", rows[i].value) != rows[i].named)
            fail_msg("%s", rows[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_have_the_same_tag),
        cmocka_unit_test(if_none_match_names_it),
    };
    return cmocka_run_group_tests_name("etag", tests, NULL, NULL);
}
