/* Must never: hand out a byte that was not digested. Next: claims.c. */
#include "services/auth-provider/saml/signed_bytes.h"

#include "common/mem.h"

#include <libxml/c14n.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
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

static saml_reason_t check_signature(const signature_t *signature, const keys_t *keys,
                                     const signing_key_t **out_key)
{
    AUTO(signed_bytes_clear) signed_bytes_t info = {0};
    extent_t extent = {.whole = signature->info};
    if (canonicalize(&extent, &signature->info_prefixes, &info) != STATUS_OK)
        return SAML_CANONICALIZATION_FAILED;
    for (size_t i = 0; i < keys->count; i++)
        if (key_verify_by(signature->algorithm, keys->keys[i].key, info.bytes, info.length,
                          signature->value, signature->value_length) == SAML_NONE) {
            *out_key = &keys->keys[i];
            return SAML_NONE;
        }
    return SAML_SIGNATURE_INVALID;
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
