/* Named checks of texts, for the field tables: NULL if good, else what to say after the field's
 * name. */
#ifndef LK_PROTO_CHECKS_H
#define LK_PROTO_CHECKS_H

#include <stddef.h>

/* A UUID of any version and case (RFC 9562 section 4). */
const char *check_uuid(const char *bytes, size_t length);
/* An IPv4 or IPv6 address or CIDR range, as ipnet_parse takes it. */
const char *check_ip_range(const char *bytes, size_t length);
/* One IPv4 or IPv6 address, without a prefix. */
const char *check_ip_address(const char *bytes, size_t length);
/* A SIP user: no ':', '"', '\', blanks or controls, since it stands in a digest (RFC 7616). */
const char *check_sip_user(const char *bytes, size_t length);
/* No control characters (C0, DEL, C1). */
const char *check_printable(const char *bytes, size_t length);
/* A host name (RFC 1123 section 2.1: labels of 1 to 63 letters, digits and inner hyphens, 253 in
 * all; the last one neither decimal nor hexadecimal, lest a resolver takes it for an odd form of an
 * address), or an IP address. */
const char *check_host(const char *bytes, size_t length);
/* A host name as check_host takes it, and no IP address. */
const char *check_fqdn(const char *bytes, size_t length);
/* What may be part of a path: lower-case letters, digits, '-' and '_', the first a letter or
 * digit. */
const char *check_short_name(const char *bytes, size_t length);
/* An absolute URL of the scheme http or https (RFC 3986): a host name (underscores and a final dot
 * allowed), an IPv4 address or an IPv6 address in brackets, no user, ASCII without blanks,
 * controls, quotes, '<', '>' or '\'. */
const char *check_http_url(const char *bytes, size_t length);
/* A path on the same host, to redirect to: one '/', then neither '/' nor '\\', which browsers take
 * for the start of a host; printable ASCII without blanks and '\\' (WHATWG URL 4.4 drops tabs and
 * line ends, and takes '\\' for '/'). */
const char *check_local_path(const char *bytes, size_t length);
/* A certificate's fingerprint, as fingerprint_read takes it. */
const char *check_fingerprint(const char *bytes, size_t length);

#endif
