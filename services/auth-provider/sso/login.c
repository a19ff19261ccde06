/* Must never: write before every check has passed, but for the event. Next: login_store.c. */
#include "services/auth-provider/sso/login.h"

#include "proto/packed.h"
#include "services/auth-provider/certificate_rows.h"
#include "services/auth-provider/sso/event_store.h"
#include "services/common/worker_metrics.h"

#include <string.h>

/* A login while it is judged. */
typedef struct {
    const login_t *login;
    store_t *writer;
    certificate_t certificate; /* whose key signed */
    bool learns;               /* it is to be remembered */
    login_request_t request;   /* "": nobody asked */
    err_t *err;
} judging_t;

/* ---- what must still be so ---- */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Of the settings that the Response was verified by; that others have changed does not matter. */
static saml_reason_t compare(const provider_t *then, const provider_t *now, bool by_fingerprint)
{
    const idp_settings_t *before = &then->settings, *after = &now->settings;
    if (!now->active)
        return SAML_PROVIDER_INACTIVE;
    if (!same_text(before->idp_entity_id, after->idp_entity_id))
        return SAML_ISSUER_MISMATCH;
    if (!same_text(then->short_name, now->short_name))
        return SAML_DESTINATION_MISMATCH;
    if (before->allow_sha1_signatures && !after->allow_sha1_signatures)
        return SAML_SHA1_REFUSED;
    if (by_fingerprint &&
        (!same_text(before->idp_cert_fingerprint, after->idp_cert_fingerprint) ||
         before->idp_cert_fingerprint_algorithm != after->idp_cert_fingerprint_algorithm))
        return SAML_CERTIFICATE_UNKNOWN;
    return SAML_NONE;
}

/* Whether the key is trusted still. */
static status_t judge_certificate(judging_t *judging, saml_reason_t *out)
{
    const saml_claims_t *claims = judging->login->claims;
    certificate_standing_t standing = CERTIFICATE_NONE;
    if (certificate_from_der(claims->certificate, claims->certificate_length,
                             &judging->certificate) != STATUS_OK) {
        *out = SAML_CERTIFICATE_MALFORMED;
        return STATUS_OK;
    }
    status_t status =
        certificate_rows_standing(judging->writer, judging->login->trust->provider.id,
                                  judging->certificate.fingerprint, &standing, judging->err);
    if (standing == CERTIFICATE_IS_RETIRED)
        *out = SAML_CERTIFICATE_RETIRED;
    else if (standing == CERTIFICATE_NONE && !claims->by_fingerprint)
        *out = SAML_CERTIFICATE_UNKNOWN;
    judging->learns = standing == CERTIFICATE_NONE;
    return status;
}

static status_t judge_trust(judging_t *judging, const provider_t *now, saml_reason_t *out)
{
    const login_t *login = judging->login;
    *out = compare(&login->trust->provider, now, login->claims->by_fingerprint);
    return *out == SAML_NONE ? judge_certificate(judging, out) : STATUS_OK;
}

/* Time has passed since: an assertion that is too old may have been forgotten already. */
static saml_reason_t judge_times(const login_t *login)
{
    const saml_claims_t *claims = login->claims;
    if (claims->replay_until_utc_ms <= login->now_utc_ms)
        return SAML_CONFIRMATION_EXPIRED;
    if (claims->session_until_utc_ms != 0 && claims->session_until_utc_ms <= login->now_utc_ms)
        return SAML_SESSION_EXPIRED;
    return SAML_NONE;
}

static status_t judge_request(judging_t *judging, const provider_t *now, saml_reason_t *out)
{
    const login_t *login = judging->login;
    const login_answer_t answer = {.kind = REQUEST_LOGIN,
                                   .provider_id = login->trust->provider.id,
                                   .id = login->claims->in_response_to,
                                   .browser = login->browser,
                                   .relay_state = login->relay_state};
    if (answer.id[0] != '\0')
        return login_store_find(judging->writer, &answer, login->now_utc_ms, &judging->request, out,
                                judging->err);
    if (!now->settings.allow_idp_initiated)
        *out = SAML_IDP_INITIATED;
    return STATUS_OK;
}

/* All that must hold; the last check remembers the assertion, if nothing else stands against it. */
static status_t judge(judging_t *judging, const provider_t *now, saml_reason_t *out)
{
    const login_t *login = judging->login;
    status_t status = judge_trust(judging, now, out);
    if (status == STATUS_OK && *out == SAML_NONE)
        *out = judge_times(login);
    if (status == STATUS_OK && *out == SAML_NONE)
        status = judge_request(judging, now, out);
    if (status == STATUS_OK && *out == SAML_NONE)
        status = login_store_use(judging->writer, now->short_name, login->claims->assertion_id,
                                 login->claims->replay_until_utc_ms, out, judging->err);
    return status;
}

/* ---- what comes of it ---- */

/* What the claims leave out is none. */
static packed_t or_empty(const packed_t *packed, uint8_t empty)
{
    packed_t none = {.length = 1};
    none.bytes[0] = (char)empty;
    return packed->length == 0 ? none : *packed;
}

