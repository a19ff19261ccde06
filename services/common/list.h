/* Rows of a query as the list that answers a call. */
#ifndef LK_SERVICES_COMMON_LIST_H
#define LK_SERVICES_COMMON_LIST_H

#include "services/common/call.h"

/* The most rows that one answer shows, whatever is asked for. */
enum { LIST_ROWS_MAX = 10000 };

/* Reads the row that the query stands on and adds it to the answer by call_list_add; or defers the
 * call. */
typedef status_t (*list_row_fn)(call_t *call, query_t *row, void *context, err_t *err);

/* Whose rows a list shows its principal: an organization's, or NULL: everybody's. Borrowed. */
const char *list_owner(const call_t *call);

/* How many rows a list may show: limit, or LIST_ROWS_MAX where it is 0. The query should offer one
 * more, so that it shows whether the list goes on. */
int64_t list_most(int64_t limit);

/* Which page of a list is answered. */
typedef struct {
    int64_t number; /* from 1 */
    int64_t size;   /* rows of a whole page */
    int64_t total;  /* rows of all pages */
} list_page_t;

/* The whole answer, a numbered page: the query's rows, page->size at most. */
void list_answer_page(call_t *call, query_t *query, const list_page_t *page, list_row_fn add,
                      void *context);

/* The whole answer: list_most(limit) rows, the query's first being the list's row number `offset`.
 * Where a limit was asked for the page is whole; without one (0) the list is also cut before it
 * could be too large for a message. What is cut says where it goes on. */
void list_answer(call_t *call, query_t *query, int64_t limit, int64_t offset, list_row_fn add,
                 void *context);

/* All rows of a query as records of `size` bytes, each read by `read` from the row that the query
 * stands on. The caller frees out->items (mem_free). */
status_t list_records(query_t *query, size_t size,
                      status_t (*read)(query_t *row, void *out, err_t *err), records_t *out,
                      err_t *err) MUST_CHECK;

#endif
