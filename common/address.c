/* Must never: look at names; what they lead to is known only when they are looked up. */
#include "common/address.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

typedef struct {
    const char *block;
    const char *flaw;
} rule_t;

static const rule_t ipv4_rules[] = {
    {"0.0.0.0/8", "unspecified"},        /* RFC 1122 */
    {"10.0.0.0/8", "private"},           /* RFC 1918 */
    {"100.64.0.0/10", "private"},        /* carrier-grade NAT, RFC 6598 */
    {"127.0.0.0/8", "loopback"},         /* RFC 1122 */
    {"168.63.129.16", "cloud metadata"}, /* Azure's, among public addresses */
    {"169.254.0.0/16", "link-local"},    /* RFC 3927; cloud metadata at .169.254 */
    {"172.16.0.0/12", "private"},        /* RFC 1918 */
    {"192.0.0.0/24", "reserved"},        /* RFC 6890; Oracle's metadata at .192 */
    {"192.0.2.0/24", "documentation"},   /* RFC 5737 */
    {"192.88.99.0/24", "reserved"},      /* 6to4 relays, RFC 7526 */
    {"192.168.0.0/16", "private"},       /* RFC 1918 */
    {"198.18.0.0/15", "reserved"},       /* benchmarks, RFC 2544 */
    {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"},
    {"224.0.0.0/4", "multicast"}, /* RFC 5771 */
    {"240.0.0.0/4", "reserved"},  /* RFC 1112; broadcast too */
};

/* What lies within 2000::/3 and is not global unicast all the same. Of the rest the names: outside
 * of it nothing is. */
static const rule_t ipv6_rules[] = {
    {"::/128", "unspecified"},
    {"::1/128", "loopback"},
    {"fe80::/10", "link-local"},   /* RFC 4291 */
    {"fc00::/7", "private"},       /* RFC 4193; the metadata of AWS and Google stands here */
    {"ff00::/8", "multicast"},     /* RFC 4291 */
    {"64:ff9b:1::/48", "private"}, /* NAT64 of a site's own, RFC 8215 */
    {"2001::/23", "reserved"},     /* RFC 2928: Teredo, benchmarks, ORCHID */
    {"2001:db8::/32", "documentation"},
    {"2002::/16", "reserved"},      /* 6to4, RFC 3056 */
    {"3fff::/20", "documentation"}, /* RFC 9637 */
};

static ipnet_t block(const char *text)
{
    ipnet_t net = {0};
    status_t status = ipnet_parse(text, strlen(text), &net);
    assert(status == STATUS_OK);
    (void)status;
    return net;
}

static const char *match(const rule_t *rules, size_t count, const ipnet_t *address)
{
    for (size_t i = 0; i < count; i++) {
        ipnet_t net = block(rules[i].block);
        if (ipnet_contains(&net, address))
            return rules[i].flaw;
    }
    return NULL;
}

static ipnet_t ipv4_of(const uint8_t octets[4])
{
    ipnet_t net = {.first = {[10] = 0xff, [11] = 0xff}, .prefix = 128, .ipv4 = true};
    memcpy(net.first + 12, octets, 4);
    return net;
}

static const char *ipv6_flaw(const ipnet_t *address)
{
    ipnet_t nat64 = block("64:ff9b::/96"), unicast = block("2000::/3");
    if (ipnet_contains(&nat64, address)) { /* RFC 6052 */
        ipnet_t inner = ipv4_of(address->first + 12);
        return match(ipv4_rules, ARRAY_LEN(ipv4_rules), &inner);
    }
    const char *flaw = match(ipv6_rules, ARRAY_LEN(ipv6_rules), address);
    if (flaw != NULL)
        return flaw;
    return ipnet_contains(&unicast, address) ? NULL : "reserved";
}

const char *address_flaw(const ipnet_t *address)
{
    return address->ipv4 ? match(ipv4_rules, ARRAY_LEN(ipv4_rules), address) : ipv6_flaw(address);
}

const char *address_socket_flaw(const struct sockaddr *address, socklen_t length)
{
    /* Copied: a socket address may stand anywhere. */
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        uint8_t octets[4];
        memcpy(octets, &in.sin_addr, sizeof(octets));
        ipnet_t net = ipv4_of(octets);
        return address_flaw(&net);
    }
    if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        ipnet_t net = {.prefix = 128};
        memcpy(net.first, &in6.sin6_addr, sizeof(net.first));
        net.ipv4 = memcmp(net.first, mapped, sizeof(mapped)) == 0;
        return address_flaw(&net);
    }
    return "not an IP address";
}
