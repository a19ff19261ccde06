#include "services/auth-provider/provider_change.h"

#include "proto/merge.h"
#include "services/auth-provider/certificate_store.h"
#include "services/auth-provider/filling.h"
#include "services/auth-provider/provider_ops.h"
#include "services/auth-provider/provider_store.h"
#include "services/auth-provider/sso/login_store.h"
#include "services/auth-provider/sso/refresh.h"

#include <string.h>

bool provider_change_waits(const call_t *call)
{
    const presence_t *given = &((const provider_t *)call->body)->fields;
    return field_set(given, PROVIDER_SETTINGS_URL) && !field_given(given, PROVIDER_SETTINGS);
}

/* A URL that is there already has been fetched before. */
static bool needs_filling(const call_t *call, const provider_t *stored)
{
    const provider_t *body = call->body;
    return provider_change_waits(call) && (!field_set(&stored->fields, PROVIDER_SETTINGS_URL) ||
                                           strcmp(stored->settings_url, body->settings_url) != 0);
}

void provider_change_prepare(call_t *call, store_t *reader)
{
    const provider_t *body = call->body;
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    status_t status = provider_find(call, reader, &provider, &verdict, &err);
    if (status != STATUS_OK)
        call_fail(call, &err);
    else if (verdict.outcome == OUTCOME_OK && needs_filling(call, &provider)) {
        filling_prepare(call, body->settings_url, provider.settings.idp_entity_id);
        provider_note_taken(call, reader, provider.id);
    }
}

/* The provider as it is to be. */
static status_t apply(const call_t *call, const filling_t *filling, provider_t *provider,
                      err_t *err)
{
    bool was_active = provider->active;
    if (merge_record(&provider_schema, provider, call->body) != STATUS_OK)
        return err_set(err, STATUS_SYSTEM, "provider", "the change can't be merged");
    if (filling != NULL)
        provider->settings = filling->settings;
    provider->updated_at = page_touch(call->now_utc_ms, provider->updated_at);
    if (provider->active && !was_active) {
        provider->activated_at = provider->updated_at;
        field_give(&provider->fields, PROVIDER_ACTIVATED_AT);
    }
    return STATUS_OK;
}

/* Whether it is another identity provider, or another certificate is to be trusted. */
static bool has_new_trust(const provider_t *before, const provider_t *after)
{
    return strcmp(before->settings.idp_entity_id, after->settings.idp_entity_id) != 0 ||
           certificate_store_differs(&before->settings, &after->settings);
}

/* Whether those who have logged in must do so anew: their provider is not what it was. */
static bool ends_sessions(const provider_t *before, const provider_t *after)
{
    return (before->active && !after->active) || has_new_trust(before, after);
}

static bool same_url(const provider_t *a, const provider_t *b)
{
    bool has = field_set(&a->fields, PROVIDER_SETTINGS_URL);
    return has == field_set(&b->fields, PROVIDER_SETTINGS_URL) &&
           (!has || strcmp(a->settings_url, b->settings_url) == 0);
}

/* Settings of a client's own go before settings_url: that is not asked any more then. */
static status_t schedule(const call_t *call, store_t *writer, const filling_t *filling,
                         const provider_t *before, const provider_t *after, err_t *err)
{
    if (filling != NULL)
        return refresh_schedule(writer, call->keeper->settings, after->id, &filling->metadata,
                                call->now_utc_ms, err);
    if (same_url(before, after) && !has_new_trust(before, after))
        return STATUS_OK;
    return refresh_stop(writer, after->id, err);
}

static void change(call_t *call, store_t *writer, const filling_t *filling, provider_t *provider)
{
    const provider_t before = *provider;
    err_t err = {0};
    verdict_t verdict = {0};
    bool taken = false;
    status_t status = apply(call, filling, provider, &err);
    if (status == STATUS_OK)
        status = provider_judge(writer, provider, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    status = provider_store_change(writer, provider, &taken, &err);
    if (status == STATUS_OK)
        status = filling == NULL
                     ? certificate_store_follow(writer, provider->id, &before.settings,
                                                &provider->settings, provider->updated_at, &err)
                     : certificate_store_replace(writer, provider->id, &filling->metadata,
                                                 provider->updated_at, &err);
    if (status == STATUS_OK && ends_sessions(&before, provider))
        status = login_store_end_all(writer, provider->id, &err);
    if (status == STATUS_OK)
        status = schedule(call, writer, filling, &before, provider, &err);
    provider_finish(call, writer, provider, status, taken, &err);
}

void provider_change(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    status_t status = provider_find(call, writer, &provider, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (!merge_changes(&provider_schema, call->body)) {
        provider_answer(call, &provider);
        return;
    }
    const filling_t *filling = NULL;
    if (needs_filling(call, &provider)) {
        filling = filling_of(call);
        if (filling == NULL) {
            call_refuse(call, OUTCOME_UNAVAILABLE,
                        "settings_url was changed by another request at the same moment.");
            return;
        }
        if (!prepared_passes(call))
            return;
    }
    change(call, writer, filling, &provider);
}
