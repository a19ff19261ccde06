/* Certificates: forms they come in, their fingerprints. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "services/auth-provider/certificate.h"
#include "tests/support/issuer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <strings.h>

enum { BEFORE = 1700000000, AFTER = 2000000000 };

static issued_t issued;

static int set_up(void **state)
{
    (void)state;
    issuer_make("idp.example.com", BEFORE, AFTER, &issued);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    issuer_free(&issued);
    return 0;
}

/* The text with the certificate's base64 in the place of "@". */
static status_t read_text(const char *pattern, certificate_t *out)
{
    static char text[3 * sizeof(issued.base64)];
    size_t used = 0;
    for (const char *at = pattern; *at != '\0'; at++) {
        size_t length = *at == '@' ? strlen(issued.base64) : 1;
        assert_true(used + length < sizeof(text));
        memcpy(text + used, *at == '@' ? issued.base64 : at, length);
        used += length;
    }
    return certificate_from_text(text, used, out);
}

static void der_is_kept_as_it_is(void **state)
{
    (void)state;
    AUTO(certificate_clear) certificate_t certificate = {0};
    assert_int_equal(certificate_from_der(issued.der, issued.length, &certificate), STATUS_OK);
    assert_int_equal(certificate.length, issued.length);
    assert_memory_equal(certificate.der, issued.der, issued.length);
    assert_true(certificate.not_before_ms == BEFORE * INT64_C(1000));
    assert_true(certificate.not_after_ms == AFTER * INT64_C(1000));
}

static void broken_der_is_refused(void **state)
{
    (void)state;
    static uint8_t longer[sizeof(issued.der) + 1], huge[CERTIFICATE_DER_MAX + 1];
    certificate_t none = {0};
    memcpy(longer, issued.der, issued.length);
    assert_int_equal(certificate_from_der(longer, issued.length + 1, &none), STATUS_INVALID);
    assert_int_equal(certificate_from_der(huge, sizeof(huge), &none), STATUS_TOO_LARGE);
    for (size_t length = 0; length < issued.length; length++)
        assert_int_equal(certificate_from_der(issued.der, length, &none), STATUS_INVALID);
    assert_null(none.der);
}

