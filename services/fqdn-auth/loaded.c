#include "services/fqdn-auth/loaded.h"

#include "common/mem.h"
#include "services/fqdn-auth/auth_store.h"
#include "services/fqdn-auth/fqdn_store.h"
#include "services/fqdn-auth/spelling.h"

status_t loaded_auth(store_t *store, loaded_t *loaded, err_t *err)
{
    const char *id = loaded->connection.shown.id;
    if (!loaded->connection.has_auth)
        return STATUS_OK;
    status_t status = auth_store_get(store, id, &loaded->auth, err);
    return status == STATUS_UNKNOWN ? err_set(err, STATUS_CORRUPT, "auth_type",
                                              "names an authentication that is missing")
                                    : status;
}

status_t loaded_show_v1(store_t *store, const loaded_t *loaded, bool with_auth, bool with_fqdns,
                        connection_v1_t *out, err_t *err)
{
    bool has_auth = loaded->connection.has_auth;
    spelling_show_v1(&loaded->connection, has_auth ? &loaded->auth : NULL, out);
    if (with_auth && has_auth) {
        out->fqdn_authentication = loaded->auth;
        field_give(&out->fields, CONNECTION_V1_AUTHENTICATION);
    } else if (with_auth) {
        field_give_null(&out->fields, CONNECTION_V1_AUTHENTICATION);
    }
    if (!with_fqdns)
        return STATUS_OK;
    field_give(&out->fields, CONNECTION_V1_FQDNS);
    return fqdn_store_all(store, loaded->connection.shown.id, FQDNS_MAX, &out->fqdns, err);
}

void loaded_free_v1(connection_v1_t *shown)
{
    mem_free(shown->fqdns.items);
    shown->fqdns = (records_t){0};
}

const connection_v2_t *loaded_show_v2(loaded_t *loaded)
{
    spelling_show_v2(&loaded->connection, loaded->connection.has_auth ? &loaded->auth : NULL);
    return &loaded->connection.shown;
}
