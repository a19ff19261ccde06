#include "services/trunk-auth/verdict.h"

#include "common/mem.h"
#include "proto/trunk_auth.h"
#include "services/trunk-auth/trunk_store.h"

#include <assert.h>
#include <string.h>

bool verdict_passes(call_t *call, status_t status, const verdict_t *verdict, const err_t *err)
{
    if (status != STATUS_OK) {
        call_fail(call, err);
        return false;
    }
    if (verdict->outcome == OUTCOME_OK)
        return true;
    if (verdict->where != NULL)
        call_fault(call, verdict->code, FAULT_IN_BODY, verdict->where, verdict->message);
    call_refuse(call, verdict->outcome, verdict->where == NULL ? verdict->message : NULL);
    return false;
}

void fold_uuid(char out[UUID_SIZE], const char *uuid)
{
    size_t length = strlen(uuid);
    assert(length < UUID_SIZE);
    text_fold(out, uuid, length);
    out[length] = '\0';
}

status_t find_trunk(const call_t *call, store_t *store, const char *uuid, verdict_t *out,
                    err_t *err)
{
    char organization_id[UUID_SIZE];
    status_t status = trunk_store_organization(store, uuid, organization_id, err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        return status;
    bool visible = status == STATUS_OK && call_may_see(call, organization_id);
    *out = (verdict_t){.outcome = visible ? OUTCOME_OK : OUTCOME_UNKNOWN};
    return STATUS_OK;
}

status_t find_method(const call_t *call, store_t *store, char out_trunk_uuid[UUID_SIZE],
                     stored_method_t *out_method, verdict_t *out, err_t *err)
{
    const method_path_t *path = call->path;
    char uuid[UUID_SIZE];
    fold_uuid(uuid, path->auth_uuid);
    fold_uuid(out_trunk_uuid, path->uuid);
    status_t status = method_store_get(store, out_trunk_uuid, uuid, out_method, err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        return status;
    bool visible = status == STATUS_OK && call_may_see(call, out_method->organization_id);
    *out = (verdict_t){.outcome = visible ? OUTCOME_OK : OUTCOME_UNKNOWN};
    return STATUS_OK;
}

typedef struct {
    verdict_t verdict;
    credentials_t credentials;
} prepared_t;

static void free_prepared(void *state)
{
    prepared_t *prepared = state;
    credentials_wipe(&prepared->credentials);
    mem_free(prepared);
}

void prepared_keep(call_t *call, status_t status, const verdict_t *verdict, const err_t *err,
                   const char *method_uuid, const char *username, const char *password)
{
    if (status != STATUS_OK) {
        call_fail(call, err);
        return;
    }
    prepared_t *prepared = mem_zalloc(sizeof(*prepared));
    prepared->verdict = *verdict;
    call->state = prepared;
    call->free_state = free_prepared;
    if (verdict->outcome != OUTCOME_OK)
        return;
    err_t failure = {0};
    if (credentials_make(call->keeper, method_uuid, username, password, &prepared->credentials,
                         &failure) != STATUS_OK)
        call_fail(call, &failure);
}

const credentials_t *prepared_take(call_t *call)
{
    const prepared_t *prepared = call->state;
    assert(prepared != NULL);
    err_t none = {0};
    return verdict_passes(call, STATUS_OK, &prepared->verdict, &none) ? &prepared->credentials
                                                                      : NULL;
}
