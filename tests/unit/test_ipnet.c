#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/ipnet.h"
#include "common/text.h"

#include <string.h>

static ipnet_t net_of(const char *text)
{
    ipnet_t net = {0};
    if (ipnet_parse(text, strlen(text), &net) != STATUS_OK)
        fail_msg("%s was refused", text);
    return net;
}

static void texts_become_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
        unsigned prefix;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", 32},
        {"192.0.2.1/32", "192.0.2.1", 32},
        {"192.0.2.129/25", "192.0.2.128/25", 25},
        {"255.255.255.255/0", "0.0.0.0/0", 0},
        {"10.1.2.3/8", "10.0.0.0/8", 8},
        {"10.255.2.3/9", "10.128.0.0/9", 9},
        {"2001:DB8::1", "2001:db8::1", 128},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 128},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", 128},
        {"2001:db8:ffff::/33", "2001:db8:8000::/33", 33},
        {"::", "::", 128},
        {"::/0", "::/0", 0},
        {"::ffff:192.0.2.1", "192.0.2.1", 32},
        {"::ffff:192.0.2.129/121", "192.0.2.128/25", 25},
        {"::FFFF:c000:201", "192.0.2.1", 32},
        {"::ffff:1.2.3.4/96", "0.0.0.0/0", 0},
        {"::ffff:1.2.3.4/95", "::fffe:0:0/95", 95},
        {"0000:0000:0000:0000:0000:ffff:255.255.255.255/128", "255.255.255.255", 32},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[IPNET_TEXT_SIZE];
        ipnet_t net = net_of(rows[i].text), again;
        ipnet_format(&net, out);
        assert_string_equal(out, rows[i].canonical);
        assert_int_equal(ipnet_prefix(&net), rows[i].prefix);
        again = net_of(out);
        assert_memory_equal(again.first, net.first, 16);
        assert_int_equal(again.prefix, net.prefix);
        assert_int_equal(again.ipv4, net.ipv4);
    }
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "/",
        "/8",
        "10",
        "10.1",
        "10.1.2",
        "010.0.0.1",
        "10.00.0.1",
        "0x0a.0.0.1",
        "10.0.0.256",
        "10.0.0.1.",
        ".10.0.0.1",
        "10.0.0.1.2",
        " 10.0.0.1",
        "10.0.0.1 ",
        "10.0.0.1/",
        "10.0.0.1/33",
        "10.0.0.1/-1",
        "10.0.0.1/+8",
        "10.0.0.1/08",
        "10.0.0.1/00",
        "10.0.0.1/8/8",
        "10.0.0.1/ 8",
        "10.0.0.1/255.0.0.0",
        "10.0.0.1/8x",
        "10.0.0.1/18446744073709551624",
        "::1/129",
        ":::",
        "1::2::3",
        "12345::",
        "1:2:3:4:5:6:7:8:9",
        "fe80::1%lo",
        "fe80::1%1/64",
        "[::1]",
        "::ffff:010.0.0.1",
        "::g",
        "2001:db8",
        "localhost",
        "0000:0000:0000:0000:0000:ffff:255.255.255.2550",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ipnet_t net = {.prefix = 42};
        if (ipnet_parse(rows[i], strlen(rows[i]), &net) != STATUS_INVALID || net.prefix != 42)
            fail_msg("\"%s\" was taken", rows[i]);
    }
    ipnet_t net;
    assert_int_equal(ipnet_parse("10.0.0.1\0", 9, &net), STATUS_INVALID);
    assert_int_equal(ipnet_parse("10.0.0.1/8\0", 11, &net), STATUS_INVALID);
    assert_int_equal(ipnet_parse("10.0.0.1/81", 10, &net), STATUS_OK); /* length counts */
    assert_int_equal(ipnet_prefix(&net), 8);
}

static bool bit_of(const uint8_t address[16], unsigned bit)
{
    return ((unsigned)address[bit / 8] >> (7 - bit % 8) & 1U) != 0;
}

