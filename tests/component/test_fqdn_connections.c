/* Connections in both spellings: one store, defaults, merging, what goes with what. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/fqdn_desk.h"

#include <stdlib.h>
#include <string.h>

static desk_t desk;
static char id[UUID_SIZE];

static int set_up(void **state)
{
    (void)state;
    fqdn_desk_open(&desk, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static outcome_t v1(unsigned operation, const char *body)
{
    return desk_ask(&desk, operation, id, NULL, body);
}

static void be_of(const char *organization)
{
    text_cut(desk.principal.organization_id, UUID_SIZE, organization);
}

static void v1_creates_without_authentication(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, CONNECTION_V1_CREATE, NULL, NULL, "{'connection_name': 'A'}"),
                     OUTCOME_CREATED);
    assert_string_equal(desk_text(&desk, "connection_name"), "A");
    assert_true(json_is_true(json_object_get(desk.body, "active")));
    assert_null(desk_text(&desk, "auth_type"));
    assert_true(json_is_null(json_object_get(desk.body, "fqdn_authentication")));
    assert_int_equal(json_array_size(json_object_get(desk.body, "fqdns")), 0);
    assert_true(json_is_false(json_object_get(desk.body, "outbound_usable")));
    assert_string_equal(desk_text(&desk, "created_at"), desk_text(&desk, "updated_at"));
    assert_int_equal(json_object_size(desk.body), 9);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication"), 0);
}

static void v2_creates_with_an_empty_authentication(void **state)
{
    (void)state;
    fqdn_desk_connection_v2(&desk, id);
    assert_string_equal(desk_text(&desk, "record_type"), "fqdn_connection");
    assert_string_equal(desk_text(&desk, "transport_protocol"), "UDP");
    assert_int_equal(json_array_size(json_object_get(desk.body, "tags")), 0);
    assert_int_equal(json_object_size(json_object_get(desk.body, "inbound")), 0);
    assert_string_equal(fqdn_desk_inner(&desk, "outbound", "ip_authentication_method"),
                        "credential-authentication");
    assert_null(fqdn_desk_inner(&desk, "outbound", "tech_prefix"));
    assert_null(fqdn_desk_inner(&desk, "outbound", "ip_authentication_token"));
    assert_null(desk_text(&desk, "webhook_event_url"));
    assert_null(desk_text(&desk, "password"));
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V2_READ, id, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "connection_id"), id);
    assert_string_equal(desk_text(&desk, "record_type"), "fqdn_authentication");
    assert_int_equal(v1(CONNECTION_V1_READ, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "auth_type"), "fqdn");
    assert_string_equal(fqdn_desk_inner(&desk, "fqdn_authentication", "ip_authentication_method"),
                        "tech-prefix");
}

static void two_spellings_of_one_thing(void **state)
{
    (void)state;
    assert_int_equal(
        desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL,
                 "{'connection_name': 'B', 'active': false, 'transport_protocol': 'TLS', "
                 "'tags': ['x', 'y'], 'webhook_event_url': 'https://a.example/h', "
                 "'webhook_event_failover_url': 'http://b.example/', "
                 "'inbound': {'codecs': ['G722'], 'sip_region': 'US'}, "
                 "'outbound': {'ip_authentication_method': 'ip-authentication', "
                 "'tech_prefix': '0471', 'ip_authentication_token': 'a long enough token', "
                 "'channel_limit': 4}}"),
        OUTCOME_CREATED);
    fqdn_desk_id(&desk, id);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_READ, id, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "transport_protocol"), "TLS");
    assert_int_equal(json_array_size(json_object_get(desk.body, "tags")), 2);
    assert_string_equal(fqdn_desk_inner(&desk, "inbound", "sip_region"), "US");
    assert_string_equal(fqdn_desk_inner(&desk, "outbound", "tech_prefix"), "0471");
    assert_string_equal(fqdn_desk_inner(&desk, "outbound", "ip_authentication_token"), "********");
    json_t *outbound = json_object_get(desk.body, "outbound");
    assert_int_equal(json_integer_value(json_object_get(outbound, "channel_limit")), 4);
    assert_int_equal(v1(FQDN_AUTH_V1_READ, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "webhook_url"), "https://a.example/h");
    assert_string_equal(desk_text(&desk, "failover_url"), "http://b.example/");
    assert_string_equal(desk_text(&desk, "fqdn_outbound_authentication"), "ip-authentication");
    assert_string_equal(desk_text(&desk, "tech_prefix"), "0471");
    assert_string_equal(desk_text(&desk, "ip_authentication_token"), "********");
    /* And back. */
    assert_int_equal(v1(FQDN_AUTH_V1_CHANGE, "{'webhook_url': null, 'tech_prefix': '0472', "
                                             "'fqdn_outbound_authentication': "
                                             "'credential-authentication'}"),
                     OUTCOME_DELETED);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_READ, id, NULL, NULL), OUTCOME_OK);
    assert_null(desk_text(&desk, "webhook_event_url"));
    assert_string_equal(desk_text(&desk, "webhook_event_failover_url"), "http://b.example/");
    assert_string_equal(fqdn_desk_inner(&desk, "outbound", "tech_prefix"), "0472");
    assert_string_equal(fqdn_desk_inner(&desk, "outbound", "ip_authentication_method"),
                        "credential-authentication");
}

