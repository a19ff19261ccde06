#include "services/common/sip/admit.h"

#include "services/common/sip/sip.h"

#include <string.h>

bool admit_source(const char *text, ipnet_t *out, bool *out_given)
{
    size_t length = strlen(text);
    *out_given = length > 0;
    return length == 0 ||
           (strchr(text, '/') == NULL && ipnet_parse(text, length, out) == STATUS_OK);
}

static status_t admit_place(const call_t *call, store_t *reader, const ipnet_t *source,
                            sip_user_t *user, reason_t *out_reason, err_t *err)
{
    bool may = false;
    if (source == NULL) {
        *out_reason = REASON_POLICY_NEEDS_BOTH;
        return STATUS_OK;
    }
    const sip_source_t from = {.address = *source};
    status_t status =
        call->keeper->sip->family->may_come_from(call, reader, &from, user, &may, err);
    if (status == STATUS_OK)
        *out_reason = may ? REASON_NONE : REASON_SOURCE_NOT_ALLOWED;
    return status;
}

status_t admit_user(const call_t *call, store_t *reader, const char *username,
                    const ipnet_t *source, sip_user_t *out, reason_t *out_reason, err_t *err)
{
    const sip_t *sip = call->keeper->sip;
    out->subject[0] = '\0';
    *out_reason = REASON_LOCKED_OUT;
    if (sip_lockout_holds(sip->memory, sip_asker(call), username, source, call->now_utc_ms, NULL))
        return STATUS_OK;
    *out_reason = REASON_UNKNOWN_USER;
    status_t status = sip->family->find_user(call, reader, username, out, err);
    if (status == STATUS_UNKNOWN ||
        (status == STATUS_OK && !call_may_see(call, out->organization_id))) {
        out->subject[0] = '\0';
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    *out_reason = out->standing;
    if (out->standing != REASON_NONE || !out->needs_source)
        return STATUS_OK;
    *out_reason = REASON_SOURCE_NOT_ALLOWED;
    return admit_place(call, reader, source, out, out_reason, err);
}
