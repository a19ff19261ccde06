#include "services/auth-provider/sso/trust.h"

#include "services/auth-provider/provider_view.h"

static void expect_of(trust_t *trust, int64_t now_utc_ms)
{
    const idp_settings_t *settings = &trust->provider.settings;
    bool maps = field_set(&settings->fields, IDP_ATTRIBUTE_NAMES);
    trust->expect = (saml_expect_t){
        .idp_entity_id = settings->idp_entity_id,
        .sp_entity_id = settings->service_provider_entity_id,
        .acs_url = settings->assertion_consumer_service_url,
        .fingerprint = settings->idp_cert_fingerprint,
        .fingerprint_algorithm = (fingerprint_algorithm_t)settings->idp_cert_fingerprint_algorithm,
        .certificates = trust->certificates.items,
        .certificate_count = trust->certificates.count,
        .allow_sha1 = field_set(&settings->fields, IDP_ALLOW_SHA1_SIGNATURES) &&
                      settings->allow_sha1_signatures,
        .attribute_names = maps ? &settings->idp_attribute_names : NULL,
        .groups = field_set(&settings->fields, IDP_PROVISION_GROUPS) && settings->provision_groups,
        .now_utc_ms = now_utc_ms,
        .skew_ms = SAML_SKEW_MS,
    };
}

/* The URLs of an answer are compared with ours: an empty one of ours must never be. */
static status_t gather(store_t *store, const char *public_url, int64_t now_utc_ms, trust_t *out,
                       err_t *err)
{
    provider_view(&out->provider, public_url, now_utc_ms);
    const presence_t *given = &out->provider.settings.fields;
    if (!field_set(given, IDP_ACS_URL) || !field_set(given, IDP_SP_ENTITY_ID) ||
        !field_set(given, IDP_ENTITY_ID) || !field_set(given, IDP_CERT_FINGERPRINT))
        return err_set(err, STATUS_INVALID, "provider",
                       "has no URL of ours, LK_PUBLIC_URL is too "
                       "long for that");
    status_t status = certificate_set_load(store, out->provider.id, &out->certificates, err);
    if (status == STATUS_OK)
        expect_of(out, now_utc_ms);
    return status;
}

status_t trust_of(store_t *store, const provider_t *provider, const char *public_url,
                  int64_t now_utc_ms, trust_t *out, err_t *err)
{
    *out = (trust_t){.provider = *provider};
    return gather(store, public_url, now_utc_ms, out, err);
}

status_t trust_by_name(store_t *store, const char *short_name, const char *public_url,
                       int64_t now_utc_ms, trust_t *out, err_t *err)
{
    char id[UUID_SIZE];
    *out = (trust_t){0};
    status_t status = provider_store_named(store, short_name, id, err);
    if (status == STATUS_OK)
        status = provider_store_get(store, id, &out->provider, err);
    return status == STATUS_OK ? gather(store, public_url, now_utc_ms, out, err) : status;
}

void trust_clear(trust_t *trust)
{
    certificate_set_clear(&trust->certificates);
    *trust = (trust_t){0};
}
