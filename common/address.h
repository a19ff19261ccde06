/* Which addresses what a customer gives us (a URL, a name) may lead to: public ones, nothing of our
 * own network.
 *
 * Sources: the special-purpose registries of IANA (RFC 6890), and what cloud providers serve to
 * their machines on addresses that look public. */
#ifndef LK_COMMON_ADDRESS_H
#define LK_COMMON_ADDRESS_H

#include "common/ipnet.h"

#include <sys/socket.h>

/* What stands against connecting to this one address, such as "private"; NULL if it is public.
 * IPv4 within IPv6 (mapped, NAT64) is judged as IPv4; the forms that only old tunnels use
 * (compatible, 6to4, Teredo) are refused whatever they hold. Static. */
const char *address_flaw(const ipnet_t *address);

/* The same of a socket address; other families than IPv4 and IPv6 have a flaw too. */
const char *address_socket_flaw(const struct sockaddr *address, socklen_t length);

#endif
