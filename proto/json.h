/* Reading JSON from strangers, with jansson behind a guard, and writing our own.
 *
 * The guard: its depth limit of 2,048 overflows an
 * HTTP thread's small stack, so nesting is bounded before it parses. */
#ifndef LK_PROTO_JSON_H
#define LK_PROTO_JSON_H

#include "common/status.h"

#include <jansson.h>
#include <msgpack.h>

enum { JSON_DEPTH_MAX = 16 };

/* Reads exactly one JSON object (RFC 8259): valid UTF-8, no duplicate keys, no NUL, nothing behind
 * it. An empty text reads as {}. STATUS_INVALID: err->text says what and where. The caller owns
 * *out (json_decref). */
status_t json_read(const char *text, size_t length, json_t **out, err_t *err) MUST_CHECK;

/* ---- Writing: text straight into a buffer, since an answer's tree of values would cost more than
 * all the rest of its rendering (docs/adr/0010). ---- */

/* Appends bytes that are JSON already. */
void json_put(msgpack_sbuffer *out, const char *text);
/* Appends a quoted and escaped string; what is not UTF-8 becomes null. */
void json_put_text(msgpack_sbuffer *out, const char *bytes, size_t length);
void json_put_number(msgpack_sbuffer *out, int64_t number);
/* What is no number of JSON's becomes null. */
void json_put_real(msgpack_sbuffer *out, double number);
/* Appends a value, compact. */
void json_put_value(msgpack_sbuffer *out, const json_t *value);

/* For AUTO. */
void json_release(json_t **value);

#endif
