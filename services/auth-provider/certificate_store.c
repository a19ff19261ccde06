#include "services/auth-provider/certificate_store.h"

#include "services/auth-provider/certificate_rows.h"
#include "services/auth-provider/sql.h"

#include <string.h>

enum { ROWS_MAX = CERTIFICATES_LIVE_MAX + CERTIFICATES_RETIRED_MAX };

/* Which certificates stay. */
typedef struct {
    const certificate_t *given;     /* this one; NULL: no single one */
    const idp_settings_t *settings; /* those with its fingerprint; NULL: whatever theirs is */
} keep_t;

/* STATUS_INVALID as certificate_store_give. */
static status_t read_given(const idp_settings_t *settings, certificate_t *out, err_t *err)
{
    const char *text = settings->idp_certificate;
    if (certificate_from_text(text, strlen(text), out) == STATUS_OK)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "idp_certificate", "is no certificate");
}

static bool has_fingerprint(const certificate_t *certificate, const idp_settings_t *settings)
{
    const char *text = settings->idp_cert_fingerprint;
    return certificate_matches(certificate,
                               (fingerprint_algorithm_t)settings->idp_cert_fingerprint_algorithm,
                               text, strlen(text));
}

status_t certificate_store_compare(idp_settings_t *settings, err_t *err)
{
    AUTO(certificate_clear) certificate_t given = {0};
    settings->certificate_differs = false;
    if (!field_set(&settings->fields, IDP_CERTIFICATE))
        return STATUS_OK;
    status_t status = read_given(settings, &given, err);
    if (status == STATUS_OK)
        settings->certificate_differs = !has_fingerprint(&given, settings);
    return status;
}

static bool stays(const keep_t *keep, const certificate_t *certificate)
{
    return (keep->given != NULL &&
            strcmp(keep->given->fingerprint, certificate->fingerprint) == 0) ||
           (keep->settings != NULL && has_fingerprint(certificate, keep->settings));
}

/* The ids of the rows whose standing changes. */
typedef struct {
    size_t count;
    struct {
        char id[UUID_SIZE];
        bool retire;
    } rows[ROWS_MAX];
} changes_t;

static status_t look_at(query_t *query, const keep_t *keep, changes_t *changes, err_t *err)
{
    AUTO(certificate_clear) certificate_t certificate = {0};
    size_t length = 0;
    const void *der = query_column_blob(query, 1, &length);
    if (certificate_from_der(der, length, &certificate) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "certificate", "a stored one can't be read");
    bool retire = !stays(keep, &certificate);
    bool is_retired = !query_column_is_null(query, 2);
    if (retire == is_retired)
        return STATUS_OK;
    if (changes->count == ROWS_MAX)
        return err_set(err, STATUS_CORRUPT, "certificate", "more are stored than a provider has");
    changes->rows[changes->count].retire = retire;
    return query_copy_text(query, 0, changes->rows[changes->count++].id, UUID_SIZE, err);
}

static status_t find_changes(store_t *store, const char *provider_id, const keep_t *keep,
                             changes_t *changes, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_CERTIFICATE_LIST);
    query_text(query, 1, provider_id);
    bool more = false;
    status_t status = query_step(query, &more, err);
    while (status == STATUS_OK && more) {
        status = look_at(query, keep, changes, err);
        if (status == STATUS_OK)
            status = query_step(query, &more, err);
    }
    return status;
}

/* Retires all but those that stay; one that stays and was retired is so no more. */
static status_t retire(store_t *store, const char *provider_id, const keep_t *keep,
                       int64_t now_utc_ms, err_t *err)
{
    changes_t changes = {.count = 0};
    status_t status = find_changes(store, provider_id, keep, &changes, err);
    for (size_t i = 0; i < changes.count && status == STATUS_OK; i++) {
        const char *id = changes.rows[i].id;
        status = changes.rows[i].retire ? certificate_rows_retire(store, id, now_utc_ms, err)
                                        : certificate_rows_revive(store, id, err);
    }
    return status;
}

static status_t find_own(store_t *store, const char *provider_id, const idp_settings_t *settings,
                         char out_id[UUID_SIZE], err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_CERTIFICATE_LIST);
    query_text(query, 1, provider_id);
    bool more = false;
    status_t status = query_step(query, &more, err);
    while (status == STATUS_OK && more) {
        AUTO(certificate_clear) certificate_t certificate = {0};
        size_t length = 0;
        const void *der = query_column_blob(query, 1, &length);
        if (certificate_from_der(der, length, &certificate) != STATUS_OK)
            return err_set(err, STATUS_CORRUPT, "certificate", "a stored one can't be read");
        if (has_fingerprint(&certificate, settings))
            return query_copy_text(query, 0, out_id, UUID_SIZE, err);
        status = query_step(query, &more, err);
    }
    return status;
}

