#include "services/trunk-auth/method_ops.h"

#include "proto/trunk_auth.h"
#include "services/common/list.h"
#include "services/trunk-auth/claim.h"
#include "services/trunk-auth/find.h"

#include <string.h>

static const verdict_t username_taken = {
    .outcome = OUTCOME_CONFLICT,
    .fault_count = 1,
    .faults = {{FAULT_TAKEN, "/username", "is taken by another authentication method"}},
};

bool method_list_is_slow(const call_t *call)
{
    const page_query_t *page = call->query;
    return !field_set(&page->fields, PAGE_LIMIT);
}

static status_t add_row(call_t *call, query_t *row, void *context, err_t *err)
{
    (void)context;
    method_t method;
    status_t status = method_store_read(row, &method, err);
    if (status == STATUS_OK)
        call_list_add(call, &method);
    return status;
}

void method_list(call_t *call, store_t *reader)
{
    const trunk_path_t *path = call->path;
    const page_query_t *page = call->query;
    int64_t limit = field_set(&page->fields, PAGE_LIMIT) ? page->limit : 0;
    err_t err = {0};
    verdict_t verdict = {0};
    char trunk_uuid[UUID_SIZE];
    uuid_fold(trunk_uuid, path->uuid);
    status_t status = find_trunk(call, reader, trunk_uuid, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    AUTO(query_end)
    query_t *methods = method_store_list(reader, trunk_uuid, list_most(limit) + 1, page->offset);
    list_answer(call, methods, limit, page->offset, add_row, NULL);
}

void method_read(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    char trunk_uuid[UUID_SIZE];
    stored_method_t method;
    status_t status = find_method(call, reader, trunk_uuid, &method, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        call_answer(call, &method.shown);
}

bool method_create_is_slow(const call_t *call)
{
    const method_t *body = call->body;
    return body->type == METHOD_SIPUSER_TYPE;
}

void method_create_prepare(call_t *call, store_t *reader)
{
    const method_t *body = call->body;
    const trunk_path_t *path = call->path;
    err_t err = {0};
    verdict_t verdict = {0};
    char trunk_uuid[UUID_SIZE], uuid[UUID_SIZE];
    uuid_fold(trunk_uuid, path->uuid);
    status_t status = find_trunk(call, reader, trunk_uuid, &verdict, &err);
    if (status == STATUS_OK && verdict.outcome == OUTCOME_OK) {
        bool taken = false;
        status = method_store_has_username(reader, body->username, &taken, &err);
        if (taken)
            verdict = username_taken;
    }
    uuid_new(uuid);
    credentials_prepare(call, status, &verdict, &err, uuid, body->username, body->password);
}

/* The method that the body asks for. What is of no use to its type is kept for show (user name,
 * ip), or not kept at all (password). */
static status_t make_method(const call_t *call, method_t *out, err_t *err)
{
    *out = *(const method_t *)call->body;
    presence_t *fields = &out->fields;
    memset(out->password, 0, sizeof(out->password));
    out->created_on = out->updated_on = call->now_utc_ms;
    static const unsigned nullable[] = {METHOD_EXPIRES_AT, METHOD_IP, METHOD_LABEL, METHOD_USERNAME,
                                        METHOD_LAST_USED_AT};
    for (size_t i = 0; i < ARRAY_LEN(nullable); i++)
        if (!field_set(fields, nullable[i]))
            field_give_null(fields, nullable[i]);
    if (out->type == METHOD_SIPUSER_TYPE)
        field_give(fields, METHOD_PASSWORD);
    else
        field_give_null(fields, METHOD_PASSWORD);
    field_give(fields, METHOD_CREATED_ON);
    field_give(fields, METHOD_UUID);
    return field_set(fields, METHOD_IP) ? claim_canonicalise(out, err) : STATUS_OK;
}

/* Rules that a method of type ip must keep before it may stand. */
static status_t check_claim(const call_t *call, store_t *store, const char *trunk_uuid,
                            const method_t *method, verdict_t *out, err_t *err)
{
    status_t status = claim_check_width(call, method, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK ||
        method_store_expired(method, call->now_utc_ms))
        return status;
    return claim_check_free(call, store, trunk_uuid, method, "/ip", out, err);
}

static void add(call_t *call, store_t *writer, const char *trunk_uuid, const method_t *method,
                const credentials_t *credentials)
{
    err_t err = {0};
    bool taken = false;
    status_t status = method_store_add(writer, trunk_uuid, method, credentials, &taken, &err);
    if (verdict_passes(call, taken ? STATUS_OK : status, taken ? &username_taken : &(verdict_t){0},
                       &err))
        call_answer(call, method);
}

void method_create(call_t *call, store_t *writer)
{
    const trunk_path_t *path = call->path;
    err_t err = {0};
    verdict_t verdict = {0};
    method_t method;
    char trunk_uuid[UUID_SIZE];
    uuid_fold(trunk_uuid, path->uuid);
    status_t status = make_method(call, &method, &err);
    if (status == STATUS_OK)
        status = find_trunk(call, writer, trunk_uuid, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (method.type == METHOD_SIPUSER_TYPE) {
        if (!prepared_passes(call))
            return;
        const credentials_t *credentials = credentials_prepared(call);
        text_cut(method.uuid, sizeof(method.uuid), credentials->row_id);
        add(call, writer, trunk_uuid, &method, credentials);
        return;
    }
    uuid_new(method.uuid);
    status = check_claim(call, writer, trunk_uuid, &method, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        add(call, writer, trunk_uuid, &method, NULL);
}

void method_delete(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    char trunk_uuid[UUID_SIZE];
    stored_method_t method;
    status_t status = find_method(call, writer, trunk_uuid, &method, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (method_store_delete(writer, method.shown.uuid, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        call_answer(call, NULL);
}
