/* The value of an Authorization or Proxy-Authorization header of SIP, scheme Digest (RFC 3261
 * section 25.1, RFC 7616 section 3.4): foreign bytes become the single fields of a call. No I/O. */
#ifndef LK_SERVICES_COMMON_SIP_AUTHORIZATION_H
#define LK_SERVICES_COMMON_SIP_AUTHORIZATION_H

#include "proto/sip.h"

/* Reads the header's value. Of the call's fields those of the digest (username, realm, nonce, uri,
 * response, algorithm, cnonce, opaque, qop, nc) are then what the header says, unquoted and without
 * escapes, and not given where it says nothing; the others stay.
 *
 * Names and scheme in any case; blanks, tabs and folded lines between the elements; any value as
 * token or quoted string; username* of RFC 7616 (UTF-8 alone) in the place of username; parameters
 * that nobody knows are passed over.
 *
 * STATUS_INVALID: malformed, a parameter twice, a value that does not fit, not UTF-8.
 * STATUS_REFUSED: another scheme, or userhash. *out_flaw says which (static); *call is untouched
 * then. */
status_t authorization_read(const char *text, size_t length, sip_call_t *call,
                            const char **out_flaw) MUST_CHECK;

#endif
