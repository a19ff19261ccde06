/* A worker's settings: the common ones, and a service's own behind them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "services/common/settings.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char where[32];
    int64_t count;
} own_t;

static const setting_t own_rows[] = {
    SETTING_TEXT_ROW(own_t, where, "LK_T_WHERE", "here", "Where."),
    SETTING_NUMBER_ROW(own_t, count, "LK_T_COUNT", "3", 0, 9, "How many."),
};

static bool never(const call_t *call)
{
    (void)call;
    return false;
}

static status_t check(const void *settings, err_t *err)
{
    const own_t *own = settings;
    return own->count == 7 ? err_set(err, STATUS_INVALID, "LK_T_COUNT", "is not liked") : STATUS_OK;
}

static const handler_t plain[] = {{.write = NULL}};
static const handler_t waiting[] = {{.write = NULL}, {.waits = never}};
static const worker_spec_t bare = {.handlers = plain, .handler_count = 1};
static const worker_spec_t rich = {.handlers = waiting,
                                   .handler_count = 2,
                                   .settings = own_rows,
                                   .setting_count = ARRAY_LEN(own_rows),
                                   .settings_size = sizeof(own_t),
                                   .check_settings = check};

static bool has(const setting_t *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

static void a_service_has_what_it_needs(void **state)
{
    (void)state;
    size_t bare_count = 0, rich_count = 0;
    setting_t *rows = settings_rows(&bare, &bare_count);
    assert_true(has(rows, bare_count, "LK_GATEWAYS"));
    assert_false(has(rows, bare_count, "LK_FETCH_THREADS"));
    mem_free(rows);
    rows = settings_rows(&rich, &rich_count);
    assert_true(has(rows, rich_count, "LK_FETCH_THREADS"));
    assert_true(has(rows, rich_count, "LK_T_COUNT"));
    assert_int_equal(rich_count, bare_count + 1 + ARRAY_LEN(own_rows));
    mem_free(rows);
}

static status_t load(const worker_spec_t *spec, settings_t **out, const void **out_own, err_t *err)
{
    size_t count = 0;
    setting_t *rows = settings_rows(spec, &count);
    program_t program = {.name = "sample", .settings = rows, .setting_count = count};
    status_t status = settings_load(&program, spec, out, out_own, err);
    mem_free(rows);
    return status;
}

static void both_structs_are_filled(void **state)
{
    (void)state;
    settings_t *settings = NULL;
    const void *own = NULL;
    err_t err;
    assert_int_equal(setenv("LK_T_WHERE", "there", 1), 0);
    assert_int_equal(load(&rich, &settings, &own, &err), STATUS_OK);
    assert_string_equal(((const own_t *)own)->where, "there");
    assert_int_equal(((const own_t *)own)->count, 3);
    assert_int_equal(settings->window, 64);
    assert_int_equal(settings->fetch_threads, 16);
    mem_free(settings);
    assert_int_equal(load(&bare, &settings, &own, &err), STATUS_OK);
    assert_int_equal(settings->fetch_threads, 0);
    mem_free(settings);
}

static void a_service_may_object(void **state)
{
    (void)state;
    settings_t *settings = NULL;
    const void *own = NULL;
    err_t err;
    assert_int_equal(setenv("LK_T_COUNT", "7", 1), 0);
    assert_int_equal(load(&rich, &settings, &own, &err), STATUS_INVALID);
    assert_string_equal(err.where, "LK_T_COUNT");
    assert_null(settings);
    assert_int_equal(unsetenv("LK_T_COUNT"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_has_what_it_needs),
        cmocka_unit_test(both_structs_are_filled),
        cmocka_unit_test(a_service_may_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
