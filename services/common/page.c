/* Arithmetic of pages, and the totals they are cut from. Next: store.h. */
#include "services/common/page.h"

page_t page_at(int64_t number, int64_t size, int64_t total)
{
    page_t nothing = {0};
    if (number < 1 || size < 1 || total < 1 || number - 1 > (total - 1) / size)
        return nothing;
    int64_t before = (number - 1) * size;
    int64_t left = total - before;
    int64_t rows = left < size ? left : size;
    int64_t after = left - rows;
    bool is_from_end = after < before;
    return (page_t){is_from_end ? after : before, rows, is_from_end};
}

query_t *page_query(store_t *store, size_t first, const char *organization_id, const page_t *page)
{
    bool all = organization_id == NULL;
    query_t *query = store_query(store, first + (all ? 1U : 0U) + (page->is_from_end ? 2U : 0U));
    int n = 1;
    if (!all)
        query_text(query, n++, organization_id);
    query_number(query, n++, page->rows);
    query_number(query, n, page->offset);
    return query;
}

status_t page_total(store_t *store, size_t statement, const char *list, const char *owner,
                    int64_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, statement);
    query_text(query, 1, list);
    query_text(query, 2, owner == NULL ? "" : owner);
    int64_t total = 0;
    status_t status = query_read_number(query, &total, err);
    if (status == STATUS_OK)
        *out = total;
    return status;
}

status_t page_count(store_t *store, size_t statement, const char *list, const char *owner,
                    int64_t change, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, statement);
    query_text(query, 1, list);
    query_text(query, 2, owner);
    query_number(query, 3, change);
    return query_run(query, NULL, err);
}

status_t page_stamp(store_t *store, size_t statement, int64_t now_utc_ms, int64_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, statement);
    int64_t latest = INT64_MIN;
    status_t status = query_read_number(query, &latest, err);
    if (status == STATUS_OK)
        *out = latest < now_utc_ms ? now_utc_ms : latest + 1;
    return status;
}

int64_t page_touch(int64_t now_utc_ms, int64_t before)
{
    return now_utc_ms > before ? now_utc_ms : before;
}
