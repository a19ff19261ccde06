#include "proto/principal.h"

#include <string.h>

static const char *const scope_names[] = {
    [SCOPE_ADMIN] = "admin", [SCOPE_READ] = "read", [SCOPE_SIP] = "sip", [SCOPE_NOBODY] = "nobody"};

const char *scope_name(scope_t scope)
{
    return scope_names[scope];
}

status_t scope_parse(const char *text, scope_t *out)
{
    for (size_t i = 0; i < SCOPE_NOBODY; i++) {
        if (strcmp(text, scope_names[i]) == 0) {
            *out = (scope_t)i;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID;
}
