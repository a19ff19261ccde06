/* What an identity provider says about log-out, in a URL that a browser brings: the answer to our
 * request, or a request of its own. Must never: end a session over a message that is not signed,
 * not fresh, or not the first of its ID; nor the session of another person, or of another provider.
 * Next: login_store.c. */
#include "common/mem.h"
#include "services/auth-provider/provider_view.h"
#include "services/auth-provider/saml/logout_message.h"
#include "services/auth-provider/saml/message.h"
#include "services/auth-provider/saml/redirect.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/browser.h"
#include "services/auth-provider/sso/event_store.h"
#include "services/auth-provider/sso/logout.h"
#include "services/auth-provider/sso/ops.h"
#include "services/common/prepared.h"

#include <string.h>

typedef struct {
    prepared_t head;
    bool found;           /* the provider */
    saml_reason_t reason; /* SAML_NONE: the message is good in itself */
    const char *detail;   /* static */
    bool is_request;
    trust_t trust;
    char relay_state[SAML_RELAY_STATE_MAX + 1];
    logout_message_t message;
    char url[LOGOUT_URL_SIZE]; /* where our answer to a request goes */
} received_t;

/* ---- before the transaction ---- */

static status_t make_answer(const call_t *call, const trust_t *trust, bool has_relay_state,
                            received_t *received, err_t *err)
{
    const idp_settings_t *settings = &trust->provider.settings;
    char id[MESSAGE_ID_SIZE];
    AUTO(mem_release) char *xml = mem_zalloc(MESSAGE_SIZE);
    message_new_id(id);
    status_t status = message_logout_response(id, call->now_utc_ms, settings->idp_slo_target_url,
                                              settings->service_provider_entity_id,
                                              received->message.id, true, xml, MESSAGE_SIZE);
    if (status != STATUS_OK)
        return err_set(err, status, "LogoutResponse", "can't be written");
    return redirect_url(settings->idp_slo_target_url, false, xml,
                        has_relay_state ? received->relay_state : NULL, setup_signer(call),
                        received->url, sizeof(received->url), err);
}

static saml_reason_t read_message(const call_t *call, const trust_t *trust,
                                  const redirect_message_t *came, received_t *received)
{
    char destination[PROVIDER_DERIVED_MAX + 1];
    if (provider_logout_url(trust->provider.short_name, setup_public_url(call), destination) !=
        STATUS_OK)
        return SAML_DESTINATION_MISMATCH;
    const logout_expect_t expect = {.idp_entity_id = trust->expect.idp_entity_id,
                                    .destination = destination,
                                    .now_utc_ms = call->now_utc_ms,
                                    .skew_ms = trust->expect.skew_ms};
    received->is_request = came->is_request;
    memcpy(received->relay_state, came->relay_state, sizeof(came->relay_state));
    return logout_message_read(&expect, came->is_request, came->xml, came->length,
                               &received->message);
}

static void receive(const call_t *call, const trust_t *trust, received_t *received)
{
    const sso_head_t *head = call->head;
    const saml_expect_t *expect = &trust->expect;
    AUTO(redirect_clear) redirect_message_t came = {0};
    err_t err = {0};
    received->detail = "";
    if (!trust->provider.active) {
        received->reason = SAML_PROVIDER_INACTIVE;
    } else if (!field_set(&trust->provider.settings.fields, IDP_SLO_TARGET_URL)) {
        received->reason = SAML_LOGOUT_MESSAGE;
        received->detail = "the provider has no idp_slo_target_url";
    } else {
        received->reason = redirect_read(head->query, expect->certificates,
                                         expect->certificate_count, expect->allow_sha1, &came);
        if (received->reason == SAML_NONE)
            received->reason = read_message(call, trust, &came, received);
        if (received->reason == SAML_NONE && came.is_request &&
            make_answer(call, trust, came.has_relay_state, received, &err) != STATUS_OK) {
            received->reason = SAML_VALUE_TOO_LONG;
            received->detail = "no answer can be made that fits into a URL";
        }
    }
}

bool sso_logout_message_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

static void release(void *prepared)
{
    received_t *received = prepared;
    if (received->found)
        trust_clear(&received->trust);
}

void sso_logout_message_prepare(call_t *call, store_t *reader)
{
    const sso_path_t *path = call->path;
    const verdict_t good = {0};
    err_t err = {0};
    received_t *received = prepared_keep(call, STATUS_OK, &good, &err, sizeof(received_t), release);
    if (received == NULL)
        return;
    status_t status = trust_by_name(reader, path->short_name, setup_public_url(call),
                                    call->now_utc_ms, &received->trust, &err);
    received->found = status == STATUS_OK;
    if (received->found)
        receive(call, &received->trust, received);
    else if (status != STATUS_UNKNOWN)
        call_fail(call, &err);
}

