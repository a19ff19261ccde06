#include "services/common/sip/digest_rows.h"

#include "services/common/credentials.h"

#include <string.h>

static void bind_user(query_t *query, const sip_user_t *user, int64_t generation, const char *realm)
{
    query_text(query, 1, user->auth_id);
    query_number(query, 2, generation);
    query_text(query, 3, realm);
}

status_t digest_rows_find(query_t *query, const sip_user_t *user, int64_t generation,
                          const char *realm, const char *algorithm, uint8_t *out,
                          size_t *out_length, err_t *err)
{
    bind_user(query, user, generation, realm);
    query_text(query, 4, algorithm);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK)
        return status;
    size_t length = 0;
    const void *sealed = query_column_blob(query, 0, &length);
    if (sealed == NULL || length > SEALED_HA1_MAX)
        return err_set(err, STATUS_CORRUPT, "digest", "holds a sealed value that is none");
    memcpy(out, sealed, length);
    *out_length = length;
    return STATUS_OK;
}

status_t digest_rows_any(query_t *query, const sip_user_t *user, int64_t generation,
                         const char *realm, bool *out, err_t *err)
{
    bind_user(query, user, generation, realm);
    return query_step(query, out, err);
}
