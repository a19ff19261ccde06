#include "services/auth-provider/sso/certificate_set.h"

#include "common/mem.h"
#include "services/auth-provider/sql.h"

#include <string.h>

static status_t add(query_t *row, certificate_set_t *set, size_t *used, err_t *err)
{
    size_t length = 0;
    const void *der = query_column_blob(row, 1, &length);
    if (length == 0 || length > CERTIFICATE_DER_MAX)
        return err_set(err, STATUS_CORRUPT, "certificate", "a stored one can't be read");
    set->items = mem_resize(set->items, (set->count + 1) * sizeof(*set->items));
    set->bytes = mem_resize(set->bytes, *used + length);
    memcpy(set->bytes + *used, der, length);
    *used += length;
    set->items[set->count++] =
        (saml_certificate_t){.length = length, .retired = !query_column_is_null(row, 2)};
    return STATUS_OK;
}

/* Bytes move while they grow: items point into them at the end. */
status_t certificate_set_load(store_t *store, const char *provider_id, certificate_set_t *out,
                              err_t *err)
{
    AUTO(certificate_set_clear) certificate_set_t set = {0};
    AUTO(query_end) query_t *rows = store_query(store, SQL_CERTIFICATE_LIST);
    query_text(rows, 1, provider_id);
    size_t used = 0;
    bool more = false;
    status_t status = query_step(rows, &more, err);
    while (status == STATUS_OK && more) {
        status = add(rows, &set, &used, err);
        if (status == STATUS_OK)
            status = query_step(rows, &more, err);
    }
    if (status != STATUS_OK)
        return status;
    const uint8_t *at = set.bytes;
    for (size_t i = 0; i < set.count; i++) {
        set.items[i].der = at;
        at += set.items[i].length;
    }
    *out = set;
    set = (certificate_set_t){0};
    return STATUS_OK;
}

void certificate_set_clear(certificate_set_t *set)
{
    mem_free(set->items);
    mem_free(set->bytes);
    *set = (certificate_set_t){0};
}
