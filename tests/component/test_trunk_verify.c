/* /verify of trunks: every way to be denied, and that who has no password
 * can't tell what there is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/trunk_auth.h"
#include "tests/support/sip_caller.h"
#include "tests/support/trunk_desk.h"

#include <string.h>

#define VAGUE "The user name or the password is another one."

static desk_t desk;
static char trunk[UUID_SIZE], user[UUID_SIZE];

static void add(const char *method, char out[UUID_SIZE])
{
    assert_int_equal(desk_ask(&desk, METHOD_CREATE, trunk, NULL, method), OUTCOME_CREATED);
    desk_uuid(&desk, out);
}

static int set_up(void **state)
{
    (void)state;
    trunk_desk_open(&desk, true);
    desk_trunk(&desk, trunk);
    add("{'type': 'sipuser', 'username': 'bob', 'password': 'first password'}", user);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static void change(const char *method, const char *body)
{
    assert_int_equal(desk_ask(&desk, METHOD_CHANGE, trunk, method, body), OUTCOME_OK);
}

static void need_both(void)
{
    assert_int_equal(desk_ask(&desk, TRUNK_REPLACE, trunk, NULL,
                              "{'name': 'Head office', 'auth_policy': 'all'}"),
                     OUTCOME_OK);
}

/* ---- asking ---- */

static void decides(const char *body, const char *reason)
{
    caller_decides(&desk, body, reason);
}

static void verifies(const attempt_t *attempt, const char *reason)
{
    caller_verifies(&desk, attempt, reason);
}

static void is_bob(void)
{
    assert_string_equal(desk_text(&desk, "subject"), trunk);
    assert_string_equal(desk_text(&desk, "auth_id"), user);
}

static void is_nobody(void)
{
    assert_null(desk_text(&desk, "subject"));
    assert_null(desk_text(&desk, "auth_id"));
}

/* ---- digest ---- */

static void every_algorithm(void **state)
{
    (void)state;
    static const char *const names[] = {"MD5",          "md5-sess",    "SHA-256",
                                        "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"};
    char nonce[] = "nonce-0";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        attempt_t attempt = bobs;
        attempt.algorithm = names[i];
        nonce[6]++;
        attempt.nonce = nonce;
        verifies(&attempt, PASSED);
        is_bob();
        assert_null(desk_text(&desk, "message"));
        assert_false(desk_has(&desk, "organization_id"));
        nonce[0]++;
        attempt.qop = attempt.nc = NULL;
        verifies(&attempt, PASSED);
        attempt.password = "another";
        verifies(&attempt, "wrong_password");
    }
}

static void as_jambonz_asks(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    attempt.algorithm = attempt.qop = attempt.nc = attempt.cnonce = NULL;
    attempt.realm = "b";
    attempt.source = "203.0.113.10";
    verifies(&attempt, PASSED);
    attempt.password = "x";
    verifies(&attempt, "wrong_password");
}

static void as_a_header(void **state)
{
    (void)state;
    char response[RESPONSE_TEXT_SIZE], body[CALLER_BODY_SIZE];
    caller_respond(&bobs, response);
    /* The single fields beside it count for nothing. */
    assert_int_equal(
        text_format(body, sizeof(body),
                    "{'method': 'INVITE', 'username': 'alice', 'qop': 'auth-int', 'authorization': "
                    "'Digest username=\\\"bob\\\",realm=\\\"linekeeper\\\",nonce=\\\"n1\\\","
                    "uri=\\\"sip:+4930123@example.com\\\",qop=auth,nc=00000001,cnonce=\\\"c1\\\","
                    "response=\\\"%s\\\",algorithm=md5'}",
                    response),
        STATUS_OK);
    decides(body, PASSED);
    is_bob();
    decides("{'method': 'INVITE', 'response': 'x', 'authorization': 'Digest nonce=\\\"a'}",
            "password_needed");
    decides("{'method': 'INVITE', 'authorization': 'Bearer x'}", "algorithm_not_available");
    decides("{'method': 'INVITE', 'authorization': 'Digest username=\\\"x\\\", userhash=true, "
            "response=\\\"x\\\"'}",
            "algorithm_not_available");
    assert_string_equal(desk_text(&desk, "message"), "userhash is not served.");
}

