/* Between the parts of openapi.c. Values are the caller's; `components` is the document's. */
#ifndef LK_GATEWAY_OPENAPI_INTERNAL_H
#define LK_GATEWAY_OPENAPI_INTERNAL_H

#include "gateway/openapi.h"

/* What a schema stands for: one table has up to three faces. */
typedef enum {
    FORM_RESULT, /* in an answer */
    FORM_WHOLE,  /* in a request to create or replace, or of a parameter */
    FORM_PART,   /* in a request to change */
} form_t;

/* json_pack, which here can't fail but by our own bug. */
json_t *openapi_pack(const char *format, ...);
/* {"$ref": "#/components/KIND/NAME"} */
json_t *openapi_ref(const char *kind, const char *name);

/* openapi_schema.c. A reference to the table's schema, put under components/schemas at its first
 * use; and the schema of one field. */
json_t *openapi_schema_ref(json_t *components, const schema_t *schema, form_t form);
json_t *openapi_field(json_t *components, const field_t *row, form_t form);

/* openapi_response.c. All responses of an operation, by status; and a reference to the dialect's
 * failure of that status, put under components/responses at its first use. */
json_t *openapi_responses(json_t *components, const operation_t *operation);
json_t *openapi_failure_ref(json_t *components, const dialect_t *dialect, int status);

/* openapi_operation.c. suffix stands behind the operation's name. */
json_t *openapi_operation(json_t *components, const service_t *service,
                          const operation_t *operation, const char *suffix);

/* openapi_own.c. The gateway's own routes are put into paths; what stands under components from the
 * beginning: headers, parameters, security schemes. */
void openapi_add_own(json_t *components, json_t *paths);
json_t *openapi_components(void);

#endif
