/* The database is what the code thinks it is: columns, indexes that are used, migrations. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/trunk_auth.h"
#include "services/trunk-auth/sql.h"
#include "tests/support/trunk_desk.h"

#include "trunk_auth_migrations.h"

#include <string.h>

static desk_t desk;

static int set_up(void **state)
{
    (void)state;
    trunk_desk_open(&desk, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static void all_migrations_are_applied(void **state)
{
    (void)state;
    assert_int_equal(trunk_auth_store.migration_count, trunk_auth_migration_count);
}

/* Every field of a resource has its column, but for those that are made. */
static void has_columns(const schema_t *schema, const char *table, const char *const made[][2],
                        size_t made_count)
{
    for (size_t i = 0; i < schema->count; i++) {
        const char *column = schema->rows[i].name;
        for (size_t j = 0; j < made_count; j++)
            if (strcmp(schema->rows[i].name, made[j][0]) == 0)
                column = made[j][1];
        if (column == NULL)
            continue;
        char sql[160];
        assert_int_equal(text_format(sql, sizeof(sql),
                                     "SELECT count(*) FROM pragma_table_info('%s') "
                                     "WHERE name = '%s'",
                                     table, column),
                         STATUS_OK);
        if (desk_query(&desk, sql) != 1)
            fail_msg("%s has no column %s", table, column);
    }
}

static void every_field_has_a_column(void **state)
{
    (void)state;
    static const char *const of_trunk[][2] = {{"auth", NULL},
                                              {"auth_count", NULL},
                                              {"created_on", "created_at"},
                                              {"updated_on", "updated_at"},
                                              {"user", "owner"}};
    static const char *const of_method[][2] = {
        {"created_on", "created_at"}, {"updated_on", "updated_at"}, {"password", "password_hash"}};
    has_columns(&trunk_schema, "trunk", of_trunk, ARRAY_LEN(of_trunk));
    has_columns(&method_schema, "method", of_method, ARRAY_LEN(of_method));
}

static void range_checks_use_the_range_index(void **state)
{
    (void)state;
    assert_non_null(
        strstr(desk_plan(&desk, SQL_RANGE_BELOW),
               "USING INDEX method_range (range_first>? AND (range_first,prefix)<(?,?))"));
    assert_non_null(strstr(desk_plan(&desk, SQL_RANGE_INSIDE),
                           "USING COVERING INDEX method_range (range_first>? AND range_first<?)"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(all_migrations_are_applied),
        CASE(every_field_has_a_column),
        CASE(range_checks_use_the_range_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
