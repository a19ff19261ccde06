/* Certificates as bytes. Must never: trust one. Next: xml.c. */
#include "services/auth-provider/certificate.h"

#include "common/mem.h"
#include "common/text.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----";
static const char pem_end[] = "-----END CERTIFICATE-----";
static const char blanks[] = " \t\r\n";

enum {
    PEM_LINE_BYTES = 48, /* 64 characters of base64 */
    BASE64_MAX = 2 * CERTIFICATE_DER_MAX,
    RSA_BITS_MIN = 2048,
};

static const EVP_MD *method_of(fingerprint_algorithm_t algorithm)
{
    switch (algorithm) {
    case FINGERPRINT_SHA1:
        return EVP_sha1();
    case FINGERPRINT_SHA256:
        return EVP_sha256();
    case FINGERPRINT_SHA384:
        return EVP_sha384();
    case FINGERPRINT_SHA512:
        return EVP_sha512();
    case FINGERPRINT_ALGORITHMS:
        break;
    }
    abort(); /* no algorithm */
}

static status_t hash(const uint8_t *der, size_t length, fingerprint_algorithm_t algorithm,
                     uint8_t out[EVP_MAX_MD_SIZE], unsigned *out_size)
{
    if (EVP_Digest(der, length, out, out_size, method_of(algorithm), NULL) == 1)
        return STATUS_OK;
    ERR_clear_error();
    return STATUS_SYSTEM;
}

static void free_x509(X509 **x509)
{
    X509_free(*x509);
}

static status_t read_time(const ASN1_TIME *time, int64_t *out_ms)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return STATUS_INVALID;
    *out_ms = (int64_t)timegm(&tm) * 1000;
    return STATUS_OK;
}

/* Reads what is within; der is not copied. */
static status_t read_x509(const uint8_t *der, size_t length, certificate_t *out)
{
    const uint8_t *end = der;
    AUTO(free_x509) X509 *x509 = d2i_X509(NULL, &end, (long)length);
    if (x509 == NULL || end != der + length)
        return STATUS_INVALID;
    if (read_time(X509_get0_notBefore(x509), &out->not_before_ms) != STATUS_OK ||
        read_time(X509_get0_notAfter(x509), &out->not_after_ms) != STATUS_OK)
        return STATUS_INVALID;
    return certificate_fingerprint(out, FINGERPRINT_SHA256, out->fingerprint);
}

status_t certificate_from_der(const uint8_t *der, size_t length, certificate_t *out)
{
    if (length > CERTIFICATE_DER_MAX)
        return STATUS_TOO_LARGE;
    certificate_t read = {.der = (uint8_t *)mem_copy(der, length), .length = length};
    status_t status = read_x509(read.der, length, &read);
    if (status != STATUS_OK) {
        ERR_clear_error(); /* the thread's queue: a later user would take it for its own */
        certificate_clear(&read);
        return status;
    }
    *out = read;
    return STATUS_OK;
}

status_t certificate_from_base64(const char *text, size_t length, certificate_t *out)
{
    uint8_t der[CERTIFICATE_DER_MAX];
    size_t size = 0;
    if (length > BASE64_MAX)
        return STATUS_TOO_LARGE;
    /* sodium would take a NUL for a blank */
    if (text_has_nul(text, length) ||
        sodium_base642bin(der, sizeof(der), text, length, blanks, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return STATUS_INVALID;
    return certificate_from_der(der, size, out);
}

static bool is_blank(char c)
{
    return c != '\0' && strchr(blanks, c) != NULL;
}

status_t certificate_from_text(const char *text, size_t length, certificate_t *out)
{
    for (; length > 0 && is_blank(*text); text++)
        length--;
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    size_t begin = sizeof(pem_begin) - 1, end = sizeof(pem_end) - 1;
    if (length >= begin + end && memcmp(text, pem_begin, begin) == 0 &&
        memcmp(text + length - end, pem_end, end) == 0) {
        text += begin;
        length -= begin + end;
    }
    return certificate_from_base64(text, length, out);
}

char *certificate_to_pem(const certificate_t *certificate)
{
    size_t lines = (certificate->length + PEM_LINE_BYTES - 1) / PEM_LINE_BYTES;
    size_t size = sizeof(pem_begin) + lines * 66 + sizeof(pem_end) + 1;
    char *pem = mem_array(size, 1), *at = pem;
    memcpy(at, pem_begin, sizeof(pem_begin) - 1);
    at += sizeof(pem_begin) - 1;
    *at++ = '\n';
    for (size_t done = 0; done < certificate->length; done += PEM_LINE_BYTES) {
        size_t left = certificate->length - done;
        size_t take = left < PEM_LINE_BYTES ? left : PEM_LINE_BYTES;
        at += EVP_EncodeBlock((unsigned char *)at, certificate->der + done, (int)take);
        *at++ = '\n';
    }
    memcpy(at, pem_end, sizeof(pem_end) - 1);
    at[sizeof(pem_end) - 1] = '\n';
    return pem;
}

status_t certificate_fingerprint(const certificate_t *certificate,
                                 fingerprint_algorithm_t algorithm, char out[FINGERPRINT_SIZE])
{
    uint8_t made[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    status_t status = hash(certificate->der, certificate->length, algorithm, made, &size);
    if (status == STATUS_OK)
        fingerprint_write(made, size, out);
    return status;
}

bool certificate_matches(const certificate_t *certificate, fingerprint_algorithm_t algorithm,
                         const char *text, size_t length)
{
    uint8_t made[EVP_MAX_MD_SIZE], given[FINGERPRINT_BYTES_MAX];
    unsigned size = 0;
    size_t given_size = 0;
    return hash(certificate->der, certificate->length, algorithm, made, &size) == STATUS_OK &&
           fingerprint_read(text, length, given, &given_size) == STATUS_OK && given_size == size &&
           CRYPTO_memcmp(made, given, size) == 0;
}

static bool is_strong_curve(const EVP_PKEY *key)
{
    char name[32];
    size_t length = 0;
    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &length) != 1)
        return false;
    int curve = OBJ_txt2nid(name);
    return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 || curve == NID_secp521r1;
}

const char *certificate_key_flaw(const certificate_t *certificate)
{
    const unsigned char *at = certificate->der;
    AUTO(free_x509) X509 *x509 = d2i_X509(NULL, &at, (long)certificate->length);
    const EVP_PKEY *key = x509 == NULL ? NULL : X509_get0_pubkey(x509);
    int type = key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
    if (type == EVP_PKEY_RSA)
        return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN ? NULL
                                                      : "has an RSA key of less than 2048 bits";
    if (type == EVP_PKEY_EC && is_strong_curve(key))
        return NULL;
    return "has a key that is neither RSA nor ECDSA on P-256, P-384 or P-521";
}

void certificate_clear(certificate_t *certificate)
{
    if (certificate == NULL)
        return;
    mem_free(certificate->der);
    *certificate = (certificate_t){0};
}