static void patch_merges(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL,
                              "{'connection_name': 'B', 'tags': ['x'], "
                              "'inbound': {'a': 1, 'b': 2}, "
                              "'outbound': {'c': 3, 'tech_prefix': '0001'}}"),
                     OUTCOME_CREATED);
    fqdn_desk_id(&desk, id);
    desk.now_utc_ms += 1000;
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CHANGE, id, NULL,
                              "{'inbound': {'b': null, 'd': [4]}, 'outbound': {'e': 5}}"),
                     OUTCOME_OK);
    json_t *inbound = json_object_get(desk.body, "inbound");
    assert_int_equal(json_integer_value(json_object_get(inbound, "a")), 1);
    assert_true(json_is_null(json_object_get(inbound, "b")));
    assert_int_equal(json_array_size(json_object_get(inbound, "d")), 1);
    json_t *outbound = json_object_get(desk.body, "outbound");
    assert_int_equal(json_integer_value(json_object_get(outbound, "c")), 3);
    assert_int_equal(json_integer_value(json_object_get(outbound, "e")), 5);
    assert_string_equal(fqdn_desk_inner(&desk, "outbound", "tech_prefix"), "0001");
    assert_string_equal(desk_text(&desk, "connection_name"), "B");
    assert_int_equal(json_array_size(json_object_get(desk.body, "tags")), 1);
    assert_string_not_equal(desk_text(&desk, "created_at"), desk_text(&desk, "updated_at"));
    char changed[64];
    text_cut(changed, sizeof(changed), desk_text(&desk, "updated_at"));
    desk.now_utc_ms += 1000;
    static const char *const nothing[] = {"{}", "{'outbound': {}}", "{'id': 'x'}"};
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        assert_int_equal(desk_ask(&desk, CONNECTION_V2_CHANGE, id, NULL, nothing[i]), OUTCOME_OK);
        assert_string_equal(desk_text(&desk, "updated_at"), changed);
    }
}

static void what_grows_too_large_is_refused(void **state)
{
    (void)state;
    fqdn_desk_connection_v2(&desk, id);
    char half[2048 + 64], body[2048 + 128];
    memset(half, 'x', 2048);
    half[2048] = '\0';
    assert_int_equal(text_format(body, sizeof(body), "{'inbound': {'a': '%s'}}", half), STATUS_OK);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CHANGE, id, NULL, body), OUTCOME_OK);
    assert_int_equal(text_format(body, sizeof(body), "{'inbound': {'b': '%s'}}", half), STATUS_OK);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CHANGE, id, NULL, body), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "range /inbound");
}

