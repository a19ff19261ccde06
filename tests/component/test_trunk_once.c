/* /nonce and /explain of trunks, and what /verify remembers: nonces, responses, failures. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/trunk_auth.h"
#include "tests/support/sip_caller.h"

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

enum { MINUTE_MS = 60000 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_nonce_has_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_rule_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
