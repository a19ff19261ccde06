/* Signatures: what is signed is verified, by the same key and algorithm, and by nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/compiler.h"
#include "services/auth-provider/saml/key.h"
#include "tests/support/issuer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define SHA1 "http://www.w3.org/2000/09/xmldsig#rsa-sha1"

enum { RSA_2048, P256, P384, P521, WEAK, ODD_CURVE, EDWARDS, PSS, KEYS };

static issued_t keys[KEYS];

static int set_up(void **state)
{
    (void)state;
    EVP_PKEY *made[KEYS] = {
        [RSA_2048] = EVP_RSA_gen(2048),
        [P256] = EVP_EC_gen("P-256"),
        [P384] = EVP_EC_gen("P-384"),
        [P521] = EVP_EC_gen("P-521"),
        [WEAK] = EVP_RSA_gen(1024),
        [ODD_CURVE] = EVP_EC_gen("secp256k1"),
        [EDWARDS] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, NULL);
    if (EVP_PKEY_keygen_init(context) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) != 1 ||
        EVP_PKEY_keygen(context, &made[PSS]) != 1)
        return -1;
    EVP_PKEY_CTX_free(context);
    for (int i = 0; i < KEYS; i++)
        if (made[i] == NULL)
            return -1;
    for (int i = 0; i < KEYS; i++)
        issuer_make_of(made[i], "idp.example.com", 1, 2, &keys[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < KEYS; i++)
        issuer_free(&keys[i]);
    return 0;
}

static const key_algorithm_t *find(const char *uri)
{
    const key_algorithm_t *algorithm = NULL;
    assert_int_equal(key_algorithm(uri, true, &algorithm), SAML_NONE);
    return algorithm;
}

static void only_these_algorithms(void **state)
{
    (void)state;
    static const char *const no[] = {"",
                                     "rsa-sha256",
                                     MORE "rsa-md5",
                                     MORE "hmac-sha256",
                                     "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
                                     "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
                                     MORE "RSA-SHA256",
                                     MORE "rsa-sha256 ",
                                     "http://www.w3.org/2007/05/xmldsig-more#rsa-pss"};
    const key_algorithm_t *algorithm = NULL;
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_int_equal(key_algorithm(no[i], true, &algorithm), SAML_SIGNATURE_ALGORITHM);
    assert_int_equal(key_algorithm(SHA1, false, &algorithm), SAML_SHA1_REFUSED);
    assert_null(algorithm);
    assert_int_equal(key_algorithm(SHA1, true, &algorithm), SAML_NONE);
    assert_int_equal(key_algorithm(MORE "rsa-sha256", false, &algorithm), SAML_NONE);
}

static const struct {
    int key;
    const char *uri;
} pairs[] = {
    {RSA_2048, MORE "rsa-sha256"},
    {RSA_2048, MORE "rsa-sha384"},
    {RSA_2048, MORE "rsa-sha512"},
    {RSA_2048, SHA1},
    {RSA_2048, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"},
    {P256, MORE "ecdsa-sha256"},
    {P256, MORE "ecdsa-sha512"},
    {P384, MORE "ecdsa-sha384"},
    {P521, MORE "ecdsa-sha512"},
};

static void what_is_signed_is_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        const key_algorithm_t *algorithm = find(pairs[i].uri);
        const issued_t *key = &keys[pairs[i].key];
        uint8_t made[KEY_SIGNATURE_MAX];
        size_t length = 0;
        assert_int_equal(key_check(algorithm, key->key), SAML_NONE);
        assert_int_equal(key_sign(algorithm, key->key, "abc", 3, made, sizeof(made), &length),
                         STATUS_OK);
        assert_int_equal(key_verify(algorithm, key->der, key->length, "abc", 3, made, length),
                         SAML_NONE);
        assert_int_equal(key_sign(algorithm, key->key, "abc", 3, made, length - 1, &length),
                         STATUS_TOO_LARGE);
        assert_int_equal(key_verify(algorithm, key->der, key->length, "abd", 3, made, length),
                         SAML_SIGNATURE_INVALID);
        assert_int_equal(key_verify(algorithm, key->der, key->length, "abc", 3, made, length - 1),
                         SAML_SIGNATURE_INVALID);
        assert_int_equal(key_verify(algorithm, key->der, key->length, "abc", 3, made, 0),
                         SAML_SIGNATURE_INVALID);
        for (size_t at = 0; at < length; at += 7) {
            made[at] ^= 4;
            assert_int_equal(key_verify(algorithm, key->der, key->length, "abc", 3, made, length),
                             SAML_SIGNATURE_INVALID);
            made[at] ^= 4;
        }
        assert_int_equal(ERR_peek_error(), 0);
    }
}

/* r = s = 0 verifies with careless implementations. */
static void signatures_of_zeroes(void **state)
{
    (void)state;
    const uint8_t zeroes[256] = {0};
    assert_int_equal(key_verify(find(MORE "ecdsa-sha256"), keys[P256].der, keys[P256].length, "abc",
                                3, zeroes, 64),
                     SAML_SIGNATURE_INVALID);
    assert_int_equal(key_verify(find(MORE "rsa-sha256"), keys[RSA_2048].der, keys[RSA_2048].length,
                                "abc", 3, zeroes, 256),
                     SAML_SIGNATURE_INVALID);
}

static void keys_of_another_type_or_too_weak(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        int key;
        saml_reason_t reason;
    } rows[] = {
        {MORE "rsa-sha256", P256, SAML_KEY_TYPE},
        {MORE "ecdsa-sha256", RSA_2048, SAML_KEY_TYPE},
        {MORE "rsa-sha256", PSS, SAML_KEY_TYPE},
        {MORE "ecdsa-sha256", EDWARDS, SAML_KEY_TYPE},
        {MORE "rsa-sha256", WEAK, SAML_KEY_TOO_WEAK},
        {MORE "ecdsa-sha256", ODD_CURVE, SAML_KEY_TOO_WEAK},
    };
    const uint8_t signature[256] = {1};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const issued_t *key = &keys[rows[i].key];
        assert_int_equal(key_verify(find(rows[i].uri), key->der, key->length, "abc", 3, signature,
                                    sizeof(signature)),
                         rows[i].reason);
    }
}

static void a_certificate_fills_its_bytes(void **state)
{
    (void)state;
    const key_algorithm_t *algorithm = find(MORE "ecdsa-sha256");
    uint8_t made[KEY_SIGNATURE_MAX];
    static uint8_t longer[sizeof(keys[0].der) + 1];
    size_t length = 0;
    assert_int_equal(key_sign(algorithm, keys[P256].key, "abc", 3, made, sizeof(made), &length),
                     STATUS_OK);
    memcpy(longer, keys[P256].der, keys[P256].length);
    assert_int_equal(key_verify(algorithm, longer, keys[P256].length, "abc", 3, made, length),
                     SAML_NONE);
    assert_int_equal(key_verify(algorithm, longer, keys[P256].length + 1, "abc", 3, made, length),
                     SAML_CERTIFICATE_MALFORMED);
    assert_int_equal(key_verify(algorithm, longer, keys[P256].length - 1, "abc", 3, made, length),
                     SAML_CERTIFICATE_MALFORMED);
    assert_int_equal(key_verify(algorithm, longer, 0, "abc", 3, made, length),
                     SAML_CERTIFICATE_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_these_algorithms),
        cmocka_unit_test(what_is_signed_is_verified),
        cmocka_unit_test(signatures_of_zeroes),
        cmocka_unit_test(keys_of_another_type_or_too_weak),
        cmocka_unit_test(a_certificate_fills_its_bytes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
