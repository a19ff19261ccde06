/* Creating, reading and deleting authentication methods: the decisions of the contract. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "proto/trunk_auth.h"
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

static outcome_t create(const char *on, const char *body)
{
    return desk_ask(&desk, METHOD_CREATE, on, NULL, body);
}

static outcome_t create_ip(const char *on, const char *ip)
{
    char body[128];
    assert_int_equal(text_format(body, sizeof(body), "{'type': 'ip', 'ip': '%s'}", ip), STATUS_OK);
    return create(on, body);
}

static void as_others(void)
{
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
}

/* The example of the documentation: all four fields, and the broadcast address. */
static void documented_example(void **state)
{
    (void)state;
    assert_int_equal(create(trunk, "{'ip': '255.255.255.255', 'password': 'string', 'type': 'ip', "
                                   "'username': 'string'}"),
                     OUTCOME_CREATED);
    assert_string_equal(desk_text(&desk, "ip"), "255.255.255.255");
    assert_string_equal(desk_text(&desk, "type"), "ip");
    assert_string_equal(desk_text(&desk, "username"), "string");
    assert_string_equal(desk_text(&desk, "created_on"), "2023-11-14");
    assert_null(desk_text(&desk, "password"));
    assert_false(desk_has(&desk, "updated_on"));
    assert_null(desk_text(&desk, "label"));
    assert_null(desk_text(&desk, "expires_at"));
    assert_null(desk_text(&desk, "last_used_at"));
    assert_int_equal(desk_number(&desk, "enabled"), true);
    char uuid[UUID_SIZE];
    desk_uuid(&desk, uuid);
    assert_int_equal(desk_ask(&desk, METHOD_READ, trunk, uuid, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-14");
    assert_string_equal(desk_text(&desk, "username"), "string");
    assert_null(desk_text(&desk, "password"));
    assert_string_equal(desk_text(&desk, "uuid"), uuid);
    /* The unused user name claims nothing. */
    assert_int_equal(create(trunk, "{'type': 'sipuser', 'username': 'string', "
                                   "'password': 'string'}"),
                     OUTCOME_CREATED);
}

static void needs_by_type(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *fault;
    } cases[] = {
        {"{}", "required /type"},
        {"{'type': 'sip'}", "choice /type"},
        {"{'type': 'IP', 'ip': '192.0.2.1'}", "choice /type"},
        {"{'type': null}", "type /type"},
        {"{'type': 'ip'}", "required /ip"},
        {"{'type': 'ip', 'ip': null}", "required /ip"},
        {"{'type': 'ip', 'username': 'a', 'password': 'secret'}", "required /ip"},
        {"{'type': 'sipuser', 'username': 'a'}", "required /password"},
        {"{'type': 'sipuser', 'password': 'secret'}", "required /username"},
        {"{'type': 'sipuser', 'username': 'a', 'password': '********'}", "format /password"},
        {"{'type': 'sipuser', 'username': 'a', 'password': 'short'}", "range /password"},
        {"{'type': 'sipuser', 'username': '', 'password': 'secret'}", "range /username"},
        {"{'type': 'sipuser', 'username': 'a:b', 'password': 'secret'}", "format /username"},
        {"{'type': 'sipuser', 'username': 'a b', 'password': 'secret'}", "format /username"},
        {"{'type': 'sipuser', 'username': 5, 'password': 'secret'}", "type /username"},
        {"{'type': 'ip', 'ip': '010.0.0.1'}", "format /ip"},
        {"{'type': 'ip', 'ip': '10.1'}", "format /ip"},
        {"{'type': 'ip', 'ip': 'pbx.example.com'}", "format /ip"},
        {"{'type': 'ip', 'ip': '192.0.2.1', 'enabled': 1}", "type /enabled"},
        {"{'type': 'ip', 'ip': '192.0.2.1', 'expires_at': 'tomorrow'}", "format /expires_at"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create(trunk, cases[i].body), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i].fault);
    }
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM method"), 0);
}

