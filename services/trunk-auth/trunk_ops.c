#include "services/trunk-auth/trunk_ops.h"

#include "common/mem.h"
#include "proto/trunk_auth.h"
#include "services/common/list.h"
#include "services/trunk-auth/find.h"
#include "services/trunk-auth/trunk_store.h"

#include <string.h>

/* The most rows that the link thread may take the time for: as many as a page has. */
enum { QUICK_ROWS_MAX = PAGE_SIZE_MAX };

static void free_auth(stored_trunk_t *trunk)
{
    mem_free(trunk->shown.auth.items);
    trunk->shown.auth = (records_t){0};
}

/* Loads the trunk's methods, `room` at most; auth_count tells when there are more. */
static status_t load_auth(store_t *store, trunk_t *trunk, int64_t room, err_t *err)
{
    records_t *auth = &trunk->auth;
    status_t status = method_store_all(store, trunk->uuid, room + 1, auth, err);
    trunk->auth_count = (int64_t)auth->count;
    if (status == STATUS_OK && trunk->auth_count > room) {
        auth->count = (size_t)room;
        status = method_store_count(store, trunk->uuid, &trunk->auth_count, err);
    }
    field_give(&trunk->fields, TRUNK_AUTH);
    field_give(&trunk->fields, TRUNK_AUTH_COUNT);
    return status;
}

bool trunk_list_is_slow(const call_t *call)
{
    const page_query_t *page = call->query;
    return !field_set(&page->fields, PAGE_LIMIT);
}

/* Answers the trunk as it is stored. */
static void answer_stored(call_t *call, store_t *store, const char *uuid)
{
    err_t err = {0};
    AUTO(free_auth) stored_trunk_t trunk = {.organization_id = ""};
    status_t status = trunk_store_get(store, uuid, &trunk, &err);
    if (status == STATUS_UNKNOWN ||
        (status == STATUS_OK && !call_may_see(call, trunk.organization_id))) {
        call_refuse(call, OUTCOME_UNKNOWN, NULL);
        return;
    }
    if (status == STATUS_OK)
        status =
            load_auth(store, &trunk.shown, call->on_link ? QUICK_ROWS_MAX : LIST_ROWS_MAX, &err);
    if (status == STATUS_OK && trunk.shown.auth_count > QUICK_ROWS_MAX && call_defer(call))
        return;
    if (status == STATUS_OK)
        call_answer(call, &trunk.shown);
    else
        call_fail(call, &err);
}

void trunk_read(call_t *call, store_t *reader)
{
    const trunk_path_t *path = call->path;
    char uuid[UUID_SIZE];
    uuid_fold(uuid, path->uuid);
    answer_stored(call, reader, uuid);
}

/* A list of trunks in the making. */
typedef struct {
    store_t *reader;
    int64_t methods; /* shown so far, of all trunks */
} list_t;

/* Adds one trunk with its methods, as far as the answer has room for these. */
static status_t add_row(call_t *call, query_t *row, void *context, err_t *err)
{
    list_t *list = context;
    int64_t room = (call->on_link ? QUICK_ROWS_MAX : LIST_ROWS_MAX) - list->methods;
    AUTO(free_auth) stored_trunk_t trunk = {.organization_id = ""};
    trunk_t *shown = &trunk.shown;
    status_t status = trunk_store_read(row, &trunk, err);
    if (status == STATUS_OK)
        status = load_auth(list->reader, shown, room, err);
    if (status != STATUS_OK)
        return status;
    if ((int64_t)shown->auth.count < shown->auth_count && call_defer(call))
        return STATUS_OK; /* the slow pool has more room */
    call_list_add(call, shown);
    list->methods += (int64_t)shown->auth.count;
    return STATUS_OK;
}

void trunk_list(call_t *call, store_t *reader)
{
    const page_query_t *page = call->query;
    int64_t limit = field_set(&page->fields, PAGE_LIMIT) ? page->limit : 0;
    list_t list = {.reader = reader};
    AUTO(query_end)
    query_t *trunks =
        trunk_store_list(reader, list_owner(call), list_most(limit) + 1, page->offset);
    list_answer(call, trunks, limit, page->offset, add_row, &list);
}

void trunk_create(call_t *call, store_t *writer)
{
    err_t err = {0};
    stored_trunk_t trunk = {.shown = *(const trunk_t *)call->body};
    trunk_t *shown = &trunk.shown;
    text_cut(trunk.organization_id, sizeof(trunk.organization_id),
             call->request.principal.organization_id);
    uuid_new(shown->uuid);
    shown->created_on = shown->updated_on = call->now_utc_ms;
    if (trunk_store_add(writer, &trunk, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        answer_stored(call, writer, shown->uuid);
}

void trunk_replace(call_t *call, store_t *writer)
{
    const trunk_path_t *path = call->path;
    err_t err = {0};
    verdict_t verdict = {0};
    trunk_t trunk = *(const trunk_t *)call->body;
    uuid_fold(trunk.uuid, path->uuid);
    trunk.updated_on = call->now_utc_ms;
    status_t status = find_trunk(call, writer, trunk.uuid, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (trunk_store_replace(writer, &trunk, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        answer_stored(call, writer, trunk.uuid);
}

void trunk_delete(call_t *call, store_t *writer)
{
    const trunk_path_t *path = call->path;
    err_t err = {0};
    verdict_t verdict = {0};
    char uuid[UUID_SIZE];
    uuid_fold(uuid, path->uuid);
    status_t status = find_trunk(call, writer, uuid, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (trunk_store_delete(writer, uuid, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        call_answer(call, NULL);
}
