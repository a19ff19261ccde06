#include "services/fqdn-auth/auth_store.h"

#include "proto/record.h"
#include "services/common/columns.h"

#include <string.h>

static const digest_sql_t digest_sql = {.add = SQL_DIGEST_ADD, .drop = SQL_DIGEST_DROP};

enum { NO_GENERATION = -1 };

static void give_if(fqdn_auth_t *auth, unsigned row, bool there)
{
    if (there)
        field_give(&auth->fields, row);
    else
        field_give_null(&auth->fields, row);
}

status_t auth_store_get(store_t *store, const char *connection_id, fqdn_auth_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_GET);
    query_text(query, 1, connection_id);
    bool found = false;
    status_t status = query_step(query, &found, err);
    if (status != STATUS_OK)
        return status;
    if (!found)
        return STATUS_UNKNOWN;
    memset(out, 0, sizeof(*out));
    columns_t columns = {query, &fqdn_auth_schema, out, STATUS_OK, err};
    columns_text(&columns, 0, FQDN_AUTH_CONNECTION_ID);
    columns_text(&columns, 0, FQDN_AUTH_ID);
    columns_text(&columns, 1, FQDN_AUTH_USER_NAME);
    give_if(out, FQDN_AUTH_PASSWORD, query_column_number(query, 2) != 0);
    columns_switch(&columns, 3, FQDN_AUTH_DIGEST_READY);
    columns_word(&columns, 4, FQDN_AUTH_METHOD);
    columns_word(&columns, 5, FQDN_AUTH_OUTBOUND);
    columns_text(&columns, 6, FQDN_AUTH_TECH_PREFIX);
    give_if(out, FQDN_AUTH_TOKEN, query_column_number(query, 7) != 0);
    columns_text(&columns, 8, FQDN_AUTH_P_CHARGE_INFO);
    columns_text(&columns, 9, FQDN_AUTH_WEBHOOK_URL);
    columns_text(&columns, 10, FQDN_AUTH_FAILOVER_URL);
    columns_number(&columns, 11, FQDN_AUTH_CREATED_AT);
    columns_number(&columns, 12, FQDN_AUTH_UPDATED_AT);
    out->outbound_usable = field_set(&out->fields, FQDN_AUTH_USER_NAME);
    field_give(&out->fields, FQDN_AUTH_OUTBOUND_USABLE);
    record_give_text(&fqdn_auth_schema, out, FQDN_AUTH_RECORD_TYPE, "fqdn_authentication");
    return columns.status;
}

/* A text, or NULL where it is not set. */
static void bind_text(query_t *query, int n, const fqdn_auth_t *auth, unsigned row)
{
    const char *text = (const char *)auth + fqdn_auth_schema.rows[row].offset;
    query_text(query, n, field_set(&auth->fields, row) ? text : NULL);
}

static void bind_token(query_t *query, int n, const token_t *token)
{
    if (token == NULL)
        return; /* NULL already */
    query_blob(query, n, token->hash, sizeof(token->hash));
    query_blob(query, n + 1, token->sealed, token->sealed_length);
}

static void fold_user_name(const fqdn_auth_t *auth, char out[sizeof(auth->user_name)])
{
    text_fold(out, auth->user_name, strlen(auth->user_name) + 1);
}

/* Binds user_name, user_name_key, password_hash, generation, digest_ready,
 * ip_authentication_method, outbound_authentication, tech_prefix, token_hash, token_sealed,
 * p_charge_info, webhook_url, failover_url from parameter n on. */
static void bind_row(query_t *query, int n, const auth_row_t *row, const char *user_name_key)
{
    const fqdn_auth_t *auth = row->shown;
    const credentials_t *credentials = row->credentials;
    bind_text(query, n, auth, FQDN_AUTH_USER_NAME);
    query_text(query, n + 1, field_set(&auth->fields, FQDN_AUTH_USER_NAME) ? user_name_key : NULL);
    query_text(query, n + 2, credentials == NULL ? NULL : credentials->hash);
    query_number_or_null(query, n + 3, credentials == NULL ? 0 : credentials->generation,
                         credentials == NULL);
    query_number(query, n + 4, auth->digest_ready);
    query_text(query, n + 5,
               column_word(&fqdn_auth_schema, FQDN_AUTH_METHOD, auth->ip_authentication_method));
    query_text(
        query, n + 6,
        column_word(&fqdn_auth_schema, FQDN_AUTH_OUTBOUND, auth->fqdn_outbound_authentication));
    bind_text(query, n + 7, auth, FQDN_AUTH_TECH_PREFIX);
    bind_token(query, n + 8, row->token);
    bind_text(query, n + 10, auth, FQDN_AUTH_P_CHARGE_INFO);
    bind_text(query, n + 11, auth, FQDN_AUTH_WEBHOOK_URL);
    bind_text(query, n + 12, auth, FQDN_AUTH_FAILOVER_URL);
}

