#include "services/auth-provider/setup.h"

#include "common/ipnet.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/text.h"
#include "proto/checks.h"

#include <string.h>
#include <strings.h>

/* What the handlers share. */
typedef struct {
    fetcher_t *fetcher;
    signer_t *signer;
} own_t;

const setting_t setup_rows[SETUP_ROWS] = {
    SETTING_TEXT_ROW(setup_t, public_url, "LK_PUBLIC_URL", "http://127.0.0.1:8080",
                     "Under which URL people and identity providers reach this suite; the URLs of "
                     "single sign-on are made of it. Nobody can log in unless it is https, or http "
                     "on loopback."),
    SETTING_TEXT_ROW(setup_t, sso_return_to, "LK_SSO_RETURN_TO", "/sso/session",
                     "The local path that a browser goes on to after a login that named none by "
                     "return_to."),
    SETTING_NUMBER_ROW(
        setup_t, sso_session_seconds, "LK_SSO_SESSION_SECONDS", "28800", 60, INT64_C(366) * 86400,
        "How long a login lasts, in seconds, unless the identity provider says less; "
        "for logins from then on."),
    SETTING_SWITCH_ROW(setup_t, metadata_allow_private, "LK_METADATA_ALLOW_PRIVATE", "off",
                       "Whether metadata of identity providers may be fetched from private, "
                       "loopback and link-local addresses."),
    SETTING_TEXT_ROW(setup_t, saml_key_file, "LK_SAML_KEY_FILE", "",
                     "File with a private key (RSA or ECDSA) and its certificate in PEM: with it "
                     "what is sent to identity providers is signed. Nobody else may read it."),
    SETTING_NUMBER_ROW(
        setup_t, metadata_refresh_s, "LK_METADATA_REFRESH_SECONDS", "86400", 0,
        INT64_C(365) * 24 * 3600,
        "How often the metadata of an active provider is fetched again; 0: only when "
        "somebody asks for it."),
    SETTING_NUMBER_ROW(setup_t, metadata_grace_s, "LK_METADATA_GRACE_SECONDS", "604800", 0,
                       INT64_C(365) * 24 * 3600,
                       "How long a certificate that has vanished from metadata is still accepted."),
};

status_t setup_check(const void *setup, err_t *err)
{
    const char *url = ((const setup_t *)setup)->public_url;
    if (check_http_url(url, strlen(url)) != NULL || strpbrk(url, "?#@") != NULL)
        return err_set(err, STATUS_INVALID, "LK_PUBLIC_URL",
                       "is not an absolute http or https URL without user, query and fragment");
    const char *path = ((const setup_t *)setup)->sso_return_to;
    if (check_local_path(path, strlen(path)) != NULL)
        return err_set(err, STATUS_INVALID, "LK_SSO_RETURN_TO",
                       "is no local path: one slash, then neither a slash nor a backslash");
    return STATUS_OK;
}

/* Without the brackets of IPv6. */
static bool is_loopback(const char *host, size_t length)
{
    static const char *const blocks[] = {"127.0.0.0/8", "::1"};
    ipnet_t address, block;
    if (length == strlen("localhost") && strncasecmp(host, "localhost", length) == 0)
        return true;
    if (ipnet_parse(host, length, &address) != STATUS_OK)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        if (ipnet_parse(blocks[i], strlen(blocks[i]), &block) == STATUS_OK &&
            ipnet_contains(&block, &address))
            return true;
    return false;
}

reach_t setup_reach_of(const char *public_url)
{
    static const char tls[] = "https://", plain[] = "http://";
    if (strncasecmp(public_url, tls, sizeof(tls) - 1) == 0)
        return REACH_TLS;
    if (strncasecmp(public_url, plain, sizeof(plain) - 1) != 0)
        return REACH_PLAIN;
    const char *host = public_url + sizeof(plain) - 1;
    bool in_brackets = host[0] == '[';
    host += in_brackets;
    return is_loopback(host, strcspn(host, in_brackets ? "]/" : ":/")) ? REACH_LOOPBACK
                                                                       : REACH_PLAIN;
}

static void warn_of_plain(const char *public_url)
{
    if (setup_reach_of(public_url) != REACH_PLAIN)
        return;
    log_line_t line = log_line(LOG_WARN, "sso_refused");
    log_text(&line, "LK_PUBLIC_URL", public_url);
    log_text(&line, "why", "nobody can log in over plain HTTP: set an https URL");
    log_end(&line);
}

status_t setup_open(const void *setup, void **out_own, err_t *err)
{
    const setup_t *given = setup;
    fetch_settings_t settings = {.allow_private = given->metadata_allow_private};
    void *made = mem_zalloc(sizeof(own_t));
    own_t *own = made;
    status_t status = STATUS_OK;
    warn_of_plain(given->public_url);
    if (given->saml_key_file[0] != '\0')
        status = signer_open(given->saml_key_file, &own->signer, err);
    if (status == STATUS_OK)
        status = fetch_start(&settings, &own->fetcher, err);
    if (status == STATUS_OK)
        *out_own = made;
    else
        setup_close(&made);
    return status;
}

void setup_close(void **own)
{
    own_t *closing = *own;
    if (closing == NULL)
        return;
    fetch_stop(&closing->fetcher);
    signer_close(&closing->signer);
    mem_free(closing);
    *own = NULL;
}

const char *setup_public_url(const call_t *call)
{
    const setup_t *setup = call->keeper->settings;
    return setup->public_url;
}

reach_t setup_reach(const call_t *call)
{
    return setup_reach_of(setup_public_url(call));
}

const char *setup_return_to(const call_t *call)
{
    const setup_t *setup = call->keeper->settings;
    return setup->sso_return_to;
}

int64_t setup_session_ms(const call_t *call)
{
    const setup_t *setup = call->keeper->settings;
    return setup->sso_session_seconds * 1000;
}

const fetcher_t *setup_fetcher(const call_t *call)
{
    return setup_fetcher_of(call->keeper->own);
}

const fetcher_t *setup_fetcher_of(const void *own)
{
    return ((const own_t *)own)->fetcher;
}

const signer_t *setup_signer(const call_t *call)
{
    const own_t *own = call->keeper->own;
    return own->signer;
}
