/* Must never: put a secret itself into the store, or compare one byte by byte. Next: login.c. */
#include "services/auth-provider/sso/login_store.h"

#include "services/auth-provider/sql.h"
#include "services/common/columns.h"

#include <sodium.h>
#include <string.h>

static const char *const kinds[] = {[REQUEST_LOGIN] = "login", [REQUEST_LOGOUT] = "logout"};

/* ---- secrets ---- */

void login_hash(const char *secret, size_t length, uint8_t out[LOGIN_HASH_SIZE])
{
    crypto_generichash(out, LOGIN_HASH_SIZE, (const unsigned char *)secret, length, NULL, 0);
}

void login_secret(char out[SSO_TOKEN_SIZE])
{
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(out, SSO_TOKEN_SIZE, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

/* ---- requests ---- */

static status_t forget_oldest(store_t *writer, const char *provider_id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_REQUEST_FORGET);
    query_text(query, 1, provider_id);
    query_number(query, 2, LOGIN_REQUESTS_MAX);
    return query_run(query, NULL, err);
}

status_t login_store_ask(store_t *writer, const login_request_t *request, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_REQUEST_ADD);
    query_text(query, 1, request->id);
    query_text(query, 2, request->provider_id);
    query_text(query, 3, kinds[request->kind]);
    query_text(query, 4, request->relay_state);
    query_blob(query, 5, request->browser, LOGIN_HASH_SIZE);
    query_text(query, 6, request->return_to);
    query_number(query, 7, request->expires_utc_ms);
    status_t status = query_run(query, NULL, err);
    return status == STATUS_OK ? forget_oldest(writer, request->provider_id, err) : status;
}

/* In constant time: a relay state is a secret of those who were sent with it. */
static bool same_secret(const char *a, const char *b)
{
    uint8_t left[LOGIN_HASH_SIZE], right[LOGIN_HASH_SIZE];
    login_hash(a, strlen(a), left);
    login_hash(b, strlen(b), right);
    return sodium_memcmp(left, right, LOGIN_HASH_SIZE) == 0;
}

/* The row that the query stands on. */
static status_t read_request(query_t *query, login_request_t *out, err_t *err)
{
    size_t length = 0;
    const void *browser = query_column_blob(query, 2, &length);
    if (length != LOGIN_HASH_SIZE)
        return err_set(err, STATUS_CORRUPT, "browser", "is no hash");
    memcpy(out->browser, browser, LOGIN_HASH_SIZE);
    out->expires_utc_ms = query_column_number(query, 4);
    status_t status = query_copy_text(query, 0, out->provider_id, sizeof(out->provider_id), err);
    if (status == STATUS_OK)
        status = query_copy_text(query, 1, out->relay_state, sizeof(out->relay_state), err);
    if (status == STATUS_OK)
        status = query_copy_text(query, 3, out->return_to, sizeof(out->return_to), err);
    return status;
}

/* Finds the request. STATUS_UNKNOWN: there is none. */
static status_t get_request(store_t *writer, login_request_t *out, bool *out_used, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_REQUEST_GET);
    query_text(query, 1, out->id);
    query_text(query, 2, kinds[out->kind]);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK)
        return status;
    *out_used = !query_column_is_null(query, 5);
    return read_request(query, out, err);
}

static saml_reason_t judge(const login_request_t *request, bool used, const login_answer_t *answer,
                           int64_t now_utc_ms)
{
    const uint8_t *browser = answer->browser;
    if (used)
        return SAML_REQUEST_USED;
    if (request->expires_utc_ms <= now_utc_ms)
        return SAML_REQUEST_EXPIRED;
    if (request->kind == REQUEST_LOGIN &&
        (browser == NULL || sodium_memcmp(browser, request->browser, LOGIN_HASH_SIZE) != 0))
        return SAML_BROWSER_MISMATCH;
    return same_secret(answer->relay_state, request->relay_state) ? SAML_NONE
                                                                  : SAML_RELAY_STATE_MISMATCH;
}

status_t login_store_find(store_t *store, const login_answer_t *answer, int64_t now_utc_ms,
                          login_request_t *out, saml_reason_t *out_reason, err_t *err)
{
    bool used = false;
    *out = (login_request_t){.kind = answer->kind};
    *out_reason = SAML_REQUEST_UNKNOWN;
    if (text_copy(out->id, sizeof(out->id), answer->id, strlen(answer->id)) != STATUS_OK)
        return STATUS_OK;
    status_t status = get_request(store, out, &used, err);
    if (status == STATUS_UNKNOWN)
        return STATUS_OK;
    if (status == STATUS_OK && strcmp(out->provider_id, answer->provider_id) == 0)
        *out_reason = judge(out, used, answer, now_utc_ms);
    return status;
}

