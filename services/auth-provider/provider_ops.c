#include "services/auth-provider/provider_ops.h"

#include "proto/parameters.h"
#include "proto/record.h"
#include "services/auth-provider/certificate_store.h"
#include "services/auth-provider/filling.h"
#include "services/auth-provider/provider_store.h"
#include "services/auth-provider/provider_view.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/refresh.h"
#include "services/common/list.h"

#include <string.h>

/* Certificates can make a page long: beyond this the slow pool goes on with it. */
enum { QUICK_BYTES_MAX = 1024 * 1024 };

void provider_answer(call_t *call, provider_t *provider)
{
    provider_view(provider, setup_public_url(call), call->now_utc_ms);
    call_answer(call, provider);
}

static void fault_taken(verdict_t *verdict)
{
    verdict_fault(verdict, OUTCOME_CONFLICT, FAULT_TAKEN, "/short_name",
                  "is taken by another authentication provider");
}

static status_t judge_name(store_t *store, const char *short_name, const char *own_id,
                           verdict_t *out, err_t *err)
{
    char holder[UUID_SIZE];
    status_t status = provider_store_named(store, short_name, holder, err);
    if (status == STATUS_OK && strcmp(holder, own_id) != 0)
        fault_taken(out);
    return status == STATUS_UNKNOWN ? STATUS_OK : status;
}

status_t provider_judge(store_t *writer, provider_t *provider, verdict_t *out, err_t *err)
{
    status_t status = judge_name(writer, provider->short_name, provider->id, out, err);
    if (status != STATUS_OK)
        return status;
    if (certificate_store_compare(&provider->settings, err) != STATUS_OK)
        verdict_fault(out, OUTCOME_INVALID, FAULT_FORMAT, "/settings/idp_certificate",
                      "must be one X.509 certificate in PEM, or its bare base64");
    return STATUS_OK;
}

void provider_note_taken(call_t *call, store_t *reader, const char *own_id)
{
    const provider_t *body = call->body;
    prepared_t *prepared = call->state;
    err_t err = {0};
    if (prepared == NULL || prepared->verdict.outcome != OUTCOME_INVALID ||
        !field_set(&body->fields, PROVIDER_SHORT_NAME))
        return;
    if (judge_name(reader, body->short_name, own_id, &prepared->verdict, &err) != STATUS_OK)
        call_fail(call, &err);
}

void provider_finish(call_t *call, store_t *writer, provider_t *provider, status_t status,
                     bool taken, err_t *err)
{
    verdict_t verdict = {0};
    if (status == STATUS_OK)
        status = certificate_store_expiry(writer, provider, err);
    if (taken)
        fault_taken(&verdict);
    if (verdict_passes(call, taken ? STATUS_OK : status, &verdict, err))
        provider_answer(call, provider);
}

status_t provider_find(const call_t *call, store_t *store, provider_t *out_provider, verdict_t *out,
                       err_t *err)
{
    const id_path_t *path = call->path;
    char id[UUID_SIZE];
    uuid_fold(id, path->id);
    status_t status = provider_store_get(store, id, out_provider, err);
    return verdict_on_found(call, status, out_provider->organization_id, out);
}

void provider_read(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    status_t status = provider_find(call, reader, &provider, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        provider_answer(call, &provider);
}

static status_t add_row(call_t *call, query_t *row, void *context, err_t *err)
{
    provider_t *provider = context;
    status_t status = provider_store_read(row, provider, err);
    if (status != STATUS_OK)
        return status;
    if (call->body_bytes.size > QUICK_BYTES_MAX && call_defer(call))
        return STATUS_OK;
    provider_view(provider, setup_public_url(call), call->now_utc_ms);
    call_list_add(call, provider);
    return STATUS_OK;
}

void provider_list(call_t *call, store_t *reader)
{
    const provider_query_t *asked = call->query;
    const char *owner = list_owner(call);
    err_t err = {0};
    list_page_t shown = {asked->number, asked->size, 0};
    if (provider_store_total(reader, owner, &shown.total, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    page_t page = page_at(shown.number, shown.size, shown.total);
    if (page.offset > PAGE_QUICK_SKIP && call_defer(call))
        return;
    AUTO(query_end)
    query_t *rows = provider_store_page(reader, owner, (provider_sort_t)asked->sort, &page);
    provider_t provider;
    list_answer_page(call, rows, &shown, add_row, &provider);
}

bool provider_create_waits(const call_t *call)
{
    const provider_t *body = call->body;
    return !field_set(&body->fields, PROVIDER_SETTINGS);
}

void provider_create_prepare(call_t *call, store_t *reader)
{
    const provider_t *body = call->body;
    filling_prepare(call, body->settings_url, NULL);
    provider_note_taken(call, reader, "");
}

/* The provider that the body asks for. */
static status_t make_provider(const call_t *call, store_t *writer, const filling_t *filling,
                              provider_t *out, err_t *err)
{
    *out = *(const provider_t *)call->body;
    presence_t *fields = &out->fields;
    uuid_new(out->id);
    field_give(fields, PROVIDER_ID);
    record_give_text(&provider_schema, out, PROVIDER_ORGANIZATION_ID,
                     call->request.principal.organization_id);
    if (filling != NULL) {
        out->settings = filling->settings;
        field_give(fields, PROVIDER_SETTINGS);
    }
    status_t status = provider_store_stamp(writer, call->now_utc_ms, &out->created_at, err);
    if (status != STATUS_OK)
        return status;
    out->updated_at = out->activated_at = out->created_at;
    field_give(fields, PROVIDER_CREATED_AT);
    field_give(fields, PROVIDER_UPDATED_AT);
    if (out->active)
        field_give(fields, PROVIDER_ACTIVATED_AT);
    else
        field_give_null(fields, PROVIDER_ACTIVATED_AT);
    return STATUS_OK;
}

void provider_create(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    bool taken = false;
    provider_t provider;
    if (!prepared_passes(call))
        return;
    const filling_t *filling = filling_of(call);
    status_t status = make_provider(call, writer, filling, &provider, &err);
    if (status == STATUS_OK)
        status = provider_judge(writer, &provider, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    status = provider_store_add(writer, &provider, &taken, &err);
    if (status == STATUS_OK)
        status = filling == NULL
                     ? certificate_store_give(writer, provider.id, &provider.settings, &err)
                     : certificate_store_replace(writer, provider.id, &filling->metadata,
                                                 provider.created_at, &err);
    if (status == STATUS_OK && filling != NULL)
        status = refresh_schedule(writer, call->keeper->settings, provider.id, &filling->metadata,
                                  call->now_utc_ms, &err);
    provider_finish(call, writer, &provider, status, taken, &err);
}

void provider_delete(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    status_t status = provider_find(call, writer, &provider, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (provider_store_delete(writer, &provider, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        provider_answer(call, &provider);
}
