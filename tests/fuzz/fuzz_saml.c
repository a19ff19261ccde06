/* SAML Responses. A byte, then for
 *
 *   'v'  the base64 of a certificate, a line break, XML: verified, with that certificate trusted.
 *        Seeds are signed by keys that nobody has any more: whatever becomes of them, no other than
 *        their user may be logged in
 *   'c'  XML: what it claims is read as if its signature held */
#include "common/mem.h"
#include "services/auth-provider/saml/claims.h"
#include "services/auth-provider/saml/gate.h"
#include "services/auth-provider/saml/response.h"
#include "tests/fuzz/replay.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NOW    INT64_C(1795435200000) /* 2026-11-23T12:00:00Z: tests/saml/message.py */
#define SITE   "https://sso.linekeeper.example/sso/saml/"
#define PERSON "alice@example.com"

/* {"email": "mail", "groups": "groups"} */
static const packed_t names = {.length = 26,
                               .bytes = "\x82\xa5"
                                        "email\xa4mail\xa6groups\xa6groups"};

static void must(int holds)
{
    if (!holds)
        abort();
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

/* What has been read stands within its bounds. */
static void check_claims(const saml_claims_t *claims)
{
    must(ends(claims->name_id, sizeof(claims->name_id)));
    must(ends(claims->name_id_format, sizeof(claims->name_id_format)));
    must(ends(claims->name_qualifier, sizeof(claims->name_qualifier)));
    must(ends(claims->sp_name_qualifier, sizeof(claims->sp_name_qualifier)));
    must(ends(claims->session_index, sizeof(claims->session_index)));
    must(ends(claims->assertion_id, sizeof(claims->assertion_id)));
    must(ends(claims->in_response_to, sizeof(claims->in_response_to)));
    must(claims->attributes.length <= sizeof(claims->attributes.bytes));
    must(claims->groups.length <= sizeof(claims->groups.bytes));
}

static void check_steps(const saml_verdict_t *verdict)
{
    must(verdict->step_count <= SAML_CHECKS_MAX);
    for (size_t i = 0; i < verdict->step_count; i++)
        must(verdict->steps[i].check != NULL &&
             ends(verdict->steps[i].detail, sizeof(verdict->steps[i].detail)));
    must(ends(verdict->detail, sizeof(verdict->detail)));
}

static saml_expect_t expectation(void)
{
    return (saml_expect_t){
        .idp_entity_id = "https://idp.example/metadata",
        .sp_entity_id = SITE "metadata/acme",
        .acs_url = SITE "auth/acme",
        .fingerprint = "",
        .fingerprint_algorithm = FINGERPRINT_SHA256,
        .attribute_names = &names,
        .groups = true,
        .now_utc_ms = NOW,
        .skew_ms = SAML_SKEW_MS,
    };
}

static void verify(const char *text, size_t length)
{
    static saml_verdict_t verdict;
    AUTO(certificate_clear) certificate_t certificate = {0};
    const char *line = memchr(text, '\n', length);
    if (line == NULL ||
        certificate_from_base64(text, (size_t)(line - text), &certificate) != STATUS_OK)
        return;
    const saml_certificate_t trusted = {.der = certificate.der, .length = certificate.length};
    saml_expect_t expect = expectation();
    bool stored = (length & 1) == 0;
    expect.certificates = stored ? &trusted : NULL;
    expect.certificate_count = stored;
    expect.fingerprint = certificate.fingerprint;
    expect.allow_sha1 = (length & 2) == 0;
    size_t rest = length - (size_t)(line + 1 - text);
    size_t size = sodium_base64_encoded_len(rest, sodium_base64_VARIANT_ORIGINAL);
    AUTO(mem_release) char *base64 = mem_zalloc(size);
    sodium_bin2base64(base64, size, (const uint8_t *)line + 1, rest,
                      sodium_base64_VARIANT_ORIGINAL);
    saml_verify(&expect, base64, strlen(base64), &verdict);
    check_steps(&verdict);
    check_claims(&verdict.claims);
    if (verdict.reason == SAML_NONE)
        must(strcmp(verdict.claims.name_id, PERSON) == 0 && verdict.claims.certificate != NULL);
    else
        must(verdict.claims.name_id[0] == '\0' && verdict.claims.certificate == NULL);
    saml_verdict_clear(&verdict);
}

static void claim(const char *text, size_t length)
{
    static saml_verdict_t verdict;
    AUTO(xml_free) xmlDoc *document = NULL;
    response_t parts = {0};
    saml_expect_t expect = expectation();
    verdict = (saml_verdict_t){.reason = SAML_MESSAGE_MISSING};
    if (gate_read(text, length, &document) != SAML_NONE ||
        !response_read(document, &verdict, &parts))
        return;
    claims_source_t source = {.expect = &expect,
                              .response = parts.element,
                              .is_response_signed = parts.signature != NULL,
                              .assertion = parts.assertion};
    claims_message(&source, &verdict);
    claims_subject(&source, &verdict);
    claims_conditions(&source, &verdict);
    claims_attributes(&source, &verdict);
    check_steps(&verdict);
    check_claims(&verdict.claims);
    steps_conclude(&verdict);
    if (verdict.reason == SAML_NONE)
        must(verdict.claims.name_id[0] != '\0' && verdict.claims.replay_until_utc_ms > NOW);
    saml_verdict_clear(&verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    if (size > 0 && text[0] == 'v')
        verify(text + 1, size - 1);
    else if (size > 0 && text[0] == 'c')
        claim(text + 1, size - 1);
    return 0;
}
