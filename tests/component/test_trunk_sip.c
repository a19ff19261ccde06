/* /ha1 and /source of trunks: who is known, who is denied, and why. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/trunk_auth.h"
#include "tests/support/trunk_desk.h"

#include <string.h>

/* printf '%s' 'bob:linekeeper:first password' | md5sum, and so on: by tools that are not ours. */
#define FIRST_MD5    "597945e43ee3cfc35f3f4013265d27f4"
#define FIRST_SHA256 "833f021bcb18e2cb825d0df83943e029ffaa65972af9a0b553335e6b4224b890"
#define FIRST_SHA512 "cfd733f4b27aa8bb7703f01f2bea418f828f5c9eedd99c8d99b5316485355ba2"
#define FIRST_B      "829cfb9f07da25ad8feafd0d7696c9df"
#define SECOND_MD5   "9a1c64c929ae8852f12898924b1d08fa"

enum { MINUTE_MS = 60000 };

static desk_t desk;
static char trunk[UUID_SIZE], user[UUID_SIZE];

static int set_up(void **state)
{
    (void)state;
    trunk_desk_open(&desk, true);
    desk_trunk(&desk, trunk);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static void add(const char *trunk_uuid, const char *method, char out[UUID_SIZE])
{
    assert_int_equal(desk_ask(&desk, METHOD_CREATE, trunk_uuid, NULL, method), OUTCOME_CREATED);
    if (out != NULL)
        desk_uuid(&desk, out);
}

static void add_bob(void)
{
    add(trunk, "{'type': 'sipuser', 'username': 'bob', 'password': 'first password'}", user);
}

static void change(const char *method, const char *body)
{
    assert_int_equal(desk_ask(&desk, METHOD_CHANGE, trunk, method, body), OUTCOME_OK);
}

static void set_policy(const char *trunk_uuid, const char *policy)
{
    char body[128];
    assert_int_equal(
        text_format(body, sizeof(body), "{'name': 'Head office', 'auth_policy': '%s'}", policy),
        STATUS_OK);
    assert_int_equal(desk_ask(&desk, TRUNK_REPLACE, trunk_uuid, NULL, body), OUTCOME_OK);
}

static void rotate(const char *body)
{
    assert_int_equal(desk_ask(&desk, METHOD_ROTATE, trunk, user, body), OUTCOME_OK);
}

static void denied(unsigned operation, const char *query, reason_t reason)
{
    bool unknown = reason == REASON_UNKNOWN_USER || reason == REASON_UNKNOWN_SOURCE;
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + operation, NULL, NULL, query),
                     unknown ? OUTCOME_UNKNOWN : OUTCOME_FORBIDDEN);
    assert_int_equal(desk.reason, reason);
    assert_int_equal(desk.fresh.until_utc_ms, 0);
}

static void given(unsigned operation, const char *query)
{
    outcome_t outcome = desk_ask(&desk, TRUNK_SIP + operation, NULL, NULL, query);
    if (outcome != OUTCOME_OK)
        fail_msg("%s: %s", query, desk.message);
    assert_int_equal(desk.reason, REASON_NONE);
    assert_true(desk.was_quick || operation == SIP_ACL);
}

static void expect_ha1(const char *query, const char *ha1)
{
    given(SIP_HA1, query);
    assert_string_equal(desk_text(&desk, "ha1"), ha1);
    assert_string_equal(desk_text(&desk, "auth_id"), user);
    assert_string_equal(desk_text(&desk, "subject"), trunk);
}

static void by_realm_and_algorithm(void **state)
{
    (void)state;
    add_bob();
    expect_ha1("username=bob", FIRST_MD5);
    assert_string_equal(desk_text(&desk, "algorithm"), "MD5");
    assert_int_equal(desk_number(&desk, "ttl"), 60);
    assert_false(desk_has(&desk, "previous"));
    assert_false(desk_has(&desk, "organization_id"));
    expect_ha1("username=bob&realm=linekeeper&algorithm=SHA-256", FIRST_SHA256);
    expect_ha1("username=bob&algorithm=SHA-512-256", FIRST_SHA512);
    expect_ha1("username=bob&realm=b", FIRST_B);
    denied(SIP_HA1, "username=bob&realm=c", REASON_REALM_NOT_SERVED);
    denied(SIP_HA1, "username=Bob", REASON_UNKNOWN_USER);
    denied(SIP_HA1, "username=bo", REASON_UNKNOWN_USER);
}