static void what_is_not_served(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    attempt.qop = "auth-int";
    verifies(&attempt, "algorithm_not_available");
    attempt.qop = "other";
    verifies(&attempt, "algorithm_not_available");
    attempt = bobs;
    attempt.response = "x";
    attempt.algorithm = "SHA-1";
    verifies(&attempt, "algorithm_not_available");
    attempt = bobs;
    attempt.realm = "elsewhere";
    verifies(&attempt, "realm_not_served");
    is_nobody();
}

static void incomplete_credentials(void **state)
{
    (void)state;
    add("{'type': 'ip', 'ip': '203.0.113.10'}", (char[UUID_SIZE]){0});
    static const char *const good = "0123456789abcdef0123456789abcdef";
    attempt_t attempts[11];
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        attempts[i] = bobs;
        attempts[i].response = good;
        attempts[i].source = "203.0.113.10"; /* which suffices alone, and must not here */
    }
    attempts[0].username = NULL;
    attempts[1].realm = NULL;
    attempts[2].nonce = NULL;
    attempts[3].uri = NULL;
    attempts[4].method = NULL;
    attempts[5].nc = NULL;
    attempts[6].cnonce = NULL;
    attempts[7].nc = "1";
    attempts[8].nc = "0000000g";
    attempts[9].method = "IN VITE";
    attempts[10].username = "";
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        verifies(&attempts[i], "password_needed");
    attempt_t session = bobs;
    session.algorithm = "MD5-sess";
    session.qop = session.nc = session.cnonce = NULL;
    session.response = good;
    verifies(&session, "password_needed");
    decides("{'scheme': 'basic', 'username': 'bob', 'response': 'x'}", "password_needed");
    decides("{'username': 'bob', 'password': 'first password'}", "password_needed");
}

/* H(HA1:nonce:nc:cnonce:qop:HA2) is H(HA1:nonce:HA2) of a longer nonce, which nobody has seen. */
static void parts_that_move_into_the_nonce(void **state)
{
    (void)state;
    char captured[RESPONSE_TEXT_SIZE];
    attempt_t attempt = bobs;
    attempt.cnonce = "0000000a:c";
    caller_respond(&attempt, captured);
    verifies(&attempt, PASSED);
    attempt.response = captured;
    verifies(&attempt, "replayed");
    attempt.nonce = "n1:00000001";
    attempt.nc = "0000000a";
    attempt.cnonce = "c";
    verifies(&attempt, "password_needed");
    attempt.qop = attempt.nc = attempt.cnonce = NULL;
    attempt.nonce = "n1:00000001:0000000a:c:auth";
    verifies(&attempt, "password_needed");
    attempt.response = NULL;
    attempt.nonce = "1729000000:7f5a3c0d9be1"; /* time and hash, as some servers make them */
    verifies(&attempt, PASSED);
}

/* What "-sess" hashes first, HA1:nonce:cnonce, is HA1:nonce:HA2 where HA2 is given for cnonce: the
 * result was sent in the clear, and all calls of that nonce could be made with it. */
static void forges_session(const char *captured, const char *nonce, const char *cnonce)
{
    char forged[RESPONSE_TEXT_SIZE];
    attempt_t attempt = bobs;
    attempt.algorithm = "MD5-sess";
    attempt.nonce = nonce;
    attempt.cnonce = cnonce;
    attempt.uri = "sip:+900123@example.com";
    const response_facts_t facts = {.method = attempt.method,
                                    .uri = attempt.uri,
                                    .nonce = nonce,
                                    .qop = attempt.qop,
                                    .nc = attempt.nc,
                                    .cnonce = cnonce};
    assert_int_equal(response_compute(&facts, captured, forged), STATUS_OK);
    attempt.response = forged;
    verifies(&attempt, "password_needed");
    is_nobody();
}

