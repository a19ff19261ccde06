/* Trunks themselves: create, read, list, replace, delete. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/trunk_auth.h"
#include "tests/support/trunk_desk.h"

#include <stdlib.h>
#include <string.h>

static desk_t desk;

static int set_up(void **state)
{
    (void)state;
    trunk_desk_open(&desk, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, TRUNK_CREATE, NULL, NULL, "{'name': 'Head office'}"),
                     OUTCOME_CREATED);
    assert_string_equal(desk_text(&desk, "name"), "Head office");
    assert_string_equal(desk_text(&desk, "auth_policy"), "any");
    assert_string_equal(desk_text(&desk, "transport"), "udp");
    assert_int_equal(desk_number(&desk, "port"), 5060);
    assert_null(desk_text(&desk, "domain"));
    assert_null(desk_text(&desk, "user"));
    assert_string_equal(desk_text(&desk, "created_on"), "2023-11-14");
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-14");
    assert_int_equal(json_array_size(json_object_get(desk.body, "auth")), 0);
    assert_int_equal(json_object_size(desk.body), 11);
}

static void all_fields_and_replacement(void **state)
{
    (void)state;
    char uuid[UUID_SIZE];
    assert_int_equal(desk_ask(&desk, TRUNK_CREATE, NULL, NULL,
                              "{'name': 'A', 'domain': 'pbx.example.com', 'port': 5061, "
                              "'transport': 'tls', 'auth_policy': 'all', 'user': 'alice'}"),
                     OUTCOME_CREATED);
    desk_uuid(&desk, uuid);
    assert_int_equal(
        desk_ask(&desk, METHOD_CREATE, uuid, NULL, "{'type': 'ip', 'ip': '192.0.2.1'}"),
        OUTCOME_CREATED);
    assert_int_equal(desk_ask(&desk, TRUNK_READ, uuid, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "domain"), "pbx.example.com");
    assert_string_equal(desk_text(&desk, "transport"), "tls");
    assert_string_equal(desk_text(&desk, "auth_policy"), "all");
    assert_string_equal(desk_text(&desk, "user"), "alice");
    assert_int_equal(desk_number(&desk, "port"), 5061);
    desk.now_utc_ms += INT64_C(24) * 3600 * 1000;
    assert_int_equal(desk_ask(&desk, TRUNK_REPLACE, uuid, NULL,
                              "{'name': 'B', 'transport': 'tcp', 'auth': [], 'uuid': 'x'}"),
                     OUTCOME_OK);
    assert_int_equal(desk_ask(&desk, TRUNK_READ, uuid, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "uuid"), uuid);
    assert_string_equal(desk_text(&desk, "name"), "B");
    assert_string_equal(desk_text(&desk, "transport"), "tcp");
    assert_string_equal(desk_text(&desk, "auth_policy"), "any");
    assert_null(desk_text(&desk, "domain"));
    assert_null(desk_text(&desk, "user"));
    assert_int_equal(desk_number(&desk, "port"), 5060);
    assert_string_equal(desk_text(&desk, "created_on"), "2023-11-14");
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-15");
    const json_t *auth = json_object_get(desk.body, "auth");
    assert_int_equal(json_array_size(auth), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(auth, 0), "ip")),
                        "192.0.2.1");
}

static void refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "required /name"},
        {"{'name': ''}", "range /name"},
        {"{'name': null}", "type /name"},
        {"{'name': 'A', 'port': 0}", "range /port"},
        {"{'name': 'A', 'port': 65536}", "range /port"},
        {"{'name': 'A', 'port': '5060'}", "type /port"},
        {"{'name': 'A', 'transport': 'UDP'}", "choice /transport"},
        {"{'name': 'A', 'auth_policy': 'some'}", "choice /auth_policy"},
        {"{'name': 'A', 'domain': '-'}", "format /domain"},
    };
    char uuid[UUID_SIZE];
    desk_trunk(&desk, uuid);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(desk_ask(&desk, TRUNK_CREATE, NULL, NULL, cases[i][0]), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
        assert_int_equal(desk_ask(&desk, TRUNK_REPLACE, uuid, NULL, cases[i][0]), OUTCOME_INVALID);
    }
    assert_int_equal(desk_ask(&desk, TRUNK_REPLACE, DESK_OTHERS, NULL, "{'name': 'A'}"),
                     OUTCOME_UNKNOWN);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM trunk"), 1);
}

static void lists_oldest_first(void **state)
{
    (void)state;
    char uuids[4][UUID_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(uuids); i++)
        desk_trunk(&desk, uuids[i]);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    char theirs[UUID_SIZE];
    desk_trunk(&desk, theirs);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_ORGANIZATION);
    assert_int_equal(
        desk_ask(&desk, METHOD_CREATE, uuids[2], NULL, "{'type': 'ip', 'ip': '192.0.2.1'}"),
        OUTCOME_CREATED);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 4);
    assert_int_equal(desk.next_offset, -1);
    for (size_t i = 0; i < 4; i++) {
        const json_t *trunk = json_array_get(desk.body, i);
        assert_string_equal(json_string_value(json_object_get(trunk, "uuid")), uuids[i]);
        assert_int_equal(json_array_size(json_object_get(trunk, "auth")), i == 2);
    }
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=2&offset=1"), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 2);
    const json_t *first = json_array_get(desk.body, 0);
    assert_string_equal(json_string_value(json_object_get(first, "uuid")), uuids[1]);
    desk.principal.is_operator = true;
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 5);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=0"), OUTCOME_BAD_QUERY);
}

static void an_operators_trunk_belongs_to_its_organization(void **state)
{
    (void)state;
    char uuid[UUID_SIZE];
    desk.principal.is_operator = true;
    desk_trunk(&desk, uuid);
    desk.principal.is_operator = false;
    assert_int_equal(desk_ask(&desk, TRUNK_READ, uuid, NULL, NULL), OUTCOME_OK);
}

static void deletes_with_methods(void **state)
{
    (void)state;
    char uuid[UUID_SIZE], kept[UUID_SIZE];
    desk_trunk(&desk, uuid);
    desk_trunk(&desk, kept);
    const char *user = "{'type': 'sipuser', 'username': 'bob', 'password': 'secret'}";
    assert_int_equal(desk_ask(&desk, METHOD_CREATE, uuid, NULL, user), OUTCOME_CREATED);
    assert_int_equal(
        desk_ask(&desk, METHOD_CREATE, uuid, NULL, "{'type': 'ip', 'ip': '192.0.2.1'}"),
        OUTCOME_CREATED);
    assert_int_equal(
        desk_ask(&desk, METHOD_CREATE, kept, NULL, "{'type': 'ip', 'ip': '192.0.2.2'}"),
        OUTCOME_CREATED);
    assert_true(desk_query(&desk, "SELECT count(*) FROM digest") > 0);
    assert_int_equal(desk_ask(&desk, TRUNK_DELETE, uuid, NULL, NULL), OUTCOME_DELETED);
    assert_null(desk.body);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 0);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM method"), 1);
    assert_int_equal(desk_ask(&desk, TRUNK_READ, uuid, NULL, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, TRUNK_DELETE, uuid, NULL, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, uuid, NULL, NULL), OUTCOME_UNKNOWN);
    /* What it claimed is free again. */
    assert_int_equal(desk_ask(&desk, METHOD_CREATE, kept, NULL, user), OUTCOME_CREATED);
    assert_int_equal(
        desk_ask(&desk, METHOD_CREATE, kept, NULL, "{'type': 'ip', 'ip': '192.0.2.1'}"),
        OUTCOME_CREATED);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(defaults),
        CASE(all_fields_and_replacement),
        CASE(refused),
        CASE(lists_oldest_first),
        CASE(an_operators_trunk_belongs_to_its_organization),
        CASE(deletes_with_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
