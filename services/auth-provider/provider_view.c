#include "services/auth-provider/provider_view.h"

#include "common/clock.h"
#include "proto/packed.h"
#include "proto/record.h"

#include <string.h>

static status_t url_of(const char *short_name, const char *public_url, const char *path,
                       char out[PROVIDER_DERIVED_MAX + 1])
{
    size_t length = strlen(public_url);
    while (length > 0 && public_url[length - 1] == '/')
        length--;
    return text_format(out, PROVIDER_DERIVED_MAX + 1, "%.*s/sso%s/%s", (int)length, public_url,
                       path, short_name);
}

status_t provider_logout_url(const char *short_name, const char *public_url,
                             char out[PROVIDER_DERIVED_MAX + 1])
{
    return url_of(short_name, public_url, "/saml/logout", out);
}

static void derive(provider_t *provider, unsigned row, const char *public_url, const char *path)
{
    char url[PROVIDER_DERIVED_MAX + 1];
    if (url_of(provider->short_name, public_url, path, url) == STATUS_OK)
        record_give_text(&idp_settings_schema, &provider->settings, row, url);
}

/* Expiry is told and no more: what an expired certificate has signed is accepted. */
static size_t warn_of_expiry(const idp_settings_t *settings, int64_t now_utc_ms,
                             char out[PACKED_TEXT_MAX])
{
    const int64_t soon_ms = INT64_C(30) * 24 * 60 * 60 * 1000;
    int64_t at = settings->certificate_expires_at;
    char time[CLOCK_RFC3339_SIZE];
    if (!field_set(&settings->fields, IDP_CERTIFICATE_EXPIRES_AT) || at - now_utc_ms > soon_ms)
        return 0;
    clock_format_time(at, time);
    return text_format(out, PACKED_TEXT_MAX,
                       "A certificate of the identity provider %s at %s. Logins by it go on; add "
                       "the next one, then retire it.",
                       at <= now_utc_ms ? "expired" : "expires", time) == STATUS_OK;
}

/* A fingerprint of another length than its algorithm makes can't ever match, so whose it is does
 * not matter then. */
static void warn(provider_t *provider, int64_t now_utc_ms)
{
    const idp_settings_t *settings = &provider->settings;
    unsigned algorithm = (unsigned)settings->idp_cert_fingerprint_algorithm;
    size_t expected = fingerprint_bytes(algorithm), size = 0, count = 0;
    uint8_t bytes[FINGERPRINT_BYTES_MAX];
    char text[PACKED_TEXT_MAX] = "", expiry[PACKED_TEXT_MAX] = "";
    const char *texts[2] = {text, expiry};
    if (fingerprint_read(settings->idp_cert_fingerprint, strlen(settings->idp_cert_fingerprint),
                         bytes, &size) == STATUS_OK &&
        size != expected)
        count = text_format(text, sizeof(text),
                            "settings.idp_cert_fingerprint has %zu bytes, as %s makes them, but "
                            "idp_cert_fingerprint_algorithm is %s, which makes %zu: no login will "
                            "be accepted by it.",
                            size, fingerprint_words[fingerprint_of_size(size)],
                            fingerprint_words[algorithm], expected) == STATUS_OK;
    else if (settings->certificate_differs)
        count = text_format(text, sizeof(text),
                            "settings.idp_certificate does not have the fingerprint in "
                            "settings.idp_cert_fingerprint: they are of two certificates.") ==
                STATUS_OK;
    texts[count] = expiry;
    count += warn_of_expiry(settings, now_utc_ms, expiry);
    packed_set_texts(texts, count, &provider->warnings);
    field_give(&provider->fields, PROVIDER_WARNINGS);
}

static void give_nulls(presence_t *fields, const unsigned *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!field_given(fields, rows[i]))
            field_give_null(fields, rows[i]);
}

void provider_view(provider_t *provider, const char *public_url, int64_t now_utc_ms)
{
    static const unsigned own[] = {PROVIDER_SETTINGS_URL, PROVIDER_ACTIVATED_AT};
    static const unsigned settings[] = {IDP_CERTIFICATE_EXPIRES_AT, IDP_ATTRIBUTE_NAMES,
                                        IDP_CERTIFICATE, IDP_SLO_TARGET_URL, IDP_PROVISION_GROUPS};
    record_give_text(&provider_schema, provider, PROVIDER_RECORD_TYPE, "authentication_provider");
    derive(provider, IDP_ACS_URL, public_url, "/saml/auth");
    derive(provider, IDP_SP_ENTITY_ID, public_url, "/saml/metadata");
    derive(provider, IDP_SP_LOGIN_URL, public_url, "");
    warn(provider, now_utc_ms);
    give_nulls(&provider->fields, own, ARRAY_LEN(own));
    give_nulls(&provider->settings.fields, settings, ARRAY_LEN(settings));
}