static void sipuser_echoes_its_ip(void **state)
{
    (void)state;
    assert_int_equal(create(trunk, "{'type': 'sipuser', 'username': 'a', 'password': 'secret', "
                                   "'ip': '::ffff:10.1.2.3', 'label': '', "
                                   "'expires_at': '2030-01-31T12:00:00+01:00'}"),
                     OUTCOME_CREATED);
    assert_string_equal(desk_text(&desk, "ip"), "10.1.2.3");
    assert_string_equal(desk_text(&desk, "password"), "********");
    assert_string_equal(desk_text(&desk, "label"), "");
    assert_string_equal(desk_text(&desk, "expires_at"), "2030-01-31T11:00:00.000Z");
    /* It claims no address: neither twice, nor against an ip method, nor however wide. */
    assert_int_equal(create(other, "{'type': 'sipuser', 'username': 'b', 'password': 'secret', "
                                   "'ip': '10.1.2.3'}"),
                     OUTCOME_CREATED);
    assert_int_equal(create(other, "{'type': 'sipuser', 'username': 'c', 'password': 'secret', "
                                   "'ip': '0.0.0.0/0'}"),
                     OUTCOME_CREATED);
    assert_int_equal(create_ip(other, "10.1.2.3"), OUTCOME_CREATED);
}

static void canonical_addresses(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"10.1.2.3/16", "10.1.0.0/16"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:198.51.100.7/120", "198.51.100.0/24"},
        {"2001:DB8:0:0:0:0:0:1/64", "2001:db8::/64"},
        {"2001:db8:1::A", "2001:db8:1::a"},
        {"203.0.113.9/32", "203.0.113.9"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create_ip(trunk, cases[i][0]), OUTCOME_CREATED);
        assert_string_equal(desk_text(&desk, "ip"), cases[i][1]);
    }
}

static void too_wide(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        bool operator_only;
        bool never;
    } cases[] = {
        {"11.0.0.0/7", false, true},
        {"11.0.0.0/8", true, false},
        {"12.0.0.0/15", true, false},
        {"13.0.0.0/16", false, false},
        {"2c00::/18", false, true},
        {"2c00::/19", true, false},
        {"2a00:1::/31", true, false},
        {"2b00:1::/32", false, false},
        {"0.0.0.0", false, true},
        {"0.0.0.0/8", false, true},
        {"::", false, true},
        {"::/0", false, true},
        {"224.0.0.1", false, true},
        {"239.255.255.255", false, true},
        {"ff02::1", false, true},
        {"::/80", false, true},
        {"::fffe:0:0/95", false, true},
        {"255.255.255.255", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        desk.principal.is_operator = false;
        bool allowed = !cases[i].never && !cases[i].operator_only;
        assert_int_equal(create_ip(trunk, cases[i].ip),
                         allowed ? OUTCOME_CREATED : OUTCOME_INVALID);
        if (!allowed)
            assert_string_equal(desk_fault(&desk), "range /ip");
        desk.principal.is_operator = true;
        if (!allowed)
            assert_int_equal(create_ip(trunk, cases[i].ip),
                             cases[i].never ? OUTCOME_INVALID : OUTCOME_CREATED);
    }
}

static void usernames_are_unique_by_folded_case(void **state)
{
    (void)state;
    assert_int_equal(create(trunk, "{'type': 'sipuser', 'username': 'Bob', 'password': 'secret'}"),
                     OUTCOME_CREATED);
    assert_string_equal(desk_text(&desk, "username"), "Bob");
    static const char *const taken[] = {"Bob", "bob", "BOB"};
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        char body[128];
        assert_int_equal(text_format(body, sizeof(body),
                                     "{'type': 'sipuser', 'username': '%s', 'password': 'secret'}",
                                     taken[i]),
                         STATUS_OK);
        assert_int_equal(create(i == 0 ? trunk : other, body), OUTCOME_CONFLICT);
        assert_string_equal(desk_fault(&desk), "taken /username");
    }
    /* Only ASCII letters are folded. */
    assert_int_equal(create(other, "{'type': 'sipuser', 'username': 'é', 'password': 'secret'}"),
                     OUTCOME_CREATED);
    assert_int_equal(create(other, "{'type': 'sipuser', 'username': 'É', 'password': 'secret'}"),
                     OUTCOME_CREATED);
    /* All trunks of all organizations. */
    as_others();
    char theirs[UUID_SIZE];
    desk_trunk(&desk, theirs);
    assert_int_equal(create(theirs, "{'type': 'sipuser', 'username': 'bob', 'password': 'secret'}"),
                     OUTCOME_CONFLICT);
}

