/* Who is logged in by a provider: shown to its administrators, and ended by them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "services/auth-provider/sql.h"
#include "tests/support/logout_desk.h"

#include <string.h>

static logout_desk_t f;

static int set_up(void **state)
{
    (void)state;
    logout_desk_open(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    logout_desk_close(&f);
    return 0;
}

static void begin(const char *provider_id, char letter, const char *name_id)
{
    const login_name_t name = {name_id, "", "", "", "", ""};
    logout_desk_begin(&f, provider_id, letter, &name, "_s1");
}

static outcome_t list(const char *query)
{
    return desk_ask(&f.desk, PROVIDER_SESSIONS, f.provider_id, NULL, query);
}

static const char *member(size_t row, const char *name)
{
    return json_string_value(json_object_get(json_array_get(f.desk.body, row), name));
}

/* Of the latest list. */
static void copy_id(size_t row, char out[UUID_SIZE])
{
    memcpy(out, member(row, "id"), UUID_SIZE);
}

static void the_latest_comes_first(void **state)
{
    (void)state;
    begin(f.provider_id, 'a', "ann");
    begin(f.provider_id, 'b', "bob");
    begin(f.provider_id, 'c', "ann");
    begin(f.other_id, 'd', "eve");
    assert_int_equal(list(""), OUTCOME_OK);
    assert_int_equal(desk_count(&f.desk), 3);
    assert_int_equal(f.desk.total, 3);
    assert_string_equal(member(0, "name_id"), "ann");
    assert_string_equal(member(1, "name_id"), "bob");
    assert_string_equal(member(2, "provider"), "myorg");
    assert_string_equal(member(2, "organization_id"), DESK_ORGANIZATION);
    assert_null(member(0, "token"));
    assert_int_equal(list("page[size]=1&page[number]=2"), OUTCOME_OK);
    assert_int_equal(desk_count(&f.desk), 1);
    assert_string_equal(member(0, "name_id"), "bob");
    assert_int_equal(f.desk.total, 3);
    assert_int_equal(list("page[size]=250&page[number]=2147483647"), OUTCOME_OK);
    assert_int_equal(desk_count(&f.desk), 0);
}

static void of_one_person(void **state)
{
    (void)state;
    begin(f.provider_id, 'a', "ann");
    begin(f.provider_id, 'b', "bob");
    begin(f.provider_id, 'c', "ann");
    assert_int_equal(list("name_id=ann&page[size]=1"), OUTCOME_OK);
    assert_int_equal(desk_count(&f.desk), 1);
    assert_int_equal(f.desk.total, 2);
    assert_int_equal(list("name_id=an"), OUTCOME_OK);
    assert_int_equal(f.desk.total, 0);
    assert_int_equal(list("name_id="), OUTCOME_BAD_QUERY);
}

/* As long as an identity provider's may be: SAML_NAME_ID_MAX characters. */
static void of_one_with_a_long_name(void **state)
{
    (void)state;
    char name_id[3 * SAML_NAME_ID_MAX + 1], query[9 * SAML_NAME_ID_MAX + 16] = "name_id=";
    for (size_t i = 0; i < SAML_NAME_ID_MAX; i++) {
        memcpy(name_id + 3 * i, "\xe6\xbc\xa2", 4);
        memcpy(query + 8 + 9 * i, "%e6%bc%a2", 10);
    }
    begin(f.provider_id, 'a', name_id);
    begin(f.provider_id, 'b', "bob");
    assert_int_equal(list(query), OUTCOME_OK);
    assert_int_equal(f.desk.total, 1);
    assert_string_equal(member(0, "name_id"), name_id);
}

/* As GET /sso/session has it. */
static void only_those_that_hold(void **state)
{
    (void)state;
    begin(f.provider_id, 'a', "ann");
    f.desk.now_utc_ms += INT64_C(3600000);
    begin(f.provider_id, 'b', "bob");
    assert_int_equal(list(""), OUTCOME_OK);
    assert_int_equal(f.desk.total, 1);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_CHANGE, f.provider_id, NULL, "{'active': false}"),
                     OUTCOME_OK);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_CHANGE, f.provider_id, NULL, "{'active': true}"),
                     OUTCOME_OK);
    assert_int_equal(list(""), OUTCOME_OK);
    assert_int_equal(f.desk.total, 0);
}

static void one_that_is_ended_is_good_for_nothing(void **state)
{
    (void)state;
    char id[UUID_SIZE];
    begin(f.provider_id, 'a', "ann");
    begin(f.provider_id, 'b', "bob");
    assert_int_equal(list("name_id=ann"), OUTCOME_OK);
    copy_id(0, id);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_SESSION_END, f.provider_id, id, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&f.desk, "id"), id);
    assert_string_equal(desk_text(&f.desk, "name_id"), "ann");
    assert_int_equal(logout_desk_ask(&f, SSO_SESSION_READ, 'a'), OUTCOME_UNAUTHENTICATED);
    assert_int_equal(logout_desk_ask(&f, SSO_SESSION_READ, 'b'), OUTCOME_OK);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_SESSION_END, f.provider_id, id, NULL),
                     OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_EVENTS, f.provider_id, NULL, ""), OUTCOME_OK);
    assert_string_equal(member(0, "kind"), "logout");
    assert_string_equal(member(0, "name_id"), "ann");
    assert_string_equal(member(0, "detail"), "by API key "
                                             "01900000-0000-7000-8000-00000000000c");
    assert_null(member(0, "client"));
}

static void nobody_ends_another_providers(void **state)
{
    (void)state;
    char id[UUID_SIZE];
    begin(f.provider_id, 'a', "ann");
    assert_int_equal(list(""), OUTCOME_OK);
    copy_id(0, id);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_SESSION_END, f.other_id, id, NULL),
                     OUTCOME_UNKNOWN);
    (void)memcpy(f.desk.principal.organization_id, DESK_OTHERS, UUID_SIZE);
    assert_int_equal(list(""), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_SESSION_END, f.provider_id, id, NULL),
                     OUTCOME_UNKNOWN);
    assert_int_equal(logout_desk_sessions(&f), 1);
}

static void a_page_is_found_by_index(void **state)
{
    (void)state;
    const char *plan = desk_plan(&f.desk, SQL_SESSION_PAGE);
    assert_non_null(
        strstr(plan, "USING INDEX sso_session_by_epoch (provider_id=? AND session_epoch=?)"));
    assert_null(strstr(plan, "TEMP B-TREE"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_latest_comes_first),
        CASE(of_one_person),
        CASE(of_one_with_a_long_name),
        CASE(only_those_that_hold),
        CASE(one_that_is_ended_is_good_for_nothing),
        CASE(nobody_ends_another_providers),
        CASE(a_page_is_found_by_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
