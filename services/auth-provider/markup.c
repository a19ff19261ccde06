#include "services/auth-provider/markup.h"

#include "common/text.h"

#include <stdbool.h>
#include <string.h>

markup_t markup_begin(char *out, size_t size)
{
    out[0] = '\0';
    return (markup_t){.out = out, .size = size, .status = STATUS_OK};
}

static void add(markup_t *markup, const char *bytes, size_t length)
{
    if (markup->status != STATUS_OK)
        return;
    if (text_copy(markup->out + markup->length, markup->size - markup->length, bytes, length) !=
        STATUS_OK)
        markup->status = STATUS_TOO_LARGE;
    else
        markup->length += length;
}

void markup_raw(markup_t *markup, const char *text)
{
    add(markup, text, strlen(text));
}

/* Controls but for blanks, and U+FFFE and U+FFFF. */
static bool is_forbidden(const unsigned char *at)
{
    bool is_blank = *at == '\t' || *at == '\n' || *at == '\r';
    return (*at < 0x20 && !is_blank) || (at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe);
}

static const char *reference_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void markup_value(markup_t *markup, const char *text)
{
    if (markup->status == STATUS_OK && text_utf8_length(text, strlen(text)) < 0)
        markup->status = STATUS_INVALID;
    for (; *text != '\0' && markup->status == STATUS_OK; text++) {
        const char *reference = reference_of(*text);
        if (is_forbidden((const unsigned char *)text))
            markup->status = STATUS_INVALID;
        else if (reference != NULL)
            markup_raw(markup, reference);
        else
            add(markup, text, 1);
    }
}

void markup_attribute(markup_t *markup, const char *name, const char *value)
{
    markup_raw(markup, " ");
    markup_raw(markup, name);
    markup_raw(markup, "=\"");
    markup_value(markup, value);
    markup_raw(markup, "\"");
}

status_t markup_end(markup_t *markup)
{
    if (markup->status != STATUS_OK)
        markup->out[0] = '\0';
    return markup->status;
}
