/* What a call would have to wait for a pool's threads. */
#include "services/common/pace.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { THREADS = 2 };

static void enter(pace_t *pace, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pace_enter(pace);
}

static void a_free_thread_is_not_waited_for(void **state)
{
    pace_t pace;
    (void)state;
    pace_init(&pace, THREADS);
    enter(&pace, 2);
    pace_leave(&pace, 60000000); /* a minute: that must keep nobody out */
    assert_false(pace_is_busy(&pace));
    assert_int_equal(pace_wait_ms(&pace), 0);
    enter(&pace, 1);
    assert_true(pace_is_busy(&pace));
    assert_int_equal(pace_wait_ms(&pace), 30000);
}

static void what_was_never_measured_is_not_waited_for(void **state)
{
    pace_t pace;
    (void)state;
    pace_init(&pace, THREADS);
    enter(&pace, 100);
    assert_true(pace_is_busy(&pace));
    assert_int_equal(pace_wait_ms(&pace), 0);
    assert_int_equal(pace_mean_ms(&pace), 0);
}

static void the_wait_grows_with_the_queue(void **state)
{
    pace_t pace;
    (void)state;
    pace_init(&pace, THREADS);
    enter(&pace, 1);
    pace_leave(&pace, 100000);
    for (size_t load = 0; load < 10; load++) {
        assert_int_equal(pace_wait_ms(&pace), load < THREADS ? 0 : (int64_t)(load - 1) * 50);
        enter(&pace, 1);
    }
    for (size_t load = 10; load > 0; load--)
        pace_leave(&pace, 0);
    assert_int_equal(pace_wait_ms(&pace), 0);
    assert_int_equal(pace_mean_ms(&pace), 100); /* what was not worked on measures nothing */
}

static void the_mean_follows_what_is_measured(void **state)
{
    pace_t pace;
    (void)state;
    pace_init(&pace, 1);
    enter(&pace, 41);
    pace_leave(&pace, 100000);
    assert_int_equal(pace_mean_ms(&pace), 100);
    pace_leave(&pace, 900000); /* one that stands out */
    assert_int_equal(pace_mean_ms(&pace), 200);
    for (int i = 0; i < 39; i++)
        pace_leave(&pace, 10000);
    assert_in_range(pace_mean_ms(&pace), 10, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_thread_is_not_waited_for),
        cmocka_unit_test(what_was_never_measured_is_not_waited_for),
        cmocka_unit_test(the_wait_grows_with_the_queue),
        cmocka_unit_test(the_mean_follows_what_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