static void two_at_once_for_one_username(void **state)
{
    (void)state;
    const char *body = "{'type': 'sipuser', 'username': 'bob', 'password': 'secret'}";
    desk_call_t *first = desk_prepare(&desk, METHOD_CREATE, trunk, NULL, body);
    desk_call_t *second = desk_prepare(&desk, METHOD_CREATE, other, NULL, body);
    assert_int_equal(desk_finish(&desk, second), OUTCOME_CREATED);
    char uuid[UUID_SIZE];
    desk_uuid(&desk, uuid);
    assert_int_equal(desk_finish(&desk, first), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /username");
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM method"), 1);
    /* Taken when it was prepared, free when it is written: nothing was hashed, so it stays so. */
    desk_call_t *third = desk_prepare(&desk, METHOD_CREATE, other, NULL, body);
    assert_int_equal(desk_ask(&desk, METHOD_DELETE, other, uuid, NULL), OUTCOME_DELETED);
    assert_int_equal(desk_finish(&desk, third), OUTCOME_CONFLICT);
    /* The trunk goes while the password is hashed. */
    desk_call_t *fourth = desk_prepare(&desk, METHOD_CREATE, other, NULL, body);
    assert_int_equal(desk_ask(&desk, TRUNK_DELETE, other, NULL, NULL), OUTCOME_DELETED);
    assert_int_equal(desk_finish(&desk, fourth), OUTCOME_UNKNOWN);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM method"), 0);
}

static void password_lengths(void **state)
{
    (void)state;
    static const struct {
        int length;
        outcome_t outcome;
    } cases[] = {
        {5, OUTCOME_INVALID}, {6, OUTCOME_CREATED}, {128, OUTCOME_CREATED}, {129, OUTCOME_INVALID}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[256];
        assert_int_equal(
            text_format(body, sizeof(body),
                        "{'type': 'sipuser', 'username': 'user%zu', 'password': '%0*d'}", i,
                        cases[i].length, 7),
            STATUS_OK);
        assert_int_equal(create(trunk, body), cases[i].outcome);
    }
}

static void ranges_of_two_trunks_stay_apart(void **state)
{
    (void)state;
    assert_int_equal(create_ip(trunk, "10.1.0.0/16"), OUTCOME_CREATED);
    assert_int_equal(create_ip(trunk, "2001:db8:1::/48"), OUTCOME_CREATED);
    static const char *const taken[] = {"10.1.0.0/16",     "10.1.2.3",       "10.1.128.0/17",
                                        "::ffff:10.1.2.3", "10.1.9.9/16",    "2001:db8:1::1",
                                        "2001:db8::/32",   "2001:db8:1::/48"};
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        assert_int_equal(create_ip(other, taken[i]), OUTCOME_CONFLICT);
        assert_string_equal(desk_fault(&desk), "taken /ip");
    }
    desk.principal.is_operator = true;
    assert_int_equal(create_ip(other, "10.0.0.0/8"), OUTCOME_CONFLICT);
    desk.principal.is_operator = false;
    as_others();
    char theirs[UUID_SIZE];
    desk_trunk(&desk, theirs);
    assert_int_equal(create_ip(theirs, "10.1.2.3"), OUTCOME_CONFLICT);
    assert_int_equal(create_ip(theirs, "10.2.0.0/16"), OUTCOME_CREATED);
    assert_int_equal(create_ip(theirs, "2001:db8:2::/48"), OUTCOME_CREATED);
}

