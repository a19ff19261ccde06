/* Which addresses may be fetched from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

typedef struct {
    const char *address;
    const char *flaw; /* NULL: public */
} case_t;

static const case_t cases[] = {
    {"8.8.8.8", NULL},
    {"1.1.1.1", NULL},
    {"9.255.255.255", NULL},
    {"11.0.0.0", NULL},
    {"100.63.255.255", NULL},
    {"100.128.0.0", NULL},
    {"126.255.255.255", NULL},
    {"128.0.0.0", NULL},
    {"168.63.129.15", NULL},
    {"169.253.255.255", NULL},
    {"169.255.0.0", NULL},
    {"172.15.255.255", NULL},
    {"172.32.0.0", NULL},
    {"192.0.1.0", NULL},
    {"192.167.255.255", NULL},
    {"192.169.0.0", NULL},
    {"198.17.255.255", NULL},
    {"198.20.0.0", NULL},
    {"223.255.255.255", NULL},
    {"0.0.0.0", "unspecified"},
    {"0.1.2.3", "unspecified"},
    {"10.0.0.0", "private"},
    {"10.255.255.255", "private"},
    {"100.64.0.0", "private"},
    {"100.100.100.200", "private"},
    {"100.127.255.255", "private"},
    {"127.0.0.1", "loopback"},
    {"127.255.255.255", "loopback"},
    {"168.63.129.16", "cloud metadata"},
    {"169.254.0.0", "link-local"},
    {"169.254.169.254", "link-local"},
    {"169.254.170.2", "link-local"},
    {"172.16.0.0", "private"},
    {"172.31.255.255", "private"},
    {"192.0.0.192", "reserved"},
    {"192.0.2.1", "documentation"},
    {"192.88.99.1", "reserved"},
    {"192.168.0.0", "private"},
    {"192.168.255.255", "private"},
    {"198.18.0.0", "reserved"},
    {"198.19.255.255", "reserved"},
    {"198.51.100.7", "documentation"},
    {"203.0.113.7", "documentation"},
    {"224.0.0.1", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.1", "reserved"},
    {"255.255.255.255", "reserved"},
    {"2606:4700::1111", NULL},
    {"2001:200::1", NULL},
    {"2a00:1450::1", NULL},
    {"3ffe::1", NULL},
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::2", "reserved"},
    {"::8.8.8.8", "reserved"}, /* IPv4-compatible */
    {"::127.0.0.1", "reserved"},
    {"::ffff:8.8.8.8", NULL}, /* IPv4-mapped */
    {"::ffff:127.0.0.1", "loopback"},
    {"::ffff:10.1.2.3", "private"},
    {"::ffff:a9fe:a9fe", "link-local"},
    {"::ffff:0:10.1.2.3", "reserved"}, /* RFC 2765 */
    {"64:ff9b::8.8.8.8", NULL},        /* NAT64 */
    {"64:ff9b::10.1.2.3", "private"},
    {"64:ff9b::127.0.0.1", "loopback"},
    {"64:ff9b::169.254.169.254", "link-local"},
    {"64:ff9b::1:808:808", "reserved"}, /* not of the /96 */
    {"64:ff9b:1::8.8.8.8", "private"},
    {"100::1", "reserved"},         /* discard */
    {"2001::1", "reserved"},        /* Teredo */
    {"2001:0:a00:1::", "reserved"}, /* with 10.0.0.1 in it */
    {"2001:2::1", "reserved"},
    {"2001:1ff::1", "reserved"},
    {"2001:db8::1", "documentation"},
    {"2002:a00:1::1", "reserved"}, /* 6to4 */
    {"2002:808:808::1", "reserved"},
    {"3fff::1", "documentation"},
    {"4000::1", "reserved"},
    {"5f00::1", "reserved"},
    {"fc00::1", "private"},
    {"fd00:ec2::254", "private"},
    {"fd20:ce::254", "private"},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "reserved"},
    {"ff02::1", "multicast"},
};

static void check(const case_t *row, const char *found, const char *what)
{
    bool same = row->flaw == NULL ? found == NULL : found != NULL && strcmp(found, row->flaw) == 0;
    if (!same)
        fail_msg("%s, %s: %s", what, row->address, found == NULL ? "public" : found);
}

static void the_table_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ipnet_t net;
        assert_int_equal(ipnet_parse(cases[i].address, strlen(cases[i].address), &net), STATUS_OK);
        check(&cases[i], address_flaw(&net), "net");
    }
}

static void socket_addresses_are_judged_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(443)};
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
        const char *found = NULL;
        if (inet_pton(AF_INET, cases[i].address, &in.sin_addr) == 1) {
            found = address_socket_flaw((const struct sockaddr *)&in, sizeof(in));
        } else {
            assert_int_equal(inet_pton(AF_INET6, cases[i].address, &in6.sin6_addr), 1);
            found = address_socket_flaw((const struct sockaddr *)&in6, sizeof(in6));
        }
        check(&cases[i], found, "socket");
    }
}

static void other_families_are_refused(void **state)
{
    (void)state;
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    struct sockaddr_in cut = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};
    assert_non_null(address_socket_flaw((const struct sockaddr *)&local, sizeof(local)));
    assert_non_null(address_socket_flaw((const struct sockaddr *)&cut, sizeof(cut) - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_holds),
        cmocka_unit_test(socket_addresses_are_judged_alike),
        cmocka_unit_test(other_families_are_refused),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
