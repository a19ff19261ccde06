#include "services/fqdn-auth/connection_lists.h"

#include "services/common/list.h"
#include "services/fqdn-auth/loaded.h"

#include <string.h>

/* ---- v1: unpaged ---- */

bool connection_v1_list_is_slow(const call_t *call)
{
    const connection_v1_query_t *query = call->query;
    bool limited = field_set(&query->fields, CONNECTION_V1_QUERY_LIMIT);
    return !limited || query->limit > QUICK_ROWS_MAX || query->with_fqdns ||
           query->offset > PAGE_QUICK_SKIP;
}

typedef struct {
    store_t *reader;
    bool with_auth, with_fqdns;
} shown_t;

static status_t add_v1(call_t *call, query_t *row, void *context, err_t *err)
{
    const shown_t *shown = context;
    loaded_t loaded;
    AUTO(loaded_free_v1) connection_v1_t record = {.active = false};
    status_t status = connection_store_read(row, &loaded.connection, err);
    if (status == STATUS_OK)
        status = loaded_auth(shown->reader, &loaded, err);
    if (status == STATUS_OK)
        status = loaded_show_v1(shown->reader, &loaded, shown->with_auth, shown->with_fqdns,
                                &record, err);
    if (status == STATUS_OK)
        call_list_add(call, &record);
    return status;
}

void connection_v1_list(call_t *call, store_t *reader)
{
    const connection_v1_query_t *query = call->query;
    bool reverse = field_set(&query->fields, CONNECTION_V1_QUERY_DIRECTION);
    int64_t limit = field_set(&query->fields, CONNECTION_V1_QUERY_LIMIT) ? query->limit : 0;
    order_t order = {.by = (connection_order_t)query->order_by};
    order.falls = (order.by == ORDER_CREATED_AT) != reverse; /* newest first, else smallest */
    page_t page = {.offset = query->offset, .rows = list_most(limit) + 1};
    shown_t shown = {reader, query->with_auth, query->with_fqdns};
    AUTO(query_end) query_t *rows = connection_store_list(reader, list_owner(call), order, &page);
    list_answer(call, rows, limit, query->offset, add_v1, &shown);
}

/* ---- v2: numbered pages ---- */

static bool has_filter(const connection_v2_query_t *query)
{
    return field_set(&query->fields, CONNECTION_V2_QUERY_NAME) ||
           field_set(&query->fields, CONNECTION_V2_QUERY_FQDN);
}

bool connection_v2_list_is_slow(const call_t *call)
{
    return has_filter(call->query);
}

static status_t add_v2(call_t *call, query_t *row, void *context, err_t *err)
{
    store_t *reader = context;
    loaded_t loaded;
    status_t status = connection_store_read(row, &loaded.connection, err);
    if (status == STATUS_OK)
        status = loaded_auth(reader, &loaded, err);
    if (status == STATUS_OK)
        call_list_add(call, loaded_show_v2(&loaded));
    return status;
}

/* A pattern that fits what holds the text, whatever its case. */
enum { PATTERN_SIZE = 2 * TEXT_SIZE(128) + 2 };

static void make_pattern(const char *text, char out[PATTERN_SIZE])
{
    size_t length = 0;
    out[length++] = '%';
    for (; *text != '\0'; text++) {
        if (strchr("%_\\", *text) != NULL)
            out[length++] = '\\';
        text_fold(&out[length++], text, 1);
    }
    out[length++] = '%';
    out[length] = '\0';
}

static status_t list_found(call_t *call, store_t *reader, order_t order, err_t *err)
{
    const connection_v2_query_t *query = call->query;
    char pattern[PATTERN_SIZE], fqdn[sizeof(query->fqdn)];
    make_pattern(query->name_contains, pattern);
    text_fold(fqdn, query->fqdn, strlen(query->fqdn) + 1);
    connection_filter_t filter = {
        .organization_id = list_owner(call),
        .name_pattern = field_set(&query->fields, CONNECTION_V2_QUERY_NAME) ? pattern : NULL,
        .fqdn = field_set(&query->fields, CONNECTION_V2_QUERY_FQDN) ? fqdn : NULL,
    };
    list_page_t shown = {query->page_number, query->page_size, 0};
    status_t status = connection_store_found(reader, &filter, &shown.total, err);
    if (status != STATUS_OK)
        return status;
    AUTO(query_end)
    query_t *rows = connection_store_find(reader, &filter, order, query->page_size,
                                          (query->page_number - 1) * query->page_size);
    list_answer_page(call, rows, &shown, add_v2, reader);
    return STATUS_OK;
}

static status_t list_all(call_t *call, store_t *reader, order_t order, err_t *err)
{
    const connection_v2_query_t *query = call->query;
    const char *owner = list_owner(call);
    list_page_t shown = {query->page_number, query->page_size, 0};
    status_t status = connection_store_total(reader, owner, &shown.total, err);
    if (status != STATUS_OK)
        return status;
    page_t page = page_at(shown.number, shown.size, shown.total);
    if ((page.rows > QUICK_ROWS_MAX || page.offset > PAGE_QUICK_SKIP) && call_defer(call))
        return STATUS_OK;
    AUTO(query_end) query_t *rows = connection_store_list(reader, owner, order, &page);
    list_answer_page(call, rows, &shown, add_v2, reader);
    return STATUS_OK;
}

void connection_v2_list(call_t *call, store_t *reader)
{
    const connection_v2_query_t *query = call->query;
    order_t order = {.by = (connection_order_t)(query->sort / 2), .falls = query->sort % 2 != 0};
    err_t err = {0};
    status_t status = has_filter(query) ? list_found(call, reader, order, &err)
                                        : list_all(call, reader, order, &err);
    if (status != STATUS_OK)
        call_fail(call, &err);
}
