#include "services/fqdn-auth/fqdn_store.h"

#include "proto/record.h"
#include "services/common/columns.h"
#include "services/common/list.h"

#include <string.h>

static const char list_name[] = "fqdn";

static status_t count(store_t *store, const char *owner, int64_t change, err_t *err)
{
    return page_count(store, SQL_PAGE_COUNT, list_name, owner, change, err);
}

/* Binds fqdn, dns_record_type, port from parameter n on. */
static void bind_target(query_t *query, int n, const fqdn_t *shown)
{
    query_text(query, n, shown->fqdn);
    query_text(query, n + 1,
               column_word(&fqdn_schema, FQDN_DNS_RECORD_TYPE, shown->dns_record_type));
    query_number(query, n + 2, field_set(&shown->fields, FQDN_PORT) ? shown->port : 0);
}

status_t fqdn_store_add(store_t *store, stored_fqdn_t *fqdn, int64_t now_utc_ms, err_t *err)
{
    fqdn_t *shown = &fqdn->shown;
    status_t status = page_stamp(store, SQL_FQDN_LATEST, now_utc_ms, &shown->created_at, err);
    if (status != STATUS_OK)
        return status;
    shown->updated_at = shown->created_at;
    field_give(&shown->fields, FQDN_CREATED_AT);
    field_give(&shown->fields, FQDN_UPDATED_AT);
    AUTO(query_end) query_t *query = store_query(store, SQL_FQDN_ADD);
    query_text(query, 1, shown->id);
    query_text(query, 2, shown->connection_id);
    query_text(query, 3, fqdn->organization_id);
    bind_target(query, 4, shown);
    query_number(query, 7, shown->created_at);
    query_number(query, 8, shown->updated_at);
    status = query_run(query, NULL, err);
    return status == STATUS_OK ? count(store, fqdn->organization_id, 1, err) : status;
}

status_t fqdn_store_read(query_t *row, stored_fqdn_t *out, err_t *err)
{
    memset(out, 0, sizeof(*out));
    columns_t columns = {row, &fqdn_schema, &out->shown, STATUS_OK, err};
    columns_text(&columns, 0, FQDN_ID);
    columns_text(&columns, 1, FQDN_CONNECTION_ID);
    columns_text(&columns, 2, FQDN_FQDN);
    columns_word(&columns, 3, FQDN_DNS_RECORD_TYPE);
    columns_number(&columns, 4, FQDN_PORT);
    columns_number(&columns, 5, FQDN_CREATED_AT);
    columns_number(&columns, 6, FQDN_UPDATED_AT);
    record_give_text(&fqdn_schema, &out->shown, FQDN_RECORD_TYPE, "fqdn");
    return columns.status == STATUS_OK
               ? query_copy_text(row, 7, out->organization_id, sizeof(out->organization_id), err)
               : columns.status;
}

status_t fqdn_store_get(store_t *store, const char *id, stored_fqdn_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_FQDN_GET);
    query_text(query, 1, id);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? fqdn_store_read(query, out, err) : status;
}

status_t fqdn_store_change(store_t *store, stored_fqdn_t *fqdn, const char *owner,
                           int64_t now_utc_ms, err_t *err)
{
    fqdn_t *shown = &fqdn->shown;
    shown->updated_at = page_touch(now_utc_ms, shown->updated_at);
    AUTO(query_end) query_t *query = store_query(store, SQL_FQDN_CHANGE);
    query_text(query, 1, shown->connection_id);
    query_text(query, 2, fqdn->organization_id);
    bind_target(query, 3, shown);
    query_number(query, 6, shown->updated_at);
    query_text(query, 7, shown->id);
    status_t status = query_run(query, NULL, err);
    if (status != STATUS_OK || strcmp(owner, fqdn->organization_id) == 0)
        return status;
    status = count(store, owner, -1, err); /* an operator moved it to somebody else's connection */
    return status == STATUS_OK ? count(store, fqdn->organization_id, 1, err) : status;
}

status_t fqdn_store_delete(store_t *store, const stored_fqdn_t *fqdn, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_FQDN_DELETE);
    query_text(query, 1, fqdn->shown.id);
    status_t status = query_run(query, NULL, err);
    return status == STATUS_OK ? count(store, fqdn->organization_id, -1, err) : status;
}

status_t fqdn_store_forget(store_t *store, const char *connection_id, const char *owner, err_t *err)
{
    int64_t had = 0;
    status_t status = fqdn_store_count(store, connection_id, &had, err);
    return status == STATUS_OK && had > 0 ? count(store, owner, -had, err) : status;
}

status_t fqdn_store_count(store_t *store, const char *connection_id, int64_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_FQDN_COUNT);
    query_text(query, 1, connection_id);
    return query_read_number(query, out, err);
}

static status_t read_shown(query_t *row, void *out, err_t *err)
{
    stored_fqdn_t fqdn;
    status_t status = fqdn_store_read(row, &fqdn, err);
    if (status == STATUS_OK)
        *(fqdn_t *)out = fqdn.shown;
    return status;
}

status_t fqdn_store_all(store_t *store, const char *connection_id, int64_t limit, records_t *out,
                        err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_FQDN_OF_CONNECTION);
    query_text(query, 1, connection_id);
    query_number(query, 2, limit);
    return list_records(query, sizeof(fqdn_t), read_shown, out, err);
}

query_t *fqdn_store_list(store_t *store, const char *organization_id, const page_t *page)
{
    return page_query(store, SQL_FQDN_LIST, organization_id, page);
}

static fqdn_lead_t lead_of(const fqdn_filter_t *filter)
{
    return filter->connection_id != NULL ? FQDN_BY_CONNECTION
           : filter->fqdn != NULL        ? FQDN_BY_NAME
                                         : FQDN_BY_OWNER;
}

static void bind_filter(query_t *query, const fqdn_filter_t *filter)
{
    query_text(query, 1, filter->organization_id);
    query_text(query, 2, filter->connection_id);
    query_text(query, 3, filter->fqdn);
    query_number_or_null(query, 4, filter->port, filter->port == 0);
    query_text(query, 5, filter->dns_record_type);
}

query_t *fqdn_store_find(store_t *store, const fqdn_filter_t *filter, int64_t limit, int64_t offset)
{
    bool all = filter->organization_id == NULL;
    query_t *query = store_query(store, sql_fqdn_filter(all, lead_of(filter)));
    bind_filter(query, filter);
    query_number(query, 6, limit);
    query_number(query, 7, offset);
    return query;
}

status_t fqdn_store_total(store_t *store, const char *organization_id, int64_t *out, err_t *err)
{
    return page_total(store, SQL_PAGE_TOTAL, list_name, organization_id, out, err);
}

status_t fqdn_store_found(store_t *store, const fqdn_filter_t *filter, int64_t *out, err_t *err)
{
    bool all = filter->organization_id == NULL;
    AUTO(query_end) query_t *query = store_query(store, sql_fqdn_found(all, lead_of(filter)));
    bind_filter(query, filter);
    return query_read_number(query, out, err);
}
