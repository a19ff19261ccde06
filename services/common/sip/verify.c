/* The rules by which a call's credentials are judged, in their order. Must never: end in a yes but
 * behind the last rule, or tell a caller without the password whether there is such a user.
 * Next: verify_digest.c, verify_basic.c, decide.h; docs/adr/0029. */
#include "services/common/sip/verify.h"

#include "services/common/sip/admit.h"
#include "services/common/sip/authorization.h"
#include "services/common/sip/decide.h"

#include <sodium.h>
#include <string.h>

const char *verify_value(const inquiry_t *inquiry, unsigned row)
{
    const char *value = (const char *)&inquiry->asked + sip_call_schema.rows[row].offset;
    return field_set(&inquiry->asked.fields, row) && *value != '\0' ? value : NULL;
}

void verify_passes(inquiry_t *inquiry, const char *rule, const char *detail)
{
    trace_rule(inquiry->trace, rule, true, "%s", detail);
}

status_t verify_denies(inquiry_t *inquiry, const char *rule, reason_t reason, const char *message)
{
    inquiry->reason = reason;
    inquiry->message = message == NULL ? reason_message(reason) : message;
    trace_rule(inquiry->trace, rule, false, "%s", inquiry->message);
    return STATUS_OK;
}

status_t verify_disproves(inquiry_t *inquiry, const char *rule, reason_t reason, const char *detail)
{
    inquiry->reason = reason;
    inquiry->message = "The user name or the password is another one.";
    inquiry->is_failure = true;
    trace_rule(inquiry->trace, rule, false, "%s", detail);
    return STATUS_OK;
}

