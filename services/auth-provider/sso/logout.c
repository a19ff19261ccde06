/* Must never: let a session live on because its identity provider can't be told. Next:
 * logout_ops.c. */
#include "services/auth-provider/sso/logout.h"

#include "common/mem.h"
#include "services/auth-provider/saml/message.h"
#include "services/auth-provider/saml/redirect.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/session.h"
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

/* Whether the provider takes part: it has a URL for that, and a certificate that stands. */
static bool is_shared(const trust_t *trust)
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

/* What can't be said (too long for a URL, say) is not said: the session ends all the same. */
static void make_url(const call_t *call, const trust_t *trust, logout_t *logout)
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
    if (message_logout_request(&message, xml, MESSAGE_SIZE) != STATUS_OK ||
        redirect_url(settings->idp_slo_target_url, true, xml, logout->request.relay_state,
                     setup_signer(call), logout->url, sizeof(logout->url), NULL) != STATUS_OK)
        logout->url[0] = '\0';
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
    if (is_shared(&trust)) {
        make_request(call, &logout->request);
        memcpy(logout->request.provider_id, trust.provider.id, UUID_SIZE);
        make_url(call, &trust, logout);
    }
    trust_clear(&trust);
    return status;
}

void logout_prepare(call_t *call, store_t *reader)
{
    const verdict_t good = {0};
    err_t err = {0};
    logout_t *logout = prepared_keep(call, STATUS_OK, &good, &err, sizeof(logout_t), NULL);
    if (logout == NULL)
        return;
    status_t status = session_find(call, reader, &logout->session, &err);
    logout->found = status == STATUS_OK;
    if (logout->found)
        status = make_way(call, reader, logout, &err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        call_fail(call, &err);
}

status_t logout_commit(const call_t *call, store_t *writer, const char **out_url, err_t *err)
{
    const logout_t *logout = call->state;
    if (logout == NULL || !logout->found)
        return STATUS_UNKNOWN;
    const sso_head_t *head = call->head;
    status_t status = session_end(call, writer, &logout->session, head->client, "", err);
    if (status == STATUS_OK && logout->url[0] != '\0')
        status = login_store_ask(writer, &logout->request, err);
    if (status == STATUS_OK)
        *out_url = logout->url;
    return status;
}
