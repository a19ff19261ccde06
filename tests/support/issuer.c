#include "tests/support/issuer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int holds)
{
    if (!holds)
        abort();
}

static void name_it(X509 *certificate, const char *host)
{
    char text[256];
    X509_NAME *name = X509_get_subject_name(certificate);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1,
                                    0));
    must(X509_set_issuer_name(certificate, name));
    must(snprintf(text, sizeof(text), "DNS:%s", host) > 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    must(extension != NULL && X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

void issuer_make(const char *host, int64_t not_before, int64_t not_after, issued_t *out)
{
    issuer_make_of(EVP_EC_gen("P-256"), host, not_before, not_after, out);
}

void issuer_make_rsa(unsigned bits, const char *host, int64_t not_before, int64_t not_after,
                     issued_t *out)
{
    issuer_make_of(EVP_RSA_gen(bits), host, not_before, not_after, out);
}

void issuer_make_of(EVP_PKEY *key, const char *host, int64_t not_before, int64_t not_after,
                    issued_t *out)
{
    uint8_t serial[8];
    uint8_t *at = out->der;
    out->key = key;
    out->certificate = X509_new();
    must(out->key != NULL && out->certificate != NULL && RAND_bytes(serial, sizeof(serial)) == 1);
    X509 *certificate = out->certificate;
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    must(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL);
    BN_free(number);
    must(X509_set_version(certificate, 2));
    must(ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)not_before) != NULL);
    must(ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)not_after) != NULL);
    name_it(certificate, host);
    const EVP_MD *hash = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
    must(X509_set_pubkey(certificate, key) && X509_sign(certificate, key, hash));
    int length = i2d_X509(certificate, NULL);
    must(length > 0 && (size_t)length <= sizeof(out->der));
    out->length = (size_t)i2d_X509(certificate, &at);
    must(EVP_EncodeBlock((unsigned char *)out->base64, out->der, length) > 0);
}

void issuer_pem(const issued_t *issued, bool with_certificate, char *out, size_t size)
{
    char *bytes = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio != NULL && PEM_write_bio_PrivateKey(bio, issued->key, NULL, NULL, 0, NULL, NULL) == 1);
    must(!with_certificate || PEM_write_bio_X509(bio, issued->certificate) == 1);
    long length = BIO_get_mem_data(bio, &bytes);
    must(length > 0 && (size_t)length < size);
    memcpy(out, bytes, (size_t)length);
    out[length] = '\0';
    BIO_free(bio);
}

void issuer_free(issued_t *issued)
{
    X509_free(issued->certificate);
    EVP_PKEY_free(issued->key);
}
