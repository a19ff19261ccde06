/* Who calls, out of all that claim a source. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "services/common/sip/decide.h"

#include <string.h>

static sip_claims_t claims;

static void add(const char *subject, const char *auth_id, reason_t standing)
{
    sip_claim_t *claim = &claims.items[claims.count++];
    *claim = (sip_claim_t){.standing = standing};
    text_cut(claim->subject, sizeof(claim->subject), subject);
    text_cut(claim->auth_id, sizeof(claim->auth_id), auth_id);
}

/* auth_id NULL: no claim decides. */
static void expect(reason_t reason, const char *auth_id)
{
    const sip_claim_t *claim = &claims.items[SIP_CLAIMS_MAX - 1];
    sip_trace_t trace = {.count = 0};
    assert_int_equal(decide_source(&claims, &claim, &trace), reason);
    if (auth_id == NULL)
        assert_null(claim);
    else
        assert_string_equal(claim->auth_id, auth_id);
    assert_int_equal(trace.count, claims.count + 1);
    for (size_t i = 0; i < trace.count; i++)
        assert_int_equal(trace.rules[i].decided, i == trace.count - 1);
    assert_int_equal(trace.rules[trace.count - 1].passed, reason == REASON_NONE);
    claims = (sip_claims_t){.count = 0};
}

static void nobody(void **state)
{
    (void)state;
    expect(REASON_UNKNOWN_SOURCE, NULL);
}

static void one_that_stands(void **state)
{
    (void)state;
    add("a", "a1", REASON_NONE);
    expect(REASON_NONE, "a1");
    add("a", "a1", REASON_DISABLED);
    add("b", "b1", REASON_TOKEN_MISMATCH);
    add("c", "c1", REASON_NONE);
    expect(REASON_NONE, "c1");
    add("a", "narrow", REASON_NONE);
    add("a", "wide", REASON_NONE);
    expect(REASON_NONE, "narrow");
}

static void several_that_stand(void **state)
{
    (void)state;
    add("a", "a1", REASON_NONE);
    add("b", "b1", REASON_NONE);
    expect(REASON_AMBIGUOUS_SOURCE, NULL);
    add("a", "a1", REASON_NONE);
    add("a", "a2", REASON_NONE);
    add("b", "b1", REASON_NONE);
    expect(REASON_AMBIGUOUS_SOURCE, NULL);
    add("a", "a1", REASON_NONE);
    claims.more = true;
    expect(REASON_AMBIGUOUS_SOURCE, NULL);
    claims.more = true;
    expect(REASON_AMBIGUOUS_SOURCE, NULL);
}

/* Each pair the nearer first; asked in both orders. */
static void the_nearest_reason(void **state)
{
    (void)state;
    static const reason_t order[] = {
        REASON_POLICY_NEEDS_BOTH, REASON_PASSWORD_NEEDED,
        REASON_TOKEN_MISMATCH,    REASON_TECH_PREFIX_MISMATCH,
        REASON_DISABLED,          REASON_EXPIRED,
        REASON_NO_METHOD,         REASON_STALE_NONCE /* no claim says that: least of all */};
    for (size_t i = 0; i + 1 < ARRAY_LEN(order); i++)
        for (size_t j = i + 1; j < ARRAY_LEN(order); j++) {
            add("a", "a1", order[i]);
            add("b", "b1", order[j]);
            expect(order[i], "a1");
            add("b", "b1", order[j]);
            add("a", "a1", order[i]);
            expect(order[i], "a1");
        }
    add("a", "a1", REASON_DISABLED);
    add("b", "b1", REASON_DISABLED);
    expect(REASON_DISABLED, "a1");
}

/* A standing that is none of the enumeration is no yes. */
static void nonsense_is_denied(void **state)
{
    (void)state;
    const sip_claim_t *claim = NULL;
    add("a", "a1", (reason_t)77);
    assert_int_not_equal(decide_source(&claims, &claim, NULL), REASON_NONE);
    claims = (sip_claims_t){.count = 0};
}

static void a_long_trace_keeps_the_end(void **state)
{
    (void)state;
    sip_trace_t trace = {.count = 0};
    for (int i = 0; i < 2 * TRACE_RULES_MAX; i++)
        trace_rule(&trace, "rule", true, "%d", i);
    trace_rule(&trace, "last", false, "%0200d", 7);
    trace_decided(&trace);
    assert_int_equal(trace.count, TRACE_RULES_MAX);
    assert_string_equal(trace.rules[0].detail, "0");
    assert_string_equal(trace.rules[TRACE_RULES_MAX - 1].rule, "last");
    assert_int_equal(strlen(trace.rules[TRACE_RULES_MAX - 1].detail), 160);
    assert_true(trace.rules[TRACE_RULES_MAX - 1].decided);
    trace_rule(NULL, "rule", true, "nothing");
    trace_decided(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody),
        cmocka_unit_test(one_that_stands),
        cmocka_unit_test(several_that_stand),
        cmocka_unit_test(the_nearest_reason),
        cmocka_unit_test(nonsense_is_denied),
        cmocka_unit_test(a_long_trace_keeps_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
