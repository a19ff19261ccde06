/* Pages cover a list once, in order, and never skip more than half of it. */
#include "services/common/page.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* The first row of the page, counted from the list's start. */
static int64_t first_row(const page_t *page, int64_t total)
{
    return page->is_from_end ? total - page->offset - page->rows : page->offset;
}

static void expect_cover(int64_t size, int64_t total)
{
    int64_t next = 0;
    for (int64_t number = 1; next < total; number++) {
        page_t page = page_at(number, size, total);
        assert_true(page.rows > 0 && page.rows <= size);
        assert_int_equal(first_row(&page, total), next);
        assert_true(page.offset <= total / 2);
        next += page.rows;
    }
    assert_int_equal(next, total);
    assert_int_equal(page_at(total / size + 2, size, total).rows, 0);
}

static void pages_cover_the_list(void **state)
{
    (void)state;
    for (int64_t size = 1; size < 10; size++)
        for (int64_t total = 0; total < 100; total++)
            expect_cover(size, total);
}

static void ends_skip_nothing(void **state)
{
    (void)state;
    page_t first = page_at(1, 20, 100000);
    assert_int_equal(first.offset, 0);
    assert_int_equal(first.rows, 20);
    assert_false(first.is_from_end);
    page_t last = page_at(5000, 20, 100000);
    assert_int_equal(last.offset, 0);
    assert_int_equal(last.rows, 20);
    assert_true(last.is_from_end);
    assert_int_equal(page_at(5001, 20, 100010).rows, 10);
}

static void odd_numbers_lie_past_the_end(void **state)
{
    (void)state;
    assert_int_equal(page_at(INT64_MAX, INT64_MAX, INT64_MAX).rows, 0);
    assert_int_equal(page_at(INT64_MAX, 250, 100).rows, 0);
    assert_int_equal(page_at(0, 20, 100).rows, 0);
    assert_int_equal(page_at(-1, 20, 100).rows, 0);
    assert_int_equal(page_at(1, 0, 100).rows, 0);
    assert_int_equal(page_at(1, 20, 0).rows, 0);
    assert_int_equal(page_at(1, INT64_MAX, INT64_MAX).rows, INT64_MAX);
}

static void changes_never_go_back(void **state)
{
    (void)state;
    assert_int_equal(page_touch(5, 3), 5);
    assert_int_equal(page_touch(3, 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_cover_the_list),
        cmocka_unit_test(ends_skip_nothing),
        cmocka_unit_test(odd_numbers_lie_past_the_end),
        cmocka_unit_test(changes_never_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
