/* SAML metadata of an identity provider (SAML V2.0 Metadata, OASIS saml-metadata-2.0-os): what a
 * login takes from it. A pure function of the bytes.
 *
 * A signature on the metadata is not looked at: whoever names the URL trusts who answers there. */
#ifndef LK_AUTH_PROVIDER_METADATA_H
#define LK_AUTH_PROVIDER_METADATA_H

#include "common/text.h"
#include "services/auth-provider/certificate.h"

enum {
    METADATA_ENTITY_ID_MAX = 1024, /* characters, section 2.2.1 */
    METADATA_URL_MAX = 2048,       /* characters */
    METADATA_CERTIFICATES_MAX = 16,
};

typedef struct {
    char entity_id[TEXT_SIZE(METADATA_ENTITY_ID_MAX)];
    char sso_url[TEXT_SIZE(METADATA_URL_MAX)]; /* HTTP-Redirect binding */
    char slo_url[TEXT_SIZE(METADATA_URL_MAX)]; /* the same of log-out; empty: none is offered */
    size_t certificate_count;                  /* at least 1 */
    certificate_t certificates[METADATA_CERTIFICATES_MAX]; /* for signing, in the order found */
    int64_t fresh_until_ms; /* UTC, by validUntil and cacheDuration; INT64_MAX: it says nothing */
} metadata_t;

/* Reads an EntityDescriptor, or EntitiesDescriptor of any nesting, with one IDPSSODescriptor for
 * SAML 2.0; with several, the one of entity_id (NULL: there must be one). An entity_id that is not
 * there is no reason to refuse the only one there is. now_utc_ms: metadata that says it is valid
 * only until before is refused.
 *
 * Errors: those of xml_parse, STATUS_INVALID, STATUS_UNKNOWN (no such provider),
 * STATUS_TOO_LARGE. Their text names the step and can be shown to clients. The caller frees with
 * metadata_clear. */
status_t metadata_read(const char *bytes, size_t length, const char *entity_id, int64_t now_utc_ms,
                       metadata_t *out, err_t *err) MUST_CHECK;

/* Frees what it owns and leaves zeroes; NULL-safe. */
void metadata_clear(metadata_t *metadata);

#endif
