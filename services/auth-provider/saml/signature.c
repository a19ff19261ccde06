/* A signature's parts, each in its place. Must never: follow a reference, run a transform, take an
 * algorithm that is not in the tables. Next: key.c. */
#include "services/auth-provider/saml/signature.h"

#include <stdarg.h>
#include <string.h>

#define EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"
#define DSIG      SAML_NS_DSIG
#define DSIG_MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define XMLENC    "http://www.w3.org/2001/04/xmlenc#"

static const digest_method_t digests[] = {
    {XMLENC "sha256", EVP_sha256, false},
    {DSIG_MORE "sha384", EVP_sha384, false},
    {XMLENC "sha512", EVP_sha512, false},
    {DSIG "sha1", EVP_sha1, true},
};

/* Whether it is this element of XML Signature with no text and no attributes but these (a list with
 * NULL at the end). */
static bool is_part(const xmlNode *element, const char *name, ...)
{
    if (element == NULL || !xml_is(element, DSIG, name))
        return false;
    for (const xmlAttr *at = element->properties; at != NULL; at = at->next) {
        bool known = false;
        va_list names;
        va_start(names, name);
        for (const char *one = va_arg(names, const char *); one != NULL && !known;
             one = va_arg(names, const char *))
            known = at->ns == NULL && strcmp((const char *)at->name, one) == 0;
        va_end(names);
        if (!known)
            return false;
    }
    return true;
}

/* A method without parameters, but for canonicalization's. */
static bool is_method(const xmlNode *element, const char *name)
{
    return is_part(element, name, "Algorithm", NULL) && element_is_frame(element);
}

/* The whole of it, from outside in: what must be there, in order, and nothing else. */
static bool is_shaped(const xmlNode *signature, signature_t *out)
{
    if (!is_part(signature, "Signature", "Id", NULL) || !element_is_frame(signature))
        return false;
    xmlNode *info = element_first(signature);
    if (!is_part(info, "SignedInfo", "Id", NULL) || !element_is_frame(info))
        return false;
    xmlNode *value = element_next(info);
    if (!is_part(value, "SignatureValue", "Id", NULL) || !element_is_leaf(value))
        return false;
    xmlNode *key_info = element_next(value);
    if (key_info != NULL && (!is_part(key_info, "KeyInfo", "Id", NULL) ||
                             !element_is_frame(key_info) || element_next(key_info) != NULL))
        return false;
    xmlNode *c14n = element_first(info);
    xmlNode *method = is_method(c14n, "CanonicalizationMethod") ? element_next(c14n) : NULL;
    xmlNode *reference = is_method(method, "SignatureMethod") ? element_next(method) : NULL;
    if (!is_part(reference, "Reference", "URI", "Id", "Type", NULL) ||
        !element_is_frame(reference) || element_next(reference) != NULL)
        return false;
    xmlNode *transforms = element_first(reference);
    xmlNode *digest = is_part(transforms, "Transforms", NULL) && element_is_frame(transforms)
                          ? element_next(transforms)
                          : NULL;
    xmlNode *digest_value = is_method(digest, "DigestMethod") ? element_next(digest) : NULL;
    if (!is_part(digest_value, "DigestValue", NULL) || !element_is_leaf(digest_value) ||
        element_next(digest_value) != NULL)
        return false;
    out->info = info;
    out->key_info = key_info;
    return element_base64(value, out->value, sizeof(out->value), &out->value_length) == STATUS_OK &&
           out->value_length > 0 &&
           element_base64(digest_value, out->digest_value, sizeof(out->digest_value),
                          &out->digest_length) == STATUS_OK;
}