static uint64_t next_random(void)
{
    static uint64_t seed = 88172645463325252U;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Two networks that share many leading bits more often than chance would have it. */
static void make_pair(ipnet_t *a, ipnet_t *b)
{
    for (unsigned i = 0; i < 16; i++)
        a->first[i] = (uint8_t)next_random();
    *b = *a;
    unsigned flipped = (unsigned)(next_random() % 129);
    for (unsigned bit = flipped; bit < 128; bit++)
        if (bit == flipped || next_random() % 2 == 0)
            b->first[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
    a->prefix = (uint8_t)(next_random() % 129);
    b->prefix = (uint8_t)(next_random() % 129);
    ipnet_mask(a->first, a->prefix);
    ipnet_mask(b->first, b->prefix);
}

static void arithmetic_agrees_with_single_bits(void **state)
{
    (void)state;
    unsigned contained = 0;
    for (int i = 0; i < 20000; i++) {
        ipnet_t a = {.ipv4 = false}, b;
        make_pair(&a, &b);
        unsigned common = 0;
        while (common < 128 && bit_of(a.first, common) == bit_of(b.first, common))
            common++;
        assert_int_equal(ipnet_common_prefix(a.first, b.first), common);
        bool inside = b.prefix >= a.prefix;
        for (unsigned bit = 0; bit < a.prefix; bit++)
            inside = inside && bit_of(a.first, bit) == bit_of(b.first, bit);
        assert_int_equal(ipnet_contains(&a, &b), inside);
        if (inside)
            contained++;
        uint8_t last[16];
        ipnet_last(&a, last);
        for (unsigned bit = 0; bit < 128; bit++) {
            assert_int_equal(bit_of(last, bit), bit >= a.prefix || bit_of(a.first, bit));
            assert_false(bit >= a.prefix && bit_of(a.first, bit));
        }
    }
    assert_true(contained > 1000); /* the pairs do try both answers */
}

static void some_blocks_hold_no_caller(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool covers;
    } rows[] = {
        {"224.0.0.0/4", true},
        {"239.255.255.255", true},
        {"128.0.0.0/1", true},
        {"0.0.0.0", true},
        {"0.0.0.0/8", true},
        {"0.0.0.0/0", true},
        {"0.0.0.1", false},
        {"223.255.255.255", false},
        {"240.0.0.0/4", false},
        {"10.0.0.0/8", false},
        {"255.255.255.255", false},
        {"::", true},
        {"::/0", true},
        {"::1", false},
        {"ff02::1", true},
        {"ff00::/8", true},
        {"fe00::/7", true},
        {"2000::/3", false},
        {"::ffff:0:0/96", true},
        {"::ffff:224.0.0.1", true},
        {"2001:db8::/32", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ipnet_t net = net_of(rows[i].text);
        if (ipnet_covers_no_source(&net) != rows[i].covers)
            fail_msg("%s", rows[i].text);
    }
}

static void ipv4_and_ipv6_stand_in_one_space(void **state)
{
    (void)state;
    ipnet_t all = net_of("::/0"), ten = net_of("10.0.0.0/8"), host = net_of("::ffff:10.1.2.3");
    ipnet_t v6 = net_of("2001:db8::/32");
    assert_true(ipnet_contains(&all, &ten));
    assert_true(ipnet_contains(&ten, &host));
    assert_true(ipnet_contains(&ten, &ten));
    assert_false(ipnet_contains(&host, &ten));
    assert_false(ipnet_contains(&ten, &v6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_canonical),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(arithmetic_agrees_with_single_bits),
        cmocka_unit_test(some_blocks_hold_no_caller),
        cmocka_unit_test(ipv4_and_ipv6_stand_in_one_space),
    };
    return cmocka_run_group_tests_name("ipnet", tests, NULL, NULL);
}
