/* The certificates of a provider as saml/verify.h takes them. */
#ifndef LK_AUTH_PROVIDER_SSO_CERTIFICATE_SET_H
#define LK_AUTH_PROVIDER_SSO_CERTIFICATE_SET_H

#include "services/auth-provider/saml/verify.h"
#include "services/common/store.h"

/* All of a provider, those that are retired too. */
typedef struct {
    saml_certificate_t *items; /* point into bytes; both are owned: certificate_set_clear */
    size_t count;
    uint8_t *bytes;
} certificate_set_t;

/* A provider without any is no failure. Statuses are those of query_step. */
status_t certificate_set_load(store_t *store, const char *provider_id, certificate_set_t *out,
                              err_t *err) MUST_CHECK;
/* NULL-safe for what it holds. */
void certificate_set_clear(certificate_set_t *set);

#endif
