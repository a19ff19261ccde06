/* Certificates by hand: one that an identity provider will sign with is added before it does, one
 * that is trusted no more is retired at once. Next: refresh.c. */
#include "services/auth-provider/certificate_rows.h"
#include "services/auth-provider/certificate_store.h"
#include "services/auth-provider/provider_ops.h"
#include "services/auth-provider/sso/event_store.h"
#include "services/auth-provider/sso/login_store.h"
#include "services/auth-provider/sso/ops.h"
#include "services/common/list.h"

static status_t add_row(call_t *call, query_t *row, void *context, err_t *err)
{
    idp_certificate_t *certificate = context;
    status_t status = certificate_rows_read(row, certificate, err);
    if (status == STATUS_OK)
        call_list_add(call, certificate);
    return status;
}

void certificate_list(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    status_t status = provider_find(call, reader, &provider, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    idp_certificate_t certificate;
    AUTO(query_end) query_t *rows = certificate_rows_all(reader, provider.id);
    list_answer(call, rows, 0, 0, add_row, &certificate);
}

/* Answers it if status is OK, as it is stored now. */
static void finish(call_t *call, store_t *writer, const char *provider_id, const char *sha256,
                   status_t status, err_t *err)
{
    idp_certificate_t stored;
    if (status == STATUS_OK)
        status = certificate_rows_named(writer, provider_id, sha256, &stored, err);
    if (status == STATUS_OK)
        call_answer(call, &stored);
    else
        call_fail(call, err);
}

/* done: "added", "retired". */
static status_t note(const call_t *call, store_t *writer, const char *provider_id, const char *done,
                     const char *sha256, err_t *err)
{
    char detail[32 + FINGERPRINT_SIZE], id[UUID_SIZE];
    if (text_format(detail, sizeof(detail), "%s %s", done, sha256) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "certificate", "its fingerprint is too long");
    const event_note_t event = {.provider_id = provider_id,
                                .kind = SSO_EVENT_CERTIFICATE,
                                .reason = SAML_NONE,
                                .client = "",
                                .name_id = "",
                                .detail = detail};
    return event_store_add(writer, &event, call->now_utc_ms, id, err);
}

static void judge_key(const certificate_t *certificate, verdict_t *out)
{
    const char *flaw = certificate_key_flaw(certificate);
    if (flaw != NULL)
        verdict_fault(out, OUTCOME_INVALID, FAULT_RULE, "/certificate", flaw);
}

/* One that is live already takes no room. */
static status_t judge_room(store_t *writer, const char *provider_id,
                           const certificate_t *certificate, verdict_t *out, err_t *err)
{
    idp_certificate_t stored;
    int64_t live = 0;
    status_t status =
        certificate_rows_named(writer, provider_id, certificate->fingerprint, &stored, err);
    if (status == STATUS_OK && !field_set(&stored.fields, IDP_CERT_RETIRED_AT))
        return STATUS_OK;
    if (status == STATUS_OK || status == STATUS_UNKNOWN)
        status = certificate_rows_live(writer, provider_id, &live, err);
    if (status == STATUS_OK && live >= CERTIFICATES_GIVEN_MAX)
        verdict_fault(out, OUTCOME_CONFLICT, FAULT_RULE, "/certificate",
                      "would be one too many: 16 are live; retire one first");
    return status;
}

void certificate_add(call_t *call, store_t *writer)
{
    const idp_certificate_t *body = call->body;
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    AUTO(certificate_clear) certificate_t certificate = {0};
    status_t status = provider_find(call, writer, &provider, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    const char *text = body->certificate;
    if (certificate_from_text(text, strlen(text), &certificate) != STATUS_OK)
        verdict_fault(&verdict, OUTCOME_INVALID, FAULT_FORMAT, "/certificate",
                      "must be one X.509 certificate in PEM, or its bare base64");
    else
        judge_key(&certificate, &verdict);
    if (verdict.outcome == OUTCOME_OK)
        status = judge_room(writer, provider.id, &certificate, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    status = certificate_rows_add(writer, provider.id, CERTIFICATE_GIVEN, &certificate, &err);
    if (status == STATUS_OK)
        status = note(call, writer, provider.id, "added", certificate.fingerprint, &err);
    finish(call, writer, provider.id, certificate.fingerprint, status, &err);
}

/* Those of other providers are not there. */
static status_t find(const call_t *call, store_t *writer, provider_t *provider,
                     idp_certificate_t *out, verdict_t *verdict, err_t *err)
{
    const idp_certificate_path_t *path = call->path;
    char id[UUID_SIZE];
    status_t status = provider_find(call, writer, provider, verdict, err);
    if (status != STATUS_OK || verdict->outcome != OUTCOME_OK)
        return status;
    uuid_fold(id, path->certificate_id);
    status = certificate_rows_get(writer, provider->id, id, out, err);
    return verdict_on_found(call, status, provider->organization_id, verdict);
}

/* Whoever retires one by hand does not trust it: nor those who came by it. */
static status_t retire(const call_t *call, store_t *writer, const provider_t *provider,
                       const idp_certificate_t *certificate, err_t *err)
{
    status_t status = certificate_rows_retire(writer, certificate->id, call->now_utc_ms, err);
    if (status == STATUS_OK)
        status = certificate_store_forget(writer, provider->id, &provider->settings, err);
    if (status == STATUS_OK)
        status = login_store_end_all(writer, provider->id, err);
    return status == STATUS_OK
               ? note(call, writer, provider->id, "retired", certificate->fingerprint_sha256, err)
               : status;
}

void certificate_retire(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    provider_t provider;
    idp_certificate_t stored = {.fields = {0}};
    status_t status = find(call, writer, &provider, &stored, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (!field_set(&stored.fields, IDP_CERT_RETIRED_AT))
        status = retire(call, writer, &provider, &stored, &err);
    finish(call, writer, provider.id, stored.fingerprint_sha256, status, &err);
}
