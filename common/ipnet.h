/* IP networks: IPv4 and IPv6 in one 128-bit space, as CIDR blocks.
 *
 * IPv4 stands at ::ffff:0:0/96 (RFC 4291 section 2.5.5.2), so one order and one containment rule
 * serve both. Two CIDR blocks are equal, nested or apart, never partly overlapping. */
#ifndef LK_COMMON_IPNET_H
#define LK_COMMON_IPNET_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IPNET_TEXT_SIZE = 50 }; /* "xxxx:...:xxxx/128" and NUL */

typedef struct {
    uint8_t first[16]; /* the network's address, host bits cleared */
    uint8_t prefix;    /* 0 to 128; an IPv4 block has 96 and more */
    bool ipv4;
} ipnet_t;

/* Reads an address or address/prefix; host bits are cleared, IPv4-mapped IPv6 becomes IPv4.
 * STATUS_INVALID for anything but the full dotted quad without leading zeros, RFC 4291 text, and a
 * plain decimal prefix; zone ids are refused. */
status_t ipnet_parse(const char *text, size_t length, ipnet_t *out) MUST_CHECK;

/* The block of that prefix (0 to 128) around an address in the 128-bit space. */
ipnet_t ipnet_of(const uint8_t address[16], unsigned prefix);

/* Canonical text (RFC 5952 for IPv6); a single address carries no prefix. out: IPNET_TEXT_SIZE. */
void ipnet_format(const ipnet_t *net, char out[IPNET_TEXT_SIZE]);

/* The prefix as people write it: 0 to 32 for IPv4, 0 to 128 for IPv6. */
unsigned ipnet_prefix(const ipnet_t *net);

/* The last address of the block. */
void ipnet_last(const ipnet_t *net, uint8_t out[16]);

/* Whether outer contains inner, or is the same. */
bool ipnet_contains(const ipnet_t *outer, const ipnet_t *inner);

/* How many leading bits two addresses share: 0 to 128. */
unsigned ipnet_common_prefix(const uint8_t a[16], const uint8_t b[16]);

/* Clears all but the leading `prefix` bits. */
void ipnet_mask(uint8_t address[16], unsigned prefix);

/* Whether the block holds a multicast address (224.0.0.0/4, ff00::/8) or the unspecified one
 * (0.0.0.0, ::), and so can't be a source of calls. */
bool ipnet_covers_no_source(const ipnet_t *net);

#endif
