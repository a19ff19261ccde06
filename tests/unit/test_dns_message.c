/* Messages of DNS, byte by byte: what is an answer, and what only looks like one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/fqdn-auth/dns_message.h"

#include <stdbool.h>
#include <string.h>

static uint8_t message[DNS_MESSAGE_MAX + 64];
static size_t length;
static dns_answer_t answer;

static void put(const void *bytes, size_t count)
{
    assert_true(count <= sizeof(message) - length);
    memcpy(message + length, bytes, count);
    length += count;
}

static void put16(unsigned number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
    put(bytes, sizeof(bytes));
}

static void put_name(const char *name)
{
    while (*name != '\0') {
        size_t label = strcspn(name, ".");
        const uint8_t size = (uint8_t)label;
        put(&size, 1);
        put(name, label);
        name += label + (name[label] == '.' ? 1 : 0);
    }
    put("", 1);
}

/* A recursive server's answer to a question for the name. */
static void begin(const char *name, dns_type_t type)
{
    static const uint8_t header[] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0};
    length = 0;
    put(header, sizeof(header));
    put_name(name);
    put16((unsigned)type);
    put16(1);
}

static void add(const char *owner, unsigned type, uint32_t ttl, const void *data, size_t size)
{
    put_name(owner);
    put16(type);
    put16(1);
    put16(ttl >> 16);
    put16(ttl & 0xffff);
    put16((unsigned)size);
    put(data, size);
    if (++message[7] == 0)
        message[6]++;
}

static void add_a(const char *owner, uint32_t ttl, uint8_t last)
{
    const uint8_t octets[] = {9, 9, 9, last};
    add(owner, DNS_A, ttl, octets, sizeof(octets));
}

/* data of a name alone, or behind SRV's three numbers */
static void add_name(const char *owner, dns_type_t type, uint32_t ttl, const char *name)
{
    static uint8_t data[512];
    size_t kept = length, from = type == DNS_SRV ? 6 : 0;
    memset(data, 1, from);
    put_name(name);
    size_t size = length - kept;
    memcpy(data + from, message + kept, size);
    length = kept;
    add(owner, (unsigned)type, ttl, data, from + size);
}

static status_t read_as(const char *name, dns_type_t type)
{
    return dns_message_read(message, length, name, type, &answer);
}

static void addresses_are_read(void **state)
{
    (void)state;
    begin("Pbx.Example.com", DNS_A);
    add_a("pbx.example.COM", 300, 1);
    add_a("PBX.example.com", 200, 2);
    assert_int_equal(read_as("pbx.example.com", DNS_A), STATUS_OK);
    static const uint8_t second[16] = {[10] = 0xff, 0xff, 9, 9, 9, 2};
    assert_int_equal(answer.count, 2);
    assert_int_equal(answer.ttl, 200);
    assert_memory_equal(answer.items[1].address, second, 16);
    static const uint8_t ipv6[16] = {0x20, 1, [15] = 9};
    begin("pbx.example.com", DNS_AAAA);
    add("pbx.example.com", DNS_AAAA, 60, ipv6, sizeof(ipv6));
    assert_int_equal(read_as("pbx.example.com", DNS_AAAA), STATUS_OK);
    assert_memory_equal(answer.items[0].address, ipv6, 16);
}

static void aliases_are_followed_in_any_order(void **state)
{
    (void)state;
    begin("a.x", DNS_A);
    add_a("c.x", 300, 1);
    add_name("b.x", DNS_CNAME, 20, "c.x");
    add_a("other.x", 1, 66);
    add_name("a.x", DNS_CNAME, 400, "b.x");
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.ttl, 20);
    assert_int_equal(answer.items[0].address[15], 1);
    begin("a.x", DNS_AAAA); /* an alias of a name that has none */
    add_name("a.x", DNS_CNAME, 400, "b.x");
    assert_int_equal(read_as("a.x", DNS_AAAA), STATUS_OK);
    assert_int_equal(answer.count, 0);
}

static void chain(unsigned hops)
{
    char from[] = "a.x", to[] = "b.x";
    begin("a.x", DNS_A);
    for (unsigned i = 0; i < hops; i++, from[0]++, to[0]++)
        add_name(from, DNS_CNAME, 60, to);
    add_a(from, 60, 1);
}

