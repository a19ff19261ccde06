#include "services/common/list.h"
#include "services/fqdn-auth/connection_lists.h"
#include "services/fqdn-auth/fqdn_ops.h"
#include "services/fqdn-auth/fqdn_store.h"

#include <string.h>

static status_t add_row(call_t *call, query_t *row, void *context, err_t *err)
{
    (void)context;
    stored_fqdn_t fqdn;
    status_t status = fqdn_store_read(row, &fqdn, err);
    if (status == STATUS_OK)
        call_list_add(call, &fqdn.shown);
    return status;
}

bool fqdn_v1_list_is_slow(const call_t *call)
{
    const page_query_t *query = call->query;
    return !field_set(&query->fields, PAGE_LIMIT) || query->limit > QUICK_ROWS_MAX ||
           query->offset > PAGE_QUICK_SKIP;
}

void fqdn_v1_list(call_t *call, store_t *reader)
{
    const page_query_t *query = call->query;
    int64_t limit = field_set(&query->fields, PAGE_LIMIT) ? query->limit : 0;
    page_t page = {.offset = query->offset, .rows = list_most(limit) + 1};
    AUTO(query_end) query_t *rows = fqdn_store_list(reader, list_owner(call), &page);
    list_answer(call, rows, limit, query->offset, add_row, NULL);
}

static bool has_filter(const fqdn_v2_query_t *query)
{
    const presence_t *fields = &query->fields;
    return field_set(fields, FQDN_V2_QUERY_CONNECTION_ID) ||
           field_set(fields, FQDN_V2_QUERY_FQDN) || field_set(fields, FQDN_V2_QUERY_PORT) ||
           field_set(fields, FQDN_V2_QUERY_TYPE);
}

bool fqdn_v2_list_is_slow(const call_t *call)
{
    return has_filter(call->query);
}

static status_t list_found(call_t *call, store_t *reader, err_t *err)
{
    const fqdn_v2_query_t *query = call->query;
    const presence_t *fields = &query->fields;
    char id[sizeof(query->connection_id)], fqdn[sizeof(query->fqdn)];
    text_fold(id, query->connection_id, strlen(query->connection_id) + 1);
    text_fold(fqdn, query->fqdn, strlen(query->fqdn) + 1);
    fqdn_filter_t filter = {
        .organization_id = list_owner(call),
        .connection_id = field_set(fields, FQDN_V2_QUERY_CONNECTION_ID) ? id : NULL,
        .fqdn = field_set(fields, FQDN_V2_QUERY_FQDN) ? fqdn : NULL,
        .port = query->port,
        .dns_record_type =
            field_set(fields, FQDN_V2_QUERY_TYPE)
                ? fqdn_v2_query_schema.rows[FQDN_V2_QUERY_TYPE].words[query->dns_record_type]
                : NULL,
    };
    list_page_t shown = {query->page_number, query->page_size, 0};
    status_t status = fqdn_store_found(reader, &filter, &shown.total, err);
    if (status != STATUS_OK)
        return status;
    AUTO(query_end)
    query_t *rows = fqdn_store_find(reader, &filter, query->page_size,
                                    (query->page_number - 1) * query->page_size);
    list_answer_page(call, rows, &shown, add_row, NULL);
    return STATUS_OK;
}

static status_t list_all(call_t *call, store_t *reader, err_t *err)
{
    const fqdn_v2_query_t *query = call->query;
    list_page_t shown = {query->page_number, query->page_size, 0};
    status_t status = fqdn_store_total(reader, list_owner(call), &shown.total, err);
    if (status != STATUS_OK)
        return status;
    page_t page = page_at(shown.number, shown.size, shown.total);
    if ((page.rows > QUICK_ROWS_MAX || page.offset > PAGE_QUICK_SKIP) && call_defer(call))
        return STATUS_OK;
    AUTO(query_end) query_t *rows = fqdn_store_list(reader, list_owner(call), &page);
    list_answer_page(call, rows, &shown, add_row, NULL);
    return STATUS_OK;
}

void fqdn_v2_list(call_t *call, store_t *reader)
{
    err_t err = {0};
    status_t status =
        has_filter(call->query) ? list_found(call, reader, &err) : list_all(call, reader, &err);
    if (status != STATUS_OK)
        call_fail(call, &err);
}