/* Cuts a list at its blanks. */
static bool read_prefixes(const char *list, prefixes_t *out)
{
    size_t count = 0, length = strlen(list);
    if (length >= sizeof(out->text))
        return false;
    memcpy(out->text, list, length + 1);
    for (char *at = out->text; *at != '\0';) {
        at += strspn(at, " \t\r\n");
        if (*at == '\0')
            break;
        if (count == SIGNATURE_PREFIXES_MAX)
            return false;
        out->list[count++] = (xmlChar *)at;
        at += strcspn(at, " \t\r\n");
        if (*at != '\0')
            *at++ = '\0';
    }
    out->list[count] = NULL;
    return true;
}

/* Whether it is exclusive C14N without comments, with or without a list of prefixes. */
static bool is_exclusive(const xmlNode *method, prefixes_t *out)
{
    const xmlNode *list = element_first(method);
    if (!element_has(method, "Algorithm", EXCLUSIVE))
        return false;
    if (list == NULL)
        return true;
    AUTO(xml_release) char *text = xml_attribute(list, "PrefixList");
    return xml_is(list, EXCLUSIVE, "InclusiveNamespaces") && element_next(list) == NULL &&
           list->children == NULL && text != NULL && list->properties->next == NULL &&
           read_prefixes(text, out);
}

static bool are_transforms(const xmlNode *transforms, prefixes_t *out)
{
    const xmlNode *first = element_first(transforms);
    const xmlNode *second = first == NULL ? NULL : element_next(first);
    return is_method(first, "Transform") && is_method(second, "Transform") &&
           element_next(second) == NULL && element_first(first) == NULL &&
           element_has(first, "Algorithm", DSIG "enveloped-signature") && is_exclusive(second, out);
}

static saml_reason_t read_method(const xmlNode *element, bool allow_sha1, signature_t *out)
{
    AUTO(xml_release) char *uri = xml_attribute(element, "Algorithm");
    if (uri == NULL || element_first(element) != NULL)
        return SAML_SIGNATURE_ALGORITHM;
    return key_algorithm(uri, allow_sha1, &out->algorithm);
}

static saml_reason_t read_digest(const xmlNode *element, bool allow_sha1, signature_t *out)
{
    for (size_t i = 0; i < ARRAY_LEN(digests) && element_first(element) == NULL; i++)
        if (element_has(element, "Algorithm", digests[i].uri)) {
            out->digest = &digests[i];
            return digests[i].is_sha1 && !allow_sha1 ? SAML_SHA1_REFUSED : SAML_NONE;
        }
    return SAML_DIGEST_ALGORITHM;
}

/* Whether the reference is to the element that the signature stands in. */
static bool refers_to(const xmlNode *reference, const xmlNode *parent)
{
    AUTO(xml_release) char *uri = xml_attribute(reference, "URI");
    return uri != NULL && uri[0] == '#' && uri[1] != '\0' && element_has(parent, "ID", uri + 1);
}

static saml_reason_t read_info(bool allow_sha1, signature_t *out)
{
    const xmlNode *c14n = element_first(out->info);
    const xmlNode *method = element_next(c14n);
    const xmlNode *reference = element_next(method);
    const xmlNode *transforms = element_first(reference);
    if (!is_exclusive(c14n, &out->info_prefixes))
        return SAML_CANONICALIZATION_METHOD;
    saml_reason_t reason = read_method(method, allow_sha1, out);
    if (reason != SAML_NONE)
        return reason;
    if (!refers_to(reference, out->parent))
        return SAML_REFERENCE_MISMATCH;
    if (!are_transforms(transforms, &out->parent_prefixes))
        return SAML_TRANSFORMS;
    return read_digest(element_next(transforms), allow_sha1, out);
}

bool signature_read(xmlNode *parent, xmlNode *element, bool allow_sha1, saml_verdict_t *verdict,
                    signature_t *out)
{
    *out = (signature_t){.whose = (const char *)parent->name, .parent = parent, .element = element};
    saml_reason_t reason =
        is_shaped(element, out) ? read_info(allow_sha1, out) : SAML_SIGNATURE_SHAPE;
    return steps_add(verdict, "signature_shape", reason, "%s", out->whose);
}
