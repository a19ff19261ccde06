#include "services/trunk-auth/method_store.h"

#include "common/ipnet.h"
#include "services/common/columns.h"
#include "services/common/list.h"
#include "services/trunk-auth/sql.h"

#include <assert.h>
#include <string.h>

enum { METHOD_COLUMNS = 11 };

static const digest_sql_t digest_sql = {.add = SQL_DIGEST_ADD, .drop = SQL_DIGEST_DROP};

bool method_store_expired(const method_t *method, int64_t now_utc_ms)
{
    return field_set(&method->fields, METHOD_EXPIRES_AT) && method->expires_at <= now_utc_ms;
}

/* What a method of type ip claims, as the table holds it. */
typedef struct {
    ipnet_t block;
    uint8_t last[16];
    int64_t until;
} claim_row_t;

static status_t make_claim(const method_t *method, claim_row_t *out, err_t *err)
{
    claim_row_t claim = {.until = INT64_MAX};
    if (ipnet_parse(method->ip, strlen(method->ip), &claim.block) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "ip", "is not an address or a range");
    ipnet_last(&claim.block, claim.last);
    if (field_set(&method->fields, METHOD_EXPIRES_AT))
        claim.until = method->expires_at;
    *out = claim;
    return STATUS_OK;
}

/* Binds range_first, prefix, range_last, claimed_until from parameter n on. */
static void bind_claim(query_t *query, int n, const claim_row_t *claim)
{
    query_blob(query, n, claim->block.first, sizeof(claim->block.first));
    query_number(query, n + 1, claim->block.prefix);
    query_blob(query, n + 2, claim->last, sizeof(claim->last));
    query_number(query, n + 3, claim->until);
}

static status_t insert(store_t *store, const char *trunk_uuid, const method_t *method,
                       const claim_row_t *claim, const credentials_t *credentials, err_t *err)
{
    const presence_t *fields = &method->fields;
    char key[sizeof(method->username)] = "";
    text_fold(key, method->username, strlen(method->username));
    AUTO(query_end) query_t *query = store_query(store, SQL_METHOD_ADD);
    query_text(query, 1, method->uuid);
    query_text(query, 2, trunk_uuid);
    query_text(query, 3, column_word(&method_schema, METHOD_TYPE, method->type));
    columns_bind_text(query, 4, &method_schema, method, METHOD_IP);
    if (claim != NULL)
        bind_claim(query, 5, claim);
    columns_bind_text(query, 9, &method_schema, method, METHOD_USERNAME);
    query_text(query, 10, credentials == NULL ? NULL : key);
    columns_bind_text(query, 11, &method_schema, method, METHOD_LABEL);
    query_number(query, 12, method->enabled);
    query_number_or_null(query, 13, method->expires_at, !field_set(fields, METHOD_EXPIRES_AT));
    query_text(query, 14, credentials == NULL ? NULL : credentials->hash);
    query_number(query, 15, credentials == NULL ? 0 : credentials->generation);
    query_number(query, 16, method->created_on);
    query_number(query, 17, method->updated_on);
    return query_run(query, NULL, err);
}

status_t method_store_add(store_t *store, const char *trunk_uuid, const method_t *method,
                          const credentials_t *credentials, bool *out_taken, err_t *err)
{
    assert((credentials != NULL) == (method->type == METHOD_SIPUSER_TYPE));
    claim_row_t claim = {.until = 0};
    bool claims = method->type == METHOD_IP_TYPE;
    status_t status = claims ? make_claim(method, &claim, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    err_t failure = {0};
    status = insert(store, trunk_uuid, method, claims ? &claim : NULL, credentials, &failure);
    if (status != STATUS_OK) {
        *out_taken = status == STATUS_CONFLICT && strstr(failure.where, "username_key") != NULL;
        return err_set(err, status, failure.where, "%s", failure.text);
    }
    if (credentials == NULL)
        return STATUS_OK;
    return credentials_add_digests(store, &digest_sql, credentials, err);
}

status_t method_store_read(query_t *list, method_t *out, err_t *err)
{
    method_t method = {0};
    columns_t columns = {list, &method_schema, &method, STATUS_OK, err};
    columns_text(&columns, 0, METHOD_UUID);
    columns_word(&columns, 1, METHOD_TYPE);
    columns_text(&columns, 2, METHOD_IP);
    columns_text(&columns, 3, METHOD_USERNAME);
    columns_text(&columns, 4, METHOD_LABEL);
    columns_switch(&columns, 5, METHOD_ENABLED);
    columns_number(&columns, 6, METHOD_EXPIRES_AT);
    field_give_if(&method.fields, METHOD_PASSWORD, query_column_number(list, 7) != 0);
    columns_number(&columns, 8, METHOD_CREATED_ON);
    columns_number(&columns, 9, METHOD_UPDATED_ON);
    columns_number(&columns, 10, METHOD_LAST_USED_AT);
    if (columns.status == STATUS_OK)
        *out = method;
    return columns.status;
}

status_t method_store_get(store_t *store, const char *trunk_uuid, const char *uuid,
                          stored_method_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_METHOD_GET);
    query_text(query, 1, uuid);
    query_text(query, 2, trunk_uuid);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK)
        return status;
    stored_method_t method;
    status = method_store_read(query, &method.shown, err);
    if (status == STATUS_OK)
        status = query_copy_text(query, METHOD_COLUMNS, method.organization_id,
                                 sizeof(method.organization_id), err);
    if (status != STATUS_OK)
        return status;
    method.generation = query_column_number(query, METHOD_COLUMNS + 1);
    *out = method;
    return STATUS_OK;
}

