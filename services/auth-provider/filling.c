#include "services/auth-provider/filling.h"

#include "common/clock.h"
#include "common/mem.h"
#include "proto/record.h"
#include "services/auth-provider/setup.h"

/* What an answer needs to get back to a client who waits for it, once a fetch has given up: this,
 * or a quarter of all the time the call has, if that is less. */
enum { ANSWER_MS = 250 };

static void release(void *prepared)
{
    filling_t *filling = prepared;
    metadata_clear(&filling->metadata);
}

static void free_bytes(char **bytes)
{
    mem_free(*bytes);
}

static status_t give(idp_settings_t *settings, unsigned row, const char *text, err_t *err)
{
    const field_t *field = &idp_settings_schema.rows[row];
    char *member = (char *)settings + field->offset;
    size_t length = strlen(text);
    if (text_copy(member, field->size, text, length) != STATUS_OK)
        return err_set(err, STATUS_TOO_LARGE, "metadata", "its %s is too long", field->name);
    const char *wrong = field->check == NULL ? NULL : field->check(text, length);
    if (wrong != NULL)
        return err_set(err, STATUS_INVALID, "metadata", "its %s %s", field->name, wrong);
    field_give(&settings->fields, row);
    return STATUS_OK;
}

status_t filling_settings(const metadata_t *metadata, idp_settings_t *out, err_t *err)
{
    const certificate_t *certificate = &metadata->certificates[0];
    idp_settings_t *settings = out;
    AUTO(free_bytes) char *pem = certificate_to_pem(certificate);
    const struct {
        unsigned row;
        const char *text;
    } texts[] = {
        {IDP_ENTITY_ID, metadata->entity_id},
        {IDP_SSO_TARGET_URL, metadata->sso_url},
        {IDP_CERT_FINGERPRINT, certificate->fingerprint},
        {IDP_CERTIFICATE, pem},
        {IDP_NAME_IDENTIFIER_FORMAT,
         idp_settings_schema.rows[IDP_NAME_IDENTIFIER_FORMAT].dflt_text},
        {IDP_SLO_TARGET_URL, metadata->slo_url},
    };
    size_t count = ARRAY_LEN(texts) - (metadata->slo_url[0] == '\0' ? 1 : 0);
    status_t status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = give(settings, texts[i].row, texts[i].text, err);
    settings->idp_cert_fingerprint_algorithm = FINGERPRINT_SHA256;
    field_give(&settings->fields, IDP_CERT_FINGERPRINT_ALGORITHM);
    settings->allow_idp_initiated = settings->allow_sha1_signatures = false;
    field_give(&settings->fields, IDP_ALLOW_IDP_INITIATED);
    field_give(&settings->fields, IDP_ALLOW_SHA1_SIGNATURES);
    return status;
}

static int64_t answer_ms(const call_t *call)
{
    int64_t quarter = (call->deadline_ms - call->received_ms) / 4;
    return quarter < ANSWER_MS ? quarter : ANSWER_MS;
}

/* The whole way from URL to settings. STATUS_BUSY: the host had less time than it should have,
 * since the call had waited here. */
static status_t get(const call_t *call, const char *settings_url, const char *entity_id,
                    filling_t *filling, err_t *err)
{
    AUTO(free_bytes) char *bytes = NULL;
    size_t length = 0;
    int64_t now = clock_ms(), left = call->deadline_ms - answer_ms(call) - now;
    bool has_waited = now - call->received_ms > answer_ms(call);
    status_t status = fetch_get(setup_fetcher(call), settings_url, left, &bytes, &length, err);
    if (status == STATUS_TIMEOUT && has_waited && left < FETCH_LIMIT_MS)
        return STATUS_BUSY;
    if (status == STATUS_OK)
        status = metadata_read(bytes, length, entity_id, call->now_utc_ms, &filling->metadata, err);
    return status == STATUS_OK ? filling_settings(&filling->metadata, &filling->settings, err)
                               : status;
}

void filling_prepare(call_t *call, const char *settings_url, const char *entity_id)
{
    const verdict_t good = {0};
    err_t err = {0};
    filling_t *filling = prepared_keep(call, STATUS_OK, &good, &err, sizeof(filling_t), release);
    if (filling == NULL)
        return;
    verdict_t *verdict = &filling->head.verdict;
    text_cut(filling->url, sizeof(filling->url), settings_url);
    status_t status = get(call, settings_url, entity_id, filling, &err);
    if (status == STATUS_OK)
        return;
    if (status == STATUS_BUSY) {
        verdict->outcome = OUTCOME_UNAVAILABLE;
        return;
    }
    if (text_format(filling->message, sizeof(filling->message), "cannot be used: %s", err.text) !=
        STATUS_OK)
        text_cut(filling->message, sizeof(filling->message), err.text);
    verdict_fault(verdict, OUTCOME_INVALID, FAULT_RULE, "/settings_url", filling->message);
}

const filling_t *filling_of(const call_t *call)
{
    return call->state;
}
