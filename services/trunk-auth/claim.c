#include "services/trunk-auth/claim.h"

#include "services/trunk-auth/ranges.h"

#include <string.h>

static status_t parse(const method_t *method, ipnet_t *out, err_t *err)
{
    if (ipnet_parse(method->ip, strlen(method->ip), out) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "ip", "is not an address or a range");
    return STATUS_OK;
}

status_t claim_canonicalise(method_t *method, err_t *err)
{
    ipnet_t range;
    status_t status = parse(method, &range, err);
    if (status == STATUS_OK)
        ipnet_format(&range, method->ip);
    return status;
}

status_t claim_check_width(const call_t *call, const method_t *method, verdict_t *out, err_t *err)
{
    ipnet_t range;
    status_t status = parse(method, &range, err);
    if (status != STATUS_OK)
        return status;
    const char *flaw = ranges_flaw(&range, call->request.principal.is_operator);
    *out = (verdict_t){0};
    if (flaw != NULL)
        verdict_fault(out, OUTCOME_INVALID, FAULT_RANGE, "/ip", flaw);
    return STATUS_OK;
}

status_t claim_check_free(const call_t *call, store_t *store, const char *trunk_uuid,
                          const method_t *method, const char *where, verdict_t *out, err_t *err)
{
    ipnet_t range;
    range_verdict_t found = RANGE_FREE;
    status_t status = parse(method, &range, err);
    if (status == STATUS_OK)
        status =
            ranges_check(store, &range, trunk_uuid, method->uuid, call->now_utc_ms, &found, err);
    if (status != STATUS_OK)
        return status;
    *out = (verdict_t){0};
    switch (found) {
    case RANGE_FREE:
        break;
    case RANGE_TAKEN:
        verdict_fault(out, OUTCOME_CONFLICT, FAULT_TAKEN, where,
                      "claims addresses that belong to another trunk");
        break;
    case RANGE_REPEATED:
        verdict_fault(out, OUTCOME_CONFLICT, FAULT_TAKEN, where,
                      "claims a range that this trunk already has");
        break;
    }
    return STATUS_OK;
}
