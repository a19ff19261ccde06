/* Must never: retire what somebody has given, or bring back what somebody has retired. */
#include "services/auth-provider/sso/refresh.h"

#include "common/mem.h"
#include "services/auth-provider/certificate_rows.h"
#include "services/auth-provider/certificate_store.h"
#include "services/auth-provider/provider_store.h"
#include "services/auth-provider/sql.h"
#include "services/auth-provider/sso/event_store.h"

#include <sodium.h>
#include <string.h>

enum {
    ROWS_MAX = CERTIFICATES_LIVE_MAX + CERTIFICATES_RETIRED_MAX,
    DAY_S = 24 * 60 * 60,
    JITTER_PART = 8,
};

/* A certificate as it is stored. */
typedef struct {
    char id[UUID_SIZE];
    char sha256[FINGERPRINT_SIZE];
    int64_t missing_since;
    bool of_metadata, is_retired, is_missing;
    bool is_settings; /* it has the settings' fingerprint */
} row_t;

typedef struct {
    store_t *writer;
    const provider_t *provider;
    const metadata_t *metadata;
    int64_t now_utc_ms, grace_ms;
    err_t *err;
    size_t count;
    row_t rows[ROWS_MAX];
    unsigned added, vanished, returned, retired;
    bool new_urls, new_settings_certificate;
} work_t;

/* ---- When ---- */

static int64_t period_ms(const setup_t *setup)
{
    return 1000 * (setup->metadata_refresh_s > 0 ? setup->metadata_refresh_s : DAY_S);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t refresh_pause_ms(const setup_t *setup, const metadata_t *metadata, int64_t now_utc_ms)
{
    int64_t period = period_ms(setup);
    uint32_t spread = (uint32_t)least(period / JITTER_PART, UINT32_MAX);
    int64_t pause = period - (int64_t)randombytes_uniform(spread + 1);
    if (metadata->fresh_until_ms == INT64_MAX)
        return pause;
    int64_t fresh = metadata->fresh_until_ms - now_utc_ms;
    return least(pause, fresh > REFRESH_SOONEST_MS ? fresh : REFRESH_SOONEST_MS);
}

int64_t refresh_retry_ms(const setup_t *setup, int64_t refreshed_utc_ms, int64_t now_utc_ms)
{
    int64_t period = period_ms(setup);
    int64_t overdue = now_utc_ms - refreshed_utc_ms - period;
    return least(overdue > REFRESH_RETRY_MS ? overdue : REFRESH_RETRY_MS, period);
}

status_t refresh_schedule(store_t *writer, const setup_t *setup, const char *provider_id,
                          const metadata_t *metadata, int64_t now_utc_ms, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_PROVIDER_REFRESHED);
    query_number(query, 1, now_utc_ms + refresh_pause_ms(setup, metadata, now_utc_ms));
    query_number(query, 2, now_utc_ms);
    query_text(query, 3, provider_id);
    return query_run(query, NULL, err);
}

status_t refresh_stop(store_t *writer, const char *provider_id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_PROVIDER_PUT_OFF);
    query_null(query, 1);
    query_text(query, 2, provider_id);
    return query_run(query, NULL, err);
}

static status_t note(store_t *writer, const char *provider_id, saml_reason_t reason,
                     const char *detail, int64_t now_utc_ms, err_t *err)
{
    char id[UUID_SIZE];
    const event_note_t what = {.provider_id = provider_id,
                               .kind = SSO_EVENT_REFRESH,
                               .reason = reason,
                               .client = "",
                               .name_id = "",
                               .detail = detail};
    return event_store_add(writer, &what, now_utc_ms, id, err);
}