static void sessions_of_captured_responses(void **state)
{
    (void)state;
    static const char asked[] = "INVITE:sip:+4930123@example.com";
    const digest_part_t part = {asked, sizeof(asked) - 1};
    char captured[RESPONSE_TEXT_SIZE], ha2[RESPONSE_TEXT_SIZE], cnonce[128];
    uint8_t bytes[HA1_SIZE_MAX];
    attempt_t attempt = bobs;
    assert_int_equal(digest_parts(DIGEST_MD5, &part, 1, bytes), STATUS_OK);
    text_hex(ha2, bytes, digest_size(DIGEST_MD5));
    caller_respond(&attempt, captured);
    verifies(&attempt, PASSED);
    assert_int_equal(text_format(cnonce, sizeof(cnonce), "00000001:c1:auth:%s", ha2), STATUS_OK);
    forges_session(captured, "n1", cnonce);
    attempt.qop = attempt.nc = attempt.cnonce = NULL;
    attempt.nonce = "time:n2";
    caller_respond(&attempt, captured);
    verifies(&attempt, PASSED);
    forges_session(captured, "time:n2", ha2);
    assert_int_equal(text_format(cnonce, sizeof(cnonce), "n2:%s", ha2), STATUS_OK);
    forges_session(captured, "time", cnonce);
    attempt.nonce = "n3";
    caller_respond(&attempt, captured);
    verifies(&attempt, PASSED);
    forges_session(captured, "n3", ha2);
}

/* ---- who has no password can't tell ---- */

static void unknown_and_wrong_look_alike(void **state)
{
    (void)state;
    char wrong[REPLY_MESSAGE_SIZE];
    attempt_t attempt = bobs;
    attempt.password = "x";
    verifies(&attempt, "wrong_password");
    is_nobody();
    text_cut(wrong, sizeof(wrong), desk_text(&desk, "message"));
    attempt.username = "alice";
    verifies(&attempt, "unknown_user");
    is_nobody();
    assert_string_equal(desk_text(&desk, "message"), wrong);
    change(user, "{'enabled': false}");
    attempt.username = "bob";
    verifies(&attempt, "wrong_password");
    assert_string_equal(desk_text(&desk, "message"), wrong);
    attempt.password = "first password";
    verifies(&attempt, "disabled");
    is_bob();
}

static void other_organizations_users_are_unknown(void **state)
{
    (void)state;
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    verifies(&bobs, "unknown_user");
    desk.principal.is_operator = true;
    verifies(&bobs, PASSED);
    assert_string_equal(desk_text(&desk, "organization_id"), DESK_ORGANIZATION);
}

static void names_match_byte_for_byte(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    attempt.username = "Bob";
    verifies(&attempt, "unknown_user");
}

/* ---- what stands against a right password ---- */

static void disabled_and_expired(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    change(user, "{'expires_at': '2023-11-14T22:13:21Z'}"); /* a second after the desk's now */
    verifies(&attempt, PASSED);
    desk.now_utc_ms += 1000;
    attempt.nonce = "n2";
    verifies(&attempt, "expired");
    is_bob();
}

static void policy_all(void **state)
{
    (void)state;
    char range[UUID_SIZE];
    attempt_t attempt = bobs;
    add("{'type': 'ip', 'ip': '203.0.113.0/24'}", range);
    need_both();
    verifies(&attempt, "policy_needs_both");
    attempt.nc = "00000002";
    attempt.source = "198.51.100.1";
    verifies(&attempt, "source_not_allowed");
    attempt.nc = "00000003";
    attempt.source = "203.0.113.77";
    verifies(&attempt, PASSED);
    change(range, "{'enabled': false}");
    attempt.nc = "00000004";
    verifies(&attempt, "source_not_allowed");
}

