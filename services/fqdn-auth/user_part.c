#include "services/fqdn-auth/user_part.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

typedef struct {
    const char *at, *end;
} span_t;

static void skip_blanks(span_t *span)
{
    while (span->at < span->end && (*span->at == ' ' || *span->at == '\t'))
        span->at++;
}

/* Past a display name in quotes; false if it does not end. */
static bool skip_quoted(span_t *span)
{
    if (span->at == span->end || *span->at != '"')
        return true;
    for (span->at++; span->at < span->end && *span->at != '"'; span->at++)
        if (*span->at == '\\')
            span->at++;
    if (span->at >= span->end)
        return false;
    span->at++;
    return true;
}

/* What stands behind > is a parameter, or a second value, of which nobody says which one counts. */
static bool ends_well(const char *rest, const char *end)
{
    span_t span = {rest, end};
    skip_blanks(&span);
    return span.at == end || (*span.at == ';' && memchr(rest, '<', (size_t)(end - rest)) == NULL);
}

/* Narrows a name-addr to its URI. */
static bool enter_brackets(span_t *span)
{
    skip_blanks(span);
    span_t behind = *span;
    if (!skip_quoted(&behind))
        return false;
    bool named = behind.at != span->at;
    const char *open = memchr(behind.at, '<', (size_t)(behind.end - behind.at));
    size_t before = (size_t)((open == NULL ? behind.end : open) - behind.at);
    if (memchr(behind.at, ',', before) != NULL)
        return false; /* between two values: RFC 3261 section 20 */
    if (open == NULL)
        return !named;
    const char *close = memchr(open, '>', (size_t)(behind.end - open));
    if (close == NULL || !ends_well(close + 1, span->end))
        return false;
    *span = (span_t){open + 1, close};
    return true;
}

static bool skip_scheme(span_t *span, const char *scheme)
{
    size_t length = strlen(scheme);
    if ((size_t)(span->end - span->at) < length || strncasecmp(span->at, scheme, length) != 0)
        return false;
    span->at += length;
    return true;
}

static void cut_at(span_t *span, char mark)
{
    const char *found = memchr(span->at, mark, (size_t)(span->end - span->at));
    if (found != NULL)
        span->end = found;
}

status_t user_part(const char *text, const char **out, size_t *out_length)
{
    span_t span = {text, text + strlen(text)};
    if (!enter_brackets(&span))
        return STATUS_UNKNOWN;
    bool sip = skip_scheme(&span, "sips:") || skip_scheme(&span, "sip:");
    bool has_host =
        !(!sip && skip_scheme(&span, "tel:")) && memchr(span.at, '@', (size_t)(span.end - span.at));
    if (sip && !has_host)
        return STATUS_UNKNOWN; /* sip:HOST */
    if (has_host) {
        cut_at(&span, '@');
        cut_at(&span, ':');
    } else {
        cut_at(&span, ';');
    }
    if (span.at == span.end || memchr(span.at, ' ', (size_t)(span.end - span.at)) != NULL)
        return STATUS_UNKNOWN;
    *out = span.at;
    *out_length = (size_t)(span.end - span.at);
    return STATUS_OK;
}
