#include "services/common/list.h"

#include "common/mem.h"

/* Above this a list without a limit ends, so that it fits a message (SCAN_BYTES_MAX) with what its
 * last row may add: a trunk with LIST_ROWS_MAX methods. */
enum { BYTES_ENOUGH = 4 * 1024 * 1024 };

enum { FIRST_ROOM = 16 };

const char *list_owner(const call_t *call)
{
    const principal_t *principal = &call->request.principal;
    return principal->is_operator ? NULL : principal->organization_id;
}

int64_t list_most(int64_t limit)
{
    return limit > 0 ? limit : LIST_ROWS_MAX;
}

/* False: the call has been failed or deferred. */
static bool add_rows(call_t *call, query_t *query, int64_t most, size_t enough, list_row_fn add,
                     void *context, bool *out_more)
{
    err_t err = {0};
    bool more = false;
    call_list_begin(call);
    status_t status = query_step(query, &more, &err);
    while (status == STATUS_OK && more && call->list_count < most &&
           call->body_bytes.size <= enough) {
        status = add(call, query, context, &err);
        if (call->deferred)
            return false;
        if (status == STATUS_OK)
            status = query_step(query, &more, &err);
    }
    if (status == STATUS_OK)
        *out_more = more;
    else
        call_fail(call, &err);
    return status == STATUS_OK;
}

void list_answer_page(call_t *call, query_t *query, const list_page_t *page, list_row_fn add,
                      void *context)
{
    bool more = false;
    if (add_rows(call, query, page->size, SIZE_MAX, add, context, &more))
        call_list_end_page(call, page->number, page->size, page->total);
}

void list_answer(call_t *call, query_t *query, int64_t limit, int64_t offset, list_row_fn add,
                 void *context)
{
    bool more = false;
    size_t enough = limit > 0 ? SIZE_MAX : BYTES_ENOUGH;
    if (add_rows(call, query, list_most(limit), enough, add, context, &more))
        call_list_end(call, more ? offset + call->list_count : -1);
}

status_t list_records(query_t *query, size_t size,
                      status_t (*read)(query_t *row, void *out, err_t *err), records_t *out,
                      err_t *err)
{
    char *items = NULL;
    size_t count = 0, room = 0;
    bool more = false;
    status_t status = query_step(query, &more, err);
    while (status == STATUS_OK && more) {
        if (count == room) {
            room = room == 0 ? FIRST_ROOM : 2 * room;
            items = mem_resize(items, room * size);
        }
        status = read(query, items + count++ * size, err);
        if (status == STATUS_OK)
            status = query_step(query, &more, err);
    }
    if (status == STATUS_OK)
        *out = (records_t){.items = items, .count = count};
    else
        mem_free(items);
    return status;
}
