/* Markup written into a buffer of fixed size: XML and HTML, in which values can't become more than
 * text. */
#ifndef LK_AUTH_PROVIDER_MARKUP_H
#define LK_AUTH_PROVIDER_MARKUP_H

#include "common/status.h"

#include <stddef.h>

typedef struct {
    char *out;
    size_t size;
    size_t length;   /* without the NUL, which is always there */
    status_t status; /* the first failure; nothing is written after it */
} markup_t;

/* size: at least 1. */
markup_t markup_begin(char *out, size_t size);

/* Markup of ours, as it is. */
void markup_raw(markup_t *markup, const char *text);

/* A value: `&`, `<`, `>`, both quotes, tabs and line ends are written as references, for texts and
 * quoted attributes alike. STATUS_INVALID: not UTF-8, or a character that no XML holds (XML 1.0
 * section 2.2). */
void markup_value(markup_t *markup, const char *text);

/* ` name="value"` */
void markup_attribute(markup_t *markup, const char *name, const char *value);

/* Whether all of it was written: else the text is empty. STATUS_TOO_LARGE, STATUS_INVALID. */
status_t markup_end(markup_t *markup) MUST_CHECK;

#endif