status_t login_store_spend(store_t *writer, const login_request_t *request, int64_t now_utc_ms,
                           err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_REQUEST_USE);
    int64_t changes = 0;
    query_number(query, 1, now_utc_ms);
    query_text(query, 2, request->id);
    status_t status = query_run(query, &changes, err);
    if (status == STATUS_OK && changes != 1)
        return err_set(err, STATUS_SYSTEM, "request", "was found, and now is not");
    return status;
}

status_t login_store_use(store_t *writer, const char *short_name, const char *assertion_id,
                         int64_t until_utc_ms, saml_reason_t *out_reason, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_ASSERTION_USE);
    int64_t changes = 0;
    query_text(query, 1, short_name);
    query_text(query, 2, assertion_id);
    query_number(query, 3, until_utc_ms);
    status_t status = query_run(query, &changes, err);
    *out_reason = status == STATUS_OK && changes == 1 ? SAML_NONE : SAML_ASSERTION_REPLAYED;
    return status;
}

status_t login_store_look(store_t *store, const char *short_name, const char *assertion_id,
                          saml_reason_t *out_reason, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_ASSERTION_GET);
    query_text(query, 1, short_name);
    query_text(query, 2, assertion_id);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        return status;
    *out_reason = status == STATUS_OK ? SAML_ASSERTION_REPLAYED : SAML_NONE;
    return STATUS_OK;
}

/* ---- sessions ---- */

status_t login_store_begin(store_t *writer, const login_session_t *session,
                           const uint8_t token[LOGIN_HASH_SIZE], err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_SESSION_ADD);
    const sso_session_t *shown = &session->shown;
    int64_t changes = 0;
    query_text(query, 1, shown->id);
    query_blob(query, 2, token, LOGIN_HASH_SIZE);
    query_text(query, 3, shown->provider_id);
    query_text(query, 4, shown->name_id);
    columns_bind_text(query, 5, &sso_session_schema, shown, SSO_SESSION_NAME_ID_FORMAT);
    query_text(query, 6, session->name_qualifier);
    query_text(query, 7, session->sp_name_qualifier);
    query_text(query, 8, session->session_index);
    query_blob(query, 9, shown->attributes.bytes, shown->attributes.length);
    query_blob(query, 10, shown->groups.bytes, shown->groups.length);
    query_number(query, 11, shown->authenticated_at);
    query_number(query, 12, session->created_utc_ms);
    query_number(query, 13, shown->expires_at);
    status_t status = query_run(query, &changes, err);
    return status == STATUS_OK && changes != 1 ? STATUS_UNKNOWN : status;
}

status_t login_store_read(query_t *page, login_session_t *out, err_t *err)
{
    sso_session_t *shown = &out->shown;
    shown->fields = (presence_t){0};
    columns_t columns = {page, &sso_session_schema, shown, STATUS_OK, err};
    columns_text(&columns, 0, SSO_SESSION_ID);
    columns_packed(&columns, 1, SSO_SESSION_ATTRIBUTES);
    columns_number(&columns, 2, SSO_SESSION_AUTHENTICATED_AT);
    columns_number(&columns, 3, SSO_SESSION_EXPIRES_AT);
    columns_packed(&columns, 4, SSO_SESSION_GROUPS);
    columns_text(&columns, 5, SSO_SESSION_NAME_ID);
    columns_text(&columns, 6, SSO_SESSION_NAME_ID_FORMAT);
    columns_text(&columns, 7, SSO_SESSION_ORGANIZATION_ID);
    columns_text(&columns, 8, SSO_SESSION_PROVIDER_ID);
    columns_text(&columns, 9, SSO_SESSION_PROVIDER);
    status_t status = columns.status;
    const struct {
        char *out;
        size_t size;
    } texts[] = {{out->name_qualifier, sizeof(out->name_qualifier)},
                 {out->sp_name_qualifier, sizeof(out->sp_name_qualifier)},
                 {out->session_index, sizeof(out->session_index)}};
    for (int i = 0; i < (int)ARRAY_LEN(texts) && status == STATUS_OK; i++)
        status = query_copy_text(page, 10 + i, texts[i].out, texts[i].size, err);
    out->created_utc_ms = query_column_number(page, 13);
    return status;
}

status_t login_store_seek(store_t *store, const uint8_t token[LOGIN_HASH_SIZE], int64_t now_utc_ms,
                          login_session_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_SESSION_GET);
    query_blob(query, 1, token, LOGIN_HASH_SIZE);
    query_number(query, 2, now_utc_ms);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? login_store_read(query, out, err) : status;
}

