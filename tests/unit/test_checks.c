/* Checks of URLs and fingerprints; the rest of proto/checks is looked at in test_schema.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/checks.h"
#include "proto/fingerprint.h"

#include <stdbool.h>
#include <string.h>

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"http://example.com", true},
        {"HTTPS://Example.com/", true},
        {"https://example.com:8443/metadata?x=1&y=%20#z", true},
        {"https://user:secret@example.com/", false},
        {"https://a@b@example.com/", false},
        {"https://192.0.2.1/x", true},
        {"https://[2001:db8::1]/x", true},
        {"https://[2001:db8::1]:8443/x", true},
        {"https://localhost?x", true},
        {"https://example.com/a@b:c", true},
        {"http://a_b.example.com/", true},
        {"http://example.com./", true},
        {"http://./", false},
        {"http://example.com../", false},
        {"https://example.com/\xc3\xbc", false},
        {"https://b\xc3\xbc"
         "cher.example/",
         false},
        {"", false},
        {"example.com", false},
        {"/metadata", false},
        {"//example.com/", false},
        {"http:/example.com", false},
        {"http://", false},
        {"http:///x", false},
        {"http://?x", false},
        {"http://user@/x", false},
        {"ftp://example.com/", false},
        {"httpx://example.com/", false},
        {"file:///etc/passwd", false},
        {"javascript:alert(1)", false},
        {" http://example.com", false},
        {"http://example.com ", false},
        {"http://exam ple.com", false},
        {"http://example.com/a b", false},
        {"http://example.com/\r\nX: y", false},
        {"http://example.com/\x7f", false},
        {"http://example.com/\"", false},
        {"http://example.com\\@evil.example/", false},
        {"http://example.com:0/", false},
        {"http://example.com:65536/", false},
        {"http://example.com:/", false},
        {"http://example.com:80x/", false},
        {"http://[2001:db8::1/", false},
        {"http://[2001:db8::1]x/", false},
        {"http://[2001:db8::/32]/", false},
        {"http://[192.0.2.1]/", false},
        {"http://[]/", false},
        {"http://2001:db8::1/", false},
        {"http://0x7f000001/", false},
        {"http://127.1/", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((check_http_url(rows[i].text, strlen(rows[i].text)) == NULL) != rows[i].good)
            fail_msg("%s", rows[i].text);
    assert_non_null(check_http_url("http://a\0b/", 11));
}

static void local_paths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"/", true},
        {"/a", true},
        {"/a//b?c=https://d.example/#e", true},
        {"/..//evil.example", true}, /* a path: the host is settled by then */
        {"/%2f/evil.example", true},
        {"/%5cevil.example", true},
        {"", false},
        {"a", false},
        {"//evil.example", false},
        {"///evil.example", false},
        {"/\\evil.example", false},
        {"\\/evil.example", false},
        {"/a\\b", false},
        {"/\t/evil.example", false},
        {"/\n/evil.example", false},
        {"/a\r\nSet-Cookie: a=b", false},
        {" /a", false},
        {"/a b", false},
        {"/\x7f", false},
        {"/\xc3\xa4", false},
        {"http:evil.example", false},
        {"http://evil.example/", false},
        {"https:/evil.example", false},
        {"javascript:alert(1)", false},
        {"?a", false},
        {"#a", false},
        {".", false},
        {"@evil.example", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((check_local_path(rows[i].text, strlen(rows[i].text)) == NULL) != rows[i].good)
            fail_msg("%s", rows[i].text);
    assert_non_null(check_local_path("/a\0b", 4));
}

#define BYTES_20 "00112233445566778899aabbccddeeff00112233"

static void fingerprints(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size; /* 0: bad */
    } rows[] = {
        {BYTES_20, 20},
        {"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33", 20},
        {"00 11 22 33 44 55 66 77 88 99 aA bB cC dD eE fF 00 11 22 33 ", 20},
        {BYTES_20 "000102030405060708090a0b", 32},
        {BYTES_20 BYTES_20 "0001020304050607", 48},
        {BYTES_20 BYTES_20 BYTES_20 "00010203", 64},
        {"", 0},
        {":", 0},
        {BYTES_20 "0", 0},
        {BYTES_20 "00", 0},
        {"0011223344556677889900112233445g00112233", 0},
        {"00-11-22-33-44-55-66-77-88-99-AA-BB-CC-DD-EE-FF-00-11-22-33", 0},
        {BYTES_20 "\n", 0},
        {BYTES_20 BYTES_20 BYTES_20 "0001020304", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t bytes[FINGERPRINT_BYTES_MAX];
        size_t size = 0, length = strlen(rows[i].text);
        status_t status = fingerprint_read(rows[i].text, length, bytes, &size);
        if (size != rows[i].size || (status == STATUS_OK) != (rows[i].size > 0) ||
            (check_fingerprint(rows[i].text, length) == NULL) != (rows[i].size > 0))
            fail_msg("%s", rows[i].text);
    }
    assert_non_null(check_fingerprint("0\0", 2));
}

static void a_fingerprint_is_written_with_colons(void **state)
{
    (void)state;
    uint8_t bytes[FINGERPRINT_BYTES_MAX], again[FINGERPRINT_BYTES_MAX];
    char text[FINGERPRINT_SIZE];
    size_t size = 0;
    fingerprint_write((const uint8_t *)"\x00\xaf\x5c", 3, text);
    assert_string_equal(text, "00:AF:5C");
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    fingerprint_write(bytes, sizeof(bytes), text);
    assert_int_equal(strlen(text), FINGERPRINT_SIZE - 1);
    assert_int_equal(fingerprint_read(text, strlen(text), again, &size), STATUS_OK);
    assert_int_equal(size, sizeof(bytes));
    assert_memory_equal(again, bytes, sizeof(bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(local_paths),
        cmocka_unit_test(a_fingerprint_is_written_with_colons),
    };
    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
