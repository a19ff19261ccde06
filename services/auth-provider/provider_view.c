#include "services/auth-provider/provider_view.h"

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

/* A fingerprint of another length than its algorithm makes can't ever match, so whose it is does
 * not matter then. */
static void warn(provider_t *provider)
{
    const idp_settings_t *settings = &provider->settings;
    unsigned algorithm = (unsigned)settings->idp_cert_fingerprint_algorithm;
    size_t expected = fingerprint_bytes(algorithm), size = 0, count = 0;
    uint8_t bytes[FINGERPRINT_BYTES_MAX];
    char text[PACKED_TEXT_MAX] = "";
    const char *const texts[] = {text};
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
    packed_set_texts(texts, count, &provider->warnings);
    field_give(&provider->fields, PROVIDER_WARNINGS);
}

static void give_nulls(presence_t *fields, const unsigned *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!field_given(fields, rows[i]))
            field_give_null(fields, rows[i]);
}

void provider_view(provider_t *provider, const char *public_url)
{
    static const unsigned own[] = {PROVIDER_SETTINGS_URL, PROVIDER_ACTIVATED_AT};
    static const unsigned settings[] = {IDP_ATTRIBUTE_NAMES, IDP_CERTIFICATE, IDP_SLO_TARGET_URL,
                                        IDP_PROVISION_GROUPS};
    record_give_text(&provider_schema, provider, PROVIDER_RECORD_TYPE, "authentication_provider");
    derive(provider, IDP_ACS_URL, public_url, "/saml/auth");
    derive(provider, IDP_SP_ENTITY_ID, public_url, "/saml/metadata");
    derive(provider, IDP_SP_LOGIN_URL, public_url, "");
    warn(provider);
    give_nulls(&provider->fields, own, ARRAY_LEN(own));
    give_nulls(&provider->settings.fields, settings, ARRAY_LEN(settings));
}