static void by_rotation(void **state)
{
    (void)state;
    add_bob();
    rotate("{'password': 'second password', 'grace_seconds': 90}");
    expect_ha1("username=bob", SECOND_MD5);
    assert_string_equal(desk_text(&desk, "previous"), FIRST_MD5);
    expect_ha1("username=bob&generation=previous", FIRST_MD5);
    assert_false(desk_has(&desk, "previous"));
    assert_int_equal(desk_number(&desk, "ttl"), 60);
    desk.now_utc_ms += MINUTE_MS;
    expect_ha1("username=bob", SECOND_MD5);
    assert_int_equal(desk_number(&desk, "ttl"), 30);
    desk.now_utc_ms += 30000 - 1;
    expect_ha1("username=bob&generation=previous", FIRST_MD5);
    assert_int_equal(desk_number(&desk, "ttl"), 0);
    desk.now_utc_ms += 1;
    denied(SIP_HA1, "username=bob&generation=previous", REASON_EXPIRED);
    expect_ha1("username=bob", SECOND_MD5);
    assert_false(desk_has(&desk, "previous"));
    assert_int_equal(desk_number(&desk, "ttl"), 60);
}

static void by_format(void **state)
{
    (void)state;
    add_bob();
    given(SIP_HA1, "username=bob&format=text");
    assert_int_equal(desk.media, MEDIA_TEXT);
    assert_string_equal(json_string_value(desk.body), FIRST_MD5 "\n");
    given(SIP_HA1, "username=bob&format=freeradius");
    assert_int_equal(desk.media, MEDIA_JSON_TEXT);
    assert_string_equal(json_string_value(desk.body), "{\"control:Digest-HA1\":\"" FIRST_MD5 "\"}");
    rotate("{'password': 'second password', 'grace_seconds': 90}");
    given(SIP_HA1, "username=bob&format=text");
    assert_string_equal(json_string_value(desk.body), SECOND_MD5 "\n" FIRST_MD5 "\n");
    given(SIP_HA1, "username=bob&format=text&generation=previous");
    assert_string_equal(json_string_value(desk.body), FIRST_MD5 "\n");
    given(SIP_HA1, "username=bob&format=freeradius");
    assert_string_equal(json_string_value(desk.body),
                        "{\"control:Digest-HA1\":\"" SECOND_MD5 "\"}");
}

static void not_when_disabled_or_expired(void **state)
{
    (void)state;
    add_bob();
    change(user, "{'enabled': false}");
    denied(SIP_HA1, "username=bob", REASON_DISABLED);
    change(user, "{'enabled': true, 'expires_at': '2023-11-14T22:14:00.000Z'}"); /* in 40 s */
    expect_ha1("username=bob", FIRST_MD5);
    assert_int_equal(desk_number(&desk, "ttl"), 40);
    desk.now_utc_ms += 40000;
    denied(SIP_HA1, "username=bob", REASON_EXPIRED);
    change(user, "{'enabled': false}");
    denied(SIP_HA1, "username=bob", REASON_DISABLED);
}

static void as_others_see_it(void **state)
{
    (void)state;
    add_bob();
    add(trunk, "{'type': 'ip', 'ip': '203.0.113.0/24'}", NULL);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    denied(SIP_HA1, "username=bob", REASON_UNKNOWN_USER);
    denied(SIP_SOURCE, "ip=203.0.113.7", REASON_UNKNOWN_SOURCE);
    desk.principal.is_operator = true;
    expect_ha1("username=bob", FIRST_MD5);
    assert_string_equal(desk_text(&desk, "organization_id"), DESK_ORGANIZATION);
    given(SIP_SOURCE, "ip=203.0.113.7");
    assert_string_equal(desk_text(&desk, "organization_id"), DESK_ORGANIZATION);
}

