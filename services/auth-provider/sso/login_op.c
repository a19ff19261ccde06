/* How a login begins, and what the identity provider has to know for it. Must never: use the Host
 * header, which anybody sets. Next: consume_op.c. */
#include "common/mem.h"
#include "proto/checks.h"
#include "services/auth-provider/provider_store.h"
#include "services/auth-provider/provider_view.h"
#include "services/auth-provider/saml/message.h"
#include "services/auth-provider/saml/redirect.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/browser.h"
#include "services/auth-provider/sso/ops.h"
#include "services/common/prepared.h"

#include <string.h>

enum {
    LOGIN_URL_SIZE = 64 * 1024, /* a target's own URL, and an AuthnRequest that is encoded */
};

/* The provider that the path names, as answers show it. False: the call has been answered. */
static bool find(call_t *call, store_t *store, provider_t *out)
{
    const sso_path_t *path = call->path;
    char id[UUID_SIZE];
    err_t err = {0};
    status_t status = provider_store_named(store, path->short_name, id, &err);
    if (status == STATUS_OK)
        status = provider_store_get(store, id, out, &err);
    if (status == STATUS_UNKNOWN)
        browser_refuse_unknown(call);
    else if (status != STATUS_OK)
        call_fail(call, &err);
    else
        provider_view(out, setup_public_url(call), call->now_utc_ms);
    return status == STATUS_OK;
}

static void answer_metadata(call_t *call, const provider_t *provider, err_t *err)
{
    const idp_settings_t *settings = &provider->settings;
    const signer_t *signer = setup_signer(call);
    AUTO(mem_release) char *xml = mem_zalloc(MESSAGE_SIZE);
    char slo_url[PROVIDER_DERIVED_MAX + 1];
    bool logs_out =
        field_set(&settings->fields, IDP_SLO_TARGET_URL) &&
        provider_logout_url(provider->short_name, setup_public_url(call), slo_url) == STATUS_OK;
    status_t status = message_metadata(
        settings->service_provider_entity_id, settings->assertion_consumer_service_url,
        logs_out ? slo_url : NULL, settings->name_identifier_format,
        signer == NULL ? NULL : signer_certificate(signer), xml, MESSAGE_SIZE);
    if (status == STATUS_OK) {
        call_document(call, MEDIA_SAML_METADATA, xml, strlen(xml));
        return;
    }
    (void)err_set(err, status, "metadata", "can't be written");
    call_fail(call, err);
}

/* Of inactive providers too: metadata is exchanged before anybody logs in. */
void sso_metadata(call_t *call, store_t *reader)
{
    err_t err = {0};
    provider_t provider;
    if (find(call, reader, &provider))
        answer_metadata(call, &provider, &err);
}

/* What was made before the write. */
typedef struct {
    prepared_t head;
    char secret[SSO_TOKEN_SIZE]; /* the browser's */
    login_request_t request;
    char url[LOGIN_URL_SIZE]; /* where the browser goes on */
} asking_t;

static status_t make_url(const call_t *call, const provider_t *provider, asking_t *asking,
                         err_t *err)
{
    const idp_settings_t *settings = &provider->settings;
    const authn_request_t asked = {
        .id = asking->request.id,
        .now_utc_ms = call->now_utc_ms,
        .destination = settings->idp_sso_target_url,
        .acs_url = settings->assertion_consumer_service_url,
        .sp_entity_id = settings->service_provider_entity_id,
        .name_id_format = settings->name_identifier_format,
    };
    AUTO(mem_release) char *xml = mem_zalloc(MESSAGE_SIZE);
    status_t status = message_authn_request(&asked, xml, MESSAGE_SIZE);
    if (status != STATUS_OK)
        return err_set(err, status, "AuthnRequest", "can't be written");
    return redirect_url(asked.destination, true, xml, asking->request.relay_state,
                        setup_signer(call), asking->url, sizeof(asking->url), err);
}

/* The browser keeps the secret that it has: several logins at a time are of one browser. */
static void make_secret(const call_t *call, char out[SSO_TOKEN_SIZE])
{
    if (!browser_cookie(call, COOKIE_LOGIN, out))
        login_secret(out);
}

static status_t ask(call_t *call, const provider_t *provider, err_t *err)
{
    const sso_login_query_t *query = call->query;
    const verdict_t good = {0};
    asking_t *asking = prepared_keep(call, STATUS_OK, &good, err, sizeof(*asking), NULL);
    login_request_t *request = &asking->request;
    request->expires_utc_ms = call->now_utc_ms + LOGIN_REQUEST_MS;
    message_new_id(request->id);
    memcpy(request->provider_id, provider->id, sizeof(request->provider_id));
    login_secret(request->relay_state);
    make_secret(call, asking->secret);
    login_hash(asking->secret, strlen(asking->secret), request->browser);
    memcpy(request->return_to, query->return_to, sizeof(request->return_to));
    return make_url(call, provider, asking, err);
}

/* Only a signature is worth a way through the slow pool. */
bool sso_login_is_slow(const call_t *call)
{
    return setup_signer(call) != NULL;
}

void sso_login_prepare(call_t *call, store_t *reader)
{
    const sso_login_query_t *query = call->query;
    err_t err = {0};
    provider_t provider;
    if (!browser_may_log_in(call) || !find(call, reader, &provider))
        return;
    if (!provider.active)
        browser_refuse_inactive(call);
    else if (field_set(&query->fields, SSO_LOGIN_RETURN_TO) &&
             check_local_path(query->return_to, strlen(query->return_to)) != NULL)
        browser_refuse(call, OUTCOME_BAD_QUERY, "No such way back",
                       "After a login you can go on to a path of this site, and nowhere else.");
    else if (ask(call, &provider, &err) != STATUS_OK)
        call_fail(call, &err);
}

static status_t commit(call_t *call, store_t *writer, const asking_t *asking, err_t *err)
{
    provider_t provider;
    status_t status = provider_store_get(writer, asking->request.provider_id, &provider, err);
    if (status == STATUS_OK && !provider.active) {
        browser_refuse_inactive(call);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = login_store_ask(writer, &asking->request, err);
    if (status != STATUS_OK)
        return status;
    browser_set_cookie(call, COOKIE_LOGIN, asking->secret);
    status = call_elsewhere(call, asking->url);
    return status == STATUS_OK ? status
                               : err_set(err, status, "idp_sso_target_url", "can't be gone to");
}

/* What was prepared may be of a provider that has changed since: the answer is judged by what it is
 * then. */
void sso_login(call_t *call, store_t *writer)
{
    err_t err = {0};
    if (call->state == NULL)
        sso_login_prepare(call, writer);
    if (call->answered)
        return;
    status_t status = commit(call, writer, call->state, &err);
    if (status == STATUS_UNKNOWN)
        browser_refuse_unknown(call);
    else if (status != STATUS_OK)
        call_fail(call, &err);
}
