/* Refreshing by hand: the metadata is fetched in the waiting pool, and what it says is stored in
 * the write. Who asks sees a failure in the answer; nothing is stored then. */
#include "services/auth-provider/filling.h"
#include "services/auth-provider/provider_ops.h"
#include "services/auth-provider/sso/ops.h"
#include "services/auth-provider/sso/refresh.h"

#include <string.h>

bool provider_refresh_waits(const call_t *call)
{
    (void)call;
    return true;
}

static void need_url(const provider_t *provider, verdict_t *out)
{
    if (!field_set(&provider->fields, PROVIDER_SETTINGS_URL))
        verdict_fault(out, OUTCOME_INVALID, FAULT_RULE, "/settings_url",
                      "is not set: there is nothing to refresh from");
}

void provider_refresh_prepare(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    status_t status = provider_find(call, reader, &provider, &verdict, &err);
    if (status != STATUS_OK)
        call_fail(call, &err);
    else if (verdict.outcome == OUTCOME_OK && field_set(&provider.fields, PROVIDER_SETTINGS_URL))
        filling_prepare(call, provider.settings_url, provider.settings.idp_entity_id);
}

static void finish(call_t *call, store_t *writer, provider_t *provider,
                   const refresh_report_t *report, status_t status, err_t *err)
{
    verdict_t verdict = {0};
    if (status == STATUS_OK && report->result == WORKER_REFRESH_REFUSED)
        verdict_fault(&verdict, OUTCOME_INVALID, FAULT_RULE, "/settings_url",
                      "cannot be used: the metadata is of another entity id than "
                      "settings.idp_entity_id");
    if (!verdict_passes(call, status, &verdict, err))
        return;
    metric_add(&worker_metric_refreshes, report->result, 1);
    provider_finish(call, writer, provider, STATUS_OK, false, err);
}

void provider_refresh(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    refresh_report_t report = {0};
    status_t status = provider_find(call, writer, &provider, &verdict, &err);
    if (status == STATUS_OK && verdict.outcome == OUTCOME_OK)
        need_url(&provider, &verdict);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    const filling_t *filling = filling_of(call);
    if (filling == NULL || strcmp(filling->url, provider.settings_url) != 0) {
        call_refuse(call, OUTCOME_UNAVAILABLE,
                    "settings_url was changed by another request at the same moment.");
        return;
    }
    if (!prepared_passes(call))
        return;
    status = refresh_apply(writer, call->keeper->settings, &provider, &filling->metadata,
                           &filling->settings, call->now_utc_ms, &report, &err);
    finish(call, writer, &provider, &report, status, &err);
}
