#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/metrics.h"
#include "common/metrics_process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const shapes[] = {"round", "a\\b\"c\nd"};
static const char *const sizes[] = {"s", "m", "l"};
static const int64_t bounds[] = {1000, 2500, 1000000};

static metric_t things = {
    .name = "things_total",
    .help = "Things\\ by\nshape.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("shape", shapes)},
};
static metric_t pairs = {
    .name = "pairs_total",
    .help = "Pairs.",
    .type = METRIC_COUNTER,
    .labels = {METRIC_LABEL("shape", shapes), METRIC_LABEL("size", sizes)},
    .sparse = true,
};
static metric_t level = {.name = "level", .help = "A level.", .type = METRIC_GAUGE};
static metric_t taken = {
    .name = "taken_seconds",
    .help = "Time.",
    .type = METRIC_HISTOGRAM,
    .unit = METRIC_SECONDS,
    METRIC_BOUNDS(bounds),
};

static metric_t *const all[] = {&things, &pairs, &level, &taken};
static int64_t found_level;

static void refresh(void *context)
{
    metric_set(&level, 0, *(int64_t *)context);
}

static const metrics_t metrics = {.items = all,
                                  .count = ARRAY_LEN(all),
                                  .label = "program",
                                  .value = "test",
                                  .refresh = refresh,
                                  .context = &found_level};

static int open_all(void **state)
{
    (void)state;
    metrics_open(&metrics);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    metrics_close(&metrics);
    return 0;
}

static void assert_text(const char *expected)
{
    size_t length = 0;
    AUTO(mem_release) char *text = metrics_text(&metrics, &length);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void the_text_is_what_the_format_asks_for(void **state)
{
    (void)state;
    metric_add(&things, 1, 3);
    metric_add(&pairs, metric_cell(&pairs, 0, 2), 7);
    metric_add(&pairs, metric_cell(&pairs, 1, 0), 1);
    metric_observe(&taken, 0, 1000);
    metric_observe(&taken, 0, 1001);
    metric_observe(&taken, 0, 70000000);
    found_level = -5;
    assert_text("# HELP things_total Things\\\\ by\\nshape.\n"
                "# TYPE things_total counter\n"
                "things_total{program=\"test\",shape=\"round\"} 0\n"
                "things_total{program=\"test\",shape=\"a\\\\b\\\"c\\nd\"} 3\n"
                "# HELP pairs_total Pairs.\n"
                "# TYPE pairs_total counter\n"
                "pairs_total{program=\"test\",shape=\"round\",size=\"l\"} 7\n"
                "pairs_total{program=\"test\",shape=\"a\\\\b\\\"c\\nd\",size=\"s\"} 1\n"
                "# HELP level A level.\n"
                "# TYPE level gauge\n"
                "level{program=\"test\"} -5\n"
                "# HELP taken_seconds Time.\n"
                "# TYPE taken_seconds histogram\n"
                "taken_seconds_bucket{program=\"test\",le=\"0.001\"} 1\n"
                "taken_seconds_bucket{program=\"test\",le=\"0.0025\"} 2\n"
                "taken_seconds_bucket{program=\"test\",le=\"1\"} 2\n"
                "taken_seconds_bucket{program=\"test\",le=\"+Inf\"} 3\n"
                "taken_seconds_sum{program=\"test\"} 70.002001\n"
                "taken_seconds_count{program=\"test\"} 3\n");
}

static void a_value_falls_into_the_bucket_that_it_does_not_exceed(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *line;
    } rows[] = {
        {0, "le=\"0.001\"} 1\n"},
        {1000, "le=\"0.001\"} 1\n"},
        {1001, "le=\"0.001\"} 0\n"},
        {2500, "le=\"0.0025\"} 1\n"},
        {2501, "le=\"0.0025\"} 0\n"},
        {1000000, "le=\"1\"} 1\n"},
        {1000001, "le=\"1\"} 0\n"},
        {INT64_MAX / 2, "le=\"+Inf\"} 1\n"},
        {-1, "le=\"0.001\"} 1\n"},
        {-1500000, "taken_seconds_sum{program=\"test\"} -1.5\n"},
        {20, "_sum{program=\"test\"} 0.00002\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        metrics_close(&metrics);
        metrics_open(&metrics);
        metric_observe(&taken, 0, rows[i].value);
        assert_int_equal(metric_value(&taken, 0), 1);
        size_t length = 0;
        AUTO(mem_release) char *text = metrics_text(&metrics, &length);
        if (strstr(text, rows[i].line) == NULL)
            fail_msg("no %s in %s", rows[i].line, text);
    }
}

static void without_labels_of_its_own_and_of_the_table_a_name_stands_alone(void **state)
{
    (void)state;
    metrics_t bare = {.items = &all[2], .count = 1};
    metric_set(&level, 0, 12);
    metric_set(&level, 0, 9);
    size_t length = 0;
    AUTO(mem_release) char *text = metrics_text(&bare, &length);
    assert_string_equal(text, "# HELP level A level.\n# TYPE level gauge\nlevel 9\n");
}

static void what_is_not_open_counts_nothing(void **state)
{
    metrics_close(&metrics);
    metric_add(&things, 0, 1);
    metric_observe(&taken, 0, 1);
    metric_set(&level, 0, 1);
    assert_int_equal(metric_value(&things, 0), 0);
    assert_int_equal(metric_value(&taken, 0), 0);
    open_all(state);
    assert_int_equal(metric_value(&things, 0), 0);
}

/* ---- threads ---- */

enum { THREADS = 12, ROUNDS = 20000 }; /* more threads than shards */

static void *count_often(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(&things, 0, 1);
        metric_observe(&taken, 0, i);
    }
    return NULL;
}

