#include "tests/support/provider_desk.h"

#include "common/text.h"
#include "proto/auth_provider.h"
#include "services/auth-provider/handlers.h"
#include "services/auth-provider/setup.h"

#include <stdlib.h>
#include <string.h>

static const setup_t setup = {.public_url = "https://lk.example/",
                              .sso_return_to = "/sso/session",
                              .sso_session_seconds = 28800,
                              .metadata_allow_private = true,
                              .metadata_refresh_s = 86400,
                              .metadata_grace_s = 604800};

void provider_desk_open(desk_t *desk)
{
    err_t err = {0};
    desk_open(desk, &auth_provider_spec, false);
    desk->keeper.settings = &setup;
    if (setup_open(&setup, &desk->keeper.own, &err) != STATUS_OK)
        abort();
}

void provider_desk_close(desk_t *desk)
{
    setup_close(&desk->keeper.own);
    desk_close(desk);
}

void desk_provider(desk_t *desk, const char *short_name, char out_id[UUID_SIZE])
{
    char body[1024];
    if (text_format(body, sizeof(body),
                    "{'name': '%s', 'short_name': '%s', 'settings': {" SETTINGS_NEEDED "}}",
                    short_name, short_name) != STATUS_OK ||
        desk_ask(desk, PROVIDER_CREATE, NULL, NULL, body) != OUTCOME_OK)
        abort();
    text_cut(out_id, UUID_SIZE, desk_text(desk, "id"));
}

const char *desk_setting(const desk_t *desk, const char *member)
{
    json_t *value = json_object_get(json_object_get(desk->body, "settings"), member);
    if (!json_is_string(value) && !json_is_null(value))
        abort();
    return json_string_value(value);
}
