#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"

#include <string.h>

/* The corners of Unicode's table 3-7, and what lies just outside of each. */
static void utf8_is_counted_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        long expected;
    } rows[] = {
        {"", 0, 0},
        {"\0", 1, 1},
        {"\x7f", 1, 1},
        {"\x80", 1, -1},
        {"\xc0\x80", 2, -1}, /* overlong NUL */
        {"\xc1\xbf", 2, -1},
        {"\xc2\x80", 2, 1},
        {"\xdf\xbf", 2, 1},
        {"\xc2", 1, -1},
        {"\xc2\x41", 2, -1},
        {"\xc2\xc0", 2, -1},
        {"\xe0\x9f\xbf", 3, -1}, /* overlong U+07FF */
        {"\xe0\xa0\x80", 3, 1},
        {"\xe0\xa0", 2, -1},
        {"\xe1\x80\x7f", 3, -1},
        {"\xed\x9f\xbf", 3, 1},
        {"\xed\xa0\x80", 3, -1}, /* first surrogate */
        {"\xed\xbf\xbf", 3, -1}, /* last surrogate */
        {"\xee\x80\x80", 3, 1},
        {"\xef\xbf\xbf", 3, 1},
        {"\xf0\x8f\xbf\xbf", 4, -1}, /* overlong U+FFFF */
        {"\xf0\x90\x80\x80", 4, 1},
        {"\xf0\x90\x80", 3, -1},
        {"\xf4\x8f\xbf\xbf", 4, 1},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", 4, -1}, /* U+110000 */
        {"\xf5\x80\x80\x80", 4, -1},
        {"\xff", 1, -1},
        {"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82", 10, 4},
        {"good\xc3", 5, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(text_utf8_length(rows[i].bytes, rows[i].length), rows[i].expected);
}

/* Every code point, encoded here by shifting bits, against the table in text.c. */
static void every_code_point_is_one(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x110000; code++) {
        char bytes[4];
        size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = 0; i < size; i++) {
            uint32_t bits = code >> (6 * (size - 1 - i));
            bytes[i] = (char)(i == 0 ? (lead[size] | bits) : (0x80U | (bits & 0x3fU)));
        }
        long expected = (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff ? -1 : 1;
        if (text_utf8_length(bytes, size) != expected)
            fail_msg("U+%04X", (unsigned)code);
    }
}

static void a_copy_fits_or_leaves_alone(void **state)
{
    (void)state;
    char out[4] = "old";
    assert_int_equal(text_copy(out, sizeof(out), "four", 4), STATUS_TOO_LARGE);
    assert_string_equal(out, "old");
    assert_int_equal(text_copy(out, sizeof(out), "two", 3), STATUS_OK);
    assert_string_equal(out, "two");
    assert_int_equal(text_copy(out, sizeof(out), NULL, 0), STATUS_OK);
    assert_string_equal(out, "");
    assert_int_equal(text_copy(out, 0, "", 0), STATUS_TOO_LARGE);
}

static void a_cut_keeps_whole_code_points(void **state)
{
    (void)state;
    char out[4];
    text_cut(out, sizeof(out), "abcdef");
    assert_string_equal(out, "abc");
    text_cut(out, sizeof(out), "ab");
    assert_string_equal(out, "ab");
    text_cut(out, sizeof(out), "ab\xc3\xa4");
    assert_string_equal(out, "ab");
    text_cut(out, sizeof(out), "a\xc3\xa4");
    assert_string_equal(out, "a\xc3\xa4");
    text_cut(out, sizeof(out), "\xf0\x9f\x99\x82");
    assert_string_equal(out, "");
}

static void a_format_reports_truncation(void **state)
{
    (void)state;
    char out[4];
    assert_int_equal(text_format(out, sizeof(out), "%d", 123), STATUS_OK);
    assert_string_equal(out, "123");
    assert_int_equal(text_format(out, sizeof(out), "%d", 1234), STATUS_TOO_LARGE);
    assert_string_equal(out, "");
    assert_int_equal(text_format(out, 0, "%d", 1), STATUS_TOO_LARGE);
}

static void only_ascii_letters_fold(void **state)
{
    (void)state;
    char text[] = "@AZ[`az{\xc3\x84";
    text_fold(text, text, sizeof(text) - 1);
    assert_string_equal(text, "@az[`az{\xc3\x84");
}

