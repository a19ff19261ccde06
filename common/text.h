/* Bounded text: copying, formatting, UTF-8, hexadecimal, ASCII case. Nothing here allocates. */
#ifndef LK_COMMON_TEXT_H
#define LK_COMMON_TEXT_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that hold `characters` code points of UTF-8 (RFC 3629: at most 4 each) and a NUL. */
#define TEXT_SIZE(characters) (4 * (characters) + 1)

/* Copies length bytes and a NUL into out[size]; STATUS_TOO_LARGE, out untouched, when they do not
 * fit. */
status_t text_copy(char *out, size_t size, const char *bytes, size_t length) MUST_CHECK;

/* Copies as much of the string as fits, in whole code points: for messages only, where a cut does
 * no harm. */
void text_cut(char *out, size_t size, const char *string);

/* snprintf that reports truncation: STATUS_TOO_LARGE, out is then an empty string. */
status_t text_format(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4) MUST_CHECK;

/* Code points in the bytes, or -1 if they are not valid UTF-8 (RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF). */
long text_utf8_length(const char *bytes, size_t length);

/* Whether a NUL is among the bytes, which may be NULL if there are none (as msgpack-c has it). */
bool text_has_nul(const char *bytes, size_t length);

/* Folds ASCII letters to lower case, in place or into out (which has the same length). */
void text_fold(char *out, const char *bytes, size_t length);

/* Lower-case hexadecimal of length bytes and a NUL: out holds 2 * length + 1. */
void text_hex(char *out, const uint8_t *bytes, size_t length);

/* Reads exactly 2 * length hexadecimal digits, either case, into out; STATUS_INVALID otherwise. */
status_t text_unhex(uint8_t *out, size_t length, const char *hex, size_t hex_length) MUST_CHECK;

/* A decimal number without sign, blanks or leading '+', at most max; STATUS_INVALID or
 * STATUS_TOO_LARGE otherwise. */
status_t text_number(const char *bytes, size_t length, uint64_t max, uint64_t *out) MUST_CHECK;

/* Decodes %XX (RFC 3986 section 2.1) into out[size] and a NUL; plus_is_space as in query strings.
 * STATUS_INVALID: a broken escape, a NUL, or not UTF-8; STATUS_TOO_LARGE: does not fit; out is
 * then of no use. */
status_t text_percent_decode(char *out, size_t size, const char *bytes, size_t length,
                             bool plus_is_space) MUST_CHECK;

#endif
