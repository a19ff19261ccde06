/* The overlap check, and whose an address is, against a plain comparison with every claim, on
 * random sets of blocks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/trunk_auth.h"
#include "services/common/sip/decide.h"
#include "services/trunk-auth/method_store.h"
#include "services/trunk-auth/ranges.h"
#include "services/trunk-auth/sip_family.h"
#include "tests/support/trunk_desk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRUNKS_MADE = 3, CLAIMS_MAX = 400, ROUNDS = 40, STEPS = 500 };

typedef struct {
    size_t trunk;
    int64_t until;
    bool enabled;
    ipnet_t block;
    char uuid[UUID_SIZE];
} claim_t;

static desk_t desk;
static char trunks[TRUNKS_MADE][UUID_SIZE];
static claim_t claims[CLAIMS_MAX];
static size_t claim_count;
static uint64_t seed;

/* xorshift64*: repeatable, so that a failure can be looked at. */
static unsigned choose(unsigned below)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % below;
}

static range_verdict_t plain_check(const ipnet_t *block, size_t trunk, const char *self)
{
    range_verdict_t verdict = RANGE_FREE;
    for (size_t i = 0; i < claim_count; i++) {
        const claim_t *claim = &claims[i];
        bool meets = ipnet_contains(&claim->block, block) || ipnet_contains(block, &claim->block);
        if (!meets || claim->until <= desk.now_utc_ms || strcmp(claim->uuid, self) == 0)
            continue;
        if (claim->trunk != trunk)
            return RANGE_TAKEN;
        if (claim->block.prefix == block->prefix)
            verdict = RANGE_REPEATED;
    }
    return verdict;
}

/* Few bits vary, so that blocks meet; the families stand next to each other now and then. */
static ipnet_t random_block(void)
{
    static const char *const bases[] = {
        "10.0.0.0", "255.255.255.0", "2001:db8::", "::fffe:0:0", "::1:0:0:0", "8000::"};
    const char *base = bases[choose(ARRAY_LEN(bases))];
    ipnet_t block;
    assert_int_equal(ipnet_parse(base, strlen(base), &block), STATUS_OK);
    block.first[15] = (uint8_t)choose(64);
    if (!block.ipv4 && choose(3) == 0) {
        block.first[choose(16)] ^= (uint8_t)(1U << choose(8));
        block.prefix = (uint8_t)choose(129);
    } else {
        block.prefix = (uint8_t)(128 - choose(choose(2) == 0 ? 9 : 33));
    }
    ipnet_mask(block.first, block.prefix);
    block.ipv4 = block.prefix >= 96 && block.first[10] == 0xff && block.first[11] == 0xff &&
                 block.first[0] == 0 && block.first[1] == 0 && block.first[9] == 0;
    char text[IPNET_TEXT_SIZE];
    ipnet_format(&block, text);
    assert_int_equal(ipnet_parse(text, strlen(text), &block), STATUS_OK);
    return block;
}

static void add(const ipnet_t *block, size_t trunk, int64_t until)
{
    if (claim_count == CLAIMS_MAX)
        return;
    err_t err = {0};
    method_t method = {.type = METHOD_IP_TYPE, .enabled = choose(2) == 0, .expires_at = until};
    uuid_new(method.uuid);
    ipnet_format(block, method.ip);
    field_give(&method.fields, METHOD_IP);
    if (until != INT64_MAX)
        field_give(&method.fields, METHOD_EXPIRES_AT);
    bool taken = false;
    assert_int_equal(method_store_add(desk.writer, trunks[trunk], &method, NULL, &taken, &err),
                     STATUS_OK);
    claim_t *claim = &claims[claim_count++];
    *claim = (claim_t){.trunk = trunk, .block = *block, .until = until, .enabled = method.enabled};
    text_cut(claim->uuid, sizeof(claim->uuid), method.uuid);
}

static void drop(size_t index)
{
    err_t err = {0};
    assert_int_equal(method_store_delete(desk.writer, claims[index].uuid, &err), STATUS_OK);
    claims[index] = claims[--claim_count];
}

/* The narrowest that stands, or NULL and why there is none. */
static const claim_t *plain_whose(const ipnet_t *address, reason_t *out_reason)
{
    const claim_t *best = NULL;
    bool disabled = false, expired = false;
    for (size_t i = 0; i < claim_count; i++) {
        const claim_t *claim = &claims[i];
        if (!ipnet_contains(&claim->block, address) ||
            claim->block.prefix < (address->ipv4 ? 96 + 8 : 19))
            continue;
        disabled |= !claim->enabled;
        expired |= claim->until <= desk.now_utc_ms;
        bool stands = claim->enabled && claim->until > desk.now_utc_ms;
        if (stands && (best == NULL || claim->block.prefix > best->block.prefix))
            best = claim;
    }
    *out_reason = best != NULL ? REASON_NONE
                  : disabled   ? REASON_DISABLED
                  : expired    ? REASON_EXPIRED
                               : REASON_UNKNOWN_SOURCE;
    return best;
}

