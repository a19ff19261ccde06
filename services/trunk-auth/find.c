#include "services/trunk-auth/find.h"

#include "proto/trunk_auth.h"
#include "services/trunk-auth/trunk_store.h"

status_t find_trunk(const call_t *call, store_t *store, const char *uuid, verdict_t *out,
                    err_t *err)
{
    char organization_id[UUID_SIZE];
    status_t status = trunk_store_organization(store, uuid, organization_id, err);
    return verdict_on_found(call, status, organization_id, out);
}

status_t find_method(const call_t *call, store_t *store, char out_trunk_uuid[UUID_SIZE],
                     stored_method_t *out_method, verdict_t *out, err_t *err)
{
    const method_path_t *path = call->path;
    char uuid[UUID_SIZE];
    uuid_fold(uuid, path->auth_uuid);
    uuid_fold(out_trunk_uuid, path->uuid);
    status_t status = method_store_get(store, out_trunk_uuid, uuid, out_method, err);
    return verdict_on_found(call, status, out_method->organization_id, out);
}
