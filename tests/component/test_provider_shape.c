/* The database is what the code thinks it is: migrations, the orders of its lists. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/auth-provider/sql.h"
#include "tests/support/provider_desk.h"

#include "auth_provider_migrations.h"

#include <string.h>

static desk_t desk;

static int set_up(void **state)
{
    (void)state;
    provider_desk_open(&desk);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

static void all_migrations_are_applied(void **state)
{
    (void)state;
    assert_int_equal(auth_provider_store.migration_count, auth_provider_migration_count);
}

/* Every page comes out of an index in its order, whichever end it is counted from; what is sorted
 * are the rows of the page. */
static void every_page_walks_an_index(void **state)
{
    (void)state;
    for (unsigned sort = 0; sort < PROVIDER_SORTS; sort++)
        for (unsigned kind = 0; kind < 4; kind++) {
            bool all = kind >= 2, is_from_end = kind % 2 == 1;
            size_t statement = sql_page((provider_sort_t)sort, all, is_from_end);
            const char *plan = desk_plan(&desk, statement);
            bool by_short_name = all && sort / 2 == PROVIDER_BY_SHORT_NAME / 2;
            const char *index =
                strstr(plan, by_short_name ? "SCAN provider USING INDEX sqlite_autoindex_provider_2"
                             : all         ? "SCAN provider USING INDEX provider_all_by_"
                                           : "SEARCH provider USING INDEX provider_by_");
            const char *sorted = strstr(plan, "TEMP B-TREE");
            if (index == NULL || (sorted != NULL) != is_from_end ||
                (is_from_end && strstr(plan, "SCAN page") == NULL))
                fail_msg("%s\n%s", auth_provider_store.statements[statement], plan);
        }
}

static void every_other_statement_uses_an_index(void **state)
{
    (void)state;
    for (size_t i = 0; i < SQL_PAGES; i++) {
        const char *plan = desk_plan(&desk, i);
        bool walks = strstr(plan, "SCAN") != NULL && strstr(plan, "CONSTANT ROWS") == NULL;
        bool few = i == SQL_CERTIFICATE_FORGET; /* sorts those of one provider */
        if (walks || (strstr(plan, "TEMP B-TREE") != NULL && !few && i != SQL_CERTIFICATE_LIST))
            fail_msg("%s\n%s", auth_provider_store.statements[i], plan);
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
