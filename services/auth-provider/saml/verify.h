/* Whether a SAML Response logs somebody in, and whom. A pure function of the bytes and of what is
 * expected: no store, no clock, no network; any thread. SAML V2.0 Core 2 and 3, Profiles 4.1.4,
 * XML Signature 1.1, Exclusive C14N 1.0.
 *
 * Identity is read from the bytes that were digested and from nothing else. What must hold besides
 * (the request was ours, nothing is used twice) is the store's: sso/login_store.h. */
#ifndef LK_AUTH_PROVIDER_SAML_VERIFY_H
#define LK_AUTH_PROVIDER_SAML_VERIFY_H

#include "proto/sso.h"
#include "services/auth-provider/certificate.h"

enum {
    SAML_CHECKS_MAX = 64,
    SAML_SKEW_MS = 60 * 1000, /* clocks differ */
};

/* A certificate that we know of the provider. Borrowed. */
typedef struct {
    const uint8_t *der;
    size_t length;
    bool retired;
} saml_certificate_t;

/* What must be so. All borrowed; no text is NULL unless it says so. */
typedef struct {
    const char *idp_entity_id;
    const char *sp_entity_id; /* the audience */
    const char *acs_url;      /* destination and recipient */
    const char *fingerprint;  /* of a trusted certificate, as stored, */
    fingerprint_algorithm_t fingerprint_algorithm;
    const saml_certificate_t *certificates; /* also trusted, unless retired; a retired one is not
                                               trusted by its fingerprint either */
    size_t certificate_count;
    bool allow_sha1;
    const char *in_response_to;      /* NULL: whatever it answers; the caller looks it up */
    const packed_t *attribute_names; /* SHAPE_TEXT_MAP, ours -> the identity provider's; NULL */
    bool groups; /* whether groups are taken: the attribute mapped to "groups", else "groups" */
    int64_t now_utc_ms;
    int64_t skew_ms;
} saml_expect_t;

/* What the signed bytes say. */
typedef struct {
    char name_id[TEXT_SIZE(SAML_NAME_ID_MAX)];
    char name_id_format[TEXT_SIZE(255)]; /* "" if it has none */
    char name_qualifier[TEXT_SIZE(255)], sp_name_qualifier[TEXT_SIZE(255)];
    char session_index[SAML_ID_MAX + 1]; /* "" if there is none */
    char assertion_id[SAML_ID_MAX + 1];
    char in_response_to[SAML_ID_MAX + 1]; /* "": nobody asked */
    int64_t authn_instant_utc_ms;
    int64_t session_until_utc_ms; /* SessionNotOnOrAfter; 0: it says nothing */
    int64_t replay_until_utc_ms;  /* until then assertion_id must be remembered: skew counted in */
    packed_t attributes;          /* SHAPE_TEXT_MAP */
    packed_t groups;              /* SHAPE_TEXTS */
    uint8_t *certificate;         /* whose key signed it: DER, owned (saml_verdict_clear) */
    size_t certificate_length;
    bool by_fingerprint; /* it is none of `certificates`: to be learned */
} saml_claims_t;

typedef struct {
    const char *check;    /* static */
    saml_reason_t reason; /* SAML_NONE: passed */
    char detail[256 + 1];
} saml_step_t;

typedef struct {
    saml_reason_t reason; /* SAML_NONE: somebody is logged in; else the first that failed */
    char detail[256 + 1];
    size_t step_count;
    saml_step_t steps[SAML_CHECKS_MAX];
    saml_claims_t claims; /* good only with SAML_NONE */
} saml_verdict_t;

/* base64: SAMLResponse as it came, `length` bytes. Up to and with the signature the first check
 * that fails is the last; of what the signed bytes say all is checked, for a person to read. */
void saml_verify(const saml_expect_t *expect, const char *base64, size_t length,
                 saml_verdict_t *out);

/* NULL-safe; frees and wipes. */
void saml_verdict_clear(saml_verdict_t *verdict);

#endif