/* A v1 connection gets its authentication by the first v2 change that needs one. */
static void v2_changes_a_v1_connection(void **state)
{
    (void)state;
    fqdn_desk_connection_v1(&desk, id);
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V2_READ, id, NULL, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V2_CHANGE, id, NULL, "{}"), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CHANGE, id, NULL, "{'active': false}"),
                     OUTCOME_OK);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication"), 0);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CHANGE, id, NULL,
                              "{'webhook_event_url': 'https://a.example/'}"),
                     OUTCOME_OK);
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V2_READ, id, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "webhook_url"), "https://a.example/");
}

static void v1_put_changes_what_is_sent(void **state)
{
    (void)state;
    fqdn_desk_connection_v2(&desk, id);
    assert_int_equal(v1(CONNECTION_V1_CHANGE, "{'active': false}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "connection_name"), "Head office");
    assert_true(json_is_false(json_object_get(desk.body, "active")));
    assert_int_equal(v1(CONNECTION_V1_CHANGE, "{'connection_name': 'New'}"), OUTCOME_OK);
    assert_true(json_is_false(json_object_get(desk.body, "active")));
    assert_string_equal(desk_text(&desk, "auth_type"), "fqdn");
}

static void deleting_takes_all_along(void **state)
{
    (void)state;
    char body[256];
    fqdn_desk_connection_v2(&desk, id);
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V2_CHANGE, id, NULL,
                              "{'user_name': 'u', 'password': 'long enough'}"),
                     OUTCOME_OK);
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'connection_id': '%s', 'fqdn': 'a.example', "
                                 "'dns_record_type': 'srv'}",
                                 id),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, FQDN_V1_CREATE, NULL, NULL, body), OUTCOME_CREATED);
    assert_int_not_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 0);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_DELETE, id, NULL, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "id"), id);
    assert_int_equal(desk_query(&desk, "SELECT (SELECT count(*) FROM connection) + "
                                       "(SELECT count(*) FROM authentication) + "
                                       "(SELECT count(*) FROM digest) + "
                                       "(SELECT count(*) FROM fqdn)"),
                     0);
    assert_int_equal(desk_query(&desk, "SELECT sum(abs(total)) FROM page_total"), 0);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_DELETE, id, NULL, NULL), OUTCOME_UNKNOWN);
    fqdn_desk_connection_v1(&desk, id);
    assert_int_equal(v1(CONNECTION_V1_DELETE, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "id"), id);
}

static void others_do_not_see_it(void **state)
{
    (void)state;
    static const unsigned operations[] = {
        CONNECTION_V1_READ,   CONNECTION_V1_CHANGE, CONNECTION_V1_DELETE, FQDN_AUTH_V1_SET,
        FQDN_AUTH_V1_CHANGE,  FQDN_AUTH_V1_READ,    FQDN_AUTH_V1_REMOVE,  CONNECTION_V2_READ,
        CONNECTION_V2_CHANGE, CONNECTION_V2_DELETE, FQDN_AUTH_V2_READ,    FQDN_AUTH_V2_CHANGE,
    };
    fqdn_desk_connection_v2(&desk, id);
    be_of(DESK_OTHERS);
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        assert_int_equal(v1(operations[i], "{}"), OUTCOME_UNKNOWN);
    desk.principal.is_operator = true;
    assert_int_equal(v1(CONNECTION_V1_READ, NULL), OUTCOME_OK);
    desk.principal.is_operator = false;
    be_of(DESK_ORGANIZATION);
    for (size_t i = 0; id[i] != '\0'; i++) /* read in any case */
        if (id[i] >= 'a' && id[i] <= 'f')
            id[i] = (char)(id[i] - 'a' + 'A');
    assert_int_equal(v1(CONNECTION_V1_READ, NULL), OUTCOME_OK);
    text_cut(id, sizeof(id), "no-uuid");
    assert_int_equal(v1(CONNECTION_V1_READ, NULL), OUTCOME_UNKNOWN);
}

