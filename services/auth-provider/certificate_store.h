/* The certificates that a provider's answers may be signed with, in the store.
 *
 * A certificate that is retired stays for a while, so that a login can be refused for that reason.
 * err->where names what failed; statuses are those of query_step. Next: certificate_rows.h. */
#ifndef LK_SERVICES_AUTH_PROVIDER_CERTIFICATE_STORE_H
#define LK_SERVICES_AUTH_PROVIDER_CERTIFICATE_STORE_H

#include "proto/auth_provider.h"
#include "services/auth-provider/metadata.h"
#include "services/common/store.h"

/* Looks whether idp_certificate, if there is one, has the settings' fingerprint, and notes it in
 * them: certificate_differs. STATUS_INVALID: it is no certificate. */
status_t certificate_store_compare(idp_settings_t *settings, err_t *err) MUST_CHECK;

/* Looks up when the first of the provider's certificates expires: certificate_expires_at. */
status_t certificate_store_expiry(store_t *store, provider_t *provider, err_t *err) MUST_CHECK;

/* Puts the metadata's certificates in the place of all that the provider has. */
status_t certificate_store_replace(store_t *store, const char *provider_id,
                                   const metadata_t *metadata, int64_t now_utc_ms, err_t *err)
    MUST_CHECK;

/* For a new provider with settings of a client: keeps idp_certificate, if there is one.
 * STATUS_INVALID: it is none. */
status_t certificate_store_give(store_t *store, const char *provider_id,
                                const idp_settings_t *settings, err_t *err) MUST_CHECK;

/* Whether the fingerprint (its bytes, and its algorithm) or idp_certificate is another one. */
bool certificate_store_differs(const idp_settings_t *before, const idp_settings_t *after);

/* After a client's change of settings. With a new fingerprint, those certificates stay that have
 * it; with a new idp_certificate, that one stays; all others are retired. With neither new, nothing
 * happens. STATUS_INVALID: idp_certificate is no certificate. */
status_t certificate_store_follow(store_t *store, const char *provider_id,
                                  const idp_settings_t *before, const idp_settings_t *after,
                                  int64_t now_utc_ms, err_t *err) MUST_CHECK;

/* Deletes retired ones that are too many; never the one that has the settings' fingerprint, which
 * would be trusted by that again. */
status_t certificate_store_forget(store_t *store, const char *provider_id,
                                  const idp_settings_t *settings, err_t *err) MUST_CHECK;

#endif
