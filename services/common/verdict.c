#include "services/common/verdict.h"

void verdict_fault(verdict_t *verdict, outcome_t outcome, fault_code_t code, const char *where,
                   const char *message)
{
    if (verdict->outcome == OUTCOME_OK)
        verdict->outcome = outcome;
    if (verdict->fault_count < VERDICT_FAULTS_MAX)
        verdict->faults[verdict->fault_count++] = (verdict_fault_t){code, where, message};
}

status_t verdict_on_found(const call_t *call, status_t status, const char *organization_id,
                          verdict_t *out)
{
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        return status;
    bool visible = status == STATUS_OK && call_may_see(call, organization_id);
    *out = (verdict_t){.outcome = visible ? OUTCOME_OK : OUTCOME_UNKNOWN};
    return STATUS_OK;
}

bool verdict_passes(call_t *call, status_t status, const verdict_t *verdict, const err_t *err)
{
    if (status != STATUS_OK) {
        call_fail(call, err);
        return false;
    }
    if (verdict->outcome == OUTCOME_OK)
        return true;
    for (size_t i = 0; i < verdict->fault_count; i++) {
        const verdict_fault_t *fault = &verdict->faults[i];
        call_fault(call, fault->code, FAULT_IN_BODY, fault->where, fault->message);
    }
    call_refuse(call, verdict->outcome, verdict->message);
    return false;
}
