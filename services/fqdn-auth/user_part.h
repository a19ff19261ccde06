/* The user part of what a SIP server passes on of a header: a URI, a name-addr with parameters, or
 * a bare number. */
#ifndef LK_SERVICES_FQDN_AUTH_USER_PART_H
#define LK_SERVICES_FQDN_AUTH_USER_PART_H

#include "common/status.h"

#include <stddef.h>

/* Of "sip:USER@HOST;..." and "sips:" (RFC 3261 section 19.1: without its password), "tel:USER;..."
 * (RFC 3966), `"Name" <URI>;...` (RFC 3261 section 25.1; RFC 8496 for P-Charge-Info), "USER@HOST",
 * "USER". *out points into text. Escapes stay as they are. STATUS_UNKNOWN: it has none, or it
 * cannot be told where it ends. */
status_t user_part(const char *text, const char **out, size_t *out_length) MUST_CHECK;

#endif
