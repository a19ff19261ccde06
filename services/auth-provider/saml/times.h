/* Times as SAML writes them. */
#ifndef LK_AUTH_PROVIDER_SAML_TIMES_H
#define LK_AUTH_PROVIDER_SAML_TIMES_H

#include "services/auth-provider/saml/element.h"

/* The attribute's: xs:dateTime in UTC with 'Z' (SAML V2.0 Core 1.3.3), fraction or none, from 1970
 * on. STATUS_UNKNOWN: there is none; STATUS_INVALID. */
status_t times_of(const xmlNode *element, const char *attribute, int64_t *out_utc_ms) MUST_CHECK;

#endif
