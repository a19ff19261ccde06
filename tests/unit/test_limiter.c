/* Rate limits and client addresses. */
#include "gateway/client.h"
#include "gateway/limiter.h"

#include "common/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void allows_one_seconds_worth_at_once(void **state)
{
    (void)state;
    limiter_t *limiter = limiter_new(3);
    int64_t now_us = 5000000;
    for (int64_t i = 0; i < 3; i++) {
        allowance_t allowance = limiter_take(limiter, "a", 0, now_us);
        assert_true(allowance.limited && allowance.allowed);
        assert_int_equal(allowance.remaining, 2 - i);
        assert_int_equal(allowance.reset_s, 1);
    }
    assert_false(limiter_take(limiter, "a", 0, now_us).allowed);
    assert_true(limiter_take(limiter, "b", 0, now_us).allowed);
    assert_false(limiter_take(limiter, "a", 0, now_us + 333333).allowed);
    assert_true(limiter_take(limiter, "a", 0, now_us + 333334).allowed);
    limiter_destroy(&limiter);
}

static void keeps_the_rate_over_time(void **state)
{
    (void)state;
    limiter_t *limiter = limiter_new(0);
    int allowed = 0;
    for (int64_t us = 0; us < 10000000; us += 1000)
        allowed += limiter_take(limiter, "a", 50, 1 + us).allowed;
    assert_in_range(allowed, 549, 550); /* ten seconds' worth, and the bucket */
    assert_false(limiter_take(limiter, "b", 0, 1).limited);
    limiter_destroy(&limiter);
}

static void survives_more_keys_than_places(void **state)
{
    (void)state;
    limiter_t *limiter = limiter_new(1);
    char key[16];
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        assert_true(limiter_take(limiter, key, 0, 1000 + i).allowed);
        assert_false(limiter_take(limiter, key, 0, 1000 + i).allowed);
    }
    limiter_destroy(&limiter);
}

static void strangers_share_a_network(void **state)
{
    (void)state;
    static const struct {
        const char *client, *network;
    } rows[] = {
        {"192.0.2.7", "192.0.2.7"},
        {"192.0.2.8", "192.0.2.8"},
        {"::ffff:192.0.2.7", "::ffff:192.0.2.7"}, /* IPv4: not all of it is one network */
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
        {"2001:db8:1:3::6", "2001:db8:1:3::/64"},
        {"", ""},
        {"no address at all, and longer than any text of one is",
         "no address at all, and longer than a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char network[UUID_SIZE];
        limiter_network(rows[i].client, network);
        assert_string_equal(network, rows[i].network);
    }
}

static void believes_trusted_proxies_only(void **state)
{
    (void)state;
    static const struct {
        const char *trusted, *peer, *forwarded_for, *expected;
    } cases[] = {
        {"", "192.0.2.1", "203.0.113.9", "192.0.2.1"},
        {"10.0.0.0/8", "192.0.2.1", "203.0.113.9", "192.0.2.1"},
        {"10.0.0.0/8", "10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "203.0.113.9", "203.0.113.9"},
        {"10.0.0.0/8, 172.16.0.0/12", "10.0.0.1", "203.0.113.9, 172.16.3.4", "203.0.113.9"},
        {"10.0.0.0/8", "10.0.0.1", "1.2.3.4, 203.0.113.9 , 10.2.2.2", "203.0.113.9"},
        {"10.0.0.0/8", "10.0.0.1", "1.2.3.4, nonsense", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "10.0.0.7", "10.0.0.7"},
        {"10.0.0.0/8", "10.0.0.1", ",,,", "10.0.0.1"},
        {"::1", "::1", "2001:DB8::1", "2001:db8::1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ipnets_t proxies;
        char client[IPNET_TEXT_SIZE];
        assert_int_equal(proxies_parse(cases[i].trusted, &proxies, NULL), STATUS_OK);
        client_address(&proxies, cases[i].peer, cases[i].forwarded_for, client);
        assert_string_equal(client, cases[i].expected);
    }
}

static void refuses_malformed_proxies(void **state)
{
    (void)state;
    static const char *const bad[] = {"x", "10.0.0.0/8,", "10.0.0.0/33", ",",
                                      "10.0.0.0/8 10.1.1.1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ipnets_t proxies;
        err_t err;
        status_t status = proxies_parse(bad[i], &proxies, &err);
        if (strcmp(bad[i], "10.0.0.0/8,") == 0) /* a comma at the end does no harm */
            assert_int_equal(status, STATUS_OK);
        else
            assert_int_equal(status, STATUS_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_one_seconds_worth_at_once),
        cmocka_unit_test(keeps_the_rate_over_time),
        cmocka_unit_test(survives_more_keys_than_places),
        cmocka_unit_test(strangers_share_a_network),
        cmocka_unit_test(believes_trusted_proxies_only),
        cmocka_unit_test(refuses_malformed_proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
