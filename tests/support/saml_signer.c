#include "tests/support/saml_signer.h"

#include "common/mem.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAML      "urn:oasis:names:tc:SAML:2.0:"
#define DSIG      "http://www.w3.org/2000/09/xmldsig#"
#define EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"

/* clang-format off */
const char signer_response[] =
    "<samlp:Response xmlns:samlp=\"" SAML "protocol\" Destination=\"" SIGNER_ACS "\" ID=\"_r1\" InResponseTo=\"" SIGNER_REQUEST "\" IssueInstant=\"" SIGNER_NOW_TEXT "\" Version=\"2.0\">"
    "<saml:Issuer xmlns:saml=\"" SAML "assertion\">" SIGNER_IDP "</saml:Issuer>@R"
    "<samlp:Status><samlp:StatusCode Value=\"" SAML "status:Success\"></samlp:StatusCode></samlp:Status>"
    "<saml:Assertion xmlns:saml=\"" SAML "assertion\" ID=\"_a1\" IssueInstant=\"" SIGNER_NOW_TEXT "\" Version=\"2.0\">"
    "<saml:Issuer>" SIGNER_IDP "</saml:Issuer>@A"
    "<saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">" SIGNER_NAME_ID "</saml:NameID>"
    "<saml:SubjectConfirmation Method=\"" SAML "cm:bearer\">"
    "<saml:SubjectConfirmationData InResponseTo=\"" SIGNER_REQUEST "\" NotOnOrAfter=\"2026-03-01T12:05:00Z\" Recipient=\"" SIGNER_ACS "\"></saml:SubjectConfirmationData>"
    "</saml:SubjectConfirmation></saml:Subject>"
    "<saml:Conditions NotBefore=\"2026-03-01T11:55:00Z\" NotOnOrAfter=\"2026-03-01T12:10:00Z\">"
    "<saml:AudienceRestriction><saml:Audience>" SIGNER_SP "</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
    "<saml:AuthnStatement AuthnInstant=\"2026-03-01T11:59:00Z\" SessionIndex=\"_s1\" SessionNotOnOrAfter=\"2026-03-01T20:00:00Z\">"
    "<saml:AuthnContext><saml:AuthnContextClassRef>" SAML "ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
    "<saml:AttributeStatement>"
    "<saml:Attribute Name=\"mail\"><saml:AttributeValue>alice@example.com</saml:AttributeValue><saml:AttributeValue>second@example.com</saml:AttributeValue></saml:Attribute>"
    "<saml:Attribute Name=\"groups\"><saml:AttributeValue>staff</saml:AttributeValue><saml:AttributeValue>voice</saml:AttributeValue></saml:Attribute>"
    "</saml:AttributeStatement></saml:Assertion></samlp:Response>";
/* clang-format on */

static void must(int holds)
{
    if (!holds)
        abort();
}

char *signer_edited(const char *text, signer_edit_t edit)
{
    size_t find = strlen(edit.find), replace = strlen(edit.replace), length = 0;
    size_t count = 0;
    for (const char *at = strstr(text, edit.find); at != NULL; at = strstr(at + find, edit.find))
        count++;
    must(count > 0);
    char *out = mem_array(strlen(text) + count * (replace + 1) + 1, 1);
    for (const char *at = text; *at != '\0';) {
        if (strncmp(at, edit.find, find) == 0) {
            memcpy(out + length, edit.replace, replace);
            length += replace;
            at += find;
        } else {
            out[length++] = *at++;
        }
    }
    return out;
}

char *signer_base64(const void *bytes, size_t length)
{
    char *text = mem_array(4 * (length / 3 + 1) + 1, 1);
    must(EVP_EncodeBlock((unsigned char *)text, bytes, (int)length) >= 0);
    return text;
}

static const EVP_MD *hash_of(const char *uri)
{
    if (strstr(uri, "sha1") != NULL)
        return EVP_sha1();
    if (strstr(uri, "sha384") != NULL)
        return EVP_sha384();
    return strstr(uri, "sha512") != NULL ? EVP_sha512() : EVP_sha256();
}

/* XML Signature has r and s side by side. */
static size_t flatten(EVP_PKEY *key, uint8_t *value, size_t length)
{
    const uint8_t *at = value;
    int half = (EVP_PKEY_get_bits(key) + 7) / 8;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    must(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), value, half) == half &&
         BN_bn2binpad(ECDSA_SIG_get0_s(pair), value + half, half) == half);
    ECDSA_SIG_free(pair);
    return 2 * (size_t)half;
}