query_t *method_store_list(store_t *store, const char *trunk_uuid, int64_t limit, int64_t offset)
{
    query_t *query = store_query(store, SQL_METHOD_LIST);
    query_text(query, 1, trunk_uuid);
    query_number(query, 2, limit);
    query_number(query, 3, offset);
    return query;
}

static status_t read_method(query_t *row, void *out, err_t *err)
{
    return method_store_read(row, out, err);
}

status_t method_store_all(store_t *store, const char *trunk_uuid, int64_t limit, records_t *out,
                          err_t *err)
{
    AUTO(query_end) query_t *list = method_store_list(store, trunk_uuid, limit, 0);
    return list_records(list, sizeof(method_t), read_method, out, err);
}

status_t method_store_count(store_t *store, const char *trunk_uuid, int64_t *out, err_t *err)
{
    AUTO(query_end) query_t *count = store_query(store, SQL_METHOD_COUNT);
    query_text(count, 1, trunk_uuid);
    return query_read_number(count, out, err);
}

status_t method_store_change(store_t *store, const method_t *method, err_t *err)
{
    const presence_t *fields = &method->fields;
    claim_row_t claim = {.until = 0};
    bool claims = method->type == METHOD_IP_TYPE;
    status_t status = claims ? make_claim(method, &claim, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    AUTO(query_end) query_t *query = store_query(store, SQL_METHOD_CHANGE);
    columns_bind_text(query, 1, &method_schema, method, METHOD_IP);
    if (claims)
        bind_claim(query, 2, &claim);
    columns_bind_text(query, 6, &method_schema, method, METHOD_LABEL);
    query_number(query, 7, method->enabled);
    query_number_or_null(query, 8, method->expires_at, !field_set(fields, METHOD_EXPIRES_AT));
    query_number(query, 9, method->updated_on);
    query_text(query, 10, method->uuid);
    return query_run(query, NULL, err);
}

status_t method_store_set_password(store_t *store, const credentials_t *credentials, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_METHOD_SET_PASSWORD);
    query_text(query, 1, credentials->hash);
    query_number(query, 2, credentials->generation);
    query_text(query, 3, credentials->row_id);
    status_t status = query_run(query, NULL, err);
    if (status != STATUS_OK)
        return status;
    return credentials_replace_digests(store, &digest_sql, credentials, credentials->generation,
                                       err);
}

status_t method_store_rotate(store_t *store, const credentials_t *credentials, int64_t generation,
                             int64_t previous_until, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_METHOD_ROTATE);
    query_number(query, 1, previous_until);
    query_text(query, 2, credentials->hash);
    query_number(query, 3, credentials->generation);
    query_text(query, 4, credentials->row_id);
    status_t status = query_run(query, NULL, err);
    if (status != STATUS_OK)
        return status;
    return credentials_replace_digests(store, &digest_sql, credentials, generation, err);
}

status_t method_store_delete(store_t *store, const char *uuid, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_METHOD_DELETE);
    query_text(query, 1, uuid);
    return query_run(query, NULL, err);
}

status_t method_store_has_username(store_t *store, const char *username, bool *out, err_t *err)
{
    char key[TEXT_SIZE(64)] = "";
    size_t length = strlen(username);
    assert(length < sizeof(key));
    text_fold(key, username, length);
    AUTO(query_end) query_t *query = store_query(store, SQL_USERNAME_GET);
    query_text(query, 1, key);
    bool row = false;
    status_t status = query_step(query, &row, err);
    if (status == STATUS_OK)
        *out = row;
    return status;
}
