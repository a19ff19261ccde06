#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/saml_world.h"

#include "common/mem.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

issued_t rsa, other, weak, p256, p384, p521, koblitz;
bool world_met[SAML_REASON_COUNT];

enum { BEFORE = 1700000000, AFTER = 2000000000 };

int world_set_up(void **state)
{
    (void)state;
    issuer_make_rsa(2048, "idp.example.com", BEFORE, AFTER, &rsa);
    issuer_make_rsa(2048, "idp.example.com", BEFORE, AFTER, &other);
    issuer_make_rsa(1024, "idp.example.com", BEFORE, AFTER, &weak);
    issuer_make_of(EVP_EC_gen("P-256"), "idp.example.com", BEFORE, AFTER, &p256);
    issuer_make_of(EVP_EC_gen("P-384"), "idp.example.com", BEFORE, AFTER, &p384);
    issuer_make_of(EVP_EC_gen("P-521"), "idp.example.com", BEFORE, AFTER, &p521);
    issuer_make_of(EVP_EC_gen("secp256k1"), "idp.example.com", BEFORE, AFTER, &koblitz);
    return 0;
}

int world_tear_down(void **state)
{
    (void)state;
    issued_t *const all[] = {&rsa, &other, &weak, &p256, &p384, &p521, &koblitz};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        issuer_free(all[i]);
    return 0;
}

saml_expect_t world_expect(const issued_t *by)
{
    static _Thread_local char fingerprint[FINGERPRINT_SIZE];
    certificate_t certificate = {0};
    assert_int_equal(certificate_from_der(by->der, by->length, &certificate), STATUS_OK);
    memcpy(fingerprint, certificate.fingerprint, sizeof(fingerprint));
    certificate_clear(&certificate);
    return (saml_expect_t){.idp_entity_id = SIGNER_IDP,
                           .sp_entity_id = SIGNER_SP,
                           .acs_url = SIGNER_ACS,
                           .fingerprint = fingerprint,
                           .fingerprint_algorithm = FINGERPRINT_SHA256,
                           .in_response_to = SIGNER_REQUEST,
                           .now_utc_ms = SIGNER_NOW_MS,
                           .skew_ms = SAML_SKEW_MS};
}

static char *edited(char *text, const signer_edit_t *edits)
{
    for (size_t i = 0; i < 2 && edits[i].find != NULL; i++) {
        char *next = signer_edited(text, edits[i]);
        mem_free(text);
        text = next;
    }
    return text;
}

void world_verify_text(const saml_expect_t *expect, const char *text, saml_verdict_t *out)
{
    AUTO(mem_release) char *base64 = signer_base64(text, strlen(text));
    saml_verify(expect, base64, strlen(base64), out);
}

void world_verify(const world_row_t *row, saml_verdict_t *out)
{
    signer_how_t how = row->how;
    if (how.by == NULL)
        how.by = &rsa;
    saml_expect_t expect = world_expect(how.by);
    if (row->tune != NULL)
        row->tune(&expect);
    char *text = edited(mem_copy(signer_response, strlen(signer_response)), row->before);
    bool outer = row->signed_by == BY_RESPONSE || row->signed_by == BY_BOTH;
    bool inner = row->signed_by == BY_ASSERTION || row->signed_by == BY_BOTH;
    char *signed_text = signer_signed(text, outer ? &how : NULL, inner ? &how : NULL);
    AUTO(mem_release) char *sent = edited(signed_text, row->after);
    world_verify_text(&expect, sent, out);
    mem_free(text);
}

static const char *word_of(saml_reason_t reason)
{
    return reason == SAML_NONE ? "none" : saml_reason_words[reason];
}

void world_run(const world_row_t *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        AUTO(saml_verdict_clear) saml_verdict_t verdict;
        world_verify(&rows[i], &verdict);
        if (verdict.reason != rows[i].reason) {
            print_error("%s: %s, not %s (%s)\n", rows[i].name, word_of(verdict.reason),
                        word_of(rows[i].reason), verdict.detail);
            wrong++;
        }
        if (verdict.reason != SAML_NONE)
            world_met[verdict.reason] = true;
        assert_true(verdict.reason == SAML_NONE || verdict.claims.name_id[0] == '\0');
        assert_true((verdict.reason == SAML_NONE) == (verdict.claims.certificate != NULL));
    }
    assert_int_equal(wrong, 0);
}
