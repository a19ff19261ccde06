#include "services/trunk-auth/trunk_ops.h"

#include "common/mem.h"
#include "proto/trunk_auth.h"
#include "services/trunk-auth/trunk_store.h"
#include "services/trunk-auth/find.h"

#include <string.h>

/* Above this an unpaged list ends, so that it fits a message (SCAN_BYTES_MAX) with the methods that
 * may still follow. A page of the longest trunks and methods is smaller. */
enum { ANSWER_BYTES_ENOUGH = 4 * 1024 * 1024 };

/* The most rows that the link thread may take the time for: as many as a page has. */
enum { QUICK_ROWS_MAX = TRUNK_LIST_MAX };

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
            load_auth(store, &trunk.shown, call->on_link ? QUICK_ROWS_MAX : ANSWER_ROWS_MAX, &err);
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

/* How much of a list has been shown. */
typedef struct {
    int64_t most; /* trunks that are wanted */
    int64_t trunks;
    int64_t methods;
    bool more; /* trunks are left */
} shown_t;

/* Adds one trunk with its methods, as far as the answer has room for these. */
static status_t add_trunk(call_t *call, store_t *reader, trunk_t *trunk, shown_t *so_far,
                          err_t *err)
{
    int64_t room = call->on_link ? QUICK_ROWS_MAX : ANSWER_ROWS_MAX;
    status_t status = load_auth(reader, trunk, room - so_far->methods, err);
    if (status != STATUS_OK)
        return status;
    if ((int64_t)trunk->auth.count < trunk->auth_count && call_defer(call))
        return STATUS_OK; /* the slow pool has more room */
    call_list_add(call, trunk);
    so_far->trunks++;
    so_far->methods += (int64_t)trunk->auth.count;
    return STATUS_OK;
}

/* A page is whole; what is not paged ends before it could be too large for a message. */
static bool is_full(const call_t *call, const shown_t *so_far, bool paged)
{
    return so_far->trunks == so_far->most ||
           (!paged && call->body_bytes.size > ANSWER_BYTES_ENOUGH);
}

void trunk_list(call_t *call, store_t *reader)
{
    const page_query_t *page = call->query;
    const principal_t *principal = &call->request.principal;
    bool paged = field_set(&page->fields, PAGE_LIMIT);
    err_t err = {0};
    shown_t so_far = {.most = paged ? page->limit : ANSWER_ROWS_MAX, .more = true};
    AUTO(query_end)
    query_t *list =
        trunk_store_list(reader, principal->is_operator ? NULL : principal->organization_id,
                         so_far.most + 1, page->offset);
    call_list_begin(call);
    while (!call->deferred) {
        AUTO(free_auth) stored_trunk_t trunk = {.organization_id = ""};
        status_t status = trunk_store_next(list, &trunk, &so_far.more, &err);
        if (status == STATUS_OK && (!so_far.more || is_full(call, &so_far, paged)))
            break;
        if (status == STATUS_OK)
            status = add_trunk(call, reader, &trunk.shown, &so_far, &err);
        if (status != STATUS_OK) {
            call_fail(call, &err);
            return;
        }
    }
    if (!call->deferred)
        call_list_end(call, so_far.more ? page->offset + so_far.trunks : -1);
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
