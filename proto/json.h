/* Reading JSON from strangers, with jansson behind a guard: its depth limit of 2,048 overflows an
 * HTTP thread's small stack, so nesting is bounded before it parses. */
#ifndef LK_PROTO_JSON_H
#define LK_PROTO_JSON_H

#include "common/status.h"

#include <jansson.h>

enum { JSON_DEPTH_MAX = 16 };

/* Reads exactly one JSON object (RFC 8259): valid UTF-8, no duplicate keys, no NUL, nothing behind
 * it. An empty text reads as {}. STATUS_INVALID: err->text says what and where. The caller owns
 * *out (json_decref). */
status_t json_read(const char *text, size_t length, json_t **out, err_t *err) MUST_CHECK;

/* For AUTO. */
void json_release(json_t **value);

#endif
