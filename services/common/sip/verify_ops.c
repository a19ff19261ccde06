/* POST /verify, /explain and /nonce. Next: verify.c for what is decided. */
#include "services/common/sip/nonce.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/verify.h"

#include "common/mem.h"

/* Gives an answer's text, or null. */
static void give(const schema_t *schema, void *record, unsigned row, const char *text)
{
    if (*text == '\0')
        field_give_null((presence_t *)record, row);
    else
        record_give_text(schema, record, row, text);
}

bool sip_verify_is_slow(const call_t *call)
{
    return verify_hashes(call);
}

void sip_verify(call_t *call, store_t *reader)
{
    AUTO(verify_wipe) inquiry_t inquiry;
    err_t err;
    status_t status = verify_call(call, reader, NULL, false, &inquiry, &err);
    if (call->deferred)
        return;
    if (status != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    bool authorized = inquiry.reason == REASON_NONE;
    verification_t answer = {.status = authorized ? VERDICT_OK : VERDICT_FAIL,
                             .reason = authorized ? 0 : (int)inquiry.reason};
    field_give(&answer.fields, VERIFICATION_STATUS);
    field_give_if(&answer.fields, VERIFICATION_REASON, !authorized);
    give(&verification_schema, &answer, VERIFICATION_MESSAGE, inquiry.message);
    give(&verification_schema, &answer, VERIFICATION_SUBJECT, inquiry.subject);
    give(&verification_schema, &answer, VERIFICATION_AUTH_ID, inquiry.auth_id);
    if (call->request.principal.is_operator && *inquiry.organization_id != '\0')
        record_give_text(&verification_schema, &answer, VERIFICATION_ORGANIZATION_ID,
                         inquiry.organization_id);
    call_answer(call, &answer);
}

bool sip_explain_is_slow(const call_t *call)
{
    return verify_hashes(call);
}

static void free_trace(sip_trace_t **trace)
{
    mem_free(*trace);
}

static void answer_explained(call_t *call, const inquiry_t *inquiry, sip_trace_t *trace)
{
    bool authorized = inquiry->reason == REASON_NONE;
    explanation_t answer = {.status = authorized ? VERDICT_OK : VERDICT_FAIL,
                            .reason = authorized ? 0 : (int)inquiry->reason,
                            .rules = {.items = trace->rules, .count = trace->count}};
    for (size_t i = 0; i < trace->count; i++) { /* the last one did: they were looked at in order */
        trace->rules[i].decided = i + 1 == trace->count;
        field_give(&trace->rules[i].fields, EXPLAINED_DECIDED);
        field_give(&trace->rules[i].fields, EXPLAINED_PASSED);
        field_give(&trace->rules[i].fields, EXPLAINED_RULE);
    }
    field_give(&answer.fields, EXPLANATION_STATUS);
    field_give(&answer.fields, EXPLANATION_RULES);
    field_give_if(&answer.fields, EXPLANATION_REASON, !authorized);
    give(&explanation_schema, &answer, EXPLANATION_SUBJECT, inquiry->subject);
    give(&explanation_schema, &answer, EXPLANATION_AUTH_ID, inquiry->auth_id);
    if (call->request.principal.is_operator && *inquiry->organization_id != '\0')
        record_give_text(&explanation_schema, &answer, EXPLANATION_ORGANIZATION_ID,
                         inquiry->organization_id);
    call_answer(call, &answer);
}

void sip_explain(call_t *call, store_t *reader)
{
    AUTO(free_trace) sip_trace_t *trace = mem_zalloc(sizeof(*trace));
    AUTO(verify_wipe) inquiry_t inquiry;
    err_t err;
    status_t status = verify_call(call, reader, trace, true, &inquiry, &err);
    if (call->deferred)
        return;
    if (status != STATUS_OK)
        call_fail(call, &err);
    else
        answer_explained(call, &inquiry, trace);
}

void sip_nonce(call_t *call, store_t *reader)
{
    (void)reader;
    const keeper_t *keeper = call->keeper;
    nonce_t answer = {.expires_in = keeper->sip->settings->nonce_s};
    char nonce[NONCE_TEXT_SIZE];
    if (keeper->seal == NULL) { /* no digest could be verified with it */
        const sip_about_t nobody = {.username = NULL};
        sip_deny(call, &nobody, REASON_ALGORITHM_NOT_AVAILABLE);
        return;
    }
    nonce_make(keeper->seal, keeper->service, call->now_utc_ms, nonce);
    field_give(&answer.fields, NONCE_EXPIRES_IN);
    record_give_text(&nonce_schema, &answer, NONCE_NONCE, nonce);
    call_answer(call, &answer);
}
