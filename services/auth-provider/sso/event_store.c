/* Next: proto/saml_reason.h. */
#include "services/auth-provider/sso/event_store.h"

#include "common/uuid.h"
#include "services/auth-provider/sql.h"
#include "services/common/columns.h"

#include <string.h>

static const char *null_if_empty(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static const char *reason_word(saml_reason_t reason)
{
    return reason == SAML_NONE ? NULL : saml_reason_words[reason];
}

static status_t forget_oldest(store_t *writer, const char *provider_id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_EVENT_FORGET);
    query_text(query, 1, provider_id);
    query_number(query, 2, EVENTS_KEPT);
    return query_run(query, NULL, err);
}

status_t event_store_add(store_t *writer, const event_note_t *note, int64_t now_utc_ms,
                         char out_id[UUID_SIZE], err_t *err)
{
    char id[UUID_SIZE], detail[sizeof(((sso_event_t *)0)->detail)];
    uuid_new(id);
    text_cut(detail, sizeof(detail), note->detail);
    AUTO(query_end) query_t *query = store_query(writer, SQL_EVENT_ADD);
    query_text(query, 1, id);
    query_text(query, 2, note->provider_id);
    query_number(query, 3, now_utc_ms);
    query_text(query, 4, sso_event_kind_words[note->kind]);
    query_text(query, 5, reason_word(note->reason));
    query_text(query, 6, null_if_empty(note->client));
    query_text(query, 7, null_if_empty(note->name_id));
    query_text(query, 8, null_if_empty(detail));
    status_t status = query_run(query, NULL, err);
    if (status == STATUS_OK)
        status = forget_oldest(writer, note->provider_id, err);
    if (status == STATUS_OK)
        memcpy(out_id, id, UUID_SIZE);
    return status;
}

/* One of two statements, with the first parameters bound; returns the next one. */
static query_t *begin(store_t *store, size_t of_all, size_t with_reason, const char *provider_id,
                      saml_reason_t reason, int *out_n)
{
    query_t *query = store_query(store, reason == SAML_NONE ? of_all : with_reason);
    query_text(query, 1, provider_id);
    if (reason != SAML_NONE)
        query_text(query, 2, reason_word(reason));
    *out_n = reason == SAML_NONE ? 2 : 3;
    return query;
}

status_t event_store_total(store_t *store, const char *provider_id, saml_reason_t reason,
                           int64_t *out, err_t *err)
{
    int n = 0;
    AUTO(query_end)
    query_t *query = begin(store, SQL_EVENT_TOTAL, SQL_EVENT_TOTAL_REASON, provider_id, reason, &n);
    return query_read_number(query, out, err);
}

query_t *event_store_page(store_t *store, const char *provider_id, saml_reason_t reason,
                          int64_t number, int64_t size)
{
    int n = 0;
    query_t *query = begin(store, SQL_EVENT_PAGE, SQL_EVENT_PAGE_REASON, provider_id, reason, &n);
    int64_t skipped = number - 1 < EVENTS_KEPT ? (number - 1) * size : EVENTS_KEPT;
    query_number(query, n, size);
    query_number(query, n + 1, skipped);
    return query;
}

status_t event_store_read(query_t *page, sso_event_t *out, err_t *err)
{
    out->fields = (presence_t){0};
    columns_t columns = {page, &sso_event_schema, out, STATUS_OK, err};
    columns_text(&columns, 0, SSO_EVENT_ID);
    columns_number(&columns, 1, SSO_EVENT_AT);
    columns_text(&columns, 2, SSO_EVENT_CLIENT);
    columns_text(&columns, 3, SSO_EVENT_DETAIL);
    columns_word(&columns, 4, SSO_EVENT_KIND);
    columns_text(&columns, 5, SSO_EVENT_NAME_ID);
    columns_word(&columns, 6, SSO_EVENT_REASON);
    out->succeeded = query_column_is_null(page, 6);
    field_give(&out->fields, SSO_EVENT_SUCCEEDED);
    return columns.status;
}
