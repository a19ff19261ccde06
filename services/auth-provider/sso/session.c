/* Must never: tell a token that was never one from one that was. Next: login_store.c. */
#include "services/auth-provider/sso/session.h"

#include "services/auth-provider/sso/browser.h"
#include "services/auth-provider/sso/event_store.h"

#include <sodium.h>
#include <string.h>

status_t session_find(const call_t *call, store_t *store, login_session_t *out, err_t *err)
{
    char token[SSO_TOKEN_SIZE];
    uint8_t hash[LOGIN_HASH_SIZE];
    if (!browser_token(call, token))
        return STATUS_UNKNOWN;
    login_hash(token, strlen(token), hash);
    sodium_memzero(token, sizeof(token));
    return login_store_seek(store, hash, call->now_utc_ms, out, err);
}

void session_refuse(call_t *call)
{
    browser_refuse(call, OUTCOME_UNAUTHENTICATED, "You are not logged in",
                   "There is no session, or it has ended.");
}

status_t session_end(const call_t *call, store_t *writer, const login_session_t *session,
                     const char *client, const char *detail, err_t *err)
{
    const sso_session_t *shown = &session->shown;
    char event_id[UUID_SIZE];
    const event_note_t note = {.provider_id = shown->provider_id,
                               .kind = SSO_EVENT_LOGOUT,
                               .reason = SAML_NONE,
                               .client = client,
                               .name_id = shown->name_id,
                               .detail = detail};
    status_t status = login_store_end(writer, shown->id, err);
    return status == STATUS_OK ? event_store_add(writer, &note, call->now_utc_ms, event_id, err)
                               : status;
}
