#include "services/auth-provider/provider_ops.h"
#include "services/auth-provider/sso/event_store.h"
#include "services/auth-provider/sso/ops.h"
#include "services/common/list.h"

static status_t add_row(call_t *call, query_t *row, void *context, err_t *err)
{
    sso_event_t *event = context;
    status_t status = event_store_read(row, event, err);
    if (status == STATUS_OK)
        call_list_add(call, event);
    return status;
}

void provider_events(call_t *call, store_t *reader)
{
    const sso_event_query_t *asked = call->query;
    bool has_reason = field_set(&asked->fields, SSO_EVENT_QUERY_REASON);
    saml_reason_t reason = has_reason ? (saml_reason_t)asked->reason : SAML_NONE;
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    list_page_t shown = {asked->number, asked->size, 0};
    status_t status = provider_find(call, reader, &provider, &verdict, &err);
    if (status == STATUS_OK && verdict.outcome == OUTCOME_OK)
        status = event_store_total(reader, provider.id, reason, &shown.total, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    sso_event_t event;
    AUTO(query_end)
    query_t *rows = event_store_page(reader, provider.id, reason, shown.number, shown.size);
    list_answer_page(call, rows, &shown, add_row, &event);
}
