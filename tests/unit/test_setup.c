/* Settings of auth-provider: whether anybody can log in by a public URL. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "services/auth-provider/setup.h"

#include <string.h>

static void http_is_for_loopback_alone(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        reach_t reach;
    } rows[] = {
        {"https://lk.example", REACH_TLS},
        {"HTTPS://lk.example/a", REACH_TLS},
        {"http://lk.example", REACH_PLAIN},
        {"http://127.0.0.1:8080", REACH_LOOPBACK},
        {"http://127.255.0.9/", REACH_LOOPBACK},
        {"http://127.0.0.1", REACH_LOOPBACK},
        {"HTTP://LOCALHOST:80/a", REACH_LOOPBACK},
        {"http://localhost", REACH_LOOPBACK},
        {"http://[::1]:8080/", REACH_LOOPBACK},
        {"http://[::1]", REACH_LOOPBACK},
        {"http://128.0.0.1", REACH_PLAIN},
        {"http://10.0.0.1:8080", REACH_PLAIN},
        {"http://[::2]/", REACH_PLAIN},
        {"http://127.0.0.1.evil.example/", REACH_PLAIN},
        {"http://localhost.evil.example/", REACH_PLAIN},
        {"http://evil.example/127.0.0.1", REACH_PLAIN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (setup_reach_of(rows[i].url) != rows[i].reach)
            fail_msg("%s", rows[i].url);
}

static status_t check(const char *url, const char *return_to, err_t *err)
{
    setup_t setup = {0};
    assert_int_equal(text_copy(setup.public_url, sizeof(setup.public_url), url, strlen(url)),
                     STATUS_OK);
    assert_int_equal(
        text_copy(setup.sso_return_to, sizeof(setup.sso_return_to), return_to, strlen(return_to)),
        STATUS_OK);
    return setup_check(&setup, err);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    err_t err = {0};
    assert_int_equal(check("http://lk.example", "/", &err), STATUS_OK);
    assert_int_equal(check("https://lk.example/a/", "/portal?a=b", &err), STATUS_OK);
    assert_int_equal(check("lk.example", "/", &err), STATUS_INVALID);
    assert_string_equal(err.where, "LK_PUBLIC_URL");
    assert_int_equal(check("https://lk.example", "//evil.example", &err), STATUS_INVALID);
    assert_string_equal(err.where, "LK_SSO_RETURN_TO");
    assert_int_equal(check("https://lk.example", "https://evil.example", &err), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_is_for_loopback_alone),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
