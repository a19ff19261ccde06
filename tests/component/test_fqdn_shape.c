/* The database is what the code thinks it is: migrations, indexes that lead to what is looked for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/fqdn-auth/sql.h"
#include "tests/support/fqdn_desk.h"

#include "fqdn_auth_migrations.h"

#include <string.h>

static desk_t desk;

static int set_up(void **state)
{
    (void)state;
    fqdn_desk_open(&desk, false);
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
    assert_int_equal(fqdn_auth_store.migration_count, fqdn_auth_migration_count);
}

static void is_led_by(size_t statement, const char *step)
{
    const char *plan = desk_plan(&desk, statement);
    if (strstr(plan, step) == NULL)
        fail_msg("%s\n%s", fqdn_auth_store.statements[statement], plan);
}

/* What is looked for tells which index leads to it; that no other is walked: test_plans. */
static void filters_are_led_by_what_they_look_for(void **state)
{
    (void)state;
    static const char *const leads[FQDN_LEADS][2] = {
        [FQDN_BY_CONNECTION] = {"(connection_id=?)", "(connection_id=?)"},
        [FQDN_BY_NAME] = {"fqdn_by_name (organization_id=? AND fqdn=?)",
                          "fqdn_all_by_name (fqdn=?)"},
        [FQDN_BY_OWNER] = {"fqdn_by_age (organization_id=?)", "SCAN fqdn"},
    };
    for (unsigned i = 0; i < 2 * FQDN_LEADS; i++) {
        is_led_by(sql_fqdn_filter(i % 2 == 1, i / 2), leads[i / 2][i % 2]);
        is_led_by(sql_fqdn_found(i % 2 == 1, i / 2),
                  i == 2 * FQDN_BY_OWNER ? "(organization_id=?)" : leads[i / 2][i % 2]);
    }
    for (unsigned i = 0; i < 4 * ORDERS_V2; i++) {
        bool all = i % 2 == 1;
        order_t order = {.by = i / 4, .falls = i / 2 % 2 == 1};
        is_led_by(sql_connection_filter(order, all, true), "connection_1 (id=?)");
        is_led_by(sql_connection_filter(order, all, true), leads[FQDN_BY_NAME][all ? 1 : 0]);
        is_led_by(sql_connection_filter(order, all, false),
                  all ? "SCAN connection USING INDEX" : "(organization_id=?)");
        is_led_by(sql_connection_found(all, true), "connection_1 (id=?)");
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(all_migrations_are_applied),
        CASE(filters_are_led_by_what_they_look_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
