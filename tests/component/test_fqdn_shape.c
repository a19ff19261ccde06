/* The database is what the code thinks it is: indexes that are used, migrations. */
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

/* Every page of an organization comes out of an index in its order, whichever end it is counted
 * from; what is sorted are the rows of the page. Everybody's do so by age. */
static void every_page_walks_an_index(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8 * ORDERS; i++) {
        order_t order = {.by = (connection_order_t)(i / 8), .falls = i % 8 >= 4};
        bool all = i % 4 >= 2, from_end = i % 2 == 1;
        size_t statement = sql_connection_list(order, all, from_end);
        const char *plan = desk_plan(&desk, statement);
        const char *index = strstr(plan, all ? "SCAN connection USING INDEX "
                                             : "SEARCH connection USING INDEX connection_by_");
        bool indexed = !all || order.by == ORDER_CREATED_AT;
        bool sorted = strstr(plan, "TEMP B-TREE") != NULL;
        if (indexed && (index == NULL || sorted != from_end))
            fail_msg("%s\n%s", fqdn_auth_store.statements[statement], plan);
    }
}

static void every_other_statement_uses_an_index(void **state)
{
    (void)state;
    for (size_t i = 0; i < SQL_CONNECTION_LIST; i++) {
        const char *plan = desk_plan(&desk, i);
        bool filters =
            i == SQL_CONNECTION_FILTER_COUNT || i == SQL_FQDN_FILTER || i == SQL_FQDN_FILTER_COUNT;
        bool pages = i >= SQL_FQDN_LIST && i < SQL_FQDN_LIST_END;
        bool walks = strstr(plan, "SCAN") != NULL && strstr(plan, "CONSTANT ROW") == NULL;
        bool sorts = strstr(plan, "TEMP B-TREE") != NULL;
        if (!filters && (pages ? strstr(plan, "USING INDEX") == NULL : walks || sorts))
            fail_msg("%s\n%s", fqdn_auth_store.statements[i], plan);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(all_migrations_are_applied),
        CASE(every_page_walks_an_index),
        CASE(every_other_statement_uses_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
