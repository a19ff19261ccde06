/* What an operation takes from the head of an HTTP request, besides its parameters.
 *
 * Whatever is not exactly one well-formed value is left out, and reads as absent: a field that
 * stands several times (only Cookie may; its parts are joined by "; ", as RFC 9113 section 8.2.3
 * does), is longer than its row allows, or is no UTF-8. So nobody can show two faces of one field.
 * Next: intake.c. */
#ifndef LK_GATEWAY_REQUEST_HEAD_H
#define LK_GATEWAY_REQUEST_HEAD_H

#include "gateway/http.h"
#include "proto/field.h"

#include <msgpack.h>

/* Appends it as a map; schema NULL: nil. Rows are texts, named as header fields; ":client" and
 * ":query" as in service.h. */
void request_head_write(const schema_t *schema, const http_request_t *http, const char *client,
                        msgpack_packer *out);

/* The one value of that field; false: there is none. */
bool request_head_field(const http_request_t *http, const char *name, char *out, size_t size);

#endif
