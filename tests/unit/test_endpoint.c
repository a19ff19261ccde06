#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/endpoint.h"

#include <errno.h>
#include <string.h>

static endpoint_t parse(const char *text)
{
    endpoint_t endpoint;
    if (endpoint_parse(text, strlen(text), &endpoint) != STATUS_OK)
        fail_msg("%s is refused", text);
    return endpoint;
}

static void numbers_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",         "8080",        ":8080",         "localhost:8080",
        "1.2.3:80", "1.2.3.4:",    "1.2.3.4:65536", "::1:80",
        "[::1]80",  "[1.2.3.4]:1", "1.2.3.4:80+"};
    endpoint_t endpoint = parse("127.0.0.1:8080");
    assert_int_equal(endpoint_port(&endpoint), 8080);
    endpoint = parse("[::1]:65535");
    assert_int_equal(endpoint_port(&endpoint), 65535);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (endpoint_parse(wrong[i], strlen(wrong[i]), &endpoint) != STATUS_INVALID)
            fail_msg("%s is taken", wrong[i]);
}

static void an_address_is_at_its_own_and_at_all(void **state)
{
    static const struct {
        const char *local, *bound;
        bool is_at;
    } rows[] = {
        {"127.0.0.1:80", "127.0.0.1:80", true}, {"127.0.0.1:80", "0.0.0.0:80", true},
        {"0.0.0.0:80", "0.0.0.0:80", true},     {"127.0.0.2:80", "127.0.0.1:80", false},
        {"127.0.0.1:81", "0.0.0.0:80", false},  {"0.0.0.0:80", "127.0.0.1:80", false},
        {"[::1]:80", "[::1]:80", true},         {"[::1]:80", "[::]:80", true},
        {"[::1]:80", "[::2]:80", false},        {"127.0.0.1:80", "[::]:80", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        endpoint_t local = parse(rows[i].local);
        endpoint_t bound = parse(rows[i].bound);
        if (endpoint_is_at(&local, &bound) != rows[i].is_at)
            fail_msg("%s at %s", rows[i].local, rows[i].bound);
    }
    endpoint_t none = endpoint_of(-1);
    assert_false(endpoint_is_at(&none, &none));
}

static void refusals_tell_why(void **state)
{
    err_t err;
    (void)state;
    assert_int_equal(endpoint_refused("LK_X", "1.2.3.4:5", EADDRINUSE, &err), STATUS_BUSY);
    assert_non_null(strstr(err.text, "1.2.3.4:5 is taken"));
    assert_int_equal(endpoint_refused("LK_X", "1.2.3.4:5", EADDRNOTAVAIL, &err), STATUS_INVALID);
    assert_int_equal(endpoint_refused("LK_X", "1.2.3.4:5", EACCES, &err), STATUS_REFUSED);
    assert_int_equal(endpoint_refused("LK_X", "1.2.3.4:5", ENOMEM, &err), STATUS_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(an_address_is_at_its_own_and_at_all),
        cmocka_unit_test(refusals_tell_why),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