static int64_t number_behind(const char *text, const char *what)
{
    const char *at = strstr(text, what);
    assert_non_null(at);
    return strtoll(at + strlen(what), NULL, 10);
}

static void threads_lose_no_count_and_a_reader_sees_it_grow(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_often, NULL), 0);
    int64_t before = 0;
    for (int i = 0; i < 50; i++) {
        size_t length = 0;
        AUTO(mem_release) char *text = metrics_text(&metrics, &length);
        int64_t count = number_behind(text, "taken_seconds_count{program=\"test\"} ");
        assert_int_equal(number_behind(text, "le=\"+Inf\"} "), count);
        assert_true(number_behind(text, "le=\"0.001\"} ") <= count);
        assert_true(count >= before);
        before = count;
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(metric_value(&things, 0), THREADS * ROUNDS);
    assert_int_equal(metric_value(&things, 1), 0);
    assert_int_equal(metric_value(&taken, 0), THREADS * ROUNDS);
    size_t length = 0;
    AUTO(mem_release) char *text = metrics_text(&metrics, &length);
    assert_non_null(strstr(text, "taken_seconds_sum{program=\"test\"} 2399.88\n"));
}

static void a_process_knows_itself(void **state)
{
    (void)state;
    metric_t *const own[] = {METRICS_OF_PROCESS};
    metrics_t process = {.items = own, .count = ARRAY_LEN(own)};
    metrics_open(&process);
    metrics_process_refresh();
    assert_int_equal(metric_value(&metric_build_info, 0), 1);
    assert_in_range(metric_value(&metric_files, 0), 3, 1000);
    assert_in_range(metric_value(&metric_memory, 0), 100000, INT64_C(1) << 50);
    assert_true(metric_value(&metric_files_max, 0) >= metric_value(&metric_files, 0));
    assert_true(metric_value(&metric_cpu, 0) > 0);
    int64_t started = metric_value(&metric_start_time, 0);
    assert_true(started > INT64_C(1600000000) * 1000000);
    metrics_process_refresh();
    assert_int_equal(metric_value(&metric_start_time, 0), started);
    metrics_close(&process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_text_is_what_the_format_asks_for, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_value_falls_into_the_bucket_that_it_does_not_exceed,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(
            without_labels_of_its_own_and_of_the_table_a_name_stands_alone, open_all, close_all),
        cmocka_unit_test_setup_teardown(what_is_not_open_counts_nothing, open_all, close_all),
        cmocka_unit_test_setup_teardown(threads_lose_no_count_and_a_reader_sees_it_grow, open_all,
                                        close_all),
        cmocka_unit_test(a_process_knows_itself),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
