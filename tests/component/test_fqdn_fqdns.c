/* FQDNs of a connection: names, ports, whose they are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/fqdn_desk.h"

#include <stdlib.h>
#include <string.h>

static desk_t desk;
static char connection[UUID_SIZE], other[UUID_SIZE], id[UUID_SIZE];

static int set_up(void **state)
{
    (void)state;
    fqdn_desk_open(&desk, false);
    fqdn_desk_connection_v1(&desk, connection);
    fqdn_desk_connection_v2(&desk, other);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

/* rest: what follows connection_id in the body. */
static outcome_t create(const char *on, const char *rest)
{
    char body[1024];
    assert_int_equal(text_format(body, sizeof(body), "{'connection_id': '%s', %s}", on, rest),
                     STATUS_OK);
    outcome_t outcome = desk_ask(&desk, FQDN_V2_CREATE, NULL, NULL, body);
    if (outcome == OUTCOME_CREATED)
        fqdn_desk_id(&desk, id);
    return outcome;
}

static outcome_t change(const char *body)
{
    return desk_ask(&desk, FQDN_V1_CHANGE, id, NULL, body);
}

static bool has_no_port(void)
{
    return json_is_null(json_object_get(desk.body, "port"));
}

static void ports_follow_the_record_type(void **state)
{
    (void)state;
    assert_int_equal(create(connection, "'fqdn': 'PBX.Example.com', 'dns_record_type': 'a'"),
                     OUTCOME_CREATED);
    assert_string_equal(desk_text(&desk, "fqdn"), "pbx.example.com");
    assert_string_equal(desk_text(&desk, "connection_id"), connection);
    assert_string_equal(desk_text(&desk, "record_type"), "fqdn");
    assert_int_equal(desk_number(&desk, "port"), 5060);
    assert_int_equal(
        create(connection, "'fqdn': 'a.example', 'dns_record_type': 'a', 'port': 5061"),
        OUTCOME_CREATED);
    assert_int_equal(desk_number(&desk, "port"), 5061);
    assert_int_equal(create(connection, "'fqdn': 'a.example', 'dns_record_type': 'srv'"),
                     OUTCOME_CREATED);
    assert_true(has_no_port());
    assert_int_equal(
        create(connection, "'fqdn': 'b.example', 'dns_record_type': 'srv', 'port': null"),
        OUTCOME_CREATED);
    assert_int_equal(
        create(connection, "'fqdn': 'c.example', 'dns_record_type': 'srv', 'port': 5060"),
        OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /port");
}

static void ports_follow_changes(void **state)
{
    (void)state;
    assert_int_equal(create(connection, "'fqdn': 'a.example', 'dns_record_type': 'a', 'port': 70"),
                     OUTCOME_CREATED);
    assert_int_equal(change("{'fqdn': 'b.example'}"), OUTCOME_OK);
    assert_int_equal(desk_number(&desk, "port"), 70);
    assert_int_equal(change("{'dns_record_type': 'srv'}"), OUTCOME_OK);
    assert_true(has_no_port());
    assert_int_equal(change("{'port': 80}"), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /port");
    assert_int_equal(change("{'dns_record_type': 'a', 'port': 80}"), OUTCOME_OK);
    assert_int_equal(desk_number(&desk, "port"), 80);
    assert_int_equal(change("{'port': null}"), OUTCOME_OK);
    assert_int_equal(desk_number(&desk, "port"), 5060);
    assert_int_equal(change("{}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "fqdn"), "b.example");
    assert_int_equal(desk_ask(&desk, FQDN_V2_READ, id, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_number(&desk, "port"), 5060);
    assert_string_equal(desk_text(&desk, "fqdn"), "b.example");
}

static void once_per_connection(void **state)
{
    (void)state;
    static const char rest[] = "'fqdn': 'a.example', 'dns_record_type': 'srv'";
    assert_int_equal(create(connection, rest), OUTCOME_CREATED);
    assert_int_equal(create(connection, "'fqdn': 'A.example', 'dns_record_type': 'srv'"),
                     OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /fqdn");
    assert_string_equal(desk.faults.items[0].message, "has already been taken");
    assert_int_equal(create(other, rest), OUTCOME_CREATED);
    assert_int_equal(create(connection, "'fqdn': 'b.example', 'dns_record_type': 'srv'"),
                     OUTCOME_CREATED);
    assert_int_equal(change("{'fqdn': 'a.example'}"), OUTCOME_CONFLICT);
}

static void on_a_connection_that_is_seen(void **state)
{
    (void)state;
    static const char rest[] = "'fqdn': 'a.example', 'dns_record_type': 'srv'";
    assert_int_equal(create(DESK_OTHERS, rest), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /connection_id");
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    assert_int_equal(create(connection, rest), OUTCOME_INVALID);
    char theirs[UUID_SIZE], body[128];
    fqdn_desk_connection_v1(&desk, theirs);
    assert_int_equal(create(theirs, rest), OUTCOME_CREATED);
    assert_int_equal(text_format(body, sizeof(body), "{'connection_id': '%s'}", connection),
                     STATUS_OK);
    assert_int_equal(change(body), OUTCOME_INVALID);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_ORGANIZATION);
    static const unsigned operations[] = {FQDN_V1_READ, FQDN_V1_CHANGE, FQDN_V1_DELETE,
                                          FQDN_V2_READ, FQDN_V2_CHANGE, FQDN_V2_DELETE};
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        assert_int_equal(desk_ask(&desk, operations[i], id, NULL, "{}"), OUTCOME_UNKNOWN);
    /* An operator sees both, and may move it. */
    desk.principal.is_operator = true;
    assert_int_equal(change(body), OUTCOME_OK);
    desk.principal.is_operator = false;
    assert_int_equal(desk_ask(&desk, FQDN_V2_READ, id, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "connection_id"), connection);
    assert_int_equal(desk_query(&desk, "SELECT total FROM page_total WHERE list = 'fqdn' "
                                       "AND owner = '" DESK_ORGANIZATION "'"),
                     1);
    assert_int_equal(desk_query(&desk, "SELECT total FROM page_total WHERE list = 'fqdn' "
                                       "AND owner = '" DESK_OTHERS "'"),
                     0);
    assert_int_equal(desk_ask(&desk, FQDN_V1_DELETE, id, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "id"), id);
    assert_int_equal(desk_ask(&desk, FQDN_V2_READ, id, NULL, NULL), OUTCOME_UNKNOWN);
}

static void a_hundred_at_most(void **state)
{
    (void)state;
    char rest[128];
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(
            text_format(rest, sizeof(rest), "'fqdn': 'h%u.example', 'dns_record_type': 'srv'", i),
            STATUS_OK);
        assert_int_equal(create(connection, rest), OUTCOME_CREATED);
    }
    assert_int_equal(create(connection, "'fqdn': 'more.example', 'dns_record_type': 'srv'"),
                     OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /connection_id");
    assert_int_equal(desk_ask(&desk, CONNECTION_V1_READ, connection, NULL, NULL), OUTCOME_OK);
    assert_int_equal(json_array_size(json_object_get(desk.body, "fqdns")), 100);
    assert_int_equal(change("{'fqdn': 'last.example'}"), OUTCOME_OK);
}

static void refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"'dns_record_type': 'a'", "required /fqdn"},
        {"'fqdn': 'a.example'", "required /dns_record_type"},
        {"'fqdn': '192.0.2.1', 'dns_record_type': 'a'", "format /fqdn"},
        {"'fqdn': '2001:db8::1', 'dns_record_type': 'a'", "format /fqdn"},
        {"'fqdn': 'https://a.example', 'dns_record_type': 'a'", "format /fqdn"},
        {"'fqdn': 'a.example/', 'dns_record_type': 'a'", "format /fqdn"},
        {"'fqdn': '-a.example', 'dns_record_type': 'a'", "format /fqdn"},
        {"'fqdn': 'a.example', 'dns_record_type': 'A'", "choice /dns_record_type"},
        {"'fqdn': 'a.example', 'dns_record_type': 'a', 'port': 0", "range /port"},
        {"'fqdn': 'a.example', 'dns_record_type': 'a', 'port': 65536", "range /port"},
        {"'fqdn': 'a.example', 'dns_record_type': 'a', 'port': '5060'", "type /port"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create(connection, cases[i][0]), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
    }
    assert_int_equal(create("no-uuid", "'fqdn': 'a.example', 'dns_record_type': 'a'"),
                     OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "format /connection_id");
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM fqdn"), 0);
}

static void every_fault_at_once(void **state)
{
    (void)state;
    assert_int_equal(create(connection, "'fqdn': 'a_b/', 'dns_record_type': 'srv', 'port': 5060"),
                     OUTCOME_INVALID);
    assert_int_equal(desk.faults.count, 2);
    assert_string_equal(desk.faults.items[0].where, "/fqdn");
    assert_string_equal(desk.faults.items[1].where, "/port");
    assert_int_equal(create(connection, "'fqdn': 'a.example', 'dns_record_type': 'srv'"),
                     OUTCOME_CREATED);
    assert_int_equal(change("{'connection_id': '" DESK_OTHERS "', 'port': 5060}"), OUTCOME_INVALID);
    assert_int_equal(desk.faults.count, 2);
}

/* As it was shown it is taken, and changes nothing. */
static void shown_and_sent_back(void **state)
{
    (void)state;
    static const char *const rests[] = {"'fqdn': 'a.example', 'dns_record_type': 'srv'",
                                        "'fqdn': 'a.example', 'dns_record_type': 'a'"};
    for (size_t i = 0; i < ARRAY_LEN(rests); i++) {
        assert_int_equal(create(connection, rests[i]), OUTCOME_CREATED);
        desk.now_utc_ms += 5000;
        json_t *shown = json_deep_copy(desk.body);
        char *body = json_dumps(shown, JSON_COMPACT);
        assert_int_equal(desk_ask(&desk, FQDN_V2_CHANGE, id, NULL, body), OUTCOME_OK);
        assert_true(json_equal(desk.body, shown));
        assert_int_equal(desk_ask(&desk, FQDN_V2_READ, id, NULL, NULL), OUTCOME_OK);
        assert_true(json_equal(desk.body, shown));
        free(body);
        json_decref(shown);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(ports_follow_the_record_type), CASE(ports_follow_changes), CASE(once_per_connection),
        CASE(on_a_connection_that_is_seen), CASE(a_hundred_at_most),    CASE(refused),
        CASE(every_fault_at_once),          CASE(shown_and_sent_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
