#include "services/auth-provider/setup.h"

#include "common/text.h"
#include "proto/checks.h"
#include "services/auth-provider/fetch.h"

#include <string.h>

const setting_t setup_rows[SETUP_ROWS] = {
    SETTING_TEXT_ROW(setup_t, public_url, "LK_PUBLIC_URL", "http://127.0.0.1:8080",
                     "Under which URL people and identity providers reach this suite; the URLs of "
                     "single sign-on are made of it."),
    SETTING_SWITCH_ROW(setup_t, metadata_allow_private, "LK_METADATA_ALLOW_PRIVATE", "off",
                       "Whether metadata of identity providers may be fetched from private, "
                       "loopback and link-local addresses."),
};

status_t setup_check(const void *setup, err_t *err)
{
    const char *url = ((const setup_t *)setup)->public_url;
    if (check_http_url(url, strlen(url)) != NULL || strpbrk(url, "?#@") != NULL)
        return err_set(err, STATUS_INVALID, "LK_PUBLIC_URL",
                       "is not an absolute http or https URL without user, query and fragment");
    return STATUS_OK;
}

status_t setup_open(const void *setup, void **out_fetcher, err_t *err)
{
    const setup_t *given = setup;
    fetch_settings_t settings = {.allow_private = given->metadata_allow_private};
    fetcher_t *fetcher = NULL;
    status_t status = fetch_start(&settings, &fetcher, err);
    if (status == STATUS_OK)
        *out_fetcher = fetcher;
    return status;
}

void setup_close(void **fetcher)
{
    fetcher_t *closing = *fetcher;
    fetch_stop(&closing);
    *fetcher = NULL;
}

const char *setup_public_url(const call_t *call)
{
    const setup_t *setup = call->keeper->settings;
    return setup->public_url;
}