status_t refresh_fail(store_t *writer, const setup_t *setup, const char *provider_id,
                      saml_reason_t reason, const char *why, int64_t now_utc_ms, err_t *err)
{
    int64_t refreshed = now_utc_ms;
    AUTO(query_end) query_t *last = store_query(writer, SQL_PROVIDER_REFRESHED_AT);
    query_text(last, 1, provider_id);
    status_t status = query_read_number(last, &refreshed, err);
    if (status != STATUS_OK)
        return status;
    AUTO(query_end) query_t *query = store_query(writer, SQL_PROVIDER_REFRESH_FAILED);
    query_number(query, 1, now_utc_ms + refresh_retry_ms(setup, refreshed, now_utc_ms));
    query_text(query, 2, why);
    query_text(query, 3, provider_id);
    status = query_run(query, NULL, err);
    return status == STATUS_OK ? note(writer, provider_id, reason, why, now_utc_ms, err) : status;
}

/* ---- Certificates ---- */

static status_t read_row(work_t *work, query_t *query, row_t *row)
{
    AUTO(certificate_clear) certificate_t certificate = {0};
    const idp_settings_t *settings = &work->provider->settings;
    const char *source = query_column_text(query, 1, NULL);
    const char *text = settings->idp_cert_fingerprint;
    size_t length = 0;
    const void *der = query_column_blob(query, 5, &length);
    if (source == NULL || certificate_from_der(der, length, &certificate) != STATUS_OK)
        return err_set(work->err, STATUS_CORRUPT, "certificate", "a stored one can't be read");
    row->of_metadata = strcmp(source, certificate_source_words[CERTIFICATE_METADATA]) == 0;
    row->is_retired = !query_column_is_null(query, 3);
    row->is_missing = !query_column_is_null(query, 4);
    row->missing_since = query_column_number(query, 4);
    row->is_settings = certificate_matches(
        &certificate, (fingerprint_algorithm_t)settings->idp_cert_fingerprint_algorithm, text,
        strlen(text));
    status_t status = query_copy_text(query, 0, row->id, sizeof(row->id), work->err);
    if (status == STATUS_OK)
        status = query_copy_text(query, 2, row->sha256, sizeof(row->sha256), work->err);
    return status;
}

static status_t read_rows(work_t *work)
{
    AUTO(query_end) query_t *query = store_query(work->writer, SQL_CERTIFICATE_SEE);
    query_text(query, 1, work->provider->id);
    bool more = false;
    status_t status = query_step(query, &more, work->err);
    while (status == STATUS_OK && more) {
        if (work->count == ROWS_MAX)
            return err_set(work->err, STATUS_CORRUPT, "certificate",
                           "more are stored than a provider has");
        status = read_row(work, query, &work->rows[work->count++]);
        if (status == STATUS_OK)
            status = query_step(query, &more, work->err);
    }
    return status;
}

static row_t *find_row(work_t *work, const char *sha256)
{
    for (size_t i = 0; i < work->count; i++)
        if (strcmp(work->rows[i].sha256, sha256) == 0)
            return &work->rows[i];
    return NULL;
}

static bool is_in_metadata(const metadata_t *metadata, const char *sha256)
{
    for (size_t i = 0; i < metadata->certificate_count; i++)
        if (strcmp(metadata->certificates[i].fingerprint, sha256) == 0)
            return true;
    return false;
}

/* since: when it vanished; is_missing false: it is there, and live. */
static status_t set_missing(work_t *work, row_t *row, bool is_missing)
{
    AUTO(query_end) query_t *query = store_query(work->writer, SQL_CERTIFICATE_MISS);
    query_number_or_null(query, 1, work->now_utc_ms, !is_missing);
    query_text(query, 2, row->id);
    row->is_missing = is_missing;
    row->is_retired = false;
    row->missing_since = work->now_utc_ms;
    return query_run(query, NULL, work->err);
}

static status_t lapse(work_t *work, row_t *row)
{
    AUTO(query_end) query_t *query = store_query(work->writer, SQL_CERTIFICATE_LAPSE);
    query_number(query, 1, work->now_utc_ms);
    query_text(query, 2, row->id);
    row->is_retired = true;
    work->retired++;
    return query_run(query, NULL, work->err);
}

