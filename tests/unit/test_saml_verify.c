/* Who is logged in by which Response, and what each refusal is called. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "services/auth-provider/saml/verify.h"
#include "tests/support/saml_signer.h"

#include <openssl/evp.h>
#include <string.h>

static issued_t rsa;

static int set_up(void **state)
{
    (void)state;
    issuer_make_rsa(2048, "idp.example.com", 1700000000, 2000000000, &rsa);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    issuer_free(&rsa);
    return 0;
}

static void good(void **state)
{
    (void)state;
    certificate_t certificate = {0};
    assert_int_equal(certificate_from_der(rsa.der, rsa.length, &certificate), STATUS_OK);
    saml_expect_t expect = {.idp_entity_id = SIGNER_IDP,
                            .sp_entity_id = SIGNER_SP,
                            .acs_url = SIGNER_ACS,
                            .fingerprint = certificate.fingerprint,
                            .fingerprint_algorithm = FINGERPRINT_SHA256,
                            .now_utc_ms = SIGNER_NOW_MS,
                            .skew_ms = SAML_SKEW_MS};
    const signer_how_t how = {.by = &rsa};
    for (int i = 1; i < 4; i++) {
        AUTO(mem_release)
        char *text = signer_signed(signer_response, (i & 1) ? &how : NULL, (i & 2) ? &how : NULL);
        AUTO(mem_release) char *base64 = signer_base64(text, strlen(text));
        AUTO(saml_verdict_clear) saml_verdict_t verdict;
        saml_verify(&expect, base64, strlen(base64), &verdict);
        assert_int_equal(verdict.reason, SAML_NONE);
        assert_string_equal(verdict.claims.name_id, SIGNER_NAME_ID);
    }
    certificate_clear(&certificate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
    };
    return cmocka_run_group_tests_name("saml_verify", tests, set_up, tear_down);
}
