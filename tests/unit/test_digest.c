/* HA1 values and realms. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "services/common/digest.h"

#include <string.h>

static void check(digest_t algorithm, const char *username, const char *realm, const char *password,
                  const char *hex)
{
    uint8_t out[HA1_SIZE_MAX];
    char text[2 * HA1_SIZE_MAX + 1];
    assert_int_equal(digest_ha1(algorithm, username, realm, password, strlen(password), out),
                     STATUS_OK);
    text_hex(text, out, digest_size(algorithm));
    assert_string_equal(text, hex);
}

/* The response of RFC 7616 section 3.4.1 is a digest of three parts between colons too, so that the
 * published responses of section 3.9.1 check HA1 and all. */
static void rfc7616_3_9_1(void **state)
{
    (void)state;
    static const char nonce[] = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    static const char md5[] = "3d78807defe7de2157e2b0b6573a855f";
    static const char sha256[] = "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232";
    check(DIGEST_MD5, "Mufasa", "http-auth@example.org", "Circle of Life", md5);
    check(DIGEST_SHA_256, "Mufasa", "http-auth@example.org", "Circle of Life", sha256);
    check(DIGEST_MD5, md5, nonce,
          "00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:"
          "39aff3a2bab6126f332b942af96d3366",
          "8ca523f5e9506fed4657c9700eebdbec");
    check(DIGEST_SHA_256, sha256, nonce,
          "00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:"
          "9a3fdae9a622fe8de177c24fa9c070f2b181ec85e15dcbdc32e10c82ad450b04",
          "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

/* The user of section 3.9.2; the value by `openssl dgst -sha512-256` (the section's own values were
 * made with another hash: errata 4897). */
static void rfc7616_3_9_2(void **state)
{
    (void)state;
    check(DIGEST_SHA_512_256, "J\xc3\xa4s\xc3\xb8n Doe", "api@example.org", "Secret, or not?",
          "2d3d9f12c9f3d30011259dc5fecee005ae24de40e3e1f61806d03e65f1e6024f");
}

static void names_are_the_rfcs(void **state)
{
    (void)state;
    assert_string_equal(digest_name(DIGEST_MD5), "MD5");
    assert_string_equal(digest_name(DIGEST_SHA_256), "SHA-256");
    assert_string_equal(digest_name(DIGEST_SHA_512_256), "SHA-512-256");
    assert_int_equal(digest_size(DIGEST_MD5), 16);
    assert_int_equal(digest_size(DIGEST_SHA_512_256), 32);
}

static void realms_are_read(void **state)
{
    (void)state;
    realms_t realms = {0};
    err_t err;
    assert_int_equal(realms_parse("linekeeper", &realms, &err), STATUS_OK);
    assert_int_equal(realms.count, 1);
    assert_int_equal(realms_parse(" a b ,\tsip.example.com,\xc3\xa9", &realms, &err), STATUS_OK);
    assert_int_equal(realms.count, 3);
    assert_string_equal(realms.names[0], "a b");
    assert_string_equal(realms.names[1], "sip.example.com");
    assert_string_equal(realms.names[2], "\xc3\xa9");
}

static void wrong_realms_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        " ",
                                        "a,",
                                        ",a",
                                        "a,,b",
                                        "a\"b",
                                        "a\\b",
                                        "a:b",
                                        "a\nb",
                                        "\xff",
                                        "a, a",
                                        "a\x7f",
                                        "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
    realms_t realms = {.count = 7};
    err_t err;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(realms_parse(wrong[i], &realms, &err), STATUS_INVALID);
        assert_string_equal(err.where, "LK_SIP_REALMS");
        assert_int_equal(realms.count, 7);
    }
    char longest[REALM_SIZE + 1];
    memset(longest, 'a', REALM_SIZE);
    longest[REALM_SIZE] = '\0';
    assert_int_equal(realms_parse(longest, &realms, &err), STATUS_INVALID);
    longest[REALM_SIZE - 1] = '\0';
    assert_int_equal(realms_parse(longest, &realms, &err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7616_3_9_1),
        cmocka_unit_test(rfc7616_3_9_2),
        cmocka_unit_test(names_are_the_rfcs),
        cmocka_unit_test(realms_are_read),
        cmocka_unit_test(wrong_realms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
