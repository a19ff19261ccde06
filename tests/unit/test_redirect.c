/* SAML messages in URLs: what is made can be read back, by zlib and OpenSSL alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "services/auth-provider/saml/redirect.h"

#include <openssl/evp.h>
#include <string.h>
#include <zlib.h>

static const char xml[] = "<samlp:AuthnRequest ID=\"_1\">\xc3\xa4 & ~</samlp:AuthnRequest>";

static char url[8192];

static void make(const char *where, bool is_request, const char *relay_state)
{
    err_t err = {0};
    assert_int_equal(
        redirect_url(where, is_request, xml, relay_state, NULL, url, sizeof(url), &err), STATUS_OK);
}

static void decode(const char *parameter, char *out, size_t size)
{
    char base64[4096];
    unsigned char deflated[4096];
    size_t length = strcspn(parameter, "&");
    assert_int_equal(strspn(parameter, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-._~%"),
                     length);
    assert_int_equal(text_percent_decode(base64, sizeof(base64), parameter, length, false),
                     STATUS_OK);
    int bytes = EVP_DecodeBlock(deflated, (const unsigned char *)base64, (int)strlen(base64));
    assert_true(bytes > 0);
    z_stream stream = {.next_in = deflated,
                       .avail_in = (uInt)bytes,
                       .next_out = (unsigned char *)out,
                       .avail_out = (uInt)size};
    assert_int_equal(inflateInit2(&stream, -MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_true(stream.total_out < size);
    out[stream.total_out] = '\0';
    (void)inflateEnd(&stream);
}

static void what_is_sent_can_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *where, *start;
        bool is_request;
    } cases[] = {
        {"https://idp.example/sso", "https://idp.example/sso?SAMLRequest=", true},
        {"https://idp.example/sso?a=1", "https://idp.example/sso?a=1&SAMLRequest=", true},
        {"https://idp.example/", "https://idp.example/?SAMLResponse=", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char read[4096];
        make(cases[i].where, cases[i].is_request, NULL);
        size_t length = strlen(cases[i].start);
        assert_memory_equal(url, cases[i].start, length);
        assert_null(strstr(url, "RelayState"));
        decode(url + length, read, sizeof(read));
        assert_string_equal(read, xml);
    }
}

static void a_relay_state_is_encoded(void **state)
{
    (void)state;
    make("https://idp.example/sso", true, "a-b_c.d~e &=%+/?#\xc3\xa4");
    assert_string_equal(strstr(url, "&RelayState="),
                        "&RelayState=a-b_c.d~e%20%26%3D%25%2B%2F%3F%23%C3%A4");
}

static void what_does_not_fit_is_nothing(void **state)
{
    (void)state;
    err_t err = {0};
    make("https://idp.example/sso", true, "r&");
    size_t needed = strlen(url) + 1;
    for (size_t size = 1; size < needed; size++) {
        assert_int_equal(
            redirect_url("https://idp.example/sso", true, xml, "r&", NULL, url, size, &err),
            STATUS_TOO_LARGE);
        assert_string_equal(url, "");
    }
    assert_int_equal(
        redirect_url("https://idp.example/sso", true, xml, "r&", NULL, url, needed, &err),
        STATUS_OK);
}

static void a_message_over_the_bound_is_not_sent(void **state)
{
    (void)state;
    static char large[REDIRECT_XML_MAX + 2];
    err_t err = {0};
    memset(large, 'a', sizeof(large) - 1);
    assert_int_equal(redirect_url("https://x.y/", true, large, NULL, NULL, url, sizeof(url), &err),
                     STATUS_TOO_LARGE);
    large[REDIRECT_XML_MAX] = '\0';
    assert_int_equal(redirect_url("https://x.y/", true, large, NULL, NULL, url, sizeof(url), &err),
                     STATUS_OK);
}

/* The URL up to the message, and what stands behind the message. */
static void parts_of_the_target_stay_in_place(void **state)
{
    (void)state;
    static const struct {
        const char *where, *begin, *end;
    } rows[] = {
        {"https://idp.example/sso", "https://idp.example/sso?SAMLRequest=", "&RelayState=a%2Fb"},
        {"https://idp.example/sso?t=1",
         "https://idp.example/sso?t=1&SAMLRequest=", "&RelayState=a%2Fb"},
        {"https://idp.example/sso?", "https://idp.example/sso?SAMLRequest=", "&RelayState=a%2Fb"},
        {"https://idp.example/sso?t=1&",
         "https://idp.example/sso?t=1&SAMLRequest=", "&RelayState=a%2Fb"},
        {"https://idp.example/#/sso?x",
         "https://idp.example/?SAMLRequest=", "&RelayState=a%2Fb#/sso?x"},
        {"https://idp.example/?t=1#f",
         "https://idp.example/?t=1&SAMLRequest=", "&RelayState=a%2Fb#f"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(
            redirect_url(rows[i].where, true, xml, "a/b", NULL, url, sizeof(url), NULL), STATUS_OK);
        size_t begin = strlen(rows[i].begin), end = strlen(rows[i].end), length = strlen(url);
        if (length < begin + end || memcmp(url, rows[i].begin, begin) != 0 ||
            strcmp(url + length - end, rows[i].end) != 0)
            fail_msg("row %zu: %s", i, url);
        assert_int_equal(strspn(url + begin, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "0123456789%"),
                         length - begin - end);
    }
}

static void a_long_relay_state_is_not_sent(void **state)
{
    (void)state;
    char relay_state[SAML_RELAY_STATE_MAX + 2] = {0};
    memset(relay_state, 'r', SAML_RELAY_STATE_MAX);
    make("https://idp.example/", true, relay_state);
    relay_state[SAML_RELAY_STATE_MAX] = 'r';
    assert_int_equal(
        redirect_url("https://idp.example/", true, xml, relay_state, NULL, url, sizeof(url), NULL),
        STATUS_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_can_be_read),
        cmocka_unit_test(a_relay_state_is_encoded),
        cmocka_unit_test(what_does_not_fit_is_nothing),
        cmocka_unit_test(a_message_over_the_bound_is_not_sent),
        cmocka_unit_test(parts_of_the_target_stay_in_place),
        cmocka_unit_test(a_long_relay_state_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
