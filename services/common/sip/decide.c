#include "services/common/sip/decide.h"

#include <string.h>

/* How near to a yes: less is nearer. What no claim should say tells least. */
static int distance(reason_t reason)
{
    static const signed char order[REASON_COUNT] = {
        [REASON_POLICY_NEEDS_BOTH] = 1, [REASON_PASSWORD_NEEDED] = 2,
        [REASON_TOKEN_MISMATCH] = 3,    [REASON_TECH_PREFIX_MISMATCH] = 4,
        [REASON_DISABLED] = 5,          [REASON_EXPIRED] = 6,
        [REASON_NO_METHOD] = 7,
    };
    if (reason == REASON_NONE)
        return 0;
    int place = reason >= 0 && reason < REASON_COUNT ? order[reason] : 0;
    return place == 0 ? REASON_COUNT : place;
}

static const char *word(reason_t reason)
{
    bool named = reason >= 0 && reason < REASON_COUNT;
    return reason == REASON_NONE ? "stands" : named ? reason_words[reason] : "unreadable";
}

/* The nearest to a yes; of equals the first, which is the narrowest. */
static const sip_claim_t *nearest(const sip_claims_t *claims, sip_trace_t *trace)
{
    const sip_claim_t *best = NULL;
    for (size_t i = 0; i < claims->count; i++) {
        const sip_claim_t *claim = &claims->items[i];
        trace_rule(trace, "source_claim", claim->standing == REASON_NONE, "%s of %s: %s",
                   claim->auth_id, claim->subject, word(claim->standing));
        if (best == NULL || distance(claim->standing) < distance(best->standing))
            best = claim;
    }
    return best;
}

static bool is_only_one(const sip_claims_t *claims, const sip_claim_t *chosen)
{
    for (size_t i = 0; i < claims->count; i++) {
        const sip_claim_t *claim = &claims->items[i];
        if (claim->standing == REASON_NONE && strcmp(claim->subject, chosen->subject) != 0)
            return false;
    }
    return true;
}

static reason_t decide(const sip_claims_t *claims, const sip_claim_t **out_claim,
                       sip_trace_t *trace)
{
    const sip_claim_t *claim = nearest(claims, trace);
    *out_claim = NULL;
    if (claim == NULL && !claims->more) {
        trace_rule(trace, "source", false, "nobody claims this address");
        return REASON_UNKNOWN_SOURCE;
    }
    if (claims->more || (claim->standing == REASON_NONE && !is_only_one(claims, claim))) {
        trace_rule(trace, "source", false, "several claim this address");
        return REASON_AMBIGUOUS_SOURCE;
    }
    *out_claim = claim;
    trace_rule(trace, "source", claim->standing == REASON_NONE, "%s: %s", claim->subject,
               word(claim->standing));
    return claim->standing;
}

reason_t decide_source(const sip_claims_t *claims, const sip_claim_t **out_claim,
                       sip_trace_t *trace)
{
    reason_t reason = decide(claims, out_claim, trace);
    trace_decided(trace);
    return reason;
}
