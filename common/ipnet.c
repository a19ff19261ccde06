#include "common/ipnet.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void ipnet_mask(uint8_t address[16], unsigned prefix)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = prefix > 8 * i ? prefix - 8 * i : 0;
        if (kept < 8)
            address[i] &= (uint8_t)(0xff00U >> kept);
    }
}

/* inet_pton reads dotted quads strictly: four decimal parts; glibc allows no leading zeros. */
static status_t parse_address(const char *text, ipnet_t *out)
{
    uint8_t address[16];
    if (inet_pton(AF_INET, text, address + 12) == 1) {
        memcpy(address, mapped_prefix, sizeof(mapped_prefix));
        out->ipv4 = true;
    } else if (inet_pton(AF_INET6, text, address) == 1) {
        out->ipv4 = false;
    } else {
        return STATUS_INVALID;
    }
    memcpy(out->first, address, sizeof(address));
    return STATUS_OK;
}

status_t ipnet_parse(const char *text, size_t length, ipnet_t *out)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = length == 0 ? NULL : memchr(text, '/', length);
    size_t address_length = slash == NULL ? length : (size_t)(slash - text);
    ipnet_t net = {0};
    if (text_has_nul(text, length) ||
        text_copy(address, sizeof(address), text, address_length) != STATUS_OK ||
        parse_address(address, &net) != STATUS_OK)
        return STATUS_INVALID;
    uint64_t widest = net.ipv4 ? 32 : 128, prefix = widest;
    if (slash != NULL) {
        size_t digits = length - address_length - 1;
        if (text_number(slash + 1, digits, widest, &prefix) != STATUS_OK ||
            (digits > 1 && slash[1] == '0'))
            return STATUS_INVALID;
    }
    net.prefix = (uint8_t)(net.ipv4 ? prefix + 96 : prefix);
    *out = ipnet_of(net.first, net.prefix);
    return STATUS_OK;
}

ipnet_t ipnet_of(const uint8_t address[16], unsigned prefix)
{
    ipnet_t net = {.prefix = (uint8_t)prefix};
    memcpy(net.first, address, sizeof(net.first));
    ipnet_mask(net.first, prefix);
    net.ipv4 = prefix >= 96 && memcmp(net.first, mapped_prefix, sizeof(mapped_prefix)) == 0;
    return net;
}

unsigned ipnet_prefix(const ipnet_t *net)
{
    return net->ipv4 ? net->prefix - 96U : net->prefix;
}

void ipnet_format(const ipnet_t *net, char out[IPNET_TEXT_SIZE])
{
    const char *done = net->ipv4 ? inet_ntop(AF_INET, net->first + 12, out, IPNET_TEXT_SIZE)
                                 : inet_ntop(AF_INET6, net->first, out, IPNET_TEXT_SIZE);
    if (done == NULL) /* impossible: the buffer holds the longest text */
        out[0] = '\0';
    if (net->prefix == 128)
        return;
    size_t used = strlen(out);
    status_t status = text_format(out + used, IPNET_TEXT_SIZE - used, "/%u", ipnet_prefix(net));
    (void)status;
}

void ipnet_last(const ipnet_t *net, uint8_t out[16])
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = net->prefix > 8 * i ? net->prefix - 8U * i : 0;
        uint8_t host_bits = (uint8_t)(kept >= 8 ? 0U : 0xffU >> kept);
        out[i] = net->first[i] | host_bits;
    }
}

unsigned ipnet_common_prefix(const uint8_t a[16], const uint8_t b[16])
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned differing = a[i] ^ b[i];
        if (differing == 0)
            continue;
        unsigned bit = 0;
        while ((differing & (0x80U >> bit)) == 0)
            bit++;
        return 8 * i + bit;
    }
    return 128;
}

bool ipnet_contains(const ipnet_t *outer, const ipnet_t *inner)
{
    return outer->prefix <= inner->prefix &&
           ipnet_common_prefix(outer->first, inner->first) >= outer->prefix;
}

static bool overlaps(const ipnet_t *a, const ipnet_t *b)
{
    return ipnet_contains(a, b) || ipnet_contains(b, a);
}

bool ipnet_covers_no_source(const ipnet_t *net)
{
    static const ipnet_t never[] = {
        {.first = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224}, .prefix = 100, .ipv4 = true},
        {.first = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, .prefix = 128, .ipv4 = true},
        {.first = {0xff}, .prefix = 8},
        {.first = {0}, .prefix = 128},
    };
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (overlaps(net, &never[i]))
            return true;
    return false;
}