static void look_up(size_t found[2])
{
    err_t err = {0};
    sip_source_t source = {.address = random_block()};
    source.address.prefix = 128;
    const call_t call = {.request = {.principal = desk.principal}, .now_utc_ms = desk.now_utc_ms};
    sip_claims_t got;
    const sip_claim_t *claim = NULL;
    reason_t reason = REASON_NONE;
    const claim_t *expected = plain_whose(&source.address, &reason);
    assert_int_equal(trunk_sip_family.find_claims(&call, desk.writer, &source, &got, &err),
                     STATUS_OK);
    if (decide_source(&got, &claim, NULL) != reason) {
        char text[IPNET_TEXT_SIZE];
        ipnet_format(&source.address, text);
        fail_msg("%s: not %d (seed %" PRIu64 ")", text, (int)reason, seed);
    }
    if (expected != NULL) {
        assert_string_equal(claim->auth_id, expected->uuid);
        assert_string_equal(claim->subject, trunks[expected->trunk]);
        assert_int_equal(claim->until_utc_ms, expected->until);
    }
    found[expected != NULL]++;
}

static void step(size_t verdicts[3])
{
    err_t err = {0};
    size_t trunk = choose(TRUNKS_MADE);
    const char *self = "";
    if (claim_count > 0 && choose(4) == 0) {
        const claim_t *claim = &claims[choose((unsigned)claim_count)];
        self = claim->uuid;
        trunk = claim->trunk;
    }
    ipnet_t block = random_block();
    range_verdict_t got = RANGE_FREE, expected = plain_check(&block, trunk, self);
    assert_int_equal(
        ranges_check(desk.writer, &block, trunks[trunk], self, desk.now_utc_ms, &got, &err),
        STATUS_OK);
    if (got != expected) {
        char text[IPNET_TEXT_SIZE];
        ipnet_format(&block, text);
        fail_msg("%s: %d, not %d (seed %" PRIu64 ")", text, (int)got, (int)expected, seed);
    }
    verdicts[got]++;
    bool expired = choose(5) == 0;
    int64_t until = expired          ? desk.now_utc_ms - choose(3)
                    : choose(2) == 0 ? desk.now_utc_ms + 1 + choose(40)
                                     : INT64_MAX;
    if (expired || (got == RANGE_FREE && self[0] == '\0'))
        add(&block, trunk, until);
    if (claim_count > 60 && choose(2) == 0)
        drop(choose((unsigned)claim_count));
    desk.now_utc_ms++;
}

static void agrees_with_a_plain_check(void **state)
{
    (void)state;
    err_t err = {0};
    size_t verdicts[3] = {0}, found[2] = {0};
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        seed = round * UINT64_C(0x9e3779b97f4a7c15);
        trunk_desk_open(&desk, false);
        claim_count = 0;
        for (size_t i = 0; i < TRUNKS_MADE; i++)
            desk_trunk(&desk, trunks[i]);
        assert_int_equal(store_begin(desk.writer, &err), STATUS_OK);
        for (int i = 0; i < STEPS; i++) {
            step(verdicts);
            look_up(found);
        }
        store_rollback(desk.writer);
        desk_close(&desk);
    }
    /* All three happened often enough to mean something. */
    assert_true(verdicts[RANGE_FREE] > 100 && verdicts[RANGE_TAKEN] > 100 &&
                verdicts[RANGE_REPEATED] > 20 && found[0] > 1000 && found[1] > 1000);
}

/* One container at every prefix length: the longest walk there is. */
static void every_length(void **state)
{
    (void)state;
    err_t err = {0};
    trunk_desk_open(&desk, false);
    claim_count = 0;
    for (size_t i = 0; i < TRUNKS_MADE; i++)
        desk_trunk(&desk, trunks[i]);
    assert_int_equal(store_begin(desk.writer, &err), STATUS_OK);
    ipnet_t block;
    assert_int_equal(ipnet_parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 39, &block), STATUS_OK);
    for (unsigned prefix = 0; prefix <= 127; prefix++) {
        ipnet_t container = block;
        container.prefix = (uint8_t)prefix;
        ipnet_mask(container.first, prefix);
        add(&container, 0, INT64_MAX);
    }
    range_verdict_t got = RANGE_TAKEN;
    assert_int_equal(ranges_check(desk.writer, &block, trunks[0], "", 1, &got, &err), STATUS_OK);
    assert_int_equal(got, RANGE_FREE);
    assert_int_equal(ranges_check(desk.writer, &block, trunks[1], "", 1, &got, &err), STATUS_OK);
    assert_int_equal(got, RANGE_TAKEN);
    store_rollback(desk.writer);
    desk_close(&desk);
}

static void flaws(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool for_all, for_operators;
    } cases[] = {
        {"192.0.2.1", true, true},      {"10.0.0.0/16", true, true},  {"10.0.0.0/15", false, true},
        {"10.0.0.0/8", false, true},    {"10.0.0.0/7", false, false}, {"2001:db8::/32", true, true},
        {"2001:db8::/31", false, true}, {"2000::/19", false, true},   {"2000::/18", false, false},
        {"224.0.0.0/24", false, false}, {"ff00::/64", false, false},  {"0.0.0.0/16", false, false},
        {"::/64", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ipnet_t block;
        assert_int_equal(ipnet_parse(cases[i].text, strlen(cases[i].text), &block), STATUS_OK);
        assert_int_equal(ranges_flaw(&block, false) == NULL, cases[i].for_all);
        assert_int_equal(ranges_flaw(&block, true) == NULL, cases[i].for_operators);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_check),
        cmocka_unit_test(every_length),
        cmocka_unit_test(flaws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
