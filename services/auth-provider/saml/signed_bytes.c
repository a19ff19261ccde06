/* Must never: hand out a byte that was not digested. Next: claims.c. */
#include "services/auth-provider/saml/signed_bytes.h"

#include "common/mem.h"

#include <libxml/c14n.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <string.h>

/* What of the document is canonicalized: an element with all that is in it, but for one. */
typedef struct {
    const xmlNode *whole;
    const xmlNode *without; /* NULL: nothing is left out */
    const xmlNode *last;    /* an element that was asked about, */
    bool last_is_in;        /* since its namespaces and attributes come next */
} extent_t;

static bool is_in(extent_t *extent, const xmlNode *element)
{
    if (element == extent->last && element != NULL)
        return extent->last_is_in;
    const xmlNode *at = element;
    while (at != NULL && at != extent->whole && at != extent->without)
        at = at->parent;
    extent->last = element;
    extent->last_is_in = at != NULL && at == extent->whole;
    return extent->last_is_in;
}

static int is_visible(void *user, xmlNode *node, xmlNode *parent)
{
    extent_t *extent = user;
    return is_in(extent, node->type == XML_ELEMENT_NODE ? node : parent);
}

static int write_bytes(void *user, const char *bytes, int length)
{
    signed_bytes_t *out = user;
    if (out->overflowed || length < 0 || (size_t)length > SIGNED_BYTES_MAX - out->length) {
        out->overflowed = true;
        return -1;
    }
    if (out->length + (size_t)length > out->size) {
        size_t size = 2 * (out->length + (size_t)length);
        char *grown = mem_zalloc(size);
        memcpy(grown, out->bytes, out->length);
        signed_bytes_t old = *out;
        *out = (signed_bytes_t){.bytes = grown, .length = old.length, .size = size};
        signed_bytes_clear(&old);
    }
    memcpy(out->bytes + out->length, bytes, (size_t)length);
    out->length += (size_t)length;
    return length;
}

/* Exclusive C14N 1.0 without comments. STATUS_SYSTEM: it failed, or made nothing. */
static status_t canonicalize(extent_t *extent, const prefixes_t *prefixes, signed_bytes_t *out)
{
    xmlChar *list[SIGNATURE_PREFIXES_MAX + 1]; /* not const, for libxml2 */
    signed_bytes_t made = {.size = 8192};
    memcpy(list, prefixes->list, sizeof(list));
    made.bytes = mem_zalloc(made.size);
    xmlOutputBuffer *buffer = xmlOutputBufferCreateIO(write_bytes, NULL, &made, NULL);
    bool good = buffer != NULL && xmlC14NExecute(extent->whole->doc, is_visible, extent,
                                                 XML_C14N_EXCLUSIVE_1_0, list, 0, buffer) >= 0;
    bool closed = buffer != NULL && xmlOutputBufferClose(buffer) >= 0;
    if (good && closed && !made.overflowed && made.length > 0) {
        *out = made;
        return STATUS_OK;
    }
    signed_bytes_clear(&made);
    return STATUS_SYSTEM;
}

static saml_reason_t check_digest(const signature_t *signature, signed_bytes_t *out)
{
    uint8_t made[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    extent_t extent = {.whole = signature->parent, .without = signature->element};
    if (canonicalize(&extent, &signature->parent_prefixes, out) != STATUS_OK)
        return SAML_CANONICALIZATION_FAILED;
    bool same =
        EVP_Digest(out->bytes, out->length, made, &size, signature->digest->hash(), NULL) == 1 &&
        size == signature->digest_length && CRYPTO_memcmp(made, signature->digest_value, size) == 0;
    ERR_clear_error();
    return same ? SAML_NONE : SAML_DIGEST_MISMATCH;
}

static void free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void free_ecdsa(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

/* r and s side by side, each as long as the curve's order (XML Signature 1.1, section 6.4.3), as
 * the DER that OpenSSL wants. */
static status_t ecdsa_to_der(const EVP_PKEY *key, const signature_t *signature,
                             uint8_t out[SIGNATURE_VALUE_MAX], size_t *out_length)
{
    size_t half = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    if (signature->value_length != 2 * half)
        return STATUS_INVALID;
    AUTO(free_ecdsa) ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature->value, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(signature->value + half, (int)half, NULL);
    if (pair == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return STATUS_SYSTEM;
    }
    int length = i2d_ECDSA_SIG(pair, NULL);
    if (length <= 0 || length > SIGNATURE_VALUE_MAX)
        return STATUS_INVALID;
    *out_length = (size_t)i2d_ECDSA_SIG(pair, &out);
    return STATUS_OK;
}

static bool set_padding(EVP_PKEY_CTX *context, const signature_method_t *method)
{
    switch (method->family) {
    case SIGNATURE_ECDSA:
        return true;
    case SIGNATURE_RSA:
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case SIGNATURE_RSA_PSS: /* RFC 9231, section 2.3.10 */
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, method->hash()) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    return false;
}

static bool is_by(EVP_PKEY *key, const signature_t *signature, const signed_bytes_t *info)
{
    uint8_t der[SIGNATURE_VALUE_MAX];
    const uint8_t *value = signature->value;
    size_t length = signature->value_length;
    EVP_PKEY_CTX *parameters = NULL; /* the context's */
    AUTO(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (signature->method->family == SIGNATURE_ECDSA) {
        if (ecdsa_to_der(key, signature, der, &length) != STATUS_OK)
            return false;
        value = der;
    }
    return context != NULL &&
           EVP_DigestVerifyInit(context, &parameters, signature->method->hash(), NULL, key) == 1 &&
           set_padding(parameters, signature->method) &&
           EVP_DigestVerify(context, value, length, (const uint8_t *)info->bytes, info->length) ==
               1;
}

static saml_reason_t check_signature(const signature_t *signature, const keys_t *keys,
                                     const signing_key_t **out_key)
{
    AUTO(signed_bytes_clear) signed_bytes_t info = {0};
    extent_t extent = {.whole = signature->info};
    if (canonicalize(&extent, &signature->info_prefixes, &info) != STATUS_OK)
        return SAML_CANONICALIZATION_FAILED;
    saml_reason_t reason = SAML_SIGNATURE_INVALID;
    for (size_t i = 0; i < keys->count && reason != SAML_NONE; i++)
        if (is_by(keys->keys[i].key, signature, &info)) {
            *out_key = &keys->keys[i];
            reason = SAML_NONE;
        }
    ERR_clear_error(); /* the thread's queue: a later user would take it for its own */
    return reason;
}

bool signed_bytes_check(const signature_t *signature, const keys_t *keys, saml_verdict_t *verdict,
                        signed_bytes_t *out, const signing_key_t **out_key)
{
    AUTO(signed_bytes_clear) signed_bytes_t bytes = {0};
    if (!steps_add(verdict, "digest", check_digest(signature, &bytes), "%s", signature->whose) ||
        !steps_add(verdict, "signature", check_signature(signature, keys, out_key), "%s",
                   signature->whose))
        return false;
    *out = bytes;
    bytes = (signed_bytes_t){0};
    return true;
}

void signed_bytes_clear(signed_bytes_t *bytes)
{
    if (bytes->bytes != NULL)
        sodium_memzero(bytes->bytes, bytes->size);
    mem_free(bytes->bytes);
    *bytes = (signed_bytes_t){0};
}
