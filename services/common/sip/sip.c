#include "services/common/sip/sip.h"

void sip_note_denial(const call_t *call, const sip_about_t *about, reason_t reason)
{
    (void)call;
    (void)about;
    (void)reason;
}

void sip_deny(call_t *call, const sip_about_t *about, reason_t reason)
{
    bool unknown = reason == REASON_UNKNOWN_USER || reason == REASON_UNKNOWN_SOURCE;
    sip_note_denial(call, about, reason);
    call->reply.reason = reason;
    call_refuse(call, unknown ? OUTCOME_UNKNOWN : OUTCOME_FORBIDDEN, reason_message(reason));
}

void sip_fresh_until(call_t *call, int64_t until_utc_ms)
{
    const board_t *board = call->keeper->sip->board;
    if (call->version == 0 || until_utc_ms <= call->now_utc_ms)
        return;
    call->reply.fresh = (freshness_t){
        .board = board_id(board), .version = call->version, .until_utc_ms = until_utc_ms};
}