static void both_passwords_of_a_rotation(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    assert_int_equal(desk_ask(&desk, METHOD_ROTATE, trunk, user,
                              "{'password': 'second password', 'grace_seconds': 90}"),
                     OUTCOME_OK);
    verifies(&attempt, PASSED);
    attempt.nonce = "n2";
    attempt.password = "second password";
    verifies(&attempt, PASSED);
    attempt.nonce = "n3";
    attempt.password = "third password";
    verifies(&attempt, "wrong_password");
    desk.now_utc_ms += 90000;
    attempt.password = "first password";
    verifies(&attempt, "wrong_password");
    attempt.password = "second password";
    verifies(&attempt, PASSED);
}

static void sources_that_cant_be_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x", "1.2.3", "203.0.113.0/24", "[::1]", "1.2.3.4:5060"};
    attempt_t attempt = bobs;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        attempt.source = wrong[i];
        verifies(&attempt, "unknown_source");
        is_nobody();
    }
}

/* A user who was given his password when there was no digest, or another realm. */
static void values_that_are_not_there(void **state)
{
    (void)state;
    err_t err;
    attempt_t attempt = bobs;
    assert_int_equal(realms_parse("linekeeper,b,later", &desk.realms, &err), STATUS_OK);
    attempt.realm = "later";
    verifies(&attempt, "realm_not_served");
    is_nobody();
    assert_string_equal(desk_text(&desk, "message"), VAGUE);
    desk.keeper.seal = NULL;
    verifies(&bobs, "algorithm_not_available");
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + SIP_NONCE, NULL, NULL, NULL), OUTCOME_FORBIDDEN);
}

/* ---- without credentials ---- */

static void a_source_alone(void **state)
{
    (void)state;
    char range[UUID_SIZE];
    decides("{'source_address': '203.0.113.10'}", "password_needed");
    decides("{}", "password_needed");
    decides("{'source_address': 'x'}", "unknown_source");
    add("{'type': 'ip', 'ip': '203.0.113.0/24'}", range);
    decides("{'source_address': '203.0.113.10', 'username': 'bob', 'response': ''}", PASSED);
    assert_string_equal(desk_text(&desk, "auth_id"), range);
    decides("{'source_address': '203.0.114.10'}", "password_needed");
    change(range, "{'enabled': false}");
    decides("{'source_address': '203.0.113.10'}", "password_needed");
    is_nobody();
    change(range, "{'enabled': true}");
    need_both();
    decides("{'source_address': '203.0.113.10'}", "password_needed");
}

/* ---- basic ---- */

static void the_password_itself(void **state)
{
    (void)state;
    static const char right[] =
        "{'scheme': 'basic', 'username': 'bob', 'password': 'first password'}";
    decides(right, PASSED);
    is_bob();
    assert_false(desk.was_quick);
    decides("{'scheme': 'basic', 'username': 'bob', 'password': 'x'}", "wrong_password");
    assert_string_equal(desk_text(&desk, "message"), VAGUE);
    decides("{'scheme': 'basic', 'username': 'alice', 'password': 'x'}", "unknown_user");
    assert_string_equal(desk_text(&desk, "message"), VAGUE);
    assert_int_equal(desk_ask(&desk, METHOD_ROTATE, trunk, user,
                              "{'password': 'second password', 'grace_seconds': 90}"),
                     OUTCOME_OK);
    decides(right, PASSED);
    decides("{'scheme': 'basic', 'username': 'bob', 'password': 'second password'}", PASSED);
    desk.now_utc_ms += 90000;
    decides(right, "wrong_password");
    need_both();
    decides("{'scheme': 'basic', 'username': 'bob', 'password': 'second password'}",
            "policy_needs_both");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_algorithm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_jambonz_asks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_a_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(incomplete_credentials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parts_that_move_into_the_nonce, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sessions_of_captured_responses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_and_wrong_look_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_organizations_users_are_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_match_byte_for_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(disabled_and_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(policy_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_passwords_of_a_rotation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sources_that_cant_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_that_are_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_source_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_password_itself, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