/* ---- in the transaction ---- */

static status_t note(const call_t *call, store_t *writer, const received_t *received,
                     saml_reason_t reason, const char *name_id, char out_event_id[UUID_SIZE],
                     err_t *err)
{
    const sso_head_t *head = call->head;
    const event_note_t event = {.provider_id = received->trust.provider.id,
                                .kind = SSO_EVENT_LOGOUT,
                                .reason = reason,
                                .client = head->client,
                                .name_id = name_id,
                                .detail = received->detail};
    return event_store_add(writer, &event, call->now_utc_ms, out_event_id, err);
}

static void deny(call_t *call, store_t *writer, const received_t *received, saml_reason_t reason,
                 err_t *err)
{
    char event_id[UUID_SIZE];
    status_t status = note(call, writer, received, reason, "", event_id, err);
    if (status == STATUS_CONFLICT)
        browser_refuse_unknown(call); /* the provider is gone since */
    else if (status != STATUS_OK)
        call_fail(call, err);
    else
        browser_fail(call, OUTCOME_DENIED, "The log-out failed", event_id);
}

static void go_on(call_t *call, store_t *writer, const received_t *received, status_t status,
                  saml_reason_t reason, const char *url, err_t *err)
{
    char event_id[UUID_SIZE];
    if (status == STATUS_OK)
        status = note(call, writer, received, reason, received->message.name_id, event_id, err);
    if (status == STATUS_OK && (status = call_elsewhere(call, url)) != STATUS_OK)
        (void)err_set(err, status, "idp_slo_target_url", "can't be gone to");
    if (status != STATUS_OK)
        call_fail(call, err);
}

static status_t end_sessions(store_t *writer, const received_t *received, err_t *err)
{
    const logout_message_t *message = &received->message;
    const login_name_t name = {.name_id = message->name_id,
                               .format = message->name_id_format,
                               .name_qualifier = message->name_qualifier,
                               .sp_name_qualifier = message->sp_name_qualifier,
                               .idp_entity_id = received->trust.expect.idp_entity_id,
                               .sp_entity_id = received->trust.expect.sp_entity_id};
    if (message->index_count == 0)
        return login_store_end_named(writer, received->trust.provider.id, &name, "", NULL, err);
    status_t status = STATUS_OK;
    for (size_t i = 0; i < message->index_count && status == STATUS_OK; i++)
        status = login_store_end_named(writer, received->trust.provider.id, &name,
                                       message->indexes[i], NULL, err);
    return status;
}

/* A person who has no session here any more is logged out as well. */
static void take_request(call_t *call, store_t *writer, const received_t *received, err_t *err)
{
    const logout_message_t *message = &received->message;
    saml_reason_t reason = SAML_NONE;
    if (message->until_utc_ms <= call->now_utc_ms) {
        deny(call, writer, received, SAML_LOGOUT_EXPIRED, err); /* it has waited too long */
        return;
    }
    status_t status = login_store_use(writer, received->trust.provider.short_name, message->id,
                                      message->until_utc_ms, &reason, err);
    if (status == STATUS_OK && reason != SAML_NONE) {
        deny(call, writer, received, reason, err);
        return;
    }
    if (status == STATUS_OK)
        status = end_sessions(writer, received, err);
    go_on(call, writer, received, status, SAML_NONE, received->url, err);
}

static void take_answer(call_t *call, store_t *writer, const received_t *received, err_t *err)
{
    const login_answer_t answer = {.kind = REQUEST_LOGOUT,
                                   .provider_id = received->trust.provider.id,
                                   .id = received->message.in_response_to,
                                   .relay_state = received->relay_state};
    login_request_t request;
    saml_reason_t reason = SAML_REQUEST_UNKNOWN;
    status_t status = login_store_find(writer, &answer, call->now_utc_ms, &request, &reason, err);
    if (status == STATUS_OK && reason != SAML_NONE) {
        deny(call, writer, received, reason, err);
        return;
    }
    if (status == STATUS_OK)
        status = login_store_spend(writer, &request, call->now_utc_ms, err);
    bool done = received->message.success;
    go_on(call, writer, received, status, done ? SAML_NONE : SAML_STATUS,
          done ? "../../logged-out?identity_provider=logged_out"
               : "../../logged-out?identity_provider=not_logged_out",
          err);
}

void sso_logout_message(call_t *call, store_t *writer)
{
    const received_t *received = call->state;
    err_t err = {0};
    if (received == NULL || !received->found)
        browser_refuse_unknown(call);
    else if (received->reason != SAML_NONE)
        deny(call, writer, received, received->reason, &err);
    else if (received->is_request)
        take_request(call, writer, received, &err);
    else
        take_answer(call, writer, received, &err);
}
