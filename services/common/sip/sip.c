#include "services/common/sip/sip.h"

#include "common/log.h"
#include "common/text.h"
#include "services/common/worker_metrics.h"

status_t sip_open(const sip_spec_t *spec, sip_t *out, err_t *err)
{
    out->family = spec->family;
    out->settings = spec->settings;
    out->uses = spec->family->note_use == NULL ? NULL : sip_uses_new();
    status_t status = board_open(spec->directory, spec->service, spec->alone, &out->board, err);
    if (status == STATUS_OK)
        status = sip_memory_open(spec->directory, spec->service, spec->alone, spec->settings,
                                 out->board, &out->memory, err);
    board_raise(out->board);
    return status;
}

void sip_close(sip_t *sip)
{
    sip_memory_close(&sip->memory);
    board_raise(sip->board);
    board_close(&sip->board);
    sip_uses_free(&sip->uses);
}

const char *sip_asker(const call_t *call)
{
    return call->request.principal.is_operator ? "" : call->request.principal.organization_id;
}

static void log_denial(const call_t *call, const decision_t *denial)
{
    log_line_t line = log_line(LOG_DEBUG, "denied");
    log_text(&line, "request", call->request.request_id);
    log_text(&line, "operation", denial->operation);
    log_text(&line, "reason", reason_words[denial->reason]);
    log_text(&line, "username", denial->username);
    log_text(&line, "source", denial->source_ip);
    log_text(&line, "subject", denial->subject);
    log_end(&line);
}

void sip_note_denial(const call_t *call, const sip_about_t *about, reason_t reason)
{
    decision_t denial = {.at = call->now_utc_ms, .reason = reason};
    text_cut(denial.operation, sizeof(denial.operation), call->operation->name);
    text_cut(denial.organization_id, sizeof(denial.organization_id), sip_asker(call));
    if (about->source != NULL)
        ipnet_format(about->source, denial.source_ip);
    if (about->subject != NULL)
        text_cut(denial.subject, sizeof(denial.subject), about->subject);
    if (about->username != NULL)
        text_cut(denial.username, sizeof(denial.username), about->username);
    sip_ring_add(call->keeper->sip->memory, &denial);
    metric_add(&worker_metric_sip_denials, (size_t)reason, 1);
    log_denial(call, &denial);
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
