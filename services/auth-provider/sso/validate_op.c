/* A login without a login: every check over a Response, and then those that look at what is
 * remembered, for an administrator to read. Must never: change anything, or hand out a token.
 *
 * Which browser had begun the login, and its RelayState, are not known here and not judged. */
#include "common/mem.h"
#include "services/auth-provider/provider_ops.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/login_store.h"
#include "services/auth-provider/sso/ops.h"
#include "services/auth-provider/sso/trust.h"

#include <string.h>

enum { STATE_CHECKS = 3, CHECKS_MAX = SAML_CHECKS_MAX + STATE_CHECKS };

/* Too large for a stack. */
typedef struct {
    provider_t provider;
    trust_t trust;
    saml_verdict_t verdict;
    saml_trial_result_t result;
    size_t count;
    saml_check_t checks[CHECKS_MAX];
} trial_t;

static void end_trial(trial_t **trial)
{
    saml_verdict_clear(&(*trial)->verdict);
    trust_clear(&(*trial)->trust);
    mem_free(*trial);
    *trial = NULL;
}

bool provider_validate_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

/* The first that failed is the result's reason. */
static void add(trial_t *trial, const char *name, saml_reason_t reason, const char *detail)
{
    saml_check_t *check = &trial->checks[trial->count++];
    text_cut(check->check, sizeof(check->check), name);
    text_cut(check->detail, sizeof(check->detail), detail);
    check->passed = reason == SAML_NONE;
    check->reason = reason;
    field_give(&check->fields, SAML_CHECK_CHECK);
    field_give_if(&check->fields, SAML_CHECK_DETAIL, detail[0] != '\0');
    field_give(&check->fields, SAML_CHECK_PASSED);
    field_give_if(&check->fields, SAML_CHECK_REASON, !check->passed);
    if (!check->passed && trial->result.valid) {
        trial->result.valid = false;
        trial->result.reason = reason;
    }
}

/* Whether it answers a request that waits for an answer, or nobody's where that is allowed. */
static status_t look_at_request(trial_t *trial, store_t *reader, int64_t now_utc_ms, err_t *err)
{
    const login_answer_t answer = {.kind = REQUEST_LOGIN,
                                   .provider_id = trial->provider.id,
                                   .id = trial->verdict.claims.in_response_to,
                                   .relay_state = ""};
    login_request_t request;
    saml_reason_t reason = SAML_NONE;
    status_t status = STATUS_OK;
    if (answer.id[0] != '\0')
        status = login_store_find(reader, &answer, now_utc_ms, &request, &reason, err);
    else if (!trial->provider.settings.allow_idp_initiated)
        reason = SAML_IDP_INITIATED;
    if (reason == SAML_BROWSER_MISMATCH || reason == SAML_RELAY_STATE_MISMATCH)
        reason = SAML_NONE;
    add(trial, "request", reason, saml_reason_message(reason));
    return status;
}

/* What a login would look at besides; claims are good. */
static status_t look_at_memory(trial_t *trial, store_t *reader, const saml_trial_t *asked,
                               err_t *err)
{
    saml_reason_t reason = SAML_NONE;
    status_t status = STATUS_OK;
    if (!field_set(&asked->fields, SAML_TRIAL_IN_RESPONSE_TO))
        status = look_at_request(trial, reader, trial->trust.expect.now_utc_ms, err);
    if (status == STATUS_OK)
        status = login_store_look(reader, trial->provider.short_name,
                                  trial->verdict.claims.assertion_id, &reason, err);
    add(trial, "replay", reason, saml_reason_message(reason));
    return status;
}

/* Whom it would have logged in, where it would. */
static void describe(trial_t *trial)
{
    saml_trial_result_t *result = &trial->result;
    const saml_claims_t *claims = &trial->verdict.claims;
    bool good = trial->verdict.reason == SAML_NONE;
    if (good) {
        text_cut(result->name_id, sizeof(result->name_id), claims->name_id);
        result->attributes = claims->attributes;
        result->groups = claims->groups;
    }
    result->checks = (records_t){.items = trial->checks, .count = trial->count};
    field_give_if(&result->fields, SAML_TRIAL_NAME_ID, good);
    field_give_if(&result->fields, SAML_TRIAL_ATTRIBUTES, good && result->attributes.length > 0);
    field_give_if(&result->fields, SAML_TRIAL_GROUPS, good && result->groups.length > 0);
    field_give(&result->fields, SAML_TRIAL_CHECKS);
    field_give(&result->fields, SAML_TRIAL_VALID);
    field_give_if(&result->fields, SAML_TRIAL_REASON, !result->valid);
}

static status_t try_out(const call_t *call, trial_t *trial, store_t *reader, err_t *err)
{
    const saml_trial_t *asked = call->body;
    int64_t now = field_set(&asked->fields, SAML_TRIAL_AT) ? asked->at : call->now_utc_ms;
    status_t status =
        trust_of(reader, &trial->provider, setup_public_url(call), now, &trial->trust, err);
    if (status != STATUS_OK)
        return status;
    if (field_set(&asked->fields, SAML_TRIAL_IN_RESPONSE_TO))
        trial->trust.expect.in_response_to = asked->in_response_to;
    saml_verify(&trial->trust.expect, asked->saml_response, strlen(asked->saml_response),
                &trial->verdict);
    const saml_verdict_t *verdict = &trial->verdict;
    trial->result.valid = true;
    saml_reason_t standing = trial->provider.active ? SAML_NONE : SAML_PROVIDER_INACTIVE;
    add(trial, "active", standing, saml_reason_message(standing));
    for (size_t i = 0; i < verdict->step_count && i < SAML_CHECKS_MAX; i++)
        add(trial, verdict->steps[i].check, verdict->steps[i].reason, verdict->steps[i].detail);
    if (verdict->reason == SAML_NONE)
        status = look_at_memory(trial, reader, asked, err);
    else if (trial->result.valid) { /* no step says so: it is not valid all the same */
        trial->result.valid = false;
        trial->result.reason = verdict->reason;
    }
    describe(trial);
    return status;
}

void provider_validate(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    AUTO(end_trial) trial_t *trial = mem_zalloc(sizeof(*trial));
    status_t status = provider_find(call, reader, &trial->provider, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    status = try_out(call, trial, reader, &err);
    if (status == STATUS_OK)
        call_answer(call, &trial->result);
    else
        call_fail(call, &err);
}