static void by_source(void **state)
{
    (void)state;
    char wide[UUID_SIZE], narrow[UUID_SIZE], six[UUID_SIZE];
    add(trunk, "{'type': 'ip', 'ip': '203.0.113.0/24'}", wide);
    add(trunk, "{'type': 'ip', 'ip': '203.0.113.16/28'}", narrow);
    add(trunk, "{'type': 'ip', 'ip': '2001:db8:7::/48'}", six);
    given(SIP_SOURCE, "ip=203.0.113.7&port=5060&transport=udp");
    assert_string_equal(desk_text(&desk, "auth_id"), wide);
    assert_string_equal(desk_text(&desk, "subject"), trunk);
    assert_int_equal(desk_number(&desk, "group"), 1);
    assert_false(desk_has(&desk, "organization_id"));
    given(SIP_SOURCE, "ip=203.0.113.17");
    assert_string_equal(desk_text(&desk, "auth_id"), narrow);
    given(SIP_SOURCE, "ip=::ffff:203.0.113.17");
    assert_string_equal(desk_text(&desk, "auth_id"), narrow);
    given(SIP_SOURCE, "ip=2001:db8:7:ffff::1");
    assert_string_equal(desk_text(&desk, "auth_id"), six);
    denied(SIP_SOURCE, "ip=203.0.112.255", REASON_UNKNOWN_SOURCE);
    denied(SIP_SOURCE, "ip=203.0.114.0", REASON_UNKNOWN_SOURCE);
    denied(SIP_SOURCE, "ip=2001:db8:8::", REASON_UNKNOWN_SOURCE);
    denied(SIP_SOURCE, "ip=::", REASON_UNKNOWN_SOURCE);
    change(narrow, "{'enabled': false}");
    given(SIP_SOURCE, "ip=203.0.113.17");
    assert_string_equal(desk_text(&desk, "auth_id"), wide);
    change(wide, "{'enabled': false}");
    denied(SIP_SOURCE, "ip=203.0.113.17", REASON_DISABLED);
    change(six, "{'expires_at': '2023-11-14T22:13:30.000Z'}"); /* in 10 s */
    given(SIP_SOURCE, "ip=2001:db8:7::1");
    desk.now_utc_ms += 10000;
    denied(SIP_SOURCE, "ip=2001:db8:7::1", REASON_EXPIRED);
}

/* What has ended may be claimed by anybody again and again; that takes no room from who lives. */
static void among_many_that_have_ended(void **state)
{
    (void)state;
    char wide[UUID_SIZE], others[UUID_SIZE], body[128];
    add_bob();
    add(trunk, "{'type': 'ip', 'ip': '203.0.113.0/24'}", wide);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    desk_trunk(&desk, others);
    for (unsigned i = 0; i < 80; i++) {
        assert_int_equal(text_format(body, sizeof(body),
                                     "{'type': 'ip', 'ip': '203.0.113.0/%u', "
                                     "'expires_at': '2020-01-01T00:00:00Z'}",
                                     25 + i / 10),
                         STATUS_OK);
        add(others, body, NULL);
    }
    denied(SIP_SOURCE, "ip=203.0.113.0", REASON_EXPIRED);
    desk.principal.is_operator = true;
    given(SIP_SOURCE, "ip=203.0.113.0");
    assert_string_equal(desk_text(&desk, "auth_id"), wide);
    set_policy(trunk, "all");
    denied(SIP_SOURCE, "ip=203.0.113.0", REASON_POLICY_NEEDS_BOTH);
    expect_ha1("username=bob&source_ip=203.0.113.0", FIRST_MD5);
}

static void with_policy_all(void **state)
{
    (void)state;
    char range[UUID_SIZE], other[UUID_SIZE];
    add_bob();
    set_policy(trunk, "all");
    denied(SIP_HA1, "username=bob", REASON_POLICY_NEEDS_BOTH);
    denied(SIP_HA1, "username=bob&source_ip=203.0.113.7", REASON_SOURCE_NOT_ALLOWED);
    add(trunk, "{'type': 'ip', 'ip': '203.0.113.0/24'}", range);
    desk_trunk(&desk, other);
    add(other, "{'type': 'ip', 'ip': '198.51.100.1'}", NULL);
    expect_ha1("username=bob&source_ip=203.0.113.7", FIRST_MD5);
    denied(SIP_HA1, "username=bob", REASON_POLICY_NEEDS_BOTH);
    denied(SIP_HA1, "username=bob&source_ip=198.51.100.1", REASON_SOURCE_NOT_ALLOWED);
    denied(SIP_SOURCE, "ip=203.0.113.7", REASON_POLICY_NEEDS_BOTH);
    change(range, "{'expires_at': '2023-11-14T22:13:50.000Z'}"); /* in 30 s */
    expect_ha1("username=bob&source_ip=203.0.113.7", FIRST_MD5);
    assert_int_equal(desk_number(&desk, "ttl"), 30);
    desk.now_utc_ms += 30000;
    denied(SIP_HA1, "username=bob&source_ip=203.0.113.7", REASON_SOURCE_NOT_ALLOWED);
    denied(SIP_SOURCE, "ip=203.0.113.7", REASON_EXPIRED);
    change(range, "{'enabled': false, 'expires_at': null}");
    denied(SIP_HA1, "username=bob&source_ip=203.0.113.7", REASON_SOURCE_NOT_ALLOWED);
    denied(SIP_SOURCE, "ip=203.0.113.7", REASON_DISABLED);
    change(range, "{'enabled': true}");
    change(user, "{'enabled': false}");
    denied(SIP_HA1, "username=bob&source_ip=203.0.113.7", REASON_DISABLED);
    denied(SIP_SOURCE, "ip=203.0.113.7", REASON_POLICY_NEEDS_BOTH);
}