/* Who is retired and missing was retired by a refresh, and not by hand. */
static status_t take_in(work_t *work, const certificate_t *certificate)
{
    row_t *row = find_row(work, certificate->fingerprint);
    if (row == NULL) {
        work->added++;
        return certificate_rows_add(work->writer, work->provider->id, CERTIFICATE_METADATA,
                                    certificate, work->err);
    }
    if (!row->is_missing)
        return STATUS_OK;
    work->returned++;
    return set_missing(work, row, false);
}

/* The one that has been missing for longest; *out_count: how many are. */
static row_t *longest_missing(work_t *work, size_t *out_count)
{
    row_t *longest = NULL;
    *out_count = 0;
    for (size_t i = 0; i < work->count; i++) {
        row_t *row = &work->rows[i];
        if (row->is_retired || !row->is_missing)
            continue;
        ++*out_count;
        if (longest == NULL || row->missing_since < longest->missing_since)
            longest = row;
    }
    return longest;
}

static status_t let_go(work_t *work)
{
    status_t status = STATUS_OK;
    for (size_t i = 0; i < work->count && status == STATUS_OK; i++) {
        row_t *row = &work->rows[i];
        if (!row->of_metadata || row->is_retired || row->is_missing ||
            is_in_metadata(work->metadata, row->sha256))
            continue;
        work->vanished++;
        status = set_missing(work, row, true);
    }
    size_t missing = 0;
    for (row_t *row = longest_missing(work, &missing); row != NULL && status == STATUS_OK;
         row = longest_missing(work, &missing)) {
        if (work->now_utc_ms - row->missing_since < work->grace_ms &&
            missing <= REFRESH_MISSING_MAX)
            break;
        status = lapse(work, row);
    }
    return status;
}

static status_t settle_certificates(work_t *work)
{
    status_t status = read_rows(work);
    for (size_t i = 0; i < work->metadata->certificate_count && status == STATUS_OK; i++)
        status = take_in(work, &work->metadata->certificates[i]);
    if (status == STATUS_OK)
        status = let_go(work);
    if (status == STATUS_OK && work->retired > 0)
        status = certificate_store_forget(work->writer, work->provider->id,
                                          &work->provider->settings, work->err);
    return status;
}

/* ---- Settings ---- */

/* Whether the certificate whose fingerprint the settings show is retired. */
static bool has_lost_its_own(const work_t *work)
{
    for (size_t i = 0; i < work->count; i++)
        if (work->rows[i].is_settings && work->rows[i].is_retired)
            return true;
    return false;
}

static const certificate_t *first_live(work_t *work)
{
    for (size_t i = 0; i < work->metadata->certificate_count; i++) {
        const certificate_t *certificate = &work->metadata->certificates[i];
        const row_t *row = find_row(work, certificate->fingerprint);
        if (row == NULL || !row->is_retired)
            return certificate;
    }
    return NULL;
}

static status_t show(idp_settings_t *settings, const certificate_t *certificate, err_t *err)
{
    AUTO(mem_release) char *pem = certificate_to_pem(certificate);
    text_cut(settings->idp_cert_fingerprint, sizeof(settings->idp_cert_fingerprint),
             certificate->fingerprint);
    settings->idp_cert_fingerprint_algorithm = FINGERPRINT_SHA256;
    settings->certificate_differs = false;
    field_give(&settings->fields, IDP_CERTIFICATE);
    return text_copy(settings->idp_certificate, sizeof(settings->idp_certificate), pem,
                     strlen(pem)) == STATUS_OK
               ? STATUS_OK
               : err_set(err, STATUS_CORRUPT, "certificate", "is too long");
}

