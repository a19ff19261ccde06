/* /nonce and /explain of trunks, and what /verify remembers: nonces, responses, failures. */
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

#define MINUTE_MS INT64_C(60000)

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

/* ---- nonces of ours ---- */

static void a_nonce_has_its_time(void **state)
{
    (void)state;
    char nonce[SIP_NONCE_MAX + 1];
    attempt_t attempt = bobs;
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + SIP_NONCE, NULL, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_number(&desk, "expires_in"), 60);
    text_cut(nonce, sizeof(nonce), desk_text(&desk, "nonce"));
    attempt.nonce = nonce;
    desk.now_utc_ms += MINUTE_MS - 1;
    verifies(&attempt, PASSED);
    desk.now_utc_ms += 1;
    attempt.nc = "00000002";
    verifies(&attempt, "stale_nonce");
    attempt.password = "x";
    verifies(&attempt, "wrong_password");
    attempt = bobs;
    desk.now_utc_ms -= MINUTE_MS;
    nonce[SIP_NONCE_MAX / 8]++;
    attempt.nonce = nonce;
    verifies(&attempt, "stale_nonce");
}

/* ---- once only ---- */

static void a_response_serves_once(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    verifies(&attempt, PASSED);
    verifies(&attempt, "replayed");
    is_bob();
    attempt.nc = "00000002";
    verifies(&attempt, PASSED);
    verifies(&attempt, "replayed");
    attempt.nonce = "n2";
    attempt.qop = attempt.nc = attempt.cnonce = NULL;
    verifies(&attempt, PASSED);
    verifies(&attempt, "replayed");
    attempt.cnonce = "another"; /* which is not hashed */
    verifies(&attempt, "replayed");
    attempt.uri = "sip:other@example.com";
    verifies(&attempt, PASSED);
}

static void nobody_uses_up_anothers(void **state)
{
    (void)state;
    char other[UUID_SIZE];
    attempt_t attempt = bobs;
    add("{'type': 'sipuser', 'username': 'eve', 'password': 'first password'}", other);
    attempt.username = "eve";
    verifies(&attempt, PASSED);
    attempt.username = "bob";
    attempt.password = "x";
    verifies(&attempt, "wrong_password");
    verifies(&bobs, PASSED);
}

static void a_denied_response_is_used_up(void **state)
{
    (void)state;
    char range[UUID_SIZE];
    attempt_t attempt = bobs;
    add("{'type': 'ip', 'ip': '203.0.113.0/24'}", range);
    assert_int_equal(desk_ask(&desk, TRUNK_REPLACE, trunk, NULL,
                              "{'name': 'Head office', 'auth_policy': 'all'}"),
                     OUTCOME_OK);
    attempt.source = "198.51.100.1";
    verifies(&attempt, "source_not_allowed");
    attempt.source = "203.0.113.1";
    verifies(&attempt, "replayed");
    attempt.nc = "00000002";
    verifies(&attempt, PASSED);
}

/* Its life begins when it is first seen in a right response. */
static void another_servers_nonce_has_its_time_too(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    attempt.password = "x";
    verifies(&attempt, "wrong_password");
    desk.now_utc_ms += 2 * MINUTE_MS;
    verifies(&bobs, PASSED);
    desk.now_utc_ms += MINUTE_MS / 2;
    attempt = bobs;
    attempt.nc = "00000002";
    verifies(&attempt, PASSED);
    desk.now_utc_ms += MINUTE_MS / 2;
    attempt.nc = "00000003";
    verifies(&attempt, "stale_nonce");
    verifies(&bobs, "stale_nonce");
    desk.now_utc_ms += 60 * MINUTE_MS;
    verifies(&bobs, "stale_nonce");
}

static void sent_again_is_not_used_again(void **state)
{
    (void)state;
    desk.request_id = "request-1";
    verifies(&bobs, PASSED);
    verifies(&bobs, "replayed");
    desk.again = true;
    verifies(&bobs, PASSED);
    desk.request_id = "request-2";
    verifies(&bobs, "replayed");
    verifies(&bobs, "replayed"); /* and that was not remembered as another use */
}

/* ---- lock-out ---- */

static void fail_often(const attempt_t *attempt, const char *reason, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        verifies(attempt, reason);
}

static void failures_lock_out(void **state)
{
    (void)state;
    unsigned most = (unsigned)desk.settings.sip.lockout_failures;
    attempt_t wrong = bobs, right = bobs;
    wrong.source = right.source = "198.51.100.7";
    wrong.password = "x";
    fail_often(&wrong, "wrong_password", most - 1);
    verifies(&right, PASSED); /* forgets them */
    fail_often(&wrong, "wrong_password", most);
    right.nc = "00000002";
    verifies(&right, "locked_out");
    assert_null(desk_text(&desk, "subject"));
    decides("{'scheme': 'basic', 'username': 'bob', 'password': 'first password', "
            "'source_address': '198.51.100.7'}",
            "locked_out");
    assert_true(desk.was_quick); /* and nothing was hashed */
    right.source = "198.51.100.8";
    verifies(&right, PASSED);
    right.source = "198.51.100.7";
    right.nonce = "n2";
    desk.now_utc_ms += MINUTE_MS + 1000;
    verifies(&right, PASSED);
}

/* Or the lock-out would tell who is there. */
static void nobody_is_locked_out_as_soon(void **state)
{
    (void)state;
    attempt_t wrong = bobs;
    wrong.source = "198.51.100.7";
    wrong.username = "alice";
    fail_often(&wrong, "unknown_user", (unsigned)desk.settings.sip.lockout_failures);
    verifies(&wrong, "locked_out");
}