static void expect_list(const char *format, const char *expected)
{
    char query[64];
    assert_int_equal(text_format(query, sizeof(query), "format=%s", format), STATUS_OK);
    given(SIP_ACL, query);
    assert_string_equal(json_string_value(desk.body), expected);
}

static void expect_empty_lists(void)
{
    given(SIP_ACL, "");
    assert_int_equal(desk.media, MEDIA_JSON_TEXT);
    assert_string_equal(json_string_value(desk.body), "[]\n");
    expect_list("kamailio", "");
    assert_int_equal(desk.media, MEDIA_TEXT);
    expect_list("freeswitch",
                "<configuration name=\"acl.conf\"><network-lists><list name=\"trunks\" "
                "default=\"deny\"></list></network-lists></configuration>\n");
    assert_int_equal(desk.media, MEDIA_XML);
}

static void expect_denials(size_t count)
{
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + SIP_DECISIONS, NULL, NULL, ""), OUTCOME_OK);
    assert_int_equal(json_array_size(desk.body), count);
}

/* What an operator's key asks is of all organizations: no other key is told of it. */
static void denials_are_shown_to_their_own(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + SIP_HA1, NULL, NULL, "username=mine"),
                     OUTCOME_UNKNOWN);
    desk.principal.is_operator = true;
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + SIP_HA1, NULL, NULL, "username=anybodys"),
                     OUTCOME_UNKNOWN);
    expect_denials(2);
    assert_true(json_is_null(json_object_get(json_array_get(desk.body, 0), "organization_id")));
    desk.principal.is_operator = false;
    expect_denials(1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(desk.body, 0), "username")), "mine");
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    expect_denials(0);
}

static void as_lists(void **state)
{
    (void)state;
    char wide[UUID_SIZE], one[UUID_SIZE], six[UUID_SIZE], text[1024];
    expect_empty_lists();
    add_bob();
    expect_empty_lists();
    add(trunk, "{'type': 'ip', 'ip': '2001:db8:7::/48'}", six);
    add(trunk, "{'type': 'ip', 'ip': '203.0.113.0/24'}", wide);
    add(trunk, "{'type': 'ip', 'ip': '198.51.100.7'}", one);
    assert_int_equal(text_format(text, sizeof(text),
                                 "1 198.51.100.7 32 0 %s\n1 203.0.113.0 24 0 %s\n"
                                 "1 2001:db8:7:: 48 0 %s\n",
                                 trunk, trunk, trunk),
                     STATUS_OK);
    expect_list("kamailio", text);
    expect_list("freeswitch",
                "<configuration name=\"acl.conf\"><network-lists><list name=\"trunks\" "
                "default=\"deny\"><node type=\"allow\" cidr=\"198.51.100.7/32\"/>"
                "<node type=\"allow\" cidr=\"203.0.113.0/24\"/>"
                "<node type=\"allow\" cidr=\"2001:db8:7::/48\"/>"
                "</list></network-lists></configuration>\n");
    change(wide, "{'enabled': false}");
    change(six, "{'expires_at': '2023-11-14T22:13:20.001Z'}"); /* in 1 ms */
    desk.now_utc_ms++;
    assert_int_equal(text_format(text, sizeof(text),
                                 "[\n{\"cidr\":\"198.51.100.7/32\",\"subject\":\"%s\"}]\n", trunk),
                     STATUS_OK);
    expect_list("json", text);
    desk.principal.is_operator = true;
    assert_int_equal(text_format(text, sizeof(text),
                                 "[\n{\"cidr\":\"198.51.100.7/32\",\"subject\":\"%s\","
                                 "\"organization_id\":\"%s\"}]\n",
                                 trunk, DESK_ORGANIZATION),
                     STATUS_OK);
    expect_list("json", text);
    desk.principal.is_operator = false;
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    expect_empty_lists();
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_ORGANIZATION);
    set_policy(trunk, "all");
    expect_empty_lists();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_realm_and_algorithm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_rotation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_format, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_when_disabled_or_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_others_see_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(among_many_that_have_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(denials_are_shown_to_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_policy_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
