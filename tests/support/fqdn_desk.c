#include "tests/support/fqdn_desk.h"

#include "services/fqdn-auth/handlers.h"

#include <stdlib.h>

void fqdn_desk_open(desk_t *desk, bool sealed)
{
    desk_open(desk, &fqdn_auth_spec, sealed);
}

void fqdn_desk_id(const desk_t *desk, char out[UUID_SIZE])
{
    text_cut(out, UUID_SIZE, desk_text(desk, "id"));
}

static void make(desk_t *desk, unsigned operation, char out[UUID_SIZE])
{
    if (desk_ask(desk, operation, NULL, NULL, "{'connection_name': 'Head office'}") !=
        OUTCOME_CREATED)
        abort();
    fqdn_desk_id(desk, out);
}

void fqdn_desk_connection_v1(desk_t *desk, char out[UUID_SIZE])
{
    make(desk, CONNECTION_V1_CREATE, out);
}

void fqdn_desk_connection_v2(desk_t *desk, char out[UUID_SIZE])
{
    make(desk, CONNECTION_V2_CREATE, out);
}

const char *fqdn_desk_inner(const desk_t *desk, const char *object, const char *member)
{
    const json_t *value = json_object_get(json_object_get(desk->body, object), member);
    if (value == NULL)
        abort();
    return json_string_value(value);
}
