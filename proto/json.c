#include "proto/json.h"

#include <stdbool.h>

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

void json_release(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}
