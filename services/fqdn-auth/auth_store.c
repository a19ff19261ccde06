#include "services/fqdn-auth/auth_store.h"

#include "proto/record.h"
#include "services/common/columns.h"
#include "services/common/page.h"

#include <string.h>

static const digest_sql_t digest_sql = {.add = SQL_DIGEST_ADD, .drop = SQL_DIGEST_DROP};

enum { NO_GENERATION = -1 };

status_t auth_store_get(store_t *store, const char *connection_id, fqdn_auth_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_GET);
    query_text(query, 1, connection_id);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK)
        return status;
    memset(out, 0, sizeof(*out));
    columns_t columns = {query, &fqdn_auth_schema, out, STATUS_OK, err};
    columns_text(&columns, 0, FQDN_AUTH_CONNECTION_ID);
    columns_text(&columns, 0, FQDN_AUTH_ID);
    columns_text(&columns, 1, FQDN_AUTH_USER_NAME);
    field_give_if(&out->fields, FQDN_AUTH_PASSWORD, query_column_number(query, 2) != 0);
    columns_switch(&columns, 3, FQDN_AUTH_DIGEST_READY);
    columns_word(&columns, 4, FQDN_AUTH_METHOD);
    columns_word(&columns, 5, FQDN_AUTH_OUTBOUND);
    columns_text(&columns, 6, FQDN_AUTH_TECH_PREFIX);
    field_give_if(&out->fields, FQDN_AUTH_TOKEN, query_column_number(query, 7) != 0);
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

static void bind_text(query_t *query, int n, const fqdn_auth_t *auth, unsigned row)
{
    columns_bind_text(query, n, &fqdn_auth_schema, auth, row);
}

static void fold_user_name(const fqdn_auth_t *auth, char out[sizeof(auth->user_name)])
{
    text_fold(out, auth->user_name, strlen(auth->user_name) + 1);
}

/* Binds user_name, user_name_key, digest_ready, ip_authentication_method, outbound_authentication,
 * tech_prefix, p_charge_info, webhook_url, failover_url from parameter n on; returns the next. */
static int bind_shown(query_t *query, int n, const fqdn_auth_t *auth, const char *user_name_key)
{
    bind_text(query, n, auth, FQDN_AUTH_USER_NAME);
    query_text(query, n + 1, field_set(&auth->fields, FQDN_AUTH_USER_NAME) ? user_name_key : NULL);
    query_number(query, n + 2, auth->digest_ready);
    query_text(query, n + 3,
               column_word(&fqdn_auth_schema, FQDN_AUTH_METHOD, auth->ip_authentication_method));
    query_text(
        query, n + 4,
        column_word(&fqdn_auth_schema, FQDN_AUTH_OUTBOUND, auth->fqdn_outbound_authentication));
    bind_text(query, n + 5, auth, FQDN_AUTH_TECH_PREFIX);
    bind_text(query, n + 6, auth, FQDN_AUTH_P_CHARGE_INFO);
    bind_text(query, n + 7, auth, FQDN_AUTH_WEBHOOK_URL);
    bind_text(query, n + 8, auth, FQDN_AUTH_FAILOVER_URL);
    return n + 9;
}

/* Binds token_hash, token_sealed, password_hash, generation from parameter n on, NULL where there
 * is no new one; returns the next. */
static int bind_secrets(query_t *query, int n, const auth_row_t *row)
{
    const credentials_t *credentials = row->credentials;
    if (row->token != NULL) {
        query_blob(query, n, row->token->hashes[0], TOKEN_HASH_SIZE);
        query_blob(query, n + 1, row->token->sealed, row->token->sealed_length);
    }
    if (credentials != NULL) {
        query_text(query, n + 2, credentials->hash);
        query_number(query, n + 3, credentials->generation);
    }
    return n + 4;
}

status_t auth_store_add(store_t *store, const auth_row_t *row, err_t *err)
{
    char key[sizeof(row->shown->user_name)];
    fold_user_name(row->shown, key);
    row->shown->created_at = row->shown->updated_at = row->now_utc_ms;
    AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_ADD);
    query_text(query, 1, row->shown->connection_id);
    int n = bind_shown(query, 2, row->shown, key);
    n = bind_secrets(query, n, row);
    query_number(query, n, row->shown->created_at);
    query_number(query, n + 1, row->shown->updated_at);
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
    auth->updated_at = page_touch(row->now_utc_ms, auth->updated_at);
    AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_CHANGE);
    int n = bind_shown(query, 1, auth, key);
    query_number(query, n, field_set(&auth->fields, FQDN_AUTH_TOKEN));
    n = bind_secrets(query, n + 1, row);
    query_number(query, n, auth->updated_at);
    query_text(query, n + 1, auth->connection_id);
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

static status_t token_taken(store_t *store, const token_t *token, const char *connection_id,
                            bool *out, err_t *err)
{
    bool taken = false;
    status_t status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && !taken && i < token->hash_count; i++) {
        AUTO(query_end) query_t *query = store_query(store, SQL_AUTH_BY_TOKEN);
        query_blob(query, 1, token->hashes[i], TOKEN_HASH_SIZE);
        status = is_others(query, connection_id, &taken, err);
    }
    if (status == STATUS_OK)
        *out = taken;
    return status;
}

status_t auth_store_taken(store_t *store, const fqdn_auth_t *auth, const token_t *token,
                          auth_taken_t *out, err_t *err)
{
    char key[sizeof(auth->user_name)];
    fold_user_name(auth, key);
    AUTO(query_end) query_t *by_name = store_query(store, SQL_AUTH_BY_USER_NAME);
    AUTO(query_end) query_t *by_prefix = store_query(store, SQL_AUTH_BY_TECH_PREFIX);
    query_text(by_name, 1, field_set(&auth->fields, FQDN_AUTH_USER_NAME) ? key : NULL);
    bind_text(by_prefix, 1, auth, FQDN_AUTH_TECH_PREFIX);
    auth_taken_t taken = {.token = false};
    status_t status = is_others(by_name, auth->connection_id, &taken.user_name, err);
    if (status == STATUS_OK)
        status = is_others(by_prefix, auth->connection_id, &taken.tech_prefix, err);
    if (status == STATUS_OK && token != NULL)
        status = token_taken(store, token, auth->connection_id, &taken.token, err);
    if (status == STATUS_OK)
        *out = taken;
    return status;
}
