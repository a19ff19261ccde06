/* What metadata that was fetched again makes of a provider, in the store. Add, then retire: an
 * identity provider that changes its certificate locks nobody out.
 *
 *   new in the metadata      accepted at once
 *   not in it any more       still accepted, until that has lasted for the grace period and a
 *                            refresh sees it again; back before, it is as if nothing had been
 *   retired by hand          stays so, whatever the metadata says
 *   given, learned           are none of the metadata's
 *   sign-on, log-out URL     follow
 *   the settings' certificate  follows when its own one is retired: to the metadata's first
 *   another entity id        nothing at all
 *
 * Whose settings a client has written by hand is not refreshed by itself: settings go before
 * settings_url. Next: refresh.c, refreshing.h. */
#ifndef LK_AUTH_PROVIDER_SSO_REFRESH_H
#define LK_AUTH_PROVIDER_SSO_REFRESH_H

#include "services/auth-provider/metadata.h"
#include "services/auth-provider/setup.h"
#include "services/common/worker_metrics.h"

enum {
    REFRESH_MISSING_MAX = 15,            /* vanished ones that a provider keeps, the latest */
    REFRESH_SOONEST_MS = 60 * 60 * 1000, /* whatever metadata says of itself */
    REFRESH_RETRY_MS = 5 * 60 * 1000,    /* the first time; then twice as long each time */
};

/* What came of it. */
typedef struct {
    worker_refresh_t result;
    char detail[256 + 1]; /* for the event */
} refresh_report_t;

/* In the write transaction. provider: as it is stored; changed too. filled: filling_settings of
 * the metadata. Notes an event. An entity id that is not the provider's is WORKER_REFRESH_REFUSED:
 * nothing has changed then but that the next try is later. */
status_t refresh_apply(store_t *writer, const setup_t *setup, provider_t *provider,
                       const metadata_t *metadata, const idp_settings_t *filled, int64_t now_utc_ms,
                       refresh_report_t *out, err_t *err) MUST_CHECK;

/* Nothing was fetched that is of use, and why; notes an event. */
status_t refresh_fail(store_t *writer, const setup_t *setup, const char *provider_id,
                      saml_reason_t reason, const char *why, int64_t now_utc_ms, err_t *err)
    MUST_CHECK;

/* The settings are from that metadata now: when they are fetched next. */
status_t refresh_schedule(store_t *writer, const setup_t *setup, const char *provider_id,
                          const metadata_t *metadata, int64_t now_utc_ms, err_t *err) MUST_CHECK;
/* They are not any more. */
status_t refresh_stop(store_t *writer, const char *provider_id, err_t *err) MUST_CHECK;

/* In how many milliseconds metadata that was fetched now is fetched again: by the setting, but some
 * earlier than others, and by the metadata's own word. */
int64_t refresh_pause_ms(const setup_t *setup, const metadata_t *metadata, int64_t now_utc_ms);
/* The same after a failure: grows with the time since the last success was due to be followed. */
int64_t refresh_retry_ms(const setup_t *setup, int64_t refreshed_utc_ms, int64_t now_utc_ms);

#endif
