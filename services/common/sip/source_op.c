/* GET /source: who calls from an address. Next: decide.h, family.h. */
#include "services/common/sip/decide.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

#include <assert.h>
#include <string.h>

/* An answer that is given again notes no use: so last_used_at may be late by this, too. */
enum { FRESH_MS = 20000 };

static const char *given(const source_query_t *query, unsigned row, const char *text)
{
    return field_set(&query->fields, row) ? text : NULL;
}

static status_t read_source(const source_query_t *query, sip_source_t *out, err_t *err)
{
    *out = (sip_source_t){
        .port = query->port,
        .called = given(query, SOURCE_QUERY_CALLED, query->called),
        .token = given(query, SOURCE_QUERY_TOKEN, query->token),
        .p_charge_info = given(query, SOURCE_QUERY_P_CHARGE_INFO, query->p_charge_info),
    };
    if (ipnet_parse(query->ip, strlen(query->ip), &out->address) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "ip", "is no address");
    return STATUS_OK;
}

static void answer(call_t *call, const sip_claim_t *claim)
{
    const sip_t *sip = call->keeper->sip;
    assert(claim != NULL); /* none decides for nobody */
    source_t source = {.group = sip->family->group};
    field_give(&source.fields, SOURCE_GROUP);
    record_give_text(&source_schema, &source, SOURCE_AUTH_ID, claim->auth_id);
    record_give_text(&source_schema, &source, SOURCE_SUBJECT, claim->subject);
    if (call->request.principal.is_operator)
        record_give_text(&source_schema, &source, SOURCE_ORGANIZATION_ID, claim->organization_id);
    int64_t until = call->now_utc_ms + FRESH_MS;
    sip_fresh_until(call, claim->until_utc_ms < until ? claim->until_utc_ms : until);
    sip_uses_note(sip->uses, claim->auth_id, call->now_utc_ms);
    call_answer(call, &source);
}

void sip_source(call_t *call, store_t *reader)
{
    sip_source_t source;
    sip_claims_t claims;
    const sip_claim_t *claim = NULL;
    err_t err;
    status_t status = read_source(call->query, &source, &err);
    if (status == STATUS_OK)
        status = call->keeper->sip->family->find_claims(call, reader, &source, &claims, &err);
    if (status != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    reason_t reason = decide_source(&claims, &claim, NULL);
    const sip_about_t about = {.source = &source.address,
                               .subject = claim == NULL ? NULL : claim->subject};
    if (reason == REASON_NONE)
        answer(call, claim);
    else
        sip_deny(call, &about, reason);
}
