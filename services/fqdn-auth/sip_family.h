/* The family "connections" of call authorization: who has a user name, whose addresses these are.
 *
 * Under credential-authentication a connection's user name authenticates, under ip-authentication a
 * source address that its FQDNs lead to (address_store.h) and its method together; never one alone,
 * so no address suffices for a list. The source port is not looked at: equipment behind NAT has
 * another one than it listens on. */
#ifndef LK_SERVICES_FQDN_AUTH_SIP_FAMILY_H
#define LK_SERVICES_FQDN_AUTH_SIP_FAMILY_H

#include "services/common/sip/family.h"

extern const sip_family_t connection_family;

#endif
