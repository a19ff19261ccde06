#include "proto/reason.h"

const char *const reason_words[REASON_COUNT + 1] = {
    [REASON_UNKNOWN_USER] = "unknown_user",
    [REASON_WRONG_PASSWORD] = "wrong_password",
    [REASON_UNKNOWN_SOURCE] = "unknown_source",
    [REASON_SOURCE_NOT_ALLOWED] = "source_not_allowed",
    [REASON_DISABLED] = "disabled",
    [REASON_EXPIRED] = "expired",
    [REASON_POLICY_NEEDS_BOTH] = "policy_needs_both",
    [REASON_ALGORITHM_NOT_AVAILABLE] = "algorithm_not_available",
    [REASON_REALM_NOT_SERVED] = "realm_not_served",
    [REASON_STALE_NONCE] = "stale_nonce",
    [REASON_REPLAYED] = "replayed",
    [REASON_LOCKED_OUT] = "locked_out",
    [REASON_TECH_PREFIX_MISMATCH] = "tech_prefix_mismatch",
    [REASON_TOKEN_MISMATCH] = "token_mismatch",
    [REASON_PASSWORD_NEEDED] = "password_needed",
    [REASON_AMBIGUOUS_SOURCE] = "ambiguous_source",
    [REASON_NO_METHOD] = "no_method",
};

static const char *const messages[REASON_COUNT] = {
    [REASON_UNKNOWN_USER] = "No method has this user name.",
    [REASON_WRONG_PASSWORD] = "The password is another one.",
    [REASON_UNKNOWN_SOURCE] = "No method has this source address.",
    [REASON_SOURCE_NOT_ALLOWED] = "This user may not call from this source address.",
    [REASON_DISABLED] = "What would authorize the call is disabled.",
    [REASON_EXPIRED] = "What would authorize the call has expired.",
    [REASON_POLICY_NEEDS_BOTH] = "The password and the source address are both needed.",
    [REASON_ALGORITHM_NOT_AVAILABLE] = "The password is not available for this algorithm.",
    [REASON_REALM_NOT_SERVED] = "The password is not available for this realm.",
    [REASON_STALE_NONCE] = "The nonce is not, or not any more, good.",
    [REASON_REPLAYED] = "This response has been used before.",
    [REASON_LOCKED_OUT] = "Too many failures; try again later.",
    [REASON_TECH_PREFIX_MISMATCH] = "The called number lacks the connection's tech prefix.",
    [REASON_TOKEN_MISMATCH] = "The token is not the connection's.",
    [REASON_PASSWORD_NEEDED] = "The source address alone does not suffice.",
    [REASON_AMBIGUOUS_SOURCE] = "Several subjects match this source address.",
    [REASON_NO_METHOD] = "There is nothing that could authorize the call.",
};

const char *reason_message(reason_t reason)
{
    return reason == REASON_NONE ? "" : messages[reason];
}