static void refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "required /connection_name"},
        {"{'connection_name': ''}", "range /connection_name"},
        {"{'connection_name': null}", "type /connection_name"},
        {"{'connection_name': 'a', 'active': null}", "type /active"},
        {"{'connection_name': 'a', 'active': 'yes'}", "type /active"},
        {"{'connection_name': 'a', 'transport_protocol': 'udp'}", "choice /transport_protocol"},
        {"{'connection_name': 'a', 'webhook_event_url': 'example.com'}",
         "format /webhook_event_url"},
        {"{'connection_name': 'a', 'tags': 'x'}", "type /tags"},
        {"{'connection_name': 'a', 'tags': [1]}", "type /tags"},
        {"{'connection_name': 'a', 'inbound': []}", "type /inbound"},
        {"{'connection_name': 'a', 'outbound': {'tech_prefix': '12345'}}",
         "range /outbound/tech_prefix"},
        {"{'connection_name': 'a', 'outbound': {'tech_prefix': '12a4'}}",
         "format /outbound/tech_prefix"},
        {"{'connection_name': 'a', 'outbound': {'ip_authentication_token': 'short'}}",
         "range /outbound/ip_authentication_token"},
        {"{'connection_name': 'a', 'outbound': {'ip_authentication_token': '************'}}",
         "format /outbound/ip_authentication_token"},
        {"{'connection_name': 'a', 'outbound': {'ip_authentication_method': 'token'}}",
         "choice /outbound/ip_authentication_method"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL, cases[i][0]),
                         OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
    }
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM connection"), 0);
}

static void taken_by_its_place_in_the_body(void **state)
{
    (void)state;
    static const char body[] = "{'connection_name': 'a', 'outbound': {'tech_prefix': '0471', "
                               "'ip_authentication_token': 'a long enough token'}}";
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL, body), OUTCOME_CREATED);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL, body), OUTCOME_CONFLICT);
    assert_int_equal(desk.faults.count, 2);
    assert_string_equal(desk.faults.items[0].where, "/outbound/tech_prefix");
    assert_string_equal(desk.faults.items[1].where, "/outbound/ip_authentication_token");
    assert_string_equal(desk.faults.items[0].message, "has already been taken");
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM connection"), 1);
}

/* Sends back, as JSON, what the latest answer showed. */
static outcome_t send_back(unsigned operation, const char *to)
{
    char *body = json_dumps(desk.body, JSON_COMPACT);
    assert_non_null(body);
    outcome_t outcome = desk_ask(&desk, operation, to, NULL, body);
    free(body);
    return outcome;
}

static void v2_shows_what_v2_takes(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{'connection_name': 'bare'}",
        "{'connection_name': 'full', 'tags': ['a'], 'transport_protocol': 'TLS', 'active': false, "
        "'inbound': {'b': {'c': [1, 2.5]}, 'a': null}, 'webhook_event_url': 'https://a.example/', "
        "'outbound': {'x': 1, 'ip_authentication_method': 'ip-authentication', "
        "'tech_prefix': '0471', 'ip_authentication_token': 'a long enough token'}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_int_equal(desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL, bodies[i]),
                         OUTCOME_CREATED);
        fqdn_desk_id(&desk, id);
        desk.now_utc_ms += 5000;
        assert_int_equal(v1(CONNECTION_V2_READ, NULL), OUTCOME_OK);
        json_t *shown = json_deep_copy(desk.body);
        assert_int_equal(send_back(CONNECTION_V2_CHANGE, id), OUTCOME_OK);
        assert_true(json_equal(desk.body, shown));
        assert_int_equal(v1(CONNECTION_V2_READ, NULL), OUTCOME_OK);
        assert_true(json_equal(desk.body, shown));
        json_decref(shown);
    }
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication "
                                       "WHERE token_hash IS NOT NULL"),
                     1);
}

