/* SAMLResponse as it came, decoded. */
#ifndef LK_AUTH_PROVIDER_SAML_INBOX_H
#define LK_AUTH_PROVIDER_SAML_INBOX_H

#include "services/auth-provider/saml/steps.h"

typedef struct {
    char *bytes; /* owned */
    size_t length;
} inbox_t;

/* Step "message": base64 with blanks anywhere, within SAML_BASE64_MAX and SAML_MESSAGE_MAX. What a
 * form brings is never inflated. */
bool inbox_read(const char *base64, size_t length, saml_verdict_t *verdict, inbox_t *out);

/* For AUTO: frees and wipes. */
void inbox_clear(inbox_t *inbox);

#endif