static char *value_of(const char *info, const signer_how_t *how, const char *method)
{
    uint8_t value[2048];
    size_t length = sizeof(value);
    EVP_PKEY_CTX *parameters = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(EVP_DigestSignInit(context, &parameters, hash_of(method), NULL, how->by->key) == 1);
    if (strstr(method, "MGF1") != NULL)
        must(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
    must(EVP_DigestSign(context, value, &length, (const uint8_t *)info, strlen(info)) == 1);
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_get_base_id(how->by->key) == EVP_PKEY_EC)
        length = flatten(how->by->key, value, length);
    return signer_base64(value, length);
}

static const char *default_method(const signer_how_t *how)
{
    return EVP_PKEY_get_base_id(how->by->key) == EVP_PKEY_EC
               ? "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
               : SIGNER_RSA_SHA256;
}

static char *format(const char *pattern, const char *const *values)
{
    size_t size = strlen(pattern) + 1, length = 0;
    for (const char *const *at = values; *at != NULL; at++)
        size += strlen(*at);
    char *text = mem_array(size, 1);
    for (; *pattern != '\0'; pattern++) {
        const char *piece = *pattern == '@' ? *values++ : pattern;
        size_t take = *pattern == '@' ? strlen(piece) : 1;
        memcpy(text + length, piece, take);
        length += take;
    }
    return text;
}

/* Takes the text over. */
static char *edit(char *text, signer_edit_t edit)
{
    if (edit.find == NULL)
        return text;
    char *edited = signer_edited(text, edit);
    mem_free(text);
    return edited;
}

char *signer_signature(const char *element, const char *id, const signer_how_t *how)
{
    uint8_t made[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const char *digest = how->digest == NULL ? SIGNER_SHA256 : how->digest;
    const char *method = how->method == NULL ? default_method(how) : how->method;
    must(EVP_Digest(element, strlen(element), made, &size, hash_of(digest), NULL) == 1);
    char *digest_value = signer_base64(made, size);
    char *info =
        format("<ds:SignedInfo xmlns:ds=\"" DSIG "\">"
               "<ds:CanonicalizationMethod Algorithm=\"" EXCLUSIVE "\"></ds:CanonicalizationMethod>"
               "<ds:SignatureMethod Algorithm=\"@\"></ds:SignatureMethod>"
               "<ds:Reference URI=\"#@\"><ds:Transforms><ds:Transform Algorithm=\"" DSIG
               "enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"" EXCLUSIVE
               "\"></ds:Transform></ds:Transforms>"
               "<ds:DigestMethod Algorithm=\"@\"></ds:DigestMethod>"
               "<ds:DigestValue>@</ds:DigestValue></ds:Reference></ds:SignedInfo>",
               (const char *[]){method, id, digest, digest_value, NULL});
    info = edit(info, how->info);
    char *value = value_of(info, how, method);
    const issued_t *shown = how->shown == NULL ? how->by : how->shown;
    char *key_info = format(how->bare ? ""
                                      : "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>@"
                                        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
                            (const char *[]){shown->base64, NULL});
    /* where ds is declared already, canonical form does not declare it again */
    char *inner = signer_edited(
        info, (signer_edit_t){"<ds:SignedInfo xmlns:ds=\"" DSIG "\">", "<ds:SignedInfo>"});
    char *signature = format("<ds:Signature xmlns:ds=\"" DSIG
                             "\">@<ds:SignatureValue>@</ds:SignatureValue>@</ds:Signature>",
                             (const char *[]){inner, value, key_info, NULL});
    mem_free(digest_value);
    mem_free(info);
    mem_free(inner);
    mem_free(value);
    mem_free(key_info);
    return edit(signature, how->after);
}

/* From one text to the end of another. */
static char *part_of(const char *text, const char *begin, const char *end)
{
    const char *from = strstr(text, begin);
    const char *to = from == NULL ? NULL : strstr(from, end);
    must(to != NULL);
    return mem_copy(from, (size_t)(to - from) + strlen(end));
}

/* Signs what lies between, and puts the signature into the place of the mark. */
static char *with_signature(char *text, const char *mark, const char *begin, const char *end,
                            const char *id, const signer_how_t *how)
{
    char *signature = mem_copy("", 0);
    if (how != NULL) {
        char *element = edit(part_of(text, begin, end), (signer_edit_t){mark, ""});
        mem_free(signature);
        signature = signer_signature(element, id, how);
        mem_free(element);
    }
    char *out = strstr(text, mark) == NULL ? mem_copy(text, strlen(text))
                                           : signer_edited(text, (signer_edit_t){mark, signature});
    mem_free(signature);
    mem_free(text);
    return out;
}

char *signer_signed(const char *text, const signer_how_t *response, const signer_how_t *assertion)
{
    char *out = mem_copy(text, strlen(text));
    out = with_signature(out, "@A", "<saml:Assertion ", "</saml:Assertion>", "_a1", assertion);
    return with_signature(out, "@R", "<samlp:Response ", "</samlp:Response>", "_r1", response);
}