static void ranges_of_one_trunk_may_nest(void **state)
{
    (void)state;
    assert_int_equal(create_ip(trunk, "10.1.0.0/16"), OUTCOME_CREATED);
    assert_int_equal(create_ip(trunk, "10.1.0.0/16"), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /ip");
    assert_int_equal(create_ip(trunk, "10.1.7.7/16"), OUTCOME_CONFLICT);
    assert_int_equal(create_ip(trunk, "10.1.2.0/24"), OUTCOME_CREATED);
    assert_int_equal(create_ip(trunk, "10.1.2.3"), OUTCOME_CREATED);
    assert_int_equal(create_ip(trunk, "10.1.0.0/17"), OUTCOME_CREATED);
    assert_int_equal(create_ip(trunk, "10.1.2.0/23"), OUTCOME_CREATED);
}

static void disabled_blocks_expired_does_not(void **state)
{
    (void)state;
    assert_int_equal(create(trunk, "{'type': 'ip', 'ip': '10.1.0.0/16', 'enabled': false}"),
                     OUTCOME_CREATED);
    assert_int_equal(create_ip(other, "10.1.2.3"), OUTCOME_CONFLICT);
    assert_int_equal(create(trunk, "{'type': 'ip', 'ip': '10.2.0.0/16', "
                                   "'expires_at': '2023-11-14T23:00:00Z'}"),
                     OUTCOME_CREATED);
    assert_int_equal(create_ip(other, "10.2.2.3"), OUTCOME_CONFLICT);
    assert_int_equal(create_ip(trunk, "10.2.0.0/16"), OUTCOME_CONFLICT);
    int64_t end = 0;
    assert_int_equal(clock_parse_time("2023-11-14T23:00:00Z", 20, &end), STATUS_OK);
    desk.now_utc_ms = end - 1;
    assert_int_equal(create_ip(other, "10.2.2.3"), OUTCOME_CONFLICT);
    desk.now_utc_ms = end;
    assert_int_equal(create_ip(other, "10.2.2.3"), OUTCOME_CREATED);
    assert_int_equal(create_ip(trunk, "10.2.0.0/24"), OUTCOME_CREATED);
    assert_int_equal(create_ip(trunk, "10.2.0.0/16"), OUTCOME_CONFLICT);
    /* What has expired before it begins claims nothing. */
    assert_int_equal(create(other, "{'type': 'ip', 'ip': '10.1.2.3', "
                                   "'expires_at': '2020-01-01T00:00:00Z'}"),
                     OUTCOME_CREATED);
}

static void other_organizations_see_nothing(void **state)
{
    (void)state;
    char uuid[UUID_SIZE];
    assert_int_equal(create(trunk, "{'type': 'sipuser', 'username': 'a', 'password': 'secret'}"),
                     OUTCOME_CREATED);
    desk_uuid(&desk, uuid);
    static const struct {
        unsigned operation;
        const char *input;
    } cases[] = {
        {TRUNK_READ, NULL},
        {TRUNK_REPLACE, "{'name': 'x'}"},
        {TRUNK_DELETE, NULL},
        {METHOD_LIST, NULL},
        {METHOD_LIST, "limit=1"},
        {METHOD_CREATE, "{'type': 'ip', 'ip': '192.0.2.1'}"},
        {METHOD_CREATE, "{'type': 'sipuser', 'username': 'b', 'password': 'secret'}"},
        {METHOD_READ, NULL},
        {METHOD_CHANGE, "{}"},
        {METHOD_CHANGE, "{'password': 'secret'}"},
        {METHOD_DELETE, NULL},
        {METHOD_ROTATE, "{'password': 'secret'}"},
    };
    as_others();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(desk_ask(&desk, cases[i].operation, trunk, uuid, cases[i].input),
                         OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 0);
    desk.principal.is_operator = true;
    assert_int_equal(desk_ask(&desk, METHOD_READ, trunk, uuid, NULL), OUTCOME_OK);
    assert_int_equal(desk_ask(&desk, TRUNK_LIST, NULL, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 2);
}

static void a_method_of_another_trunk_is_unknown(void **state)
{
    (void)state;
    char uuid[UUID_SIZE];
    assert_int_equal(create(trunk, "{'type': 'sipuser', 'username': 'a', 'password': 'secret'}"),
                     OUTCOME_CREATED);
    desk_uuid(&desk, uuid);
    assert_int_equal(desk_ask(&desk, METHOD_READ, other, uuid, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, METHOD_CHANGE, other, uuid, "{}"), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, METHOD_ROTATE, other, uuid, "{'password': 'secret'}"),
                     OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, METHOD_DELETE, other, uuid, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, METHOD_READ, trunk, uuid, NULL), OUTCOME_OK);
}