static void a_v1_connection_sent_back_in_v2_stays_as_it_is(void **state)
{
    (void)state;
    fqdn_desk_connection_v1(&desk, id);
    desk.now_utc_ms += 5000;
    assert_int_equal(v1(CONNECTION_V2_READ, NULL), OUTCOME_OK);
    json_t *shown = json_deep_copy(desk.body);
    assert_int_equal(send_back(CONNECTION_V2_CHANGE, id), OUTCOME_OK);
    assert_true(json_equal(desk.body, shown));
    json_decref(shown);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication"), 0);
}

static void null_clears_in_outbound(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL,
                              "{'connection_name': 'a', 'outbound': {'tech_prefix': '0471', "
                              "'ip_authentication_token': 'a long enough token'}}"),
                     OUTCOME_CREATED);
    fqdn_desk_id(&desk, id);
    assert_int_equal(v1(CONNECTION_V2_CHANGE, "{'outbound': {'ip_authentication_token': null}}"),
                     OUTCOME_OK);
    assert_null(fqdn_desk_inner(&desk, "outbound", "ip_authentication_token"));
    assert_string_equal(fqdn_desk_inner(&desk, "outbound", "tech_prefix"), "0471");
    assert_int_equal(v1(CONNECTION_V2_CHANGE, "{'outbound': {'tech_prefix': null}}"), OUTCOME_OK);
    assert_null(fqdn_desk_inner(&desk, "outbound", "tech_prefix"));
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication WHERE token_hash IS "
                                       "NULL AND token_sealed IS NULL AND tech_prefix IS NULL"),
                     1);
}

/* A copy of what was shown makes another connection; what is unique can't be copied. */
static void a_copy_makes_another(void **state)
{
    (void)state;
    fqdn_desk_connection_v2(&desk, id);
    assert_int_equal(send_back(CONNECTION_V2_CREATE, NULL), OUTCOME_CREATED);
    assert_string_not_equal(desk_text(&desk, "id"), id);
    assert_int_equal(v1(CONNECTION_V2_CHANGE, "{'outbound': {'tech_prefix': '0471'}}"), OUTCOME_OK);
    assert_int_equal(send_back(CONNECTION_V2_CREATE, NULL), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /outbound/tech_prefix");
}

static void every_fault_at_once(void **state)
{
    (void)state;
    char half[PACKED_SIZE / 2 + 2] = "", body[sizeof(half) + 100];
    memset(half, 'x', sizeof(half) - 1);
    assert_int_equal(desk_ask(&desk, CONNECTION_V2_CREATE, NULL, NULL,
                              "{'connection_name': 'a', 'outbound': {'tech_prefix': '0471'}}"),
                     OUTCOME_CREATED);
    fqdn_desk_connection_v2(&desk, id);
    assert_int_equal(text_format(body, sizeof(body), "{'inbound': {'a': '%s'}}", half), STATUS_OK);
    assert_int_equal(v1(CONNECTION_V2_CHANGE, body), OUTCOME_OK);
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'inbound': {'b': '%s'}, 'outbound': {'tech_prefix': '0471'}}",
                                 half),
                     STATUS_OK);
    assert_int_equal(v1(CONNECTION_V2_CHANGE, body), OUTCOME_INVALID);
    assert_int_equal(desk.faults.count, 2);
    assert_string_equal(desk.faults.items[0].where, "/inbound");
    assert_string_equal(desk.faults.items[1].where, "/outbound/tech_prefix");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(v1_creates_without_authentication),
        CASE(v2_creates_with_an_empty_authentication),
        CASE(two_spellings_of_one_thing),
        CASE(patch_merges),
        CASE(what_grows_too_large_is_refused),
        CASE(v2_changes_a_v1_connection),
        CASE(v1_put_changes_what_is_sent),
        CASE(deleting_takes_all_along),
        CASE(others_do_not_see_it),
        CASE(refused),
        CASE(taken_by_its_place_in_the_body),
        CASE(v2_shows_what_v2_takes),
        CASE(a_v1_connection_sent_back_in_v2_stays_as_it_is),
        CASE(null_clears_in_outbound),
        CASE(a_copy_makes_another),
        CASE(every_fault_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