status_t login_store_show(store_t *store, const char *provider_id, const char *session_id,
                          int64_t now_utc_ms, login_session_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_SESSION_SHOW);
    query_text(query, 1, provider_id);
    query_number(query, 2, now_utc_ms);
    query_text(query, 3, session_id);
    status_t status = query_only_row(query, err);
    return status == STATUS_OK ? login_store_read(query, out, err) : status;
}

static query_t *of_provider(store_t *store, size_t statement, const char *provider_id,
                            const char *name_id, int64_t now_utc_ms)
{
    query_t *query = store_query(store, statement);
    query_text(query, 1, provider_id);
    query_number(query, 2, now_utc_ms);
    query_text(query, 3, name_id);
    return query;
}

status_t login_store_total(store_t *store, const char *provider_id, const char *name_id,
                           int64_t now_utc_ms, int64_t *out, err_t *err)
{
    AUTO(query_end)
    query_t *query = of_provider(store, SQL_SESSION_TOTAL, provider_id, name_id, now_utc_ms);
    return query_read_number(query, out, err);
}

query_t *login_store_page(store_t *store, const char *provider_id, const char *name_id,
                          int64_t now_utc_ms, int64_t number, int64_t size)
{
    query_t *query = of_provider(store, SQL_SESSION_PAGE, provider_id, name_id, now_utc_ms);
    query_number(query, 4, size);
    query_number(query, 5, (number - 1) * size);
    return query;
}

status_t login_store_end(store_t *writer, const char *session_id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_SESSION_END);
    int64_t changes = 0;
    query_text(query, 1, session_id);
    status_t status = query_run(query, &changes, err);
    return status == STATUS_OK && changes == 0 ? STATUS_UNKNOWN : status;
}

static const char *or_else(const char *text, const char *other)
{
    return text[0] == '\0' ? other : text;
}

status_t login_store_end_named(store_t *writer, const char *provider_id, const login_name_t *name,
                               const char *session_index, int64_t *out_count, err_t *err)
{
    static const char unspecified[] = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
    AUTO(query_end) query_t *query = store_query(writer, SQL_SESSION_END_NAMED);
    query_text(query, 1, provider_id);
    query_text(query, 2, name->name_id);
    query_text(query, 3, session_index);
    query_text(query, 4, unspecified);
    query_text(query, 5, or_else(name->format, unspecified));
    query_text(query, 6, name->idp_entity_id);
    query_text(query, 7, or_else(name->name_qualifier, name->idp_entity_id));
    query_text(query, 8, name->sp_entity_id);
    query_text(query, 9, or_else(name->sp_name_qualifier, name->sp_entity_id));
    return query_run(query, out_count, err);
}

status_t login_store_end_all(store_t *writer, const char *provider_id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_PROVIDER_END_SESSIONS);
    query_text(query, 1, provider_id);
    return query_run(query, NULL, err);
}

/* ---- what is of no use any more ---- */

/* A request is kept for as long again: so late an answer is told from one to nothing. An assertion
 * is kept for longer than it is good: clocks are set back. */
static const struct {
    size_t look, remove;
    int64_t kept_ms;
} expiries[] = {
    {SQL_REQUEST_EXPIRED, SQL_REQUEST_EXPIRE, LOGIN_REQUEST_MS},
    {SQL_ASSERTION_EXPIRED, SQL_ASSERTION_EXPIRE, SAML_SKEW_MS},
    {SQL_SESSION_EXPIRED, SQL_SESSION_EXPIRE, 0},
};

status_t login_store_any_expired(store_t *store, int64_t now_utc_ms, bool *out, err_t *err)
{
    bool any = false;
    status_t status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LEN(expiries) && !any && status == STATUS_OK; i++) {
        AUTO(query_end) query_t *query = store_query(store, expiries[i].look);
        query_number(query, 1, now_utc_ms - expiries[i].kept_ms);
        status = query_step(query, &any, err);
    }
    if (status == STATUS_OK)
        *out = any;
    return status;
}

status_t login_store_expire(store_t *writer, int64_t now_utc_ms, int64_t most, bool *out_more,
                            err_t *err)
{
    bool more = false;
    for (size_t i = 0; i < ARRAY_LEN(expiries); i++) {
        AUTO(query_end) query_t *query = store_query(writer, expiries[i].remove);
        int64_t removed = 0;
        query_number(query, 1, now_utc_ms - expiries[i].kept_ms);
        query_number(query, 2, most);
        status_t status = query_run(query, &removed, err);
        if (status != STATUS_OK)
            return status;
        more = more || removed == most;
    }
    *out_more = more;
    return STATUS_OK;
}
