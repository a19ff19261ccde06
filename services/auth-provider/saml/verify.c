/* The steps, in order. Must never: believe a byte that was not digested; leave SAML_NONE in a
 * verdict unless every step has been made. Next: inbox.c. */
#include "services/auth-provider/saml/verify.h"

#include "common/mem.h"
#include "services/auth-provider/saml/claims.h"
#include "services/auth-provider/saml/gate.h"
#include "services/auth-provider/saml/inbox.h"
#include "services/auth-provider/saml/response.h"
#include "services/auth-provider/saml/signed_bytes.h"

#include <sodium.h>
#include <string.h>

/* One element whose signature holds, read again from what was digested. */
typedef struct {
    signed_bytes_t bytes;
    xmlDoc *document;
    xmlNode *root;
    keys_t keys;
    const signing_key_t *key; /* by which of them */
} vouched_t;

static void clear_vouched(vouched_t *vouched)
{
    signed_bytes_clear(&vouched->bytes);
    xml_free(&vouched->document);
    keys_clear(&vouched->keys);
    *vouched = (vouched_t){0};
}

/* The signature of parent, from its form to the bytes. */
static bool vouch(const saml_expect_t *expect, xmlNode *parent, xmlNode *element,
                  const keys_t *before, saml_verdict_t *verdict, vouched_t *out)
{
    signature_t signature;
    if (!signature_read(parent, element, expect->allow_sha1, verdict, &signature) ||
        !keys_find(expect, &signature, before, verdict, &out->keys) ||
        !signed_bytes_check(&signature, &out->keys, verdict, &out->bytes, &out->key))
        return false;
    saml_reason_t reason = gate_read(out->bytes.bytes, out->bytes.length, &out->document);
    out->root = reason == SAML_NONE ? xmlDocGetRootElement(out->document) : NULL;
    if (out->root != NULL && (strcmp((const char *)out->root->name, signature.whose) != 0 ||
                              element_count(out->root, SAML_NS_DSIG, "Signature") != 0))
        reason = SAML_CANONICALIZATION_FAILED;
    return steps_add(verdict, "signed_bytes", reason, "%s", signature.whose);
}

/* Both are signed: the Response must hold the very assertion that its own signature holds for. */
static bool agree(const xmlNode *response, const xmlNode *assertion)
{
    const xmlNode *inner = xml_first(response, SAML_NS_ASSERTION, "Assertion");
    if (inner == NULL || element_count(response, SAML_NS_ASSERTION, "Assertion") != 1)
        return false;
    AUTO(xml_release) char *id = xml_attribute(inner, "ID");
    return id != NULL && element_has(assertion, "ID", id);
}

static bool find_claims(const saml_expect_t *expect, const response_t *parts,
                        saml_verdict_t *verdict)
{
    AUTO(clear_vouched) vouched_t response = {0}, assertion = {0};
    if (parts->signature != NULL &&
        !vouch(expect, parts->element, parts->signature, &assertion.keys, verdict, &response))
        return false;
    if (parts->assertion_signature != NULL &&
        !vouch(expect, parts->assertion, parts->assertion_signature, &response.keys, verdict,
               &assertion))
        return false;
    if (response.root != NULL && assertion.root != NULL && !agree(response.root, assertion.root))
        return steps_add(verdict, "signed_bytes", SAML_REFERENCE_MISMATCH, NULL);
    const vouched_t *by = assertion.root != NULL ? &assertion : &response;
    claims_source_t source = {
        .expect = expect,
        .response = response.root != NULL ? response.root : parts->element,
        .is_response_signed = response.root != NULL,
        .assertion = assertion.root,
    };
    if (source.assertion == NULL && response.root != NULL)
        source.assertion = xml_first(response.root, SAML_NS_ASSERTION, "Assertion");
    if (source.assertion == NULL) /* cannot be: the gate has seen to it */
        return steps_add(verdict, "signed_bytes", SAML_SIGNATURE_MISSING, NULL);
    claims_message(&source, verdict);
    claims_subject(&source, verdict);
    claims_conditions(&source, verdict);
    claims_attributes(&source, verdict);
    verdict->claims.certificate = (uint8_t *)mem_copy(by->key->der, by->key->length);
    verdict->claims.certificate_length = by->key->length;
    verdict->claims.by_fingerprint = by->keys.by_fingerprint;
    return true;
}

static void clear_claims(saml_claims_t *claims)
{
    mem_free(claims->certificate);
    sodium_memzero(claims, sizeof(*claims));
}

void saml_verify(const saml_expect_t *expect, const char *base64, size_t length,
                 saml_verdict_t *out)
{
    AUTO(inbox_clear) inbox_t inbox = {0};
    AUTO(xml_free) xmlDoc *document = NULL;
    response_t parts = {0};
    *out = (saml_verdict_t){.reason = SAML_MESSAGE_MISSING};
    bool finished =
        inbox_read(base64, length, out, &inbox) &&
        steps_add(out, "document", gate_read(inbox.bytes, inbox.length, &document), NULL) &&
        response_read(document, out, &parts) && find_claims(expect, &parts, out);
    steps_conclude(out);
    if (!finished && out->reason == SAML_NONE) /* cannot be; must never be */
        out->reason = SAML_SIGNATURE_MISSING;
    if (out->reason != SAML_NONE)
        clear_claims(&out->claims);
}

void saml_verdict_clear(saml_verdict_t *verdict)
{
    if (verdict == NULL)
        return;
    clear_claims(&verdict->claims);
    sodium_memzero(verdict, sizeof(*verdict));
}
