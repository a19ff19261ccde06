/* The database is what the code thinks it is: migrations. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/auth-provider/sql.h"
#include "tests/support/provider_desk.h"

#include "auth_provider_migrations.h"

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

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(all_migrations_are_applied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
