/* Who is logged in by a provider, for its administrators. The identity provider is not told of a
 * session that they end, since that goes by way of a browser. Next: session.c. */
#include "common/text.h"
#include "services/auth-provider/provider_ops.h"
#include "services/auth-provider/sso/ops.h"
#include "services/auth-provider/sso/session.h"
#include "services/common/list.h"

static status_t add_row(call_t *call, query_t *row, void *context, err_t *err)
{
    login_session_t *session = context;
    status_t status = login_store_read(row, session, err);
    if (status == STATUS_OK)
        call_list_add(call, &session->shown);
    return status;
}

bool provider_sessions_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

void provider_sessions(call_t *call, store_t *reader)
{
    const sso_session_query_t *asked = call->query;
    const char *name_id =
        field_set(&asked->fields, SSO_SESSION_QUERY_NAME_ID) ? asked->name_id : "";
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    list_page_t shown = {asked->number, asked->size, 0};
    status_t status = provider_find(call, reader, &provider, &verdict, &err);
    if (status == STATUS_OK && verdict.outcome == OUTCOME_OK)
        status =
            login_store_total(reader, provider.id, name_id, call->now_utc_ms, &shown.total, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    login_session_t session;
    AUTO(query_end)
    query_t *rows =
        login_store_page(reader, provider.id, name_id, call->now_utc_ms, shown.number, shown.size);
    list_answer_page(call, rows, &shown, add_row, &session);
}

/* Those of other providers are not there. */
static status_t find(const call_t *call, store_t *writer, login_session_t *out, verdict_t *verdict,
                     err_t *err)
{
    const sso_session_path_t *path = call->path;
    provider_t provider;
    char id[UUID_SIZE];
    status_t status = provider_find(call, writer, &provider, verdict, err);
    if (status != STATUS_OK || verdict->outcome != OUTCOME_OK)
        return status;
    uuid_fold(id, path->session_id);
    status = login_store_show(writer, provider.id, id, call->now_utc_ms, out, err);
    return verdict_on_found(call, status, provider.organization_id, verdict);
}

static status_t end(const call_t *call, store_t *writer, const login_session_t *session, err_t *err)
{
    char detail[sizeof("by API key ") + UUID_SIZE];
    if (text_format(detail, sizeof(detail), "by API key %s", call->request.principal.key_id) !=
        STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "API key", "its id is too long");
    return session_end(call, writer, session, "", detail, err);
}

void provider_session_end(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    login_session_t session;
    status_t status = find(call, writer, &session, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (end(call, writer, &session, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        call_answer(call, &session.shown);
}
