#include "services/auth-provider/saml/steps.h"

#include "common/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What strangers wrote goes into events: one line each, in whole code points. */
static void tame(char *text)
{
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f ||
            ((unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0))
            *at = '?';
    size_t length = strlen(text);
    while (length > 0 && text_utf8_length(text, length) < 0)
        text[--length] = '\0';
}

bool steps_add(saml_verdict_t *verdict, const char *check, saml_reason_t reason, const char *format,
               ...)
{
    assert(verdict->step_count < SAML_CHECKS_MAX); /* there are fewer checks than that */
    saml_step_t *step = &verdict->steps[verdict->step_count++];
    step->check = check;
    step->reason = reason;
    step->detail[0] = '\0';
    if (format != NULL) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(step->detail, sizeof(step->detail), format, args);
        va_end(args);
        tame(step->detail);
    }
    return reason == SAML_NONE;
}

void steps_conclude(saml_verdict_t *verdict)
{
    const saml_step_t *failed = NULL;
    for (size_t i = 0; i < verdict->step_count && failed == NULL; i++)
        if (verdict->steps[i].reason != SAML_NONE)
            failed = &verdict->steps[i];
    verdict->reason = failed == NULL ? SAML_NONE : failed->reason;
    text_cut(verdict->detail, sizeof(verdict->detail), failed == NULL ? "" : failed->detail);
}