status_t auth_store_add(store_t *store, const auth_row_t *row, err_t *err)
{
    char key[sizeof(row->shown->user_name)];
    fold_user_name(row->shown, key);
    row->shown->created_at = row->shown->updated_at = row->now_utc_ms;
    AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_ADD);
    query_text(query, 1, row->shown->connection_id);
    bind_row(query, 2, row, key);
    if (row->credentials == NULL)
        query_number(query, 5, 0);
    query_number(query, 15, row->shown->created_at);
    query_number(query, 16, row->shown->updated_at);
    status_t status = query_run(query, NULL, err);
    if (status == STATUS_OK && row->credentials != NULL)
        status = credentials_add_digests(store, &digest_sql, row->credentials, err);
    return status;
}

static status_t drop_digests(store_t *store, const char *connection_id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_DIGEST_DROP);
    query_text(query, 1, connection_id);
    query_number(query, 2, NO_GENERATION);
    return query_run(query, NULL, err);
}

status_t auth_store_change(store_t *store, const auth_row_t *row, err_t *err)
{
    fqdn_auth_t *auth = row->shown;
    char key[sizeof(auth->user_name)];
    fold_user_name(auth, key);
    auth->updated_at = row->now_utc_ms;
    AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_CHANGE);
    bind_row(query, 1, row, key);
    query_number(query, 14, auth->updated_at);
    query_text(query, 15, auth->connection_id);
    status_t status = query_run(query, NULL, err);
    if (status != STATUS_OK)
        return status;
    if (row->credentials != NULL)
        return credentials_replace_digests(store, &digest_sql, row->credentials,
                                           row->credentials->generation, err);
    return auth->digest_ready ? STATUS_OK : drop_digests(store, auth->connection_id, err);
}

status_t auth_store_drop(store_t *store, const char *connection_id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_DROP);
    query_text(query, 1, connection_id);
    return query_run(query, NULL, err);
}

/* Whether the row that a look-up finds is another connection's. */
static status_t is_others(query_t *query, const char *connection_id, bool *out, err_t *err)
{
    bool found = false;
    status_t status = query_step(query, &found, err);
    if (status == STATUS_OK)
        *out = found && strcmp(query_column_text(query, 0, NULL), connection_id) != 0;
    return status;
}

status_t auth_store_taken(store_t *store, const fqdn_auth_t *auth, const token_t *token,
                          auth_taken_t *out, err_t *err)
{
    char key[sizeof(auth->user_name)];
    fold_user_name(auth, key);
    AUTO(query_end) query_t *by_name = store_query(store, SQL_AUTH_BY_USER_NAME);
    AUTO(query_end) query_t *by_prefix = store_query(store, SQL_AUTH_BY_TECH_PREFIX);
    AUTO(query_end) query_t *by_token = store_query(store, SQL_AUTH_BY_TOKEN);
    query_text(by_name, 1, field_set(&auth->fields, FQDN_AUTH_USER_NAME) ? key : NULL);
    bind_text(by_prefix, 1, auth, FQDN_AUTH_TECH_PREFIX);
    if (token != NULL)
        query_blob(by_token, 1, token->hash, sizeof(token->hash));
    auth_taken_t taken = {.token = false};
    status_t status = is_others(by_name, auth->connection_id, &taken.user_name, err);
    if (status == STATUS_OK)
        status = is_others(by_prefix, auth->connection_id, &taken.tech_prefix, err);
    if (status == STATUS_OK)
        status = is_others(by_token, auth->connection_id, &taken.token, err);
    if (status == STATUS_OK)
        *out = taken;
    return status;
}
