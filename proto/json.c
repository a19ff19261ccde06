#include "proto/json.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* Brackets outside of strings, counted without recursion. Broken JSON is left to the parser. */
static bool too_deep(const char *text, size_t length)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MAX)
                return true;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return false;
}

status_t json_read(const char *text, size_t length, json_t **out, err_t *err)
{
    if (length == 0) {
        *out = json_object();
        return STATUS_OK;
    }
    if (too_deep(text, length))
        return err_set(err, STATUS_INVALID, "body", "is nested deeper than %d levels",
                       JSON_DEPTH_MAX);
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL) {
        /* The parser's own text may quote the input, and the input may be a password. */
        return err_set(err, STATUS_INVALID, "body", "is not valid JSON at line %d, column %d",
                       error.line, error.column);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return err_set(err, STATUS_INVALID, "body", "is not a JSON object");
    }
    *out = value;
    return STATUS_OK;
}

void json_put(msgpack_sbuffer *out, const char *text)
{
    size_t length = strlen(text);
    if (length > 0) /* a buffer that has nothing yet has nowhere to copy nothing to */
        (void)msgpack_sbuffer_write(out, text, length);
}

/* Bytes up to the next one that needs an escape (RFC 8259 section 7). */
static size_t plain_run(const char *bytes, size_t length)
{
    size_t run = 0;
    while (run < length && (unsigned char)bytes[run] >= 0x20 && bytes[run] != '"' &&
           bytes[run] != '\\')
        run++;
    return run;
}

static void put_escape(msgpack_sbuffer *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15U]};
    /* A line break is common in a certificate. */
    const char *letter = c == '"'    ? "\""
                         : c == '\\' ? "\\"
                         : c == '\n' ? "n"
                         : c == '\r' ? "r"
                         : c == '\t' ? "t"
                                     : NULL;
    if (letter != NULL) {
        escape[1] = *letter;
        (void)msgpack_sbuffer_write(out, escape, 2);
    } else {
        (void)msgpack_sbuffer_write(out, escape, sizeof(escape));
    }
}

void json_put_text(msgpack_sbuffer *out, const char *bytes, size_t length)
{
    if (text_utf8_length(bytes, length) < 0) {
        json_put(out, "null");
        return;
    }
    json_put(out, "\"");
    while (length > 0) {
        size_t run = plain_run(bytes, length);
        if (run > 0)
            (void)msgpack_sbuffer_write(out, bytes, run);
        if (run < length)
            put_escape(out, (unsigned char)bytes[run++]);
        bytes += run;
        length -= run;
    }
    json_put(out, "\"");
}

void json_put_number(msgpack_sbuffer *out, int64_t number)
{
    char text[24];
    if (text_format(text, sizeof(text), "%" PRId64, number) == STATUS_OK)
        json_put(out, text);
}

static int put_dumped(const char *bytes, size_t length, void *out)
{
    return length == 0 ? 0 : msgpack_sbuffer_write(out, bytes, length);
}

void json_put_real(msgpack_sbuffer *out, double number)
{
    AUTO(json_release) json_t *value = json_real(number);
    if (value == NULL)
        json_put(out, "null");
    else
        json_put_value(out, value);
}

void json_put_value(msgpack_sbuffer *out, const json_t *value)
{
    (void)json_dump_callback(value, put_dumped, out, JSON_COMPACT | JSON_ENCODE_ANY);
}

void json_release(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}
