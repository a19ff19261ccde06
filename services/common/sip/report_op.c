/* POST /report. Must never: tell whether a user exists. */
#include "services/common/sip/admit.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

#include <assert.h>

static status_t note_use(call_t *call, store_t *reader, const char *username, err_t *err)
{
    const sip_t *sip = call->keeper->sip;
    sip_user_t user;
    status_t status = sip->family->find_user(call, reader, username, &user, err);
    if (status == STATUS_UNKNOWN)
        return STATUS_OK;
    if (status == STATUS_OK && call_may_see(call, user.organization_id))
        sip_uses_note(sip->uses, user.auth_id, call->now_utc_ms);
    return status;
}

/* What is told is believed: whoever has a key for call authorization may tell of its own calls. */
void sip_report(call_t *call, store_t *reader)
{
    const sip_t *sip = call->keeper->sip;
    const report_t *report = call->body;
    ipnet_t source;
    bool given = false;
    err_t err;
    if (!admit_source(report->source_ip, &source, &given)) {
        call_refuse(call, OUTCOME_INVALID, NULL); /* the schema has let none pass */
        return;
    }
    status_t status = STATUS_OK;
    switch ((report_outcome_t)report->outcome) {
    case REPORT_SUCCESS:
        sip_lockout_succeed(sip->memory, sip_asker(call), report->username, &source,
                            call->now_utc_ms);
        status = note_use(call, reader, report->username, &err);
        break;
    case REPORT_FAILURE:
        sip_lockout_fail(sip->memory, sip_asker(call), report->username, &source, call->now_utc_ms);
        break;
    case REPORT_CHALLENGE:
    case REPORT_STALE:
        break;
    }
    if (status == STATUS_OK)
        call_answer(call, NULL);
    else
        call_fail(call, &err);
}
