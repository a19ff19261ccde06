#include "common/status.h"

#include "common/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *status_name(status_t status)
{
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_UNKNOWN:
        return "unknown";
    case STATUS_CONFLICT:
        return "conflict";
    case STATUS_TOO_LARGE:
        return "too_large";
    case STATUS_TIMEOUT:
        return "timeout";
    case STATUS_BUSY:
        return "busy";
    case STATUS_CLOSED:
        return "closed";
    case STATUS_REFUSED:
        return "refused";
    case STATUS_FULL:
        return "full";
    case STATUS_CORRUPT:
        return "corrupt";
    case STATUS_SYSTEM:
        return "system";
    }
    return "unnamed";
}

status_t err_set(err_t *err, status_t status, const char *where, const char *format, ...)
{
    if (err == NULL)
        return status;
    err->status = status;
    text_cut(err->where, sizeof(err->where), where);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return status;
}

status_t err_errno(err_t *err, const char *where, const char *doing)
{
    char reason[96];
    const char *text = strerror_r(errno, reason, sizeof(reason));
    return err_set(err, STATUS_SYSTEM, where, "%s: %s", doing, text);
}
