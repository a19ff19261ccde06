#include "services/auth-provider/saml/inbox.h"

#include "common/mem.h"
#include "common/text.h"

#include <sodium.h>

static const char check[] = "message";

bool inbox_read(const char *base64, size_t length, saml_verdict_t *verdict, inbox_t *out)
{
    if (length == 0)
        return steps_add(verdict, check, SAML_MESSAGE_MISSING, NULL);
    if (length > SAML_BASE64_MAX)
        return steps_add(verdict, check, SAML_MESSAGE_TOO_LARGE, NULL);
    inbox_t inbox = {.bytes = mem_array(length, 1)};
    /* sodium would take a NUL for a blank */
    bool decoded =
        !text_has_nul(base64, length) &&
        sodium_base642bin((unsigned char *)inbox.bytes, length, base64, length, " \t\r\n",
                          &inbox.length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
    saml_reason_t reason = SAML_NONE;
    if (!decoded)
        reason = SAML_MESSAGE_NOT_BASE64;
    else if (inbox.length == 0)
        reason = SAML_MESSAGE_MISSING;
    else if (inbox.length > SAML_MESSAGE_MAX)
        reason = SAML_MESSAGE_TOO_LARGE;
    if (reason == SAML_NONE)
        *out = inbox;
    else
        inbox_clear(&inbox);
    return steps_add(verdict, check, reason, NULL);
}

void inbox_clear(inbox_t *inbox)
{
    if (inbox->bytes != NULL)
        sodium_memzero(inbox->bytes, inbox->length);
    mem_free(inbox->bytes);
    *inbox = (inbox_t){0};
}
