/* The OpenAPI 3.1 document of all routes, made from the registry and its field tables: what clients
 * are told is what the gateway checks. docs/openapi.json is a copy (tools/openapi.py).
 *
 * Must never: hold a fact about a single service. Next: openapi_operation.c. */
#ifndef LK_GATEWAY_OPENAPI_H
#define LK_GATEWAY_OPENAPI_H

#include "proto/service.h"

#include <jansson.h>

#define OPENAPI_PATH "/openapi.json"

/* The document. The caller owns it. */
json_t *openapi_document(void);

/* The document as text with a newline at its end, the same in every run. The caller owns it
 * (mem_free). */
char *openapi_text(size_t *out_length);

/* The body that the document shows for an operation with a body, made of its rows' examples. The
 * caller owns it. */
json_t *openapi_example(const operation_t *operation);

#endif
