#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

status_t text_copy(char *out, size_t size, const char *bytes, size_t length)
{
    if (length >= size)
        return STATUS_TOO_LARGE;
    if (length > 0)
        memcpy(out, bytes, length);
    out[length] = '\0';
    return STATUS_OK;
}

void text_cut(char *out, size_t size, const char *string)
{
    size_t length = strnlen(string, size - 1);
    while (length > 0 && ((unsigned char)string[length] & 0xc0U) == 0x80U)
        length--;
    memcpy(out, string, length);
    out[length] = '\0';
}

status_t text_format(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out, size, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < size)
        return STATUS_OK;
    if (size > 0)
        out[0] = '\0';
    return STATUS_TOO_LARGE;
}

/* Bytes of the code point that starts here, or 0 if none well-formed does (Unicode table 3-7). */
static size_t code_point_size(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first, last, second_low, second_high;
        size_t size;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last)
            continue;
        if (forms[i].size > left)
            return 0;
        if (forms[i].size > 1 && (at[1] < forms[i].second_low || at[1] > forms[i].second_high))
            return 0;
        for (size_t k = 2; k < forms[i].size; k++)
            if ((at[k] & 0xc0U) != 0x80U)
                return 0;
        return forms[i].size;
    }
    return 0;
}

long text_utf8_length(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    long count = 0;
    for (size_t used = 0; used < length; count++) {
        size_t size = code_point_size(at + used, length - used);
        if (size == 0)
            return -1;
        used += size;
    }
    return count;
}

bool text_has_nul(const char *bytes, size_t length)
{
    return length > 0 && memchr(bytes, '\0', length) != NULL;
}

static char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

void text_fold(char *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out[i] = folded(bytes[i]);
}

void text_hex(char *out, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15U];
    }
    out[2 * length] = '\0';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = folded(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

status_t text_unhex(uint8_t *out, size_t length, const char *hex, size_t hex_length)
{
    if (hex_length != 2 * length)
        return STATUS_INVALID;
    for (size_t i = 0; i < hex_length; i++)
        if (digit_value(hex[i]) < 0)
            return STATUS_INVALID;
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(digit_value(hex[2 * i]) * 16 + digit_value(hex[2 * i + 1]));
    return STATUS_OK;
}

status_t text_number(const char *bytes, size_t length, uint64_t max, uint64_t *out)
{
    if (length == 0)
        return STATUS_INVALID;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < '0' || bytes[i] > '9')
            return STATUS_INVALID;
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(bytes[i] - '0');
        if (digit > max || value > (max - digit) / 10)
            return STATUS_TOO_LARGE;
        value = value * 10 + digit;
    }
    *out = value;
    return STATUS_OK;
}

status_t text_percent_decode(char *out, size_t size, const char *bytes, size_t length,
                             bool plus_is_space)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (c == '%') {
            uint8_t value = 0;
            if (length - i < 3 || text_unhex(&value, 1, bytes + i + 1, 2) != STATUS_OK)
                return STATUS_INVALID;
            c = (char)value;
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0')
            return STATUS_INVALID;
        if (used + 1 >= size)
            return STATUS_TOO_LARGE;
        out[used++] = c;
    }
    out[used] = '\0';
    return text_utf8_length(out, used) < 0 ? STATUS_INVALID : STATUS_OK;
}