static void chains_are_bounded_and_circles_end(void **state)
{
    (void)state;
    chain(DNS_CHAIN_MAX);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    chain(DNS_CHAIN_MAX + 1);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_A);
    add_name("a.x", DNS_CNAME, 60, "b.x");
    add_name("b.x", DNS_CNAME, 60, "a.x");
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_A); /* two, or one beside what it is an alias for */
    add_name("a.x", DNS_CNAME, 60, "b.x");
    add_name("a.x", DNS_CNAME, 60, "c.x");
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_A);
    add_name("a.x", DNS_CNAME, 60, "b.x");
    add_a("a.x", 60, 1);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
}

static void services_are_read(void **state)
{
    (void)state;
    begin("_sip._udp.x", DNS_SRV);
    add_name("_sip._udp.x", DNS_SRV, 60, "Sip1.Example.com");
    add_name("_sip._udp.x", DNS_SRV, 50, "");         /* not here: RFC 2782 */
    add_name("_sip._udp.x", DNS_SRV, 40, "bad name"); /* no host */
    assert_int_equal(read_as("_sip._udp.x", DNS_SRV), STATUS_OK);
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.items[0].target, "sip1.example.com");
    begin("_sip._udp.x", DNS_SRV);
    add("_sip._udp.x", DNS_SRV, 60, "\0\1\0\1\0\1", 6);
    assert_int_equal(read_as("_sip._udp.x", DNS_SRV), STATUS_INVALID);
}

static void nothing_is_an_answer_of_those_who_know(void **state)
{
    (void)state;
    begin("a.x", DNS_A);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    assert_int_equal(answer.count, 0);
    message[3] = 0x83; /* NXDOMAIN */
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    for (unsigned rcode = 1; rcode < 16; rcode++) {
        message[3] = (uint8_t)(0x80 | rcode);
        assert_int_equal(read_as("a.x", DNS_A), rcode == 3 ? STATUS_OK : STATUS_INVALID);
    }
    message[3] = 0; /* neither recursion nor authority: a referral */
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    message[2] |= 0x04;
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    message[2] |= 0x02; /* cut */
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    message[2] = 0x04; /* a question */
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
}

static void what_was_not_asked_is_not_believed(void **state)
{
    (void)state;
    begin("a.x", DNS_A);
    add_a("b.x", 60, 66);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("b.x", DNS_A);
    add_a("a.x", 60, 66);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_AAAA);
    add_a("a.x", 60, 66);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_A);
    add("a.x", DNS_A, 60, "\11\11\11", 3);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_A);
    message[5] = 2; /* two questions */
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_A);
    add_a("a.x", UINT32_MAX, 1); /* RFC 2181 section 8 */
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    assert_int_equal(answer.ttl, 0);
}

static void records_are_bounded(void **state)
{
    (void)state;
    begin("a.x", DNS_A);
    for (unsigned i = 0; i < DNS_RECORDS_MAX; i++)
        add_a("a.x", 60, (uint8_t)i);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    assert_int_equal(answer.count, DNS_RECORDS_MAX);
    add_a("a.x", 60, 99);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    begin("a.x", DNS_A);
    for (unsigned i = 0; i < DNS_ANSWERS_MAX; i++)
        add_a(i == 0 ? "a.x" : "b.x", 60, 1);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    add_a("b.x", 60, 1);
    assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
}

/* Every shorter message is none, wherever it is cut: on the heap, so that sanitizers see more. */
static void no_message_is_read_beyond_its_end(void **state)
{
    (void)state;
    begin("a.x", DNS_A);
    add_name("a.x", DNS_CNAME, 60, "b.x");
    add_a("b.x", 60, 1);
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *copy = test_malloc(cut + 1);
        memcpy(copy, message, cut);
        assert_int_equal(dns_message_read(copy, cut, "a.x", DNS_A, &answer), STATUS_INVALID);
        test_free(copy);
    }
    assert_int_equal(read_as("a.x", DNS_A), STATUS_OK);
    /* Pointers in a circle, and beyond the end. */
    static const uint8_t pointers[] = {0xc0, 0x0c, 0xff, 0x41};
    for (size_t i = 0; i < sizeof(pointers); i += 2) {
        begin("a.x", DNS_A);
        memcpy(message + 12, pointers + i, 2);
        assert_int_equal(read_as("a.x", DNS_A), STATUS_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(aliases_are_followed_in_any_order),
        cmocka_unit_test(chains_are_bounded_and_circles_end),
        cmocka_unit_test(services_are_read),
        cmocka_unit_test(nothing_is_an_answer_of_those_who_know),
        cmocka_unit_test(what_was_not_asked_is_not_believed),
        cmocka_unit_test(records_are_bounded),
        cmocka_unit_test(no_message_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