static void malformed_uuids(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        unsigned operation;
        outcome_t outcome;
    } cases[] = {
        {NULL, METHOD_READ, OUTCOME_INVALID},
        {"{'type': 'ip', 'ip': '192.0.2.1'}", METHOD_CREATE, OUTCOME_INVALID},
        {"{'password': 'secret'}", METHOD_ROTATE, OUTCOME_INVALID},
        {NULL, TRUNK_READ, OUTCOME_INVALID},
        {NULL, METHOD_LIST, OUTCOME_UNKNOWN},
        {NULL, METHOD_DELETE, OUTCOME_UNKNOWN},
        {"{}", METHOD_CHANGE, OUTCOME_UNKNOWN},
        {"{'name': 'x'}", TRUNK_REPLACE, OUTCOME_UNKNOWN},
        {NULL, TRUNK_DELETE, OUTCOME_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(desk_ask(&desk, cases[i].operation, "17", "18", cases[i].input),
                         cases[i].outcome);
}

static void upper_case_uuids_are_the_same(void **state)
{
    (void)state;
    char uuid[UUID_SIZE], upper[UUID_SIZE], upper_trunk[UUID_SIZE];
    text_cut(upper_trunk, sizeof(upper_trunk), trunk);
    for (char *at = upper_trunk; *at != '\0'; at++)
        *at = (char)(*at >= 'a' && *at <= 'f' ? *at - 32 : *at);
    assert_int_equal(create_ip(upper_trunk, "192.0.2.1"), OUTCOME_CREATED);
    desk_uuid(&desk, uuid);
    text_cut(upper, sizeof(upper), uuid);
    for (char *at = upper; *at != '\0'; at++)
        *at = (char)(*at >= 'a' && *at <= 'f' ? *at - 32 : *at);
    assert_int_equal(desk_ask(&desk, METHOD_READ, upper_trunk, upper, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "uuid"), uuid);
    assert_int_equal(desk_ask(&desk, METHOD_LIST, upper_trunk, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 1);
    assert_int_equal(desk_ask(&desk, METHOD_DELETE, upper_trunk, upper, NULL), OUTCOME_DELETED);
    assert_int_equal(desk_ask(&desk, TRUNK_DELETE, upper_trunk, NULL, NULL), OUTCOME_DELETED);
}

static void deletes(void **state)
{
    (void)state;
    char uuid[UUID_SIZE];
    assert_int_equal(create_ip(trunk, "192.0.2.1"), OUTCOME_CREATED);
    desk_uuid(&desk, uuid);
    assert_int_equal(desk_ask(&desk, METHOD_DELETE, trunk, uuid, NULL), OUTCOME_DELETED);
    assert_null(desk.body);
    assert_int_equal(desk_ask(&desk, METHOD_DELETE, trunk, uuid, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, METHOD_READ, trunk, uuid, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(create_ip(other, "192.0.2.1"), OUTCOME_CREATED);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(documented_example),
        CASE(needs_by_type),
        CASE(sipuser_echoes_its_ip),
        CASE(canonical_addresses),
        CASE(too_wide),
        CASE(usernames_are_unique_by_folded_case),
        CASE(two_at_once_for_one_username),
        CASE(password_lengths),
        CASE(ranges_of_two_trunks_stay_apart),
        CASE(ranges_of_one_trunk_may_nest),
        CASE(disabled_blocks_expired_does_not),
        CASE(other_organizations_see_nothing),
        CASE(a_method_of_another_trunk_is_unknown),
        CASE(malformed_uuids),
        CASE(upper_case_uuids_are_the_same),
        CASE(deletes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
