/* Must never: let a session live on because its identity provider can't be told. Next:
 * logout_ops.c. */
#include "services/auth-provider/sso/logout.h"

#include "common/mem.h"
#include "services/auth-provider/saml/message.h"
#include "services/auth-provider/saml/redirect.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/event_store.h"
#include "services/common/prepared.h"

#include <string.h>

typedef struct {
    prepared_t head;
    bool found;
    login_session_t session;
    login_request_t request;   /* what the identity provider is sent */
    char url[LOGOUT_URL_SIZE]; /* "": it is sent nothing */
} logout_t;

bool logout_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

bool logout_is_shared(const trust_t *trust)
{
    const idp_settings_t *settings = &trust->provider.settings;
    if (!field_set(&settings->fields, IDP_SLO_TARGET_URL))
        return false;
    for (size_t i = 0; i < trust->certificates.count; i++)
        if (!trust->certificates.items[i].retired)
            return true;
    return false;
}

static void make_request(const call_t *call, login_request_t *out)
{
    *out = (login_request_t){.kind = REQUEST_LOGOUT,
                             .expires_utc_ms = call->now_utc_ms + LOGIN_REQUEST_MS};
    message_new_id(out->id);
    login_secret(out->relay_state);
}

/* What can't be said in a URL is not said: the session ends all the same. */
static status_t make_url(const call_t *call, const trust_t *trust, logout_t *logout, err_t *err)
{
    const idp_settings_t *settings = &trust->provider.settings;
    const login_session_t *session = &logout->session;
    const logout_request_t message = {
        .id = logout->request.id,
        .now_utc_ms = call->now_utc_ms,
        .destination = settings->idp_slo_target_url,
        .sp_entity_id = settings->service_provider_entity_id,
        .name_id = session->shown.name_id,
        .name_id_format = session->shown.name_id_format,
        .name_qualifier = session->name_qualifier,
        .sp_name_qualifier = session->sp_name_qualifier,
        .session_index = session->session_index,
    };
    AUTO(mem_release) char *xml = mem_zalloc(MESSAGE_SIZE);
    if (message_logout_request(&message, xml, MESSAGE_SIZE) != STATUS_OK)
        return STATUS_OK;
    status_t status =
        redirect_url(settings->idp_slo_target_url, true, xml, logout->request.relay_state,
                     setup_signer(call), logout->url, sizeof(logout->url), err);
    return status == STATUS_TOO_LARGE ? STATUS_OK : status;
}

static status_t make_way(const call_t *call, store_t *reader, logout_t *logout, err_t *err)
{
    trust_t trust;
    status_t status = trust_by_name(reader, logout->session.shown.provider, setup_public_url(call),
                                    call->now_utc_ms, &trust, err);
    if (status == STATUS_UNKNOWN || status == STATUS_INVALID)
        return STATUS_OK; /* gone since, or no login is possible by it */
    if (status != STATUS_OK)
        return status;
    if (logout_is_shared(&trust)) {
        make_request(call, &logout->request);
        memcpy(logout->request.provider_id, trust.provider.id, UUID_SIZE);
        status = make_url(call, &trust, logout, err);
    }
    trust_clear(&trust);
    return status;
}

static status_t look_up(const call_t *call, store_t *reader, const char *token, logout_t *logout,
                        err_t *err)
{
    uint8_t hash[LOGIN_HASH_SIZE];
    login_hash(token, strlen(token), hash);
    status_t status = login_store_seek(reader, hash, call->now_utc_ms, &logout->session, err);
    if (status == STATUS_UNKNOWN)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    logout->found = true;
    return make_way(call, reader, logout, err);
}

void logout_prepare(call_t *call, store_t *reader, const char *token)
{
    const verdict_t good = {0};
    err_t err = {0};
    logout_t *logout = prepared_keep(call, STATUS_OK, &good, &err, sizeof(logout_t), NULL);
    if (logout != NULL && look_up(call, reader, token, logout, &err) != STATUS_OK)
        call_fail(call, &err);
}

static status_t note(call_t *call, store_t *writer, const login_session_t *session, err_t *err)
{
    const sso_head_t *head = call->head;
    char event_id[UUID_SIZE];
    const event_note_t event = {.provider_id = session->shown.provider_id,
                                .kind = SSO_EVENT_LOGOUT,
                                .reason = SAML_NONE,
                                .client = head->client,
                                .name_id = session->shown.name_id,
                                .detail = ""};
    return event_store_add(writer, &event, call->now_utc_ms, event_id, err);
}

status_t logout_commit(call_t *call, store_t *writer, const char **out_url, err_t *err)
{
    const logout_t *logout = call->state;
    if (logout == NULL || !logout->found)
        return STATUS_UNKNOWN;
    status_t status = login_store_end(writer, logout->session.shown.id, err);
    if (status == STATUS_OK)
        status = note(call, writer, &logout->session, err);
    if (status == STATUS_OK && logout->url[0] != '\0')
        status = login_store_ask(writer, &logout->request, err);
    if (status == STATUS_OK)
        *out_url = logout->url;
    return status;
}
