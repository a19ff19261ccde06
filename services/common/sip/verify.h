/* Whether a call's credentials authorize it: POST /verify, and POST /explain by the same code. The
 * rules and their order: verify.c; why so: ADR 0029. */
#ifndef LK_SERVICES_COMMON_SIP_VERIFY_H
#define LK_SERVICES_COMMON_SIP_VERIFY_H

#include "services/common/sip/sip.h"
#include "services/common/sip/trace.h"

/* A call that is asked about, and what is known of it so far. */
typedef struct {
    call_t *call;
    store_t *reader;
    sip_trace_t *trace; /* NULL: nobody asks why */
    bool dry;           /* nothing is remembered, counted or noted */

    sip_call_t asked; /* as it was asked, with the header's fields in place */
    ipnet_t address;
    const ipnet_t *source; /* NULL: not given */
    sip_user_t user;       /* its subject is "" while there is none */
    int64_t nonce_until_utc_ms;

    /* What was decided. */
    reason_t reason;     /* REASON_NONE: authorized */
    const char *message; /* for people; may reach the caller. Static */
    bool is_failure;     /* for lock-out */
    bool is_challenge;   /* there were no credentials at all: no denial to be noted */
    char subject[UUID_SIZE], auth_id[UUID_SIZE], organization_id[UUID_SIZE]; /* "": not proved */
} inquiry_t;

/* Whether a password must be hashed to decide; is decided by what is at hand. */
bool verify_hashes(const call_t *call);

/* Decides on call->body, a sip_call_t. Anything but STATUS_OK: the store failed. When it returns
 * with call->deferred, nothing was decided, and the call goes on in the slow pool. */
status_t verify_call(call_t *call, store_t *reader, sip_trace_t *trace, bool dry, inquiry_t *out,
                     err_t *err) MUST_CHECK;
void verify_wipe(inquiry_t *inquiry);

/* ---- For the rules themselves ---- */

/* One rule: sets inquiry->reason if it denies, by verify_denies; each leaves a line in the trace.
 */
typedef status_t (*verify_rule_fn)(inquiry_t *inquiry, err_t *err);

/* The value of a field of the call (SIP_CALL_*): NULL if not given or empty. */
const char *verify_value(const inquiry_t *inquiry, unsigned row);

void verify_passes(inquiry_t *inquiry, const char *rule, const char *detail);
/* message NULL: the reason's own. */
status_t verify_denies(inquiry_t *inquiry, const char *rule, reason_t reason, const char *message);
/* The same for all that a caller without the password must not tell apart: whether there is such a
 * user, and what is stored of him. Counts as a failure; detail is for the trace alone. */
status_t verify_disproves(inquiry_t *inquiry, const char *rule, reason_t reason,
                          const char *detail);
/* Finds the user of the call; *out_known: and the key may see him. */
status_t verify_find_user(inquiry_t *inquiry, bool *out_known, err_t *err) MUST_CHECK;
/* The password has proved right: from here on the answer may say whose it is. */
void verify_proves(inquiry_t *inquiry, const char *detail);

/* Scheme digest: algorithm, fields, realm, password, nonce, replay. Scheme basic: password. */
status_t verify_digest_algorithm(inquiry_t *inquiry, err_t *err);
status_t verify_digest_fields(inquiry_t *inquiry, err_t *err);
status_t verify_digest_password(inquiry_t *inquiry, err_t *err);
status_t verify_digest_nonce(inquiry_t *inquiry, err_t *err);
status_t verify_digest_replay(inquiry_t *inquiry, err_t *err);
status_t verify_basic_password(inquiry_t *inquiry, err_t *err);

#endif
