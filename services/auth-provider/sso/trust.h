/* What a login by a provider must fulfil, gathered from its row and its certificates: the one place
 * where the store's facts become saml_expect_t. */
#ifndef LK_AUTH_PROVIDER_SSO_TRUST_H
#define LK_AUTH_PROVIDER_SSO_TRUST_H

#include "services/auth-provider/provider_store.h"
#include "services/auth-provider/sso/certificate_set.h"

typedef struct {
    provider_t provider;            /* with what provider_view derives */
    saml_expect_t expect;           /* points into this struct */
    certificate_set_t certificates; /* owned */
} trust_t;

/* Of the provider with that short name. STATUS_UNKNOWN: there is none; err is not set then. *out,
 * which is zeroed before, must not move afterwards; on success the caller frees what it holds with
 * trust_clear. Whether the provider is active is the caller's to look at. */
status_t trust_by_name(store_t *store, const char *short_name, const char *public_url,
                       int64_t now_utc_ms, trust_t *out, err_t *err) MUST_CHECK;
/* Of a provider that was read. STATUS_INVALID: it has no URL of ours to be expected in an answer,
 * since that would be too long. */
status_t trust_of(store_t *store, const provider_t *provider, const char *public_url,
                  int64_t now_utc_ms, trust_t *out, err_t *err) MUST_CHECK;
void trust_clear(trust_t *trust);

#endif
