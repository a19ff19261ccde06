#include "services/trunk-auth/trunk_store.h"

#include "services/common/columns.h"
#include "services/common/page.h"
#include "services/trunk-auth/sql.h"

status_t trunk_store_add(store_t *store, const stored_trunk_t *trunk, err_t *err)
{
    const trunk_t *shown = &trunk->shown;
    AUTO(query_end) query_t *query = store_query(store, SQL_TRUNK_ADD);
    query_text(query, 1, shown->uuid);
    query_text(query, 2, trunk->organization_id);
    query_text(query, 3, shown->name);
    columns_bind_text(query, 4, &trunk_schema, shown, TRUNK_DOMAIN);
    query_number(query, 5, shown->port);
    query_text(query, 6, column_word(&trunk_schema, TRUNK_TRANSPORT, shown->transport));
    query_text(query, 7, column_word(&trunk_schema, TRUNK_AUTH_POLICY, shown->auth_policy));
    columns_bind_text(query, 8, &trunk_schema, shown, TRUNK_USER);
    query_number(query, 9, shown->created_on);
    query_number(query, 10, shown->updated_on);
    return query_run(query, NULL, err);
}

status_t trunk_store_read(query_t *list, stored_trunk_t *out, err_t *err)
{
    stored_trunk_t trunk = {0};
    columns_t columns = {list, &trunk_schema, &trunk.shown, STATUS_OK, err};
    columns_text(&columns, 0, TRUNK_UUID);
    columns_text(&columns, 2, TRUNK_NAME);
    columns_text(&columns, 3, TRUNK_DOMAIN);
    columns_number(&columns, 4, TRUNK_PORT);
    columns_word(&columns, 5, TRUNK_TRANSPORT);
    columns_word(&columns, 6, TRUNK_AUTH_POLICY);
    columns_text(&columns, 7, TRUNK_USER);
    columns_number(&columns, 8, TRUNK_CREATED_ON);
    columns_number(&columns, 9, TRUNK_UPDATED_ON);
    if (columns.status == STATUS_OK)
        columns.status =
            query_copy_text(list, 1, trunk.organization_id, sizeof(trunk.organization_id), err);
    if (columns.status == STATUS_OK)
        *out = trunk;
    return columns.status;
}

status_t trunk_store_get(store_t *store, const char *uuid, stored_trunk_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_TRUNK_GET);
    query_text(query, 1, uuid);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? trunk_store_read(query, out, err) : status;
}

status_t trunk_store_organization(store_t *store, const char *uuid, char out[UUID_SIZE], err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_TRUNK_ORGANIZATION);
    query_text(query, 1, uuid);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? query_copy_text(query, 0, out, UUID_SIZE, err) : status;
}

query_t *trunk_store_list(store_t *store, const char *organization_id, int64_t limit,
                          int64_t offset)
{
    page_t page = {.offset = offset, .rows = limit};
    return page_query(store, SQL_TRUNK_LIST, organization_id, &page);
}

status_t trunk_store_replace(store_t *store, const trunk_t *trunk, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_TRUNK_REPLACE);
    query_text(query, 1, trunk->name);
    columns_bind_text(query, 2, &trunk_schema, trunk, TRUNK_DOMAIN);
    query_number(query, 3, trunk->port);
    query_text(query, 4, column_word(&trunk_schema, TRUNK_TRANSPORT, trunk->transport));
    query_text(query, 5, column_word(&trunk_schema, TRUNK_AUTH_POLICY, trunk->auth_policy));
    columns_bind_text(query, 6, &trunk_schema, trunk, TRUNK_USER);
    query_number(query, 7, trunk->updated_on);
    query_text(query, 8, trunk->uuid);
    return query_run(query, NULL, err);
}

status_t trunk_store_delete(store_t *store, const char *uuid, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_TRUNK_DELETE);
    query_text(query, 1, uuid);
    return query_run(query, NULL, err);
}