static void describe(const login_t *login, const provider_t *provider, login_session_t *out)
{
    static const unsigned given[] = {
        SSO_SESSION_ID,      SSO_SESSION_ATTRIBUTES,      SSO_SESSION_AUTHENTICATED_AT,
        SSO_SESSION_GROUPS,  SSO_SESSION_EXPIRES_AT,      SSO_SESSION_NAME_ID,
        SSO_SESSION_TOKEN,   SSO_SESSION_ORGANIZATION_ID, SSO_SESSION_PROVIDER_ID,
        SSO_SESSION_PROVIDER};
    const saml_claims_t *claims = login->claims;
    sso_session_t *shown = &out->shown;
    int64_t until = login->now_utc_ms + login->session_ms;
    bool sooner = claims->session_until_utc_ms != 0 && claims->session_until_utc_ms < until;
    *out = (login_session_t){.created_utc_ms = login->now_utc_ms};
    uuid_new(shown->id);
    login_secret(shown->token);
    shown->attributes = or_empty(&claims->attributes, 0x80); /* msgpack's empty map */
    shown->groups = or_empty(&claims->groups, 0x90);         /* and array */
    shown->authenticated_at = claims->authn_instant_utc_ms;
    shown->expires_at = sooner ? claims->session_until_utc_ms : until;
    text_cut(shown->name_id, sizeof(shown->name_id), claims->name_id);
    text_cut(shown->name_id_format, sizeof(shown->name_id_format), claims->name_id_format);
    text_cut(shown->organization_id, UUID_SIZE, provider->organization_id);
    text_cut(shown->provider_id, UUID_SIZE, provider->id);
    text_cut(shown->provider, sizeof(shown->provider), provider->short_name);
    text_cut(out->name_qualifier, sizeof(out->name_qualifier), claims->name_qualifier);
    text_cut(out->sp_name_qualifier, sizeof(out->sp_name_qualifier), claims->sp_name_qualifier);
    text_cut(out->session_index, sizeof(out->session_index), claims->session_index);
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        field_give(&shown->fields, given[i]);
    if (shown->name_id_format[0] != '\0')
        field_give(&shown->fields, SSO_SESSION_NAME_ID_FORMAT);
    else
        field_give_null(&shown->fields, SSO_SESSION_NAME_ID_FORMAT);
}

static status_t learn(judging_t *judging, const provider_t *provider)
{
    const certificate_t *certificate = &judging->certificate;
    char detail[32 + FINGERPRINT_SIZE], event_id[UUID_SIZE];
    if (!judging->learns)
        return STATUS_OK;
    status_t status = certificate_rows_add(judging->writer, provider->id, CERTIFICATE_LEARNED,
                                           certificate, judging->err);
    if (status != STATUS_OK ||
        text_format(detail, sizeof(detail), "learned %s", certificate->fingerprint) != STATUS_OK)
        return status;
    const event_note_t note = {.provider_id = provider->id,
                               .kind = SSO_EVENT_CERTIFICATE,
                               .reason = SAML_NONE,
                               .client = judging->login->client,
                               .name_id = "",
                               .detail = detail};
    return event_store_add(judging->writer, &note, judging->login->now_utc_ms, event_id,
                           judging->err);
}

static status_t begin(judging_t *judging, const provider_t *provider, login_session_t *out)
{
    uint8_t token[LOGIN_HASH_SIZE];
    describe(judging->login, provider, out);
    login_hash(out->shown.token, strlen(out->shown.token), token);
    status_t status = STATUS_OK;
    if (judging->request.id[0] != '\0')
        status = login_store_spend(judging->writer, &judging->request, judging->login->now_utc_ms,
                                   judging->err);
    if (status == STATUS_OK)
        status = login_store_begin(judging->writer, out, token, judging->err);
    return status == STATUS_OK ? learn(judging, provider) : status;
}

static void count(saml_reason_t reason)
{
    if (reason == SAML_NONE)
        metric_add(&worker_metric_sso_logins, 0, 1);
    else
        metric_add(&worker_metric_sso_denials, (size_t)reason, 1);
}

static status_t note(judging_t *judging, saml_reason_t reason, char out_id[UUID_SIZE])
{
    const login_t *login = judging->login;
    const event_note_t event = {.provider_id = login->trust->provider.id,
                                .kind = SSO_EVENT_LOGIN,
                                .reason = reason,
                                .client = login->client,
                                .name_id = reason == SAML_NONE ? login->claims->name_id : "",
                                .detail = saml_reason_message(reason)};
    status_t status =
        event_store_add(judging->writer, &event, login->now_utc_ms, out_id, judging->err);
    if (status == STATUS_OK)
        count(reason);
    return status;
}

status_t login_commit(store_t *writer, const login_t *login, login_result_t *out, err_t *err)
{
    judging_t judging = {.login = login, .writer = writer, .err = err};
    provider_t provider;
    saml_reason_t reason = SAML_NONE;
    status_t status = provider_store_get(writer, login->trust->provider.id, &provider, err);
    if (status == STATUS_OK)
        status = judge(&judging, &provider, &reason);
    if (status == STATUS_OK && reason == SAML_NONE) {
        status = begin(&judging, &provider, &out->session);
        text_cut(out->return_to, sizeof(out->return_to), judging.request.return_to);
    }
    if (status == STATUS_OK)
        status = note(&judging, reason, out->event_id);
    out->reason = reason;
    certificate_clear(&judging.certificate);
    return status;
}

status_t login_deny(store_t *writer, const char *provider_id, saml_reason_t reason,
                    const char *detail, const char *client, int64_t now_utc_ms,
                    char out_event_id[UUID_SIZE], err_t *err)
{
    const event_note_t event = {.provider_id = provider_id,
                                .kind = SSO_EVENT_LOGIN,
                                .reason = reason,
                                .client = client,
                                .name_id = "",
                                .detail = detail};
    status_t status = event_store_add(writer, &event, now_utc_ms, out_event_id, err);
    if (status == STATUS_OK)
        count(reason);
    return status == STATUS_CONFLICT ? STATUS_UNKNOWN : status;
}