/* Whether anything changed. Both have the URL, or null. */
static bool follow_urls(idp_settings_t *settings, const idp_settings_t *filled)
{
    bool has = field_set(&filled->fields, IDP_SLO_TARGET_URL);
    const char *slo = has ? filled->idp_slo_target_url : "";
    const char *before =
        field_set(&settings->fields, IDP_SLO_TARGET_URL) ? settings->idp_slo_target_url : "";
    if (strcmp(settings->idp_sso_target_url, filled->idp_sso_target_url) == 0 &&
        strcmp(before, slo) == 0)
        return false;
    text_cut(settings->idp_sso_target_url, sizeof(settings->idp_sso_target_url),
             filled->idp_sso_target_url);
    text_cut(settings->idp_slo_target_url, sizeof(settings->idp_slo_target_url), slo);
    field_give_if(&settings->fields, IDP_SLO_TARGET_URL, has);
    return true;
}

static void report(const work_t *work, refresh_report_t *out)
{
    bool changed = work->added + work->vanished + work->returned + work->retired > 0 ||
                   work->new_urls || work->new_settings_certificate;
    out->result = changed ? WORKER_REFRESH_CHANGED : WORKER_REFRESH_UNCHANGED;
    if (!changed)
        text_cut(out->detail, sizeof(out->detail), "Nothing has changed.");
    else
        (void)!text_format(out->detail, sizeof(out->detail),
                           "Certificates: %u new, %u vanished, %u back, %u retired.%s%s",
                           work->added, work->vanished, work->returned, work->retired,
                           work->new_urls ? " Its URLs have changed." : "",
                           work->new_settings_certificate
                               ? " The settings' fingerprint follows the metadata's certificate."
                               : "");
}

static status_t refuse(store_t *writer, const setup_t *setup, const char *provider_id,
                       int64_t now_utc_ms, refresh_report_t *out, err_t *err)
{
    out->result = WORKER_REFRESH_REFUSED;
    text_cut(out->detail, sizeof(out->detail),
             "The metadata is of another entity id than settings.idp_entity_id.");
    return refresh_fail(writer, setup, provider_id, SAML_METADATA_ENTITY_ID, out->detail,
                        now_utc_ms, err);
}

/* Writes what has changed of the provider's own row. */
static status_t keep(work_t *work, provider_t *provider, const idp_settings_t *filled)
{
    const certificate_t *own = has_lost_its_own(work) ? first_live(work) : NULL;
    bool taken = false;
    work->new_urls = follow_urls(&provider->settings, filled);
    work->new_settings_certificate = own != NULL;
    if (own == NULL && !work->new_urls)
        return STATUS_OK;
    status_t status = own == NULL ? STATUS_OK : show(&provider->settings, own, work->err);
    provider->updated_at = page_touch(work->now_utc_ms, provider->updated_at);
    return status == STATUS_OK ? provider_store_change(work->writer, provider, &taken, work->err)
                               : status;
}

status_t refresh_apply(store_t *writer, const setup_t *setup, provider_t *provider,
                       const metadata_t *metadata, const idp_settings_t *filled, int64_t now_utc_ms,
                       refresh_report_t *out, err_t *err)
{
    if (strcmp(metadata->entity_id, provider->settings.idp_entity_id) != 0)
        return refuse(writer, setup, provider->id, now_utc_ms, out, err);
    work_t work = {.writer = writer,
                   .provider = provider,
                   .metadata = metadata,
                   .now_utc_ms = now_utc_ms,
                   .grace_ms = 1000 * setup->metadata_grace_s,
                   .err = err};
    status_t status = settle_certificates(&work);
    if (status == STATUS_OK)
        status = keep(&work, provider, filled);
    if (status == STATUS_OK)
        status = refresh_schedule(writer, setup, provider->id, metadata, now_utc_ms, err);
    if (status != STATUS_OK)
        return status;
    report(&work, out);
    return note(writer, provider->id, SAML_NONE, out->detail, now_utc_ms, err);
}