status_t certificate_store_forget(store_t *store, const char *provider_id,
                                  const idp_settings_t *settings, err_t *err)
{
    char own_id[UUID_SIZE] = "";
    status_t status = find_own(store, provider_id, settings, own_id, err);
    return status == STATUS_OK ? certificate_rows_forget(store, provider_id, own_id, err) : status;
}

status_t certificate_store_replace(store_t *store, const char *provider_id,
                                   const metadata_t *metadata, int64_t now_utc_ms, err_t *err)
{
    const keep_t none = {0};
    status_t status = retire(store, provider_id, &none, now_utc_ms, err);
    if (status == STATUS_OK)
        status = certificate_rows_forget(store, provider_id, "", err);
    for (size_t i = 0; i < metadata->certificate_count && status == STATUS_OK; i++)
        status = certificate_rows_add(store, provider_id, CERTIFICATE_METADATA,
                                      &metadata->certificates[i], err);
    return status;
}

status_t certificate_store_give(store_t *store, const char *provider_id,
                                const idp_settings_t *settings, err_t *err)
{
    if (!field_set(&settings->fields, IDP_CERTIFICATE))
        return STATUS_OK;
    AUTO(certificate_clear) certificate_t given = {0};
    status_t status = read_given(settings, &given, err);
    return status == STATUS_OK
               ? certificate_rows_add(store, provider_id, CERTIFICATE_GIVEN, &given, err)
               : status;
}

/* The bytes count, not how they are written; but those of another hash are another fingerprint. */
static bool same_fingerprint(const idp_settings_t *a, const idp_settings_t *b)
{
    uint8_t left[FINGERPRINT_BYTES_MAX], right[FINGERPRINT_BYTES_MAX];
    size_t left_size = 0, right_size = 0;
    return fingerprint_read(a->idp_cert_fingerprint, strlen(a->idp_cert_fingerprint), left,
                            &left_size) == STATUS_OK &&
           fingerprint_read(b->idp_cert_fingerprint, strlen(b->idp_cert_fingerprint), right,
                            &right_size) == STATUS_OK &&
           left_size == right_size && memcmp(left, right, left_size) == 0 &&
           a->idp_cert_fingerprint_algorithm == b->idp_cert_fingerprint_algorithm;
}

static bool same_certificate(const idp_settings_t *a, const idp_settings_t *b)
{
    bool has = field_set(&a->fields, IDP_CERTIFICATE);
    return has == field_set(&b->fields, IDP_CERTIFICATE) &&
           (!has || strcmp(a->idp_certificate, b->idp_certificate) == 0);
}

bool certificate_store_differs(const idp_settings_t *before, const idp_settings_t *after)
{
    return !same_fingerprint(before, after) || !same_certificate(before, after);
}

status_t certificate_store_follow(store_t *store, const char *provider_id,
                                  const idp_settings_t *before, const idp_settings_t *after,
                                  int64_t now_utc_ms, err_t *err)
{
    bool new_print = !same_fingerprint(before, after);
    bool new_certificate = !same_certificate(before, after);
    bool has = field_set(&after->fields, IDP_CERTIFICATE);
    if (!new_print && !new_certificate)
        return STATUS_OK;
    AUTO(certificate_clear) certificate_t given = {0};
    keep_t keep = {.settings = new_print || !has ? after : NULL};
    status_t status = STATUS_OK;
    if (new_certificate && has) {
        keep.given = &given;
        status = read_given(after, &given, err);
        if (status == STATUS_OK)
            status = certificate_rows_add(store, provider_id, CERTIFICATE_GIVEN, &given, err);
    }
    if (status == STATUS_OK)
        status = retire(store, provider_id, &keep, now_utc_ms, err);
    return status == STATUS_OK ? certificate_store_forget(store, provider_id, after, err) : status;
}

status_t certificate_store_expiry(store_t *store, provider_t *provider, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_CERTIFICATE_EXPIRY);
    query_text(query, 1, provider->id);
    provider->settings.certificate_expires_at = INT64_MAX;
    status_t status = query_read_number(query, &provider->settings.certificate_expires_at, err);
    field_give_if(&provider->settings.fields, IDP_CERTIFICATE_EXPIRES_AT,
                  provider->settings.certificate_expires_at != INT64_MAX);
    return status;
}
