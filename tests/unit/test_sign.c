/* Our own key: which files are taken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "services/auth-provider/saml/key.h"
#include "services/auth-provider/saml/sign.h"
#include "tests/support/issuer.h"
#include "tests/support/scratch.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

static scratch_t scratch;
static issued_t rsa, ec, weak;
static char pem[16384];

static int set_up(void **state)
{
    (void)state;
    scratch = scratch_make();
    issuer_make_of(EVP_RSA_gen(2048), "lk.example", 1, 2, &rsa);
    issuer_make_of(EVP_RSA_gen(1024), "lk.example", 1, 2, &weak);
    issuer_make("lk.example", 1, 2, &ec);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    issuer_free(&rsa);
    issuer_free(&weak);
    issuer_free(&ec);
    scratch_remove(&scratch);
    return 0;
}

static status_t open_file(const char *content, unsigned mode, signer_t **out, err_t *err)
{
    *err = (err_t){0};
    scratch_write(&scratch, "saml.pem", content, mode);
    return signer_open(scratch_file(&scratch, "saml.pem"), out, err);
}

static void signs_with(const issued_t *issued, const char *uri)
{
    err_t err = {0};
    uint8_t made[KEY_SIGNATURE_MAX];
    size_t length = 0;
    const key_algorithm_t *algorithm = NULL;
    AUTO(signer_close) signer_t *signer = NULL;
    issuer_pem(issued, true, pem, sizeof(pem));
    assert_int_equal(open_file(pem, 0600, &signer, &err), STATUS_OK);
    assert_string_equal(signer_algorithm(signer), uri);
    const certificate_t *certificate = signer_certificate(signer);
    assert_int_equal(certificate->length, issued->length);
    assert_memory_equal(certificate->der, issued->der, issued->length);
    assert_int_equal(signer_sign(signer, "abc", 3, made, sizeof(made), &length, &err), STATUS_OK);
    assert_int_equal(key_algorithm(uri, false, &algorithm), SAML_NONE);
    assert_int_equal(key_verify(algorithm, issued->der, issued->length, "abc", 3, made, length),
                     SAML_NONE);
}

static void good_keys_sign(void **state)
{
    (void)state;
    signs_with(&rsa, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
    signs_with(&ec, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256");
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static char both[32768], other[16384];
    err_t err = {0};
    signer_t *signer = NULL;
    issuer_pem(&rsa, true, pem, sizeof(pem));
    assert_int_equal(open_file(pem, 0644, &signer, &err), STATUS_REFUSED);
    assert_int_equal(signer_open(scratch_file(&scratch, "nowhere"), &signer, &err), STATUS_UNKNOWN);
    assert_int_equal(open_file("", 0600, &signer, &err), STATUS_INVALID);
    assert_int_equal(open_file(strstr(pem, "-----BEGIN CERT"), 0600, &signer, &err),
                     STATUS_INVALID);
    issuer_pem(&rsa, false, pem, sizeof(pem));
    assert_int_equal(open_file(pem, 0600, &signer, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "no certificate"));
    issuer_pem(&ec, true, other, sizeof(other)); /* the certificate of another key */
    assert_int_equal(text_format(both, sizeof(both), "%s%s", pem, strstr(other, "-----BEGIN CERT")),
                     STATUS_OK);
    assert_int_equal(open_file(both, 0600, &signer, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "another key"));
    issuer_pem(&weak, true, pem, sizeof(pem));
    assert_int_equal(open_file(pem, 0600, &signer, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "2048"));
    memset(both, 'x', sizeof(both) - 1);
    assert_int_equal(open_file(both, 0600, &signer, &err), STATUS_INVALID);
    assert_null(signer);
}

/* Nobody is asked for a passphrase, which would wait for ever. */
static void a_key_with_a_passphrase_is_refused(void **state)
{
    (void)state;
    err_t err = {0};
    signer_t *signer = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, ec.key, EVP_aes_128_cbc(),
                                              (const unsigned char *)"x", 1, NULL, NULL),
                     1);
    assert_int_equal(PEM_write_bio_X509(bio, ec.certificate), 1);
    long length = BIO_get_mem_data(bio, &bytes);
    memcpy(pem, bytes, (size_t)length);
    pem[length] = '\0';
    BIO_free(bio);
    assert_int_equal(open_file(pem, 0600, &signer, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "passphrase"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_keys_sign),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(a_key_with_a_passphrase_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
