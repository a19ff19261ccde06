/* What a login by a provider must fulfil, gathered from its row and its certificates: the one place
 * where the store's facts become saml_expect_t. */
#ifndef LK_AUTH_PROVIDER_SSO_TRUST_H
#define LK_AUTH_PROVIDER_SSO_TRUST_H

#include "services/auth-provider/provider_store.h"
#include "services/auth-provider/saml/verify.h"

typedef struct {
    provider_t provider;              /* with what provider_view derives */
    saml_expect_t expect;             /* points into this struct */
    saml_certificate_t *certificates; /* owned, with their bytes */
    size_t certificate_count;
} trust_t;

/* Of the provider with that short name. STATUS_UNKNOWN: there is none. The caller frees with
 * trust_clear. *out must not move afterwards. */
status_t trust_by_name(store_t *store, const char *short_name, const char *public_url,
                       int64_t now_utc_ms, trust_t *out, err_t *err) MUST_CHECK;
/* Of a provider that was read. */
status_t trust_of(store_t *store, const provider_t *provider, const char *public_url,
                  int64_t now_utc_ms, trust_t *out, err_t *err) MUST_CHECK;
void trust_clear(trust_t *trust);

#endif