static void other_denials_are_no_failures(void **state)
{
    (void)state;
    unsigned many = 2 * (unsigned)desk.settings.sip.lockout_failures;
    attempt_t attempt = bobs;
    attempt.source = "198.51.100.7";
    verifies(&attempt, PASSED);
    fail_often(&attempt, "replayed", many);
    attempt.nonce = "lk.forged";
    fail_often(&attempt, "stale_nonce", many);
    attempt.qop = "auth-int";
    fail_often(&attempt, "algorithm_not_available", many);
    for (unsigned i = 0; i < many; i++)
        decides("{'source_address': '198.51.100.7'}", "password_needed");
    attempt = bobs;
    attempt.source = "198.51.100.7";
    attempt.nc = "00000002";
    verifies(&attempt, PASSED);
}

/* ---- what is noted ---- */

static void denials_are_noted_and_challenges_are_not(void **state)
{
    (void)state;
    decision_t found[8];
    attempt_t attempt = bobs;
    verifies(&attempt, PASSED);
    decides("{}", "password_needed");
    assert_int_equal(sip_ring_read(desk.sip.memory, found, ARRAY_LEN(found)), 0);
    attempt.password = "x";
    attempt.source = "198.51.100.7";
    verifies(&attempt, "wrong_password");
    assert_int_equal(sip_ring_read(desk.sip.memory, found, ARRAY_LEN(found)), 1);
    assert_int_equal(found[0].reason, REASON_WRONG_PASSWORD);
    assert_string_equal(found[0].username, "bob");
    assert_string_equal(found[0].source_ip, "198.51.100.7");
    assert_string_equal(found[0].subject, trunk);
}

/* ---- why ---- */

static void explains(const char *body, const char *reason)
{
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + SIP_EXPLAIN, NULL, NULL, body), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "status"), reason == PASSED ? "ok" : "fail");
    const char *found = desk_text(&desk, "reason");
    assert_true(reason == PASSED ? found == NULL : found != NULL && strcmp(found, reason) == 0);
}

/* The rules that were looked at, between blanks; the last one alone decided, and alone may deny. */
static void by_rules(const char *names, bool passed)
{
    const json_t *rules = json_object_get(desk.body, "rules");
    size_t count = json_array_size(rules);
    char found[512] = "";
    for (size_t i = 0; i < count; i++) {
        const json_t *rule = json_array_get(rules, i);
        bool last = i + 1 == count;
        size_t used = strlen(found);
        assert_int_equal(text_format(found + used, sizeof(found) - used, "%s%s", i == 0 ? "" : " ",
                                     json_string_value(json_object_get(rule, "rule"))),
                         STATUS_OK);
        assert_int_equal(json_is_true(json_object_get(rule, "decided")), last);
        if (last)
            assert_int_equal(json_is_true(json_object_get(rule, "passed")), passed);
        assert_true(json_is_string(json_object_get(rule, "detail")));
    }
    assert_string_equal(found, names);
}

#define LOOKED_AT "source_address credentials lock_out algorithm fields"

static void every_rule_is_told(void **state)
{
    (void)state;
    char body[CALLER_BODY_SIZE], range[UUID_SIZE];
    attempt_t attempt = bobs;
    caller_body(&attempt, body);
    explains(body, PASSED);
    is_bob();
    by_rules(LOOKED_AT " realm user password nonce replay standing policy", true);
    attempt.password = "x";
    caller_body(&attempt, body);
    explains(body, "wrong_password");
    by_rules(LOOKED_AT " realm user password", false);
    attempt.username = "alice";
    caller_body(&attempt, body);
    explains(body, "unknown_user");
    by_rules(LOOKED_AT " realm user", false);
    attempt.realm = "elsewhere";
    caller_body(&attempt, body);
    explains(body, "realm_not_served");
    by_rules(LOOKED_AT " realm", false);
    explains("{'scheme': 'basic', 'username': 'bob', 'password': 'first password'}", PASSED);
    by_rules("source_address credentials lock_out user password standing policy", true);
    explains("{'source_address': 'x'}", "unknown_source");
    by_rules("source_address", false);
    explains("{'source_address': '203.0.113.10'}", "password_needed");
    by_rules("source_address source credentials", false);
    add("{'type': 'ip', 'ip': '203.0.113.0/24'}", range);
    explains("{'source_address': '203.0.113.10'}", PASSED);
    by_rules("source_address source_claim source", true);
}

static void asking_why_changes_nothing(void **state)
{
    (void)state;
    char body[CALLER_BODY_SIZE];
    decision_t found[8];
    attempt_t wrong = bobs;
    wrong.source = "198.51.100.7";
    wrong.password = "x";
    caller_body(&bobs, body);
    explains(body, PASSED);
    explains(body, PASSED);
    desk.now_utc_ms += 2 * MINUTE_MS; /* nor has the nonce been seen */
    verifies(&bobs, PASSED);
    explains(body, "replayed");
    desk.now_utc_ms += MINUTE_MS;
    explains(body, "stale_nonce");
    caller_body(&wrong, body);
    for (int64_t i = 0; i < desk.settings.sip.lockout_failures; i++)
        explains(body, "wrong_password");
    verifies(&wrong, "wrong_password");
    assert_int_equal(sip_ring_read(desk.sip.memory, found, ARRAY_LEN(found)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_nonce_has_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_response_serves_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_uses_up_anothers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_denied_response_is_used_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_servers_nonce_has_its_time_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sent_again_is_not_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_lock_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_locked_out_as_soon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_denials_are_no_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(denials_are_noted_and_challenges_are_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_rule_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asking_why_changes_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
