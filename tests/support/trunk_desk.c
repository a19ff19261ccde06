#include "tests/support/trunk_desk.h"

#include "common/text.h"
#include "proto/trunk_auth.h"
#include "services/trunk-auth/handlers.h"

#include <stdlib.h>

void trunk_desk_open(desk_t *desk, bool sealed)
{
    desk_open(desk, &trunk_auth_spec, sealed);
}

void desk_uuid(const desk_t *desk, char out[UUID_SIZE])
{
    text_cut(out, UUID_SIZE, desk_text(desk, "uuid"));
}

void desk_trunk(desk_t *desk, char out[UUID_SIZE])
{
    if (desk_ask(desk, TRUNK_CREATE, NULL, NULL, "{'name': 'Head office'}") != OUTCOME_CREATED)
        abort();
    desk_uuid(desk, out);
}