static void hexadecimal_goes_both_ways(void **state)
{
    (void)state;
    uint8_t bytes[256], back[256];
    char hex[513];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    text_hex(hex, bytes, sizeof(bytes));
    assert_int_equal(strlen(hex), 512);
    assert_int_equal(text_unhex(back, sizeof(back), hex, 512), STATUS_OK);
    assert_memory_equal(bytes, back, sizeof(bytes));
    uint8_t two[2] = {1, 2};
    assert_int_equal(text_unhex(two, 2, "aBF", 3), STATUS_INVALID);
    assert_int_equal(text_unhex(two, 2, "aBF/", 4), STATUS_INVALID);
    assert_int_equal(text_unhex(two, 2, "aBG0", 4), STATUS_INVALID);
    assert_int_equal(two[0], 1);
    assert_int_equal(text_unhex(two, 2, "aBFf", 4), STATUS_OK);
    assert_int_equal(two[1], 0xff);
}

static void numbers_keep_their_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        status_t status;
        uint64_t value;
    } rows[] = {
        {"0", 0, STATUS_OK, 0},
        {"1", 0, STATUS_TOO_LARGE, 0},
        {"007", 7, STATUS_OK, 7},
        {"10", 9, STATUS_TOO_LARGE, 0},
        {"255", 255, STATUS_OK, 255},
        {"256", 255, STATUS_TOO_LARGE, 0},
        {"9", 5, STATUS_TOO_LARGE, 0},
        {"18446744073709551615", UINT64_MAX, STATUS_OK, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, STATUS_TOO_LARGE, 0},
        {"99999999999999999999999", UINT64_MAX, STATUS_TOO_LARGE, 0},
        {"", 9, STATUS_INVALID, 0},
        {"+1", 9, STATUS_INVALID, 0},
        {"-1", 9, STATUS_INVALID, 0},
        {" 1", 9, STATUS_INVALID, 0},
        {"1 ", 9, STATUS_INVALID, 0},
        {"0x1", 9, STATUS_INVALID, 0},
        {"1.0", 9, STATUS_INVALID, 0},
        {"99x", 9, STATUS_INVALID, 0}, /* no number at all, so not too large either */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t value = 42;
        status_t status = text_number(rows[i].text, strlen(rows[i].text), rows[i].max, &value);
        assert_int_equal(status, rows[i].status);
        assert_true(value == (status == STATUS_OK ? rows[i].value : 42));
    }
}

static void percent_escapes_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool plus;
        status_t status;
        const char *decoded;
    } rows[] = {
        {"", false, STATUS_OK, ""},
        {"a%20b", false, STATUS_OK, "a b"},
        {"a+b", true, STATUS_OK, "a b"},
        {"a+b", false, STATUS_OK, "a+b"},
        {"%2B", true, STATUS_OK, "+"},
        {"%2f%2F", false, STATUS_OK, "//"},
        {"%c3%A4", false, STATUS_OK, "\xc3\xa4"},
        {"%", false, STATUS_INVALID, NULL},
        {"%4", false, STATUS_INVALID, NULL},
        {"%4g", false, STATUS_INVALID, NULL},
        {"%+1", false, STATUS_INVALID, NULL},
        {"%00", false, STATUS_INVALID, NULL},
        {"a%00b", false, STATUS_INVALID, NULL},
        {"%ff", false, STATUS_INVALID, NULL},
        {"%ed%a0%80", false, STATUS_INVALID, NULL},
        {"%2541", false, STATUS_OK, "%41"}, /* once, not twice */
        {"1234567", false, STATUS_OK, "1234567"},
        {"12345678", false, STATUS_TOO_LARGE, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[8];
        status_t status =
            text_percent_decode(out, sizeof(out), rows[i].text, strlen(rows[i].text), rows[i].plus);
        assert_int_equal(status, rows[i].status);
        if (status == STATUS_OK)
            assert_string_equal(out, rows[i].decoded);
    }
    char out[8];
    assert_int_equal(text_percent_decode(out, sizeof(out), "a\0b", 3, false), STATUS_INVALID);
}

static void a_nul_is_found(void **state)
{
    (void)state;
    assert_true(text_has_nul("a\0b", 3));
    assert_true(text_has_nul("a", 2));
    assert_false(text_has_nul("a", 1));
    assert_false(text_has_nul("", 0));
    assert_false(text_has_nul(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_counted_or_refused),
        cmocka_unit_test(every_code_point_is_one),
        cmocka_unit_test(a_copy_fits_or_leaves_alone),
        cmocka_unit_test(a_cut_keeps_whole_code_points),
        cmocka_unit_test(a_format_reports_truncation),
        cmocka_unit_test(a_nul_is_found),
        cmocka_unit_test(only_ascii_letters_fold),
        cmocka_unit_test(hexadecimal_goes_both_ways),
        cmocka_unit_test(numbers_keep_their_bounds),
        cmocka_unit_test(percent_escapes_are_decoded),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
