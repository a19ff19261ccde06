/* Signatures, by libcrypto. Must never: take an algorithm that is not in the table, or one for a
 * key of another type. Next: redirect.c. */
#include "services/auth-provider/saml/key.h"

#include "common/compiler.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define PSS  "http://www.w3.org/2007/05/xmldsig-more#"
#define DSIG "http://www.w3.org/2000/09/xmldsig#"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"

static const key_algorithm_t algorithms[] = {
    {MORE "rsa-sha256", "SHA256", EVP_PKEY_RSA, false, false},
    {MORE "rsa-sha384", "SHA384", EVP_PKEY_RSA, false, false},
    {MORE "rsa-sha512", "SHA512", EVP_PKEY_RSA, false, false},
    {PSS "sha256-rsa-MGF1", "SHA256", EVP_PKEY_RSA, false, true},
    {PSS "sha384-rsa-MGF1", "SHA384", EVP_PKEY_RSA, false, true},
    {PSS "sha512-rsa-MGF1", "SHA512", EVP_PKEY_RSA, false, true},
    {MORE "ecdsa-sha256", "SHA256", EVP_PKEY_EC, false, false},
    {MORE "ecdsa-sha384", "SHA384", EVP_PKEY_EC, false, false},
    {MORE "ecdsa-sha512", "SHA512", EVP_PKEY_EC, false, false},
    {DSIG "rsa-sha1", "SHA1", EVP_PKEY_RSA, true, false},
    {MORE "ecdsa-sha1", "SHA1", EVP_PKEY_EC, true, false},
};

static void free_x509(X509 **x509)
{
    X509_free(*x509);
}

static void free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void free_pair(ECDSA_SIG **pair)
{
    ECDSA_SIG_free(*pair);
}

saml_reason_t key_algorithm(const char *uri, bool allow_sha1, const key_algorithm_t **out)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (strcmp(algorithms[i].uri, uri) != 0)
            continue;
        if (algorithms[i].is_sha1 && !allow_sha1)
            return SAML_SHA1_REFUSED;
        *out = &algorithms[i];
        return SAML_NONE;
    }
    return SAML_SIGNATURE_ALGORITHM;
}

static bool is_good_curve(const EVP_PKEY *key)
{
    static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
    char name[64];
    if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (strcmp(curves[i], name) == 0)
            return true;
    return false;
}

saml_reason_t key_check(const key_algorithm_t *algorithm, const EVP_PKEY *key)
{
    int type = EVP_PKEY_get_base_id(key);
    if (type != algorithm->key_type)
        return SAML_KEY_TYPE;
    bool is_strong =
        type == EVP_PKEY_RSA ? EVP_PKEY_get_bits(key) >= KEY_RSA_BITS_MIN : is_good_curve(key);
    ERR_clear_error();
    return is_strong ? SAML_NONE : SAML_KEY_TOO_WEAK;
}

/* Bytes of r, and of s. */
static size_t half_of(const EVP_PKEY *key)
{
    return ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
}

/* r and s side by side, as libcrypto wants them: DER. The caller frees *out with OPENSSL_free; 0:
 * another length. */
static int to_der(const EVP_PKEY *key, const uint8_t *signature, size_t length, uint8_t **out)
{
    size_t half = half_of(key);
    if (length != 2 * half)
        return 0;
    AUTO(free_pair) ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(signature + half, (int)half, NULL);
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    int size = i2d_ECDSA_SIG(pair, out);
    return size > 0 ? size : 0;
}

static bool set_padding(EVP_PKEY_CTX *parameters, const key_algorithm_t *algorithm)
{
    if (algorithm->key_type != EVP_PKEY_RSA)
        return true;
    if (!algorithm->is_pss)
        return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(parameters, algorithm->hash, NULL) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* 1 only if it is the key's signature, as EVP_DigestVerify has it. */
static int verify(const key_algorithm_t *algorithm, EVP_PKEY *key, const void *bytes, size_t length,
                  const uint8_t *signature, size_t signature_length)
{
    EVP_PKEY_CTX *parameters = NULL; /* the context's */
    AUTO(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL ||
        EVP_DigestVerifyInit_ex(context, &parameters, algorithm->hash, NULL, NULL, key, NULL) !=
            1 ||
        !set_padding(parameters, algorithm))
        return 0;
    if (algorithm->key_type == EVP_PKEY_RSA)
        return EVP_DigestVerify(context, signature, signature_length, bytes, length);
    uint8_t *der = NULL;
    int size = to_der(key, signature, signature_length, &der);
    int good = size > 0 ? EVP_DigestVerify(context, der, (size_t)size, bytes, length) : 0;
    OPENSSL_free(der);
    return good;
}

saml_reason_t key_verify_by(const key_algorithm_t *algorithm, EVP_PKEY *key, const void *bytes,
                            size_t length, const uint8_t *signature, size_t signature_length)
{
    saml_reason_t reason = key_check(algorithm, key);
    if (reason == SAML_NONE &&
        verify(algorithm, key, bytes, length, signature, signature_length) != 1)
        reason = SAML_SIGNATURE_INVALID;
    ERR_clear_error(); /* the thread's queue: a later user would take it for its own */
    return reason;
}

EVP_PKEY *key_read(const uint8_t *der, size_t length)
{
    const uint8_t *end = der;
    AUTO(free_x509) X509 *x509 = d2i_X509(NULL, &end, (long)length);
    EVP_PKEY *key = x509 == NULL || end != der + length ? NULL : X509_get_pubkey(x509);
    ERR_clear_error();
    return key;
}

void key_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
    *key = NULL;
}

saml_reason_t key_verify(const key_algorithm_t *algorithm, const uint8_t *der, size_t der_length,
                         const void *bytes, size_t length, const uint8_t *signature,
                         size_t signature_length)
{
    AUTO(key_free) EVP_PKEY *key = key_read(der, der_length);
    return key == NULL ? SAML_CERTIFICATE_MALFORMED
                       : key_verify_by(algorithm, key, bytes, length, signature, signature_length);
}

/* Turns the DER of r and s into both side by side. */
static status_t from_der(const EVP_PKEY *key, const uint8_t *der, size_t der_length, uint8_t *out,
                         size_t size, size_t *out_length)
{
    size_t half = half_of(key);
    if (size < 2 * half)
        return STATUS_TOO_LARGE;
    AUTO(free_pair) ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_length);
    if (pair == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, (int)half) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, (int)half) < 0)
        return STATUS_SYSTEM;
    *out_length = 2 * half;
    return STATUS_OK;
}

status_t key_sign(const key_algorithm_t *algorithm, EVP_PKEY *key, const void *bytes, size_t length,
                  uint8_t *out, size_t size, size_t *out_length)
{
    uint8_t made[KEY_SIGNATURE_MAX];
    size_t made_length = sizeof(made);
    EVP_PKEY_CTX *parameters = NULL; /* the context's */
    AUTO(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL ||
        EVP_DigestSignInit_ex(context, &parameters, algorithm->hash, NULL, NULL, key, NULL) != 1 ||
        !set_padding(parameters, algorithm) ||
        EVP_DigestSign(context, made, &made_length, bytes, length) != 1) {
        ERR_clear_error();
        return STATUS_SYSTEM;
    }
    if (algorithm->key_type == EVP_PKEY_EC)
        return from_der(key, made, made_length, out, size, out_length);
    if (size < made_length)
        return STATUS_TOO_LARGE;
    memcpy(out, made, made_length);
    *out_length = made_length;
    return STATUS_OK;
}
