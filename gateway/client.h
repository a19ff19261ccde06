/* Where a request really comes from: the connection's peer, or what a trusted proxy says of it. */
#ifndef LK_GATEWAY_CLIENT_H
#define LK_GATEWAY_CLIENT_H

#include "common/ipnets.h"

/* Reads LK_TRUSTED_PROXIES: addresses and CIDR ranges between commas; empty for none. */
status_t proxies_parse(const char *text, ipnets_t *out, err_t *err) MUST_CHECK;

/* The client's address. forwarded_for: the X-Forwarded-For header or NULL; it is read from its end,
 * as far as each named address is a trusted proxy itself, and only if the peer is one. What is no
 * address ends the search, since anybody can write to the left of it. */
void client_address(const ipnets_t *proxies, const char *peer, const char *forwarded_for,
                    char out[IPNET_TEXT_SIZE]);

#endif
