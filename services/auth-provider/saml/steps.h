/* The checks of a verdict, one after another. */
#ifndef LK_AUTH_PROVIDER_SAML_STEPS_H
#define LK_AUTH_PROVIDER_SAML_STEPS_H

#include "services/auth-provider/saml/verify.h"

/* Adds what came of a check, with a text for people or NULL; control characters become '?'.
 * Whether it passed. */
bool steps_add(saml_verdict_t *verdict, const char *check, saml_reason_t reason, const char *format,
               ...) PRINTF_LIKE(4, 5);

/* Takes the first that failed for the verdict's own; SAML_NONE if none did. */
void steps_conclude(saml_verdict_t *verdict);

#endif
