/* Lists of trunks and methods: pages, their ends, and where they are read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/trunk_auth.h"
#include "services/trunk-auth/method_store.h"
#include "services/common/list.h"
#include "tests/support/trunk_desk.h"

static desk_t desk;
static char trunk[UUID_SIZE], other[UUID_SIZE];

static int set_up(void **state)
{
    (void)state;
    trunk_desk_open(&desk, false);
    desk_trunk(&desk, trunk);
    desk_trunk(&desk, other);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static outcome_t create_ip(const char *on, const char *ip)
{
    char body[128];
    assert_int_equal(text_format(body, sizeof(body), "{'type': 'ip', 'ip': '%s'}", ip), STATUS_OK);
    return desk_ask(&desk, METHOD_CREATE, on, NULL, body);
}

static const char *listed(size_t index, const char *member)
{
    return json_string_value(json_object_get(json_array_get(desk.body, index), member));
}

static void lists(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 0);
    char ip[32];
    for (int i = 0; i < 5; i++) {
        assert_int_equal(text_format(ip, sizeof(ip), "192.0.2.%d", 9 - i), STATUS_OK);
        assert_int_equal(create_ip(trunk, ip), OUTCOME_CREATED);
    }
    assert_int_equal(create_ip(other, "198.51.100.1"), OUTCOME_CREATED);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 5);
    assert_int_equal(desk.next_offset, -1);
    assert_string_equal(listed(0, "ip"), "192.0.2.9");
    assert_string_equal(listed(4, "ip"), "192.0.2.5");
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, "limit=2&offset=3"), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 2);
    assert_string_equal(listed(0, "ip"), "192.0.2.6");
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, "offset=4"), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 1);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, "limit=250&offset=5"), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 0);
    static const char *const bad[] = {"limit=0", "limit=251", "limit=x", "offset=-1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, bad[i]), OUTCOME_BAD_QUERY);
}

/* Straight into the store: 10,000 requests would take too long. */
static void fill(const char *trunk_uuid, unsigned net, unsigned count)
{
    err_t err = {0};
    assert_int_equal(store_begin(desk.writer, &err), STATUS_OK);
    for (unsigned i = 0; i < count; i++) {
        method_t method = {.type = METHOD_IP_TYPE, .enabled = true};
        uuid_new(method.uuid);
        assert_int_equal(
            text_format(method.ip, sizeof(method.ip), "10.%u.%u.%u", net, i / 256, i % 256),
            STATUS_OK);
        field_give(&method.fields, METHOD_IP);
        bool taken = false;
        assert_int_equal(method_store_add(desk.writer, trunk_uuid, &method, NULL, &taken, &err),
                         STATUS_OK);
    }
    assert_int_equal(store_commit(desk.writer, &err), STATUS_OK);
}

static void long_lists_end(void **state)
{
    (void)state;
    fill(trunk, 1, LIST_ROWS_MAX);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), LIST_ROWS_MAX);
    assert_int_equal(desk.next_offset, -1);
    fill(trunk, 2, 2);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), LIST_ROWS_MAX);
    assert_int_equal(desk.next_offset, LIST_ROWS_MAX);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, "offset=10000"), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 2);
    assert_string_equal(listed(0, "ip"), "10.2.0.0");
    assert_int_equal(desk.next_offset, -1);
    assert_int_equal(desk_ask(&desk, TRUNK_READ, trunk, NULL, NULL), OUTCOME_OK);
    assert_int_equal(json_array_size(json_object_get(desk.body, "auth")), LIST_ROWS_MAX);
    assert_int_equal(json_integer_value(json_object_get(desk.body, "auth_count")),
                     LIST_ROWS_MAX + 2);
    /* A page of trunks is whole, whatever methods they have. */
    fill(other, 3, 1);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=2"), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 2);
    assert_int_equal(desk.next_offset, -1);
    const json_t *last = json_array_get(desk.body, 1);
    assert_int_equal(json_array_size(json_object_get(last, "auth")), 0);
    assert_int_equal(json_integer_value(json_object_get(last, "auth_count")), 1);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=1"), OUTCOME_OK);
    assert_int_equal(desk.next_offset, 1);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=1&offset=1"), OUTCOME_OK);
    assert_string_equal(listed(0, "uuid"), other);
    assert_int_equal(desk.next_offset, -1);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, "limit=250"), OUTCOME_OK);
    assert_int_equal(desk.next_offset, 250);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, "limit=2&offset=10000"), OUTCOME_OK);
    assert_int_equal(desk.next_offset, -1);
}

/* Up to 250 rows on the link thread, more in the slow pool, the same answer. */
static void quick_and_slow_reads(void **state)
{
    (void)state;
    fill(trunk, 1, 250);
    fill(other, 3, 1);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=1"), OUTCOME_OK);
    assert_true(desk.was_quick);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=2"), OUTCOME_OK);
    assert_false(desk.was_quick);
    assert_int_equal(desk_count(&desk), 2);
    assert_int_equal(desk.next_offset, -1);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, NULL), OUTCOME_OK);
    assert_false(desk.was_quick);
    assert_int_equal(desk_ask(&desk, TRUNK_READ, trunk, NULL, NULL), OUTCOME_OK);
    assert_true(desk.was_quick);
    assert_int_equal(json_array_size(json_object_get(desk.body, "auth")), 250);
    fill(trunk, 4, 1);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, "limit=1"), OUTCOME_OK);
    assert_false(desk.was_quick);
    assert_int_equal(desk_ask(&desk, TRUNK_READ, trunk, NULL, NULL), OUTCOME_OK);
    assert_false(desk.was_quick);
    assert_int_equal(json_array_size(json_object_get(desk.body, "auth")), 251);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, "limit=250"), OUTCOME_OK);
    assert_true(desk.was_quick);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, trunk, NULL, NULL), OUTCOME_OK);
    assert_false(desk.was_quick);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(lists),
        CASE(long_lists_end),
        CASE(quick_and_slow_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
