/* Must never: take a key from elsewhere than the very certificate that is trusted; parse one that
 * is not. Next: signed_bytes.c. */
#include "services/auth-provider/saml/keys.h"

#include "common/mem.h"

#include <string.h>

static bool has_usable_fingerprint(const saml_expect_t *expect)
{
    uint8_t bytes[FINGERPRINT_BYTES_MAX];
    size_t size = 0;
    return fingerprint_read(expect->fingerprint, strlen(expect->fingerprint), bytes, &size) ==
               STATUS_OK &&
           size == fingerprint_bytes(expect->fingerprint_algorithm);
}

/* A stored certificate is what its row says; only of others the fingerprint speaks. */
static saml_reason_t judge(const saml_expect_t *expect, const certificate_t *certificate,
                           const saml_certificate_t **out_stored)
{
    const saml_certificate_t *stored = NULL;
    for (size_t i = 0; i < expect->certificate_count; i++) {
        const saml_certificate_t *one = &expect->certificates[i];
        if (one->length != certificate->length ||
            memcmp(one->der, certificate->der, one->length) != 0)
            continue;
        if (one->retired)
            return SAML_CERTIFICATE_RETIRED;
        stored = one;
    }
    *out_stored = stored;
    if (stored != NULL)
        return SAML_NONE;
    if (!has_usable_fingerprint(expect))
        return SAML_FINGERPRINT_LENGTH;
    return certificate_matches(certificate, expect->fingerprint_algorithm, expect->fingerprint,
                               strlen(expect->fingerprint))
               ? SAML_NONE
               : SAML_CERTIFICATE_UNKNOWN;
}

/* What more than one untrusted certificate comes to: "retired" says most. */
static saml_reason_t graver(saml_reason_t a, saml_reason_t b)
{
    return a == SAML_CERTIFICATE_RETIRED || b == SAML_NONE ? a : b;
}

/* Its bytes. Whether they are a certificate is seen once they are trusted. */
static status_t read_der(const xmlNode *element, certificate_t *out)
{
    uint8_t der[CERTIFICATE_DER_MAX];
    size_t length = 0;
    status_t status = element_base64(element, der, sizeof(der), &length);
    if (status == STATUS_OK && length == 0)
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        *out = (certificate_t){.der = (uint8_t *)mem_copy(der, length), .length = length};
    return status;
}

static saml_reason_t take_first_trusted(const saml_expect_t *expect, const xmlNode *data,
                                        size_t *brought, keys_t *out)
{
    saml_reason_t worst = SAML_NONE;
    for (const xmlNode *at = xml_first(data, SAML_NS_DSIG, "X509Certificate"); at != NULL;
         at = xml_next(at, SAML_NS_DSIG, "X509Certificate")) {
        const saml_certificate_t *stored = NULL;
        AUTO(certificate_clear) certificate_t certificate = {0};
        if (++*brought > KEYS_BROUGHT_MAX || read_der(at, &certificate) != STATUS_OK)
            return SAML_CERTIFICATE_MALFORMED;
        saml_reason_t reason = judge(expect, &certificate, &stored);
        if (reason != SAML_NONE) {
            worst = graver(worst, reason);
            continue;
        }
        out->count = 1;
        out->by_fingerprint = stored == NULL;
        out->brought = certificate;
        certificate = (certificate_t){0};
        out->keys[0].der = out->brought.der;
        out->keys[0].length = out->brought.length;
        return SAML_NONE;
    }
    return worst;
}

static void take_all_stored(const saml_expect_t *expect, keys_t *out)
{
    for (size_t i = 0; i < expect->certificate_count && out->count < KEYS_MAX; i++)
        if (!expect->certificates[i].retired) {
            out->keys[out->count].der = expect->certificates[i].der;
            out->keys[out->count++].length = expect->certificates[i].length;
        }
}

static saml_reason_t find_certificates(const saml_expect_t *expect, const xmlNode *key_info,
                                       keys_t *out)
{
    size_t brought = 0;
    saml_reason_t worst = SAML_NONE;
    const xmlNode *data = key_info == NULL ? NULL : xml_first(key_info, SAML_NS_DSIG, "X509Data");
    for (; data != NULL; data = xml_next(data, SAML_NS_DSIG, "X509Data")) {
        saml_reason_t reason = take_first_trusted(expect, data, &brought, out);
        if (out->count > 0 || reason == SAML_CERTIFICATE_MALFORMED)
            return reason;
        worst = graver(worst, reason);
    }
    if (brought > 0)
        return worst;
    take_all_stored(expect, out);
    return out->count > 0 ? SAML_NONE : SAML_CERTIFICATE_MISSING;
}

/* Reading a certificate is most of the work: where both signatures bring the same, once. */
static EVP_PKEY *key_of(const signing_key_t *from, const keys_t *before)
{
    for (size_t i = 0; i < before->count; i++) {
        const signing_key_t *known = &before->keys[i];
        if (known->length == from->length && memcmp(known->der, from->der, from->length) == 0)
            return EVP_PKEY_up_ref(known->key) == 1 ? known->key : NULL;
    }
    return key_read(from->der, from->length);
}

/* Leaves those that fit. */
static saml_reason_t read_keys(const signature_t *signature, const keys_t *before, keys_t *keys)
{
    size_t kept = 0;
    saml_reason_t why = SAML_CERTIFICATE_MISSING;
    for (size_t i = 0; i < keys->count; i++) {
        signing_key_t one = keys->keys[i];
        one.key = key_of(&one, before);
        saml_reason_t reason =
            one.key == NULL ? SAML_CERTIFICATE_MALFORMED : key_check(signature->algorithm, one.key);
        if (i == 0)
            why = reason;
        if (reason == SAML_NONE)
            keys->keys[kept++] = one;
        else
            key_free(&one.key);
    }
    keys->count = kept;
    return kept > 0 ? SAML_NONE : why;
}

bool keys_find(const saml_expect_t *expect, const signature_t *signature, const keys_t *before,
               saml_verdict_t *verdict, keys_t *out)
{
    *out = (keys_t){0};
    saml_reason_t reason = find_certificates(expect, signature->key_info, out);
    if (!steps_add(verdict, "certificate", reason, "%s", signature->whose)) {
        out->count = 0; /* no key was read */
        return false;
    }
    return steps_add(verdict, "key", read_keys(signature, before, out), "%s", signature->whose);
}

void keys_clear(keys_t *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        key_free(&keys->keys[i].key);
    certificate_clear(&keys->brought);
    *keys = (keys_t){0};
}
