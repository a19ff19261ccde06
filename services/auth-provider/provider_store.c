#include "services/auth-provider/provider_store.h"

#include "services/auth-provider/sql.h"
#include "services/common/columns.h"

#include <string.h>

static const char list[] = "provider";

/* The settings but for their derived members, from parameter n on; returns the next one. */
static int bind_settings(query_t *query, int n, const idp_settings_t *settings)
{
    const presence_t *fields = &settings->fields;
    if (field_set(fields, IDP_ATTRIBUTE_NAMES))
        query_blob(query, n, settings->idp_attribute_names.bytes,
                   settings->idp_attribute_names.length);
    query_text(query, n + 1, settings->idp_cert_fingerprint);
    query_text(query, n + 2,
               column_word(&idp_settings_schema, IDP_CERT_FINGERPRINT_ALGORITHM,
                           settings->idp_cert_fingerprint_algorithm));
    columns_bind_text(query, n + 3, &idp_settings_schema, settings, IDP_CERTIFICATE);
    query_text(query, n + 4, settings->idp_entity_id);
    columns_bind_text(query, n + 5, &idp_settings_schema, settings, IDP_SLO_TARGET_URL);
    query_text(query, n + 6, settings->idp_sso_target_url);
    query_text(query, n + 7, settings->name_identifier_format);
    bool has_groups = field_set(fields, IDP_PROVISION_GROUPS);
    query_number_or_null(query, n + 8, has_groups && settings->provision_groups, !has_groups);
    return n + 9;
}

/* name to provision_groups, from parameter n on; returns the next one. */
static int bind_provider(query_t *query, int n, const provider_t *provider)
{
    query_text(query, n, provider->name);
    query_text(query, n + 1, provider->short_name);
    query_number(query, n + 2, provider->active);
    columns_bind_text(query, n + 3, &provider_schema, provider, PROVIDER_SETTINGS_URL);
    return bind_settings(query, n + 4, &provider->settings);
}

/* Those that came later, which stand behind the times; returns the next one. */
static int bind_rest(query_t *query, int n, const idp_settings_t *settings)
{
    query_number(query, n, settings->certificate_differs);
    query_number(query, n + 1, settings->allow_idp_initiated);
    query_number(query, n + 2, settings->allow_sha1_signatures);
    return n + 3;
}

/* The only uniqueness that a client can break is that of the short name. */
static status_t run(query_t *query, bool *out_taken, err_t *err)
{
    status_t status = query_run(query, NULL, err);
    *out_taken = status == STATUS_CONFLICT;
    return status;
}

static void make_key(const provider_t *provider, char out[sizeof(provider->name)])
{
    text_fold(out, provider->name, strlen(provider->name) + 1);
}

status_t provider_store_add(store_t *store, const provider_t *provider, bool *out_taken, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_PROVIDER_ADD);
    char key[sizeof(provider->name)];
    make_key(provider, key);
    query_text(query, 1, provider->id);
    query_text(query, 2, provider->organization_id);
    int n = bind_provider(query, 3, provider);
    query_number_or_null(query, n, provider->activated_at,
                         !field_set(&provider->fields, PROVIDER_ACTIVATED_AT));
    query_number(query, n + 1, provider->created_at);
    query_number(query, n + 2, provider->updated_at);
    n = bind_rest(query, n + 3, &provider->settings);
    query_text(query, n, key);
    status_t status = run(query, out_taken, err);
    if (status == STATUS_OK)
        status = page_count(store, SQL_PAGE_COUNT, list, provider->organization_id, 1, err);
    return status;
}

