/* Why a call is not authorized: one enumeration for every route, log line and list. */
#ifndef LK_PROTO_REASON_H
#define LK_PROTO_REASON_H

#include <stddef.h>

typedef enum {
    REASON_NONE = -1, /* nothing stands against it. Not 0: what was never decided is a denial */
    REASON_UNKNOWN_USER,
    REASON_WRONG_PASSWORD,
    REASON_UNKNOWN_SOURCE,
    REASON_SOURCE_NOT_ALLOWED, /* the user is known, the address is not one of the subject's */
    REASON_DISABLED,
    REASON_EXPIRED,
    REASON_POLICY_NEEDS_BOTH, /* digest and source, and one of them was not given */
    REASON_ALGORITHM_NOT_AVAILABLE,
    REASON_REALM_NOT_SERVED,
    REASON_STALE_NONCE,
    REASON_REPLAYED,
    REASON_LOCKED_OUT,
    REASON_TECH_PREFIX_MISMATCH,
    REASON_TOKEN_MISMATCH,
    REASON_PASSWORD_NEEDED, /* the source alone does not suffice */
    REASON_AMBIGUOUS_SOURCE,
    REASON_NO_METHOD,
    REASON_COUNT,
} reason_t;

/* The words, such as "unknown_user", in the enumeration's order and NULL at the end. */
extern const char *const reason_words[REASON_COUNT + 1];

/* What to tell a person. Static; "" for REASON_NONE. */
const char *reason_message(reason_t reason);

#endif