status_t verify_find_user(inquiry_t *inquiry, bool *out_known, err_t *err)
{
    const sip_family_t *family = inquiry->call->keeper->sip->family;
    status_t status = family->find_user(inquiry->call, inquiry->reader, inquiry->asked.username,
                                        &inquiry->user, err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        return status;
    *out_known = status == STATUS_OK && call_may_see(inquiry->call, inquiry->user.organization_id);
    if (*out_known)
        verify_passes(inquiry, "user", inquiry->user.auth_id);
    else
        inquiry->user = (sip_user_t){.standing = REASON_UNKNOWN_USER};
    return STATUS_OK;
}

static void prove(inquiry_t *inquiry, const char *subject, const char *auth_id,
                  const char *organization_id)
{
    memcpy(inquiry->subject, subject, UUID_SIZE);
    memcpy(inquiry->auth_id, auth_id, UUID_SIZE);
    memcpy(inquiry->organization_id, organization_id, UUID_SIZE);
}

void verify_proves(inquiry_t *inquiry, const char *detail)
{
    const sip_user_t *user = &inquiry->user;
    prove(inquiry, user->subject, user->auth_id, user->organization_id);
    verify_passes(inquiry, "password", detail);
}

/* ---- rules that all schemes share ---- */

static status_t source_address(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    const char *text = inquiry->asked.source_address;
    bool given = false;
    if (!admit_source(text, &inquiry->address, &given))
        return verify_denies(inquiry, "source_address", REASON_UNKNOWN_SOURCE,
                             "The source address can't be read.");
    inquiry->source = given ? &inquiry->address : NULL;
    verify_passes(inquiry, "source_address", given ? text : "is not given");
    return STATUS_OK;
}

static status_t lock_out(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    const sip_t *sip = inquiry->call->keeper->sip;
    if (sip_lockout_holds(sip->memory, sip_asker(inquiry->call), inquiry->asked.username,
                          inquiry->source, inquiry->call->now_utc_ms, NULL))
        return verify_denies(inquiry, "lock_out", REASON_LOCKED_OUT, NULL);
    verify_passes(inquiry, "lock_out", "does not hold");
    return STATUS_OK;
}

static status_t standing(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    if (inquiry->user.standing != REASON_NONE)
        return verify_denies(inquiry, "standing", inquiry->user.standing, NULL);
    verify_passes(inquiry, "standing", "enabled, and not expired");
    return STATUS_OK;
}

static sip_source_t source_of(const inquiry_t *inquiry)
{
    return (sip_source_t){
        .address = inquiry->address,
        .port = inquiry->asked.source_port,
        .called = verify_value(inquiry, SIP_CALL_CALLED),
        .token = verify_value(inquiry, SIP_CALL_TOKEN),
        .p_charge_info = verify_value(inquiry, SIP_CALL_P_CHARGE_INFO),
    };
}

static status_t policy(inquiry_t *inquiry, err_t *err)
{
    if (!inquiry->user.needs_source) {
        verify_passes(inquiry, "policy", "any: the password suffices");
        return STATUS_OK;
    }
    if (inquiry->source == NULL)
        return verify_denies(inquiry, "policy", REASON_POLICY_NEEDS_BOTH, NULL);
    bool may = false;
    const sip_source_t source = source_of(inquiry);
    status_t status = inquiry->call->keeper->sip->family->may_come_from(
        inquiry->call, inquiry->reader, &source, &inquiry->user, &may, err);
    if (status != STATUS_OK)
        return status;
    if (!may)
        return verify_denies(inquiry, "policy", REASON_SOURCE_NOT_ALLOWED, NULL);
    verify_passes(inquiry, "policy", "all: the source address is the subject's");
    return STATUS_OK;
}

/* Without credentials: a source that suffices alone, or a challenge. */
static status_t source_alone(inquiry_t *inquiry, err_t *err)
{
    sip_claims_t claims;
    const sip_claim_t *claim = NULL;
    inquiry->is_challenge = true;
    if (inquiry->source != NULL) {
        const sip_source_t source = source_of(inquiry);
        status_t status = inquiry->call->keeper->sip->family->find_claims(
            inquiry->call, inquiry->reader, &source, &claims, err);
        if (status != STATUS_OK)
            return status;
        if (decide_source(&claims, &claim, inquiry->trace) == REASON_NONE && claim != NULL) {
            prove(inquiry, claim->subject, claim->auth_id, claim->organization_id);
            return STATUS_OK;
        }
    }
    return verify_denies(inquiry, "credentials", REASON_PASSWORD_NEEDED, NULL);
}

/* ---- the order of the rules ---- */

static const verify_rule_fn digest_rules[] = {
    lock_out,
    verify_digest_algorithm,
    verify_digest_fields,
    verify_digest_password, /* and user, realm */
    verify_digest_nonce,
    verify_digest_replay,
    standing,
    policy,
};
static const verify_rule_fn basic_rules[] = {lock_out, verify_basic_password, standing, policy};
static const verify_rule_fn source_rules[] = {source_alone};

static status_t run(inquiry_t *inquiry, const verify_rule_fn *rules, size_t count, err_t *err)
{
    for (size_t i = 0; i < count; i++) {
        status_t status = rules[i](inquiry, err);
        if (status != STATUS_OK || inquiry->reason != REASON_NONE || inquiry->call->deferred)
            return status;
    }
    return STATUS_OK;
}

/* The header's fields, where there is one, take the place of the single ones. */
static status_t read_header(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    const char *text = verify_value(inquiry, SIP_CALL_AUTHORIZATION);
    const char *flaw = NULL;
    if (text == NULL || inquiry->asked.scheme != SCHEME_DIGEST)
        return STATUS_OK;
    switch ((int)authorization_read(text, strlen(text), &inquiry->asked, &flaw)) {
    case STATUS_OK:
        return STATUS_OK;
    case STATUS_REFUSED:
        return verify_denies(inquiry, "credentials", REASON_ALGORITHM_NOT_AVAILABLE, flaw);
    default:
        return verify_denies(inquiry, "credentials", REASON_PASSWORD_NEEDED, flaw);
    }
}

static status_t judge(inquiry_t *inquiry, err_t *err)
{
    static const verify_rule_fn first[] = {source_address, read_header};
    status_t status = run(inquiry, first, ARRAY_LEN(first), err);
    if (status != STATUS_OK || inquiry->reason != REASON_NONE)
        return status;
    bool has_response = verify_value(inquiry, SIP_CALL_RESPONSE) != NULL;
    bool has_password = verify_value(inquiry, SIP_CALL_PASSWORD) != NULL;
    bool is_basic = inquiry->asked.scheme == SCHEME_BASIC;
    if (!has_response && !has_password)
        return run(inquiry, source_rules, ARRAY_LEN(source_rules), err);
    if (verify_value(inquiry, SIP_CALL_USERNAME) == NULL ||
        !(is_basic ? has_password : has_response))
        return verify_denies(inquiry, "credentials", REASON_PASSWORD_NEEDED,
                             "The credentials are not complete.");
    verify_passes(inquiry, "credentials", is_basic ? "basic" : "digest");
    return is_basic ? run(inquiry, basic_rules, ARRAY_LEN(basic_rules), err)
                    : run(inquiry, digest_rules, ARRAY_LEN(digest_rules), err);
}

/* ---- what follows from it ---- */

static void remember(const inquiry_t *inquiry)
{
    const call_t *call = inquiry->call;
    const sip_t *sip = call->keeper->sip;
    const char *username = verify_value(inquiry, SIP_CALL_USERNAME);
    if (inquiry->reason == REASON_NONE) {
        if (!inquiry->is_challenge)
            sip_lockout_succeed(sip->memory, sip_asker(call), username, inquiry->source,
                                call->now_utc_ms);
        sip_uses_note(sip->uses, inquiry->auth_id, call->now_utc_ms);
        return;
    }
    if (inquiry->is_failure)
        sip_lockout_fail(sip->memory, sip_asker(call), username, inquiry->source, call->now_utc_ms);
    const char *subject = inquiry->user.subject;
    const sip_about_t about = {.username = username,
                               .source = inquiry->source,
                               .subject = *subject == '\0' ? NULL : subject};
    if (!inquiry->is_challenge)
        sip_note_denial(call, &about, inquiry->reason);
}

status_t verify_call(call_t *call, store_t *reader, sip_trace_t *trace, bool dry, inquiry_t *out,
                     err_t *err)
{
    const sip_call_t *asked = call->body;
    *out = (inquiry_t){.call = call,
                       .reader = reader,
                       .trace = trace,
                       .dry = dry,
                       .asked = *asked,
                       .reason = REASON_NONE,
                       .message = ""};
    status_t status = judge(out, err);
    if (status != STATUS_OK || call->deferred) {
        out->reason = REASON_NO_METHOD; /* nothing is decided: whoever looks finds a denial */
        return status;
    }
    trace_decided(trace);
    if (!dry)
        remember(out);
    return STATUS_OK;
}

bool verify_hashes(const call_t *call)
{
    const sip_call_t *asked = call->body;
    const sip_t *sip = call->keeper->sip;
    ipnet_t address;
    if (asked->scheme != SCHEME_BASIC || asked->password[0] == '\0')
        return false;
    bool has_source = false;
    if (!admit_source(asked->source_address, &address, &has_source))
        return false;
    return !sip_lockout_holds(sip->memory, sip_asker(call), asked->username,
                              has_source ? &address : NULL, call->now_utc_ms, NULL);
}

void verify_wipe(inquiry_t *inquiry)
{
    sodium_memzero(inquiry, sizeof(*inquiry));
}
