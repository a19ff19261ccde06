#include "services/fqdn-auth/connection_store.h"

#include "proto/record.h"
#include "services/common/columns.h"
#include "services/fqdn-auth/fqdn_store.h"

#include <string.h>

static const char list_name[] = "connection";

/* Binds the folded name, for finding and ordering; key is borrowed until the query's end. */
static void bind_key(query_t *query, int n, const char *name,
                     char key[sizeof(((connection_v2_t *)0)->connection_name)])
{
    text_fold(key, name, strlen(name) + 1);
    query_text(query, n, key);
}

static void bind_packed(query_t *query, int n, const packed_t *packed)
{
    query_blob(query, n, packed->bytes, packed->length);
}

/* Binds auth_type, transport_protocol, tags, inbound, outbound from parameter n on. */
static void bind_middle(query_t *query, int n, const stored_connection_t *connection)
{
    const connection_v2_t *shown = &connection->shown;
    query_text(query, n, connection->has_auth ? "fqdn" : "");
    query_text(
        query, n + 1,
        column_word(&connection_v2_schema, CONNECTION_V2_TRANSPORT, shown->transport_protocol));
    bind_packed(query, n + 2, &shown->tags);
    bind_packed(query, n + 3, &shown->inbound);
    bind_packed(query, n + 4, &shown->outbound.rest);
}

status_t connection_store_add(store_t *store, stored_connection_t *connection, int64_t now_utc_ms,
                              err_t *err)
{
    connection_v2_t *shown = &connection->shown;
    status_t status = page_stamp(store, SQL_CONNECTION_LATEST, now_utc_ms, &shown->created_at, err);
    if (status != STATUS_OK)
        return status;
    shown->updated_at = shown->created_at;
    field_give(&shown->fields, CONNECTION_V2_CREATED_AT);
    field_give(&shown->fields, CONNECTION_V2_UPDATED_AT);
    char key[sizeof(shown->connection_name)];
    AUTO(query_end) query_t *query = store_query(store, SQL_CONNECTION_ADD);
    query_text(query, 1, shown->id);
    query_text(query, 2, connection->organization_id);
    query_text(query, 3, shown->connection_name);
    query_number(query, 4, shown->active);
    bind_middle(query, 5, connection);
    query_number(query, 10, shown->created_at);
    query_number(query, 11, shown->updated_at);
    bind_key(query, 12, shown->connection_name, key);
    status = query_run(query, NULL, err);
    if (status == STATUS_OK)
        status = page_count(store, SQL_PAGE_COUNT, list_name, connection->organization_id, 1, err);
    return status;
}

status_t connection_store_read(query_t *row, stored_connection_t *out, err_t *err)
{
    *out = (stored_connection_t){.has_auth = false};
    columns_t columns = {row, &connection_v2_schema, &out->shown, STATUS_OK, err};
    columns_text(&columns, 0, CONNECTION_V2_ID);
    columns_text(&columns, 2, CONNECTION_V2_NAME);
    columns_switch(&columns, 3, CONNECTION_V2_ACTIVE);
    columns_word(&columns, 5, CONNECTION_V2_TRANSPORT);
    columns_packed(&columns, 6, CONNECTION_V2_TAGS);
    columns_packed(&columns, 7, CONNECTION_V2_INBOUND);
    columns_number(&columns, 9, CONNECTION_V2_CREATED_AT);
    columns_number(&columns, 10, CONNECTION_V2_UPDATED_AT);
    if (columns.status != STATUS_OK)
        return columns.status;
    columns_t outbound = {row, &outbound_schema, &out->shown.outbound, STATUS_OK, err};
    columns_packed(&outbound, 8, OUTBOUND_REST);
    field_give(&out->shown.fields, CONNECTION_V2_OUTBOUND);
    record_give_text(&connection_v2_schema, &out->shown, CONNECTION_V2_RECORD_TYPE,
                     "fqdn_connection");
    const char *type = query_column_text(row, 4, NULL);
    out->has_auth = type != NULL && type[0] != '\0';
    return outbound.status == STATUS_OK
               ? query_copy_text(row, 1, out->organization_id, sizeof(out->organization_id), err)
               : outbound.status;
}

status_t connection_store_get(store_t *store, const char *id, stored_connection_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_CONNECTION_GET);
    query_text(query, 1, id);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? connection_store_read(query, out, err) : status;
}

status_t connection_store_change(store_t *store, stored_connection_t *connection,
                                 int64_t now_utc_ms, err_t *err)
{
    connection_v2_t *shown = &connection->shown;
    shown->updated_at = page_touch(now_utc_ms, shown->updated_at);
    char key[sizeof(shown->connection_name)];
    AUTO(query_end) query_t *query = store_query(store, SQL_CONNECTION_CHANGE);
    query_text(query, 1, shown->connection_name);
    query_number(query, 2, shown->active);
    bind_middle(query, 3, connection);
    query_number(query, 8, shown->updated_at);
    bind_key(query, 9, shown->connection_name, key);
    query_text(query, 10, shown->id);
    return query_run(query, NULL, err);
}

status_t connection_store_delete(store_t *store, const stored_connection_t *connection, err_t *err)
{
    const char *owner = connection->organization_id;
    status_t status = fqdn_store_forget(store, connection->shown.id, owner, err);
    if (status != STATUS_OK)
        return status;
    AUTO(query_end) query_t *query = store_query(store, SQL_CONNECTION_DELETE);
    query_text(query, 1, connection->shown.id);
    status = query_run(query, NULL, err);
    if (status == STATUS_OK)
        status = page_count(store, SQL_PAGE_COUNT, list_name, owner, -1, err);
    return status;
}

query_t *connection_store_list(store_t *store, const char *organization_id, order_t order,
                               const page_t *page)
{
    return page_query(store, sql_connection_list(order), organization_id, page);
}

static void bind_filter(query_t *query, const connection_filter_t *filter)
{
    query_text(query, 1, filter->organization_id);
    query_text(query, 2, filter->fqdn);
    query_text(query, 3, filter->name_pattern);
}

query_t *connection_store_find(store_t *store, const connection_filter_t *filter, order_t order,
                               int64_t limit, int64_t offset)
{
    bool all = filter->organization_id == NULL, by_fqdn = filter->fqdn != NULL;
    query_t *query = store_query(store, sql_connection_filter(order, all, by_fqdn));
    bind_filter(query, filter);
    query_number(query, 4, limit);
    query_number(query, 5, offset);
    return query;
}

status_t connection_store_total(store_t *store, const char *organization_id, int64_t *out,
                                err_t *err)
{
    return page_total(store, SQL_PAGE_TOTAL, list_name, organization_id, out, err);
}

status_t connection_store_found(store_t *store, const connection_filter_t *filter, int64_t *out,
                                err_t *err)
{
    bool all = filter->organization_id == NULL, by_fqdn = filter->fqdn != NULL;
    AUTO(query_end) query_t *query = store_query(store, sql_connection_found(all, by_fqdn));
    bind_filter(query, filter);
    return query_read_number(query, out, err);
}
