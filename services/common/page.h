/* Lists in numbered pages, at a cost that does not grow with the list: its first and its last page
 * cost the same, and nobody counts rows.
 *
 * Three parts, each of use alone:
 *   page_at       where a page lies. One in the second half is read from the end, in the reverse
 *                 order, and its rows are turned round: OFFSET only skips what the nearer end has
 *   page_total    how many rows there are, kept by page_count in the transaction of each change
 *   page_stamp    times of creation that never repeat and rise in the order of commits: rows that
 *                 come while somebody turns pages by them stand all on one side
 *
 * A service that uses them has page_total.sql among its migrations (a symbolic link), and the
 * statements below in its array. Next: page.c. */
#ifndef LK_SERVICES_COMMON_PAGE_H
#define LK_SERVICES_COMMON_PAGE_H

#include "services/common/store.h"

/* Above this many rows to skip a list belongs to the slow pool: call_defer. The link thread takes
 * less than a millisecond for them. */
enum { PAGE_QUICK_SKIP = 10000 };

typedef struct {
    int64_t offset;   /* rows to skip, in the order that is read */
    int64_t rows;     /* to read: less than a whole page on the last one, 0 past the end */
    bool is_from_end; /* by the statement PAGE_FROM_END_SQL, else PAGE_FROM_START_SQL */
} page_t;

/* Page `number`, from 1, of pages of `size` rows, out of `total`. Takes any numbers: what does not
 * fit lies past the end. */
page_t page_at(int64_t number, int64_t size, int64_t total);

/* ---- Statements ---- */

/* from: table and condition; order, reverse: ORDER BY terms that leave no tie, and the same turned
 * round; bounds: "LIMIT $2 OFFSET $3". */
#define PAGE_FROM_START_SQL(columns, from, order, bounds)                                          \
    "SELECT " columns " FROM " from " ORDER BY " order " " bounds
#define PAGE_FROM_END_SQL(columns, from, order, reverse, bounds)                                   \
    "SELECT " columns " FROM (SELECT * FROM " from " ORDER BY " reverse " " bounds                 \
    ") AS page ORDER BY " order

/* Rows of an organization and of all, for page_query: two statements at `first` of the array, or,
 * with those that are read from the end, PAGE_STATEMENTS. */
#define PAGE_STARTS_SQL(first, columns, table, order)                                              \
    [first] = PAGE_FROM_START_SQL(columns, table " WHERE organization_id = $1", order,             \
                                  "LIMIT $2 OFFSET $3"),                                           \
    [(first) + 1] = PAGE_FROM_START_SQL(columns, table, order, "LIMIT $1 OFFSET $2")
#define PAGE_SQL(first, columns, table, order, reverse)                                            \
    PAGE_STARTS_SQL(first, columns, table, order),                                                 \
        [(first) + 2] = PAGE_FROM_END_SQL(columns, table " WHERE organization_id = $1", order,     \
                                          reverse, "LIMIT $2 OFFSET $3"),                          \
                   [(first) + 3] =                                                                 \
                       PAGE_FROM_END_SQL(columns, table, order, reverse, "LIMIT $1 OFFSET $2")

enum { PAGE_STATEMENTS = 4 };

/* The page by the statements at `first`; organization_id NULL: of all. The caller ends the query.
 */
query_t *page_query(store_t *store, size_t first, const char *organization_id, const page_t *page);

#define PAGE_TOTAL_SQL "SELECT total FROM page_total WHERE list = $1 AND owner = $2"
#define PAGE_COUNT_SQL                                                                             \
    "INSERT INTO page_total (list, owner, total) VALUES ($1, $2, $3), ($1, '', $3) "               \
    "ON CONFLICT (list, owner) DO UPDATE SET total = page_total.total + excluded.total"

/* Rows of `list` that `owner` has; NULL: that all have. statement: of PAGE_TOTAL_SQL. */
status_t page_total(store_t *store, size_t statement, const char *list, const char *owner,
                    int64_t *out, err_t *err) MUST_CHECK;

/* Adds `change` to the owner's total and to that of all. In the transaction of the change;
 * statement: of PAGE_COUNT_SQL. */
status_t page_count(store_t *store, size_t statement, const char *list, const char *owner,
                    int64_t change, err_t *err) MUST_CHECK;

/* The time of creation for a row that is about to be added: now, or a millisecond after the latest
 * one. In the write transaction; statement: "SELECT MAX(created_at) FROM ...", over an index. */
status_t page_stamp(store_t *store, size_t statement, int64_t now_utc_ms, int64_t *out, err_t *err)
    MUST_CHECK;

/* The time of a change: now, but never before the one `before` it (a time of creation may be ahead
 * of the clock, and clocks are set back). */
int64_t page_touch(int64_t now_utc_ms, int64_t before);

#endif
