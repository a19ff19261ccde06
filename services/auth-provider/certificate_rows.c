#include "services/auth-provider/certificate_rows.h"

#include "common/mem.h"
#include "common/uuid.h"
#include "proto/record.h"
#include "services/auth-provider/sql.h"
#include "services/common/columns.h"

status_t certificate_rows_add(store_t *writer, const char *provider_id, certificate_source_t source,
                              const certificate_t *certificate, err_t *err)
{
    char id[UUID_SIZE];
    uuid_new(id);
    AUTO(query_end) query_t *query = store_query(writer, SQL_CERTIFICATE_ADD);
    query_text(query, 1, id);
    query_text(query, 2, provider_id);
    query_text(query, 3, certificate_source_words[source]);
    query_blob(query, 4, certificate->der, certificate->length);
    query_text(query, 5, certificate->fingerprint);
    query_number(query, 6, certificate->not_before_ms);
    query_number(query, 7, certificate->not_after_ms);
    return query_run(query, NULL, err);
}

static status_t set_retired(store_t *writer, const char *id, int64_t at_utc_ms, bool is_retired,
                            err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_CERTIFICATE_RETIRE);
    query_number_or_null(query, 1, at_utc_ms, !is_retired);
    query_text(query, 2, id);
    return query_run(query, NULL, err);
}

status_t certificate_rows_retire(store_t *writer, const char *id, int64_t now_utc_ms, err_t *err)
{
    return set_retired(writer, id, now_utc_ms, true, err);
}

status_t certificate_rows_revive(store_t *writer, const char *id, err_t *err)
{
    return set_retired(writer, id, 0, false, err);
}

status_t certificate_rows_forget(store_t *writer, const char *provider_id, const char *kept_id,
                                 err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_CERTIFICATE_FORGET);
    query_text(query, 1, provider_id);
    query_text(query, 2, kept_id);
    query_number(query, 3, INT32_MAX);
    query_number(query, 4, CERTIFICATES_RETIRED_MAX);
    return query_run(query, NULL, err);
}

status_t certificate_rows_standing(store_t *store, const char *provider_id, const char *sha256,
                                   certificate_standing_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_CERTIFICATE_STANDING);
    query_text(query, 1, provider_id);
    query_text(query, 2, sha256);
    status_t status = query_only_row(query, err);
    if (status == STATUS_OK)
        *out = query_column_is_null(query, 0) ? CERTIFICATE_LIVE : CERTIFICATE_IS_RETIRED;
    else if (status == STATUS_UNKNOWN)
        *out = CERTIFICATE_NONE;
    return status == STATUS_UNKNOWN ? STATUS_OK : status;
}

query_t *certificate_rows_all(store_t *store, const char *provider_id)
{
    query_t *query = store_query(store, SQL_CERTIFICATE_SHOW);
    query_text(query, 1, provider_id);
    return query;
}

static status_t give_pem(query_t *row, int column, idp_certificate_t *out, err_t *err)
{
    AUTO(certificate_clear) certificate_t certificate = {0};
    size_t length = 0;
    const void *der = query_column_blob(row, column, &length);
    if (certificate_from_der(der, length, &certificate) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "certificate", "a stored one can't be read");
    AUTO(mem_release) char *pem = certificate_to_pem(&certificate);
    record_give_text(&idp_certificate_schema, out, IDP_CERT_CERTIFICATE, pem);
    return STATUS_OK;
}

status_t certificate_rows_read(query_t *rows, idp_certificate_t *out, err_t *err)
{
    out->fields = (presence_t){0};
    columns_t columns = {rows, &idp_certificate_schema, out, STATUS_OK, err};
    columns_text(&columns, 0, IDP_CERT_ID);
    columns_word(&columns, 1, IDP_CERT_SOURCE);
    columns_text(&columns, 3, IDP_CERT_FINGERPRINT_SHA256);
    columns_number(&columns, 4, IDP_CERT_NOT_BEFORE);
    columns_number(&columns, 5, IDP_CERT_NOT_AFTER);
    columns_number(&columns, 6, IDP_CERT_RETIRED_AT);
    return columns.status == STATUS_OK ? give_pem(rows, 2, out, err) : columns.status;
}

static status_t get(store_t *store, size_t statement, const char *provider_id, const char *key,
                    idp_certificate_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, statement);
    query_text(query, 1, provider_id);
    query_text(query, 2, key);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? certificate_rows_read(query, out, err) : status;
}

status_t certificate_rows_get(store_t *store, const char *provider_id, const char *id,
                              idp_certificate_t *out, err_t *err)
{
    return get(store, SQL_CERTIFICATE_GET, provider_id, id, out, err);
}

status_t certificate_rows_named(store_t *store, const char *provider_id, const char *sha256,
                                idp_certificate_t *out, err_t *err)
{
    return get(store, SQL_CERTIFICATE_NAMED, provider_id, sha256, out, err);
}

status_t certificate_rows_live(store_t *store, const char *provider_id, int64_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_CERTIFICATE_LIVE);
    query_text(query, 1, provider_id);
    return query_read_number(query, out, err);
}
