/* Our own key. Must never: let the key out. Next: redirect.c. */
#include "services/auth-provider/saml/sign.h"

#include "common/keyfile.h"
#include "common/mem.h"
#include "services/auth-provider/saml/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>

enum { SIGNER_FILE_MAX = 64 * 1024 };

struct signer {
    EVP_PKEY *key;
    const key_algorithm_t *algorithm;
    certificate_t certificate;
};

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void free_x509(X509 **x509)
{
    X509_free(*x509);
}

/* Nobody is there to ask for a passphrase. */
static int no_passphrase(char *out, int size, int writing, void *user)
{
    (void)out, (void)size, (void)writing, (void)user;
    return -1;
}

static status_t read_key(const char *pem, size_t length, const char *path, signer_t *signer,
                         err_t *err)
{
    AUTO(free_bio) BIO *bio = BIO_new_mem_buf(pem, (int)length);
    signer->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    if (signer->key == NULL)
        return err_set(err, STATUS_INVALID, path,
                       "holds no private key in PEM, or one with a passphrase");
    const char *uri = EVP_PKEY_get_base_id(signer->key) == EVP_PKEY_EC
                          ? "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
                          : "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    if (key_algorithm(uri, false, &signer->algorithm) != SAML_NONE ||
        key_check(signer->algorithm, signer->key) != SAML_NONE)
        return err_set(err, STATUS_INVALID, path,
                       "has a key that is neither RSA of %d bits or more nor of a NIST curve",
                       KEY_RSA_BITS_MIN);
    return STATUS_OK;
}

static status_t read_certificate(const char *pem, size_t length, const char *path, signer_t *signer,
                                 err_t *err)
{
    AUTO(free_bio) BIO *bio = BIO_new_mem_buf(pem, (int)length);
    AUTO(free_x509) X509 *x509 = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    if (x509 == NULL)
        return err_set(err, STATUS_INVALID, path, "holds no certificate in PEM");
    if (X509_check_private_key(x509, signer->key) != 1)
        return err_set(err, STATUS_INVALID, path, "holds a certificate of another key");
    uint8_t *der = NULL;
    int size = i2d_X509(x509, &der);
    status_t status =
        size <= 0 ? STATUS_INVALID : certificate_from_der(der, (size_t)size, &signer->certificate);
    OPENSSL_free(der);
    return status == STATUS_OK ? status
                               : err_set(err, STATUS_INVALID, path,
                                         "has a certificate that is too "
                                         "large or malformed");
}

status_t signer_open(const char *path, signer_t **out, err_t *err)
{
    char *pem = mem_zalloc(SIGNER_FILE_MAX);
    size_t length = 0;
    AUTO(signer_close) signer_t *signer = mem_zalloc(sizeof(*signer));
    status_t status = keyfile_read(path, pem, SIGNER_FILE_MAX, &length, err);
    if (status == STATUS_OK)
        status = read_key(pem, length, path, signer, err);
    if (status == STATUS_OK)
        status = read_certificate(pem, length, path, signer, err);
    ERR_clear_error();
    sodium_memzero(pem, SIGNER_FILE_MAX);
    mem_free(pem);
    if (status == STATUS_OK)
        *out = TAKE(signer);
    return status;
}

void signer_close(signer_t **signer)
{
    if (*signer == NULL)
        return;
    EVP_PKEY_free((*signer)->key);
    certificate_clear(&(*signer)->certificate);
    mem_free(*signer);
    *signer = NULL;
}

const certificate_t *signer_certificate(const signer_t *signer)
{
    return &signer->certificate;
}

const char *signer_algorithm(const signer_t *signer)
{
    return signer->algorithm->uri;
}

status_t signer_sign(const signer_t *signer, const void *bytes, size_t length, unsigned char *out,
                     size_t size, size_t *out_length, err_t *err)
{
    status_t status =
        key_sign(signer->algorithm, signer->key, bytes, length, out, size, out_length);
    return status == STATUS_OK ? status : err_set(err, status, "LK_SAML_KEY_FILE", "does not sign");
}
