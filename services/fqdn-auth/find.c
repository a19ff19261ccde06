#include "services/fqdn-auth/find.h"

status_t find_connection(const call_t *call, store_t *store, const char *id,
                         stored_connection_t *out_connection, verdict_t *out, err_t *err)
{
    char folded[UUID_SIZE];
    uuid_fold(folded, id);
    status_t status = connection_store_get(store, folded, out_connection, err);
    return verdict_on_found(call, status, out_connection->organization_id, out);
}

status_t find_path_connection(const call_t *call, store_t *store,
                              stored_connection_t *out_connection, verdict_t *out, err_t *err)
{
    const id_path_t *path = call->path;
    return find_connection(call, store, path->id, out_connection, out, err);
}

status_t find_path_fqdn(const call_t *call, store_t *store, stored_fqdn_t *out_fqdn, verdict_t *out,
                        err_t *err)
{
    const id_path_t *path = call->path;
    char folded[UUID_SIZE];
    uuid_fold(folded, path->id);
    status_t status = fqdn_store_get(store, folded, out_fqdn, err);
    return verdict_on_found(call, status, out_fqdn->organization_id, out);
}