status_t provider_store_read(query_t *page, provider_t *out, err_t *err)
{
    out->fields = out->settings.fields = (presence_t){0};
    columns_t own = {page, &provider_schema, out, STATUS_OK, err};
    columns_text(&own, 0, PROVIDER_ID);
    columns_text(&own, 1, PROVIDER_ORGANIZATION_ID);
    columns_text(&own, 2, PROVIDER_NAME);
    columns_text(&own, 3, PROVIDER_SHORT_NAME);
    columns_switch(&own, 4, PROVIDER_ACTIVE);
    columns_text(&own, 5, PROVIDER_SETTINGS_URL);
    columns_t settings = {page, &idp_settings_schema, &out->settings, own.status, err};
    columns_packed(&settings, 6, IDP_ATTRIBUTE_NAMES);
    columns_text(&settings, 7, IDP_CERT_FINGERPRINT);
    columns_word(&settings, 8, IDP_CERT_FINGERPRINT_ALGORITHM);
    columns_text(&settings, 9, IDP_CERTIFICATE);
    columns_text(&settings, 10, IDP_ENTITY_ID);
    columns_text(&settings, 11, IDP_SLO_TARGET_URL);
    columns_text(&settings, 12, IDP_SSO_TARGET_URL);
    columns_text(&settings, 13, IDP_NAME_IDENTIFIER_FORMAT);
    columns_switch(&settings, 14, IDP_PROVISION_GROUPS);
    columns_switch(&settings, 19, IDP_ALLOW_IDP_INITIATED);
    columns_switch(&settings, 20, IDP_ALLOW_SHA1_SIGNATURES);
    columns_number(&settings, 21, IDP_CERTIFICATE_EXPIRES_AT);
    own.status = settings.status;
    columns_number(&own, 15, PROVIDER_ACTIVATED_AT);
    columns_number(&own, 16, PROVIDER_CREATED_AT);
    columns_number(&own, 17, PROVIDER_UPDATED_AT);
    out->settings.certificate_differs = query_column_number(page, 18) != 0;
    field_give(&out->fields, PROVIDER_SETTINGS);
    return own.status;
}

status_t provider_store_get(store_t *store, const char *id, provider_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_PROVIDER_GET);
    query_text(query, 1, id);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? provider_store_read(query, out, err) : status;
}

status_t provider_store_named(store_t *store, const char *short_name, char out_id[UUID_SIZE],
                              err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_PROVIDER_NAMED);
    query_text(query, 1, short_name);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? query_copy_text(query, 0, out_id, UUID_SIZE, err) : status;
}

status_t provider_store_change(store_t *store, const provider_t *provider, bool *out_taken,
                               err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_PROVIDER_CHANGE);
    char key[sizeof(provider->name)];
    make_key(provider, key);
    int n = bind_provider(query, 1, provider);
    query_number_or_null(query, n, provider->activated_at,
                         !field_set(&provider->fields, PROVIDER_ACTIVATED_AT));
    query_number(query, n + 1, provider->updated_at);
    n = bind_rest(query, n + 2, &provider->settings);
    query_text(query, n, key);
    query_text(query, n + 1, provider->id);
    return run(query, out_taken, err);
}

status_t provider_store_delete(store_t *store, const provider_t *provider, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_PROVIDER_DELETE);
    query_text(query, 1, provider->id);
    status_t status = query_run(query, NULL, err);
    if (status == STATUS_OK)
        status = page_count(store, SQL_PAGE_COUNT, list, provider->organization_id, -1, err);
    return status;
}

status_t provider_store_stamp(store_t *store, int64_t now_utc_ms, int64_t *out, err_t *err)
{
    return page_stamp(store, SQL_PROVIDER_LATEST, now_utc_ms, out, err);
}

status_t provider_store_total(store_t *store, const char *organization_id, int64_t *out, err_t *err)
{
    return page_total(store, SQL_PAGE_TOTAL, list, organization_id, out, err);
}

query_t *provider_store_page(store_t *store, const char *organization_id, provider_sort_t sort,
                             const page_t *page)
{
    return page_query(store, SQL_PAGES + PAGE_STATEMENTS * (size_t)sort, organization_id, page);
}