static void texts(void **state)
{
    (void)state;
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"
    static const struct {
        const char *pattern;
        bool good;
    } rows[] = {
        {"@", true},
        {" \r\n\t@\n ", true},
        {BEGIN "\n@\n" END, true},
        {BEGIN "\n@\n" END "\n", true},
        {"\n" BEGIN "\r\n@\r\n" END "\r\n\r\n", true},
        {BEGIN " @ " END, true},
        {"", false},
        {" ", false},
        {"@@", false},
        {"@ @", false},
        {"@x", false},
        {BEGIN "\n@\n", false},
        {"@\n" END, false},
        {BEGIN END, false},
        {BEGIN "\n@\n" END "\n" BEGIN "\n@\n" END, false},
        {BEGIN "\n@\n" END "\ntrailing", false},
        {"subject=idp\n" BEGIN "\n@\n" END, false},
        {"-----BEGIN TRUSTED CERTIFICATE-----\n@\n-----END TRUSTED CERTIFICATE-----", false},
        {"-----BEGIN CERTIFICATE----\n@\n" END, false},
        {BEGIN "\nProc-Type: 4,ENCRYPTED\n\n@\n" END, false},
        {BEGIN "\nMIIB\n" END, false},
        {"<@>", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(certificate_clear) certificate_t certificate = {0};
        status_t status = read_text(rows[i].pattern, &certificate);
        if ((status == STATUS_OK) != rows[i].good || (certificate.der != NULL) != rows[i].good)
            fail_msg("row %zu", i);
        if (rows[i].good)
            assert_memory_equal(certificate.der, issued.der, issued.length);
    }
    certificate_t none = {0};
    static char nul[sizeof(issued.base64)];
    memcpy(nul, issued.base64, strlen(issued.base64));
    assert_int_equal(certificate_from_text(nul, strlen(nul) + 1, &none), STATUS_INVALID);
}

static void lines_may_be_broken_anywhere(void **state)
{
    (void)state;
    static char text[3 * sizeof(issued.base64)];
    size_t used = 0;
    AUTO(certificate_clear) certificate_t certificate = {0};
    for (const char *at = issued.base64; *at != '\0'; at++) {
        text[used++] = *at;
        text[used] = used % 3 == 0 ? '\n' : ' ';
        used++;
    }
    assert_int_equal(certificate_from_base64(text, used, &certificate), STATUS_OK);
    assert_memory_equal(certificate.der, issued.der, issued.length);
}

static void pem_is_read_again(void **state)
{
    (void)state;
    AUTO(certificate_clear) certificate_t certificate = {0}, again = {0};
    assert_int_equal(certificate_from_der(issued.der, issued.length, &certificate), STATUS_OK);
    AUTO(mem_release) char *pem = certificate_to_pem(&certificate);
    assert_int_equal(certificate_from_text(pem, strlen(pem), &again), STATUS_OK);
    assert_memory_equal(again.der, issued.der, issued.length);
    BIO *bio = BIO_new(BIO_s_mem()); /* as OpenSSL writes it */
    assert_int_equal(PEM_write_bio_X509(bio, issued.certificate), 1);
    char *theirs = NULL;
    long length = BIO_get_mem_data(bio, &theirs);
    assert_int_equal(strlen(pem), length);
    assert_memory_equal(pem, theirs, (size_t)length);
    BIO_free(bio);
}

static void fingerprints_are_of_the_der(void **state)
{
    (void)state;
    static const char *const names[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
    AUTO(certificate_clear) certificate_t certificate = {0};
    assert_int_equal(certificate_from_der(issued.der, issued.length, &certificate), STATUS_OK);
    for (unsigned i = 0; i < FINGERPRINT_ALGORITHMS; i++) {
        uint8_t expected[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        char text[FINGERPRINT_SIZE], hex[2 * EVP_MAX_MD_SIZE + 1];
        fingerprint_algorithm_t algorithm = (fingerprint_algorithm_t)i;
        assert_int_equal(
            X509_digest(issued.certificate, EVP_get_digestbyname(names[i]), expected, &size), 1);
        assert_int_equal(certificate_fingerprint(&certificate, algorithm, text), STATUS_OK);
        assert_int_equal(strlen(text), 3 * size - 1);
        text_hex(hex, expected, size);
        assert_true(certificate_matches(&certificate, algorithm, hex, 2 * (size_t)size));
        assert_true(certificate_matches(&certificate, algorithm, text, strlen(text)));
        fingerprint_algorithm_t other = (fingerprint_algorithm_t)((i + 1) % FINGERPRINT_ALGORITHMS);
        assert_false(certificate_matches(&certificate, other, text, strlen(text)));
        assert_int_equal(fingerprint_bytes(algorithm), size);
        assert_int_equal(fingerprint_of_size(size), algorithm);
        assert_int_equal(strcasecmp(fingerprint_words[i], names[i]), 0);
        if (algorithm == FINGERPRINT_SHA256)
            assert_string_equal(text, certificate.fingerprint);
        hex[0] = hex[0] == '0' ? '1' : '0';
        assert_false(certificate_matches(&certificate, algorithm, hex, 2 * (size_t)size));
        assert_false(certificate_matches(&certificate, algorithm, hex, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(der_is_kept_as_it_is),
        cmocka_unit_test(broken_der_is_refused),
        cmocka_unit_test(texts),
        cmocka_unit_test(lines_may_be_broken_anywhere),
        cmocka_unit_test(pem_is_read_again),
        cmocka_unit_test(fingerprints_are_of_the_der),
    };
    return cmocka_run_group_tests_name("certificate", tests, set_up, tear_down);
}
