/* What each refusal of a Response is called. All reasons of saml_reason.h that are the verifier's
 * must be met here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "tests/unit/saml_world.h"

#include <string.h>

#define DS              "http://www.w3.org/2000/09/xmldsig#"
#define EXC             "http://www.w3.org/2001/10/xml-exc-c14n#"
#define DSIGMORE        "http://www.w3.org/2001/04/xmldsig-more#"
#define BIG16(x)        x x x x x x x x x x x x x x x x
#define NOID            "<saml:NameID Format"
#define STATUS_OF(word) "urn:oasis:names:tc:SAML:2.0:status:" word

static void by_other(saml_expect_t *expect)
{
    *expect = world_expect(&other);
}

static void by_rsa(saml_expect_t *expect)
{
    *expect = world_expect(&rsa);
}

static void by_short_fingerprint(saml_expect_t *expect)
{
    expect->fingerprint_algorithm = FINGERPRINT_SHA512;
}

static void by_no_fingerprint(saml_expect_t *expect)
{
    expect->fingerprint = "";
}

/* SHA-256 of three zeroes: "AAAA". */
static void by_zeroes(saml_expect_t *expect)
{
    expect->fingerprint = "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c";
}

static void by_retired(saml_expect_t *expect)
{
    static saml_certificate_t stored[2];
    stored[0] = (saml_certificate_t){other.der, other.length, false};
    stored[1] = (saml_certificate_t){rsa.der, rsa.length, true};
    expect->certificates = stored;
    expect->certificate_count = ARRAY_LEN(stored);
}

static void by_stored_other(saml_expect_t *expect)
{
    by_retired(expect);
    expect->certificate_count = 1;
}

static void by_stored_curve(saml_expect_t *expect)
{
    static saml_certificate_t stored;
    stored = (saml_certificate_t){p256.der, p256.length, false};
    expect->certificates = &stored;
    expect->certificate_count = 1;
}

static void with_groups(saml_expect_t *expect)
{
    expect->groups = true;
}

static void asked_otherwise(saml_expect_t *expect)
{
    expect->in_response_to = "_another";
}

static void at_another_entity(saml_expect_t *expect)
{
    expect->idp_entity_id = SIGNER_IDP "/";
}

static void with_no_entity(saml_expect_t *expect)
{
    expect->idp_entity_id = "";
}

static void later_by(saml_expect_t *expect, int64_t seconds)
{
    expect->now_utc_ms += seconds * 1000;
}

static void after_the_confirmation(saml_expect_t *expect)
{
    later_by(expect, 5 * 60 + 60);
}

static void before_the_conditions(saml_expect_t *expect)
{
    later_by(expect, -(5 * 60 + 61));
}

/* clang-format off */
static const world_row_t xml[] = {
    {"not XML", SAML_XML_MALFORMED, .after = {{"</samlp:Response>", ""}}},
    {"an entity nobody declared", SAML_XML_MALFORMED, .after = {{SIGNER_NAME_ID, "&x;"}}},
    {"XML 1.1", SAML_XML_MALFORMED, .after = {{"<samlp:Response ", "<?xml version=\"1.1\"?><samlp:Response "}}},
    {"a DOCTYPE", SAML_XML_DOCTYPE, .after = {{"<samlp:Response ", "<!DOCTYPE a><samlp:Response "}}},
    {"an entity of its own", SAML_XML_DOCTYPE, .after = {{"<samlp:Response ", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><samlp:Response "}, {SIGNER_NAME_ID, "&x;"}}},
    {"Latin-1", SAML_XML_ENCODING, .after = {{"<samlp:Response ", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><samlp:Response "}}},
    {"UTF-7", SAML_XML_ENCODING, .after = {{"<samlp:Response ", "<?xml version='1.0' encoding = 'UTF-7'?><samlp:Response "}}},
    {"no UTF-8", SAML_XML_ENCODING, .after = {{SIGNER_NAME_ID, "\xff"}}},
    {"a comment", SAML_XML_FORBIDDEN_NODE, .after = {{SIGNER_NAME_ID, "alice@example.com<!-- -->.evil.com"}}},
    {"a comment before", SAML_XML_FORBIDDEN_NODE, .after = {{"<samlp:Response ", "<!-- --><samlp:Response "}}},
    {"a comment behind", SAML_XML_FORBIDDEN_NODE, .after = {{"</samlp:Response>", "</samlp:Response><!-- -->"}}},
    {"a comment in the digest", SAML_XML_FORBIDDEN_NODE, .how.after = {"<ds:DigestValue>", "<ds:DigestValue><!-- -->"}},
    {"a processing instruction", SAML_XML_FORBIDDEN_NODE, .after = {{SIGNER_NAME_ID, "alice<?x y?>"}}},
    {"xml:id", SAML_XML_FORBIDDEN_ATTRIBUTE, .after = {{NOID, "<saml:NameID xml:id=\"x\" Format"}}},
    {"xml:base", SAML_XML_FORBIDDEN_ATTRIBUTE, .after = {{NOID, "<saml:NameID xml:base=\"http://x/\" Format"}}},
    {"an attribute of SAML's", SAML_XML_FORBIDDEN_ATTRIBUTE, .after = {{" ID=\"_a1\"", " saml:ID=\"_a2\" ID=\"_a1\""}}},
    {"an attribute of XML Signature's", SAML_XML_FORBIDDEN_ATTRIBUTE, .after = {{" ID=\"_a1\"", " xmlns:d=\"" DS "\" d:ID=\"_a2\" ID=\"_a1\""}}},
    {"a relative namespace", SAML_XML_NAMESPACE, .after = {{NOID, "<saml:NameID xmlns:x=\"./x\" Format"}}},
    {"an empty namespace", SAML_XML_NAMESPACE, .after = {{NOID, "<saml:NameID xmlns=\"\" Format"}}},
    {"a namespace with quotes", SAML_XML_NAMESPACE, .after = {{NOID, "<saml:NameID xmlns:x=\"urn:it's\" Format"}}},
    {"no namespace", SAML_XML_NAMESPACE, .after = {{"<saml:Subject>", "<Subject/><saml:Subject>"}}},
    {"an ID twice", SAML_XML_DUPLICATE_ID, .after = {{"<saml:Subject>", "<saml:Subject ID=\"_a1\">"}}},
    {"an ID twice, in small letters", SAML_XML_DUPLICATE_ID, .after = {{"<saml:Subject>", "<saml:Subject id=\"_r1\">"}}},
    {"too deep", SAML_XML_TOO_DEEP, .after = {{"<saml:AttributeStatement>", "<saml:AttributeStatement>" BIG16("<saml:x><saml:x>")}}},
};

#define ENCRYPTED "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"
#define SECOND    "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a2\"/>"
#define STRAY     "<ds:Signature xmlns:ds=\"" DS "\"/>"

static const world_row_t shapes[] = {
    {"SAML 1.1", SAML_NOT_A_RESPONSE, .after = {{"SAML:2.0:protocol", "SAML:1.0:protocol"}}},
    {"a Response in a Response", SAML_NOT_A_RESPONSE, .after = {{"<samlp:Status>", "<samlp:Extensions><samlp:Response/></samlp:Extensions><samlp:Status>"}}},
    {"a stranger in the Response", SAML_NOT_A_RESPONSE, .after = {{"<samlp:Status>", "<samlp:Scoping/><samlp:Status>"}}},
    {"a stranger in the assertion", SAML_NOT_A_RESPONSE, .before = {{"<saml:Subject>", "<saml:BaseID></saml:BaseID><saml:Subject>"}}},
    {"two subjects", SAML_NOT_A_RESPONSE, .before = {{"<saml:Subject>", "<saml:Subject></saml:Subject><saml:Subject>"}}},
    {"two statuses", SAML_NOT_A_RESPONSE, .after = {{"<samlp:Status>", "<samlp:Status/><samlp:Status>"}}},
    {"text between", SAML_NOT_A_RESPONSE, .before = {{"<saml:Subject>", "text<saml:Subject>"}}},
    {"no ID of the assertion", SAML_NOT_A_RESPONSE, .signed_by = BY_RESPONSE, .before = {{" ID=\"_a1\"", ""}}},
    {"no assertion", SAML_ASSERTION_MISSING, .after = {{"saml:Assertion", "saml:Advice"}}},
    {"refused without assertion", SAML_STATUS, .after = {{"saml:Assertion", "saml:Advice"}, {STATUS_OF("Success"), STATUS_OF("Responder")}}},
    {"two assertions", SAML_ASSERTION_COUNT, .after = {{"</samlp:Response>", SECOND "</samlp:Response>"}}},
    {"an assertion as advice", SAML_ASSERTION_COUNT, .before = {{"<saml:AuthnStatement ", "<saml:Advice><saml:Assertion ID=\"_a2\"></saml:Assertion></saml:Advice><saml:AuthnStatement "}}},
    {"the assertion elsewhere", SAML_ASSERTION_PLACE, .after = {{"<saml:Assertion ", "<samlp:Extensions><saml:Assertion "}, {"</saml:Assertion>", "</saml:Assertion></samlp:Extensions>"}}},
    {"encrypted", SAML_ASSERTION_ENCRYPTED, .after = {{"</samlp:Response>", ENCRYPTED "</samlp:Response>"}}},
    {"not signed", SAML_SIGNATURE_MISSING, .signed_by = BY_NONE},
    {"a signature elsewhere", SAML_SIGNATURE_PLACE, .after = {{"<saml:Subject>", "<saml:Subject>" STRAY}}},
    {"a second signature", SAML_SIGNATURE_PLACE, .after = {{"<saml:Subject>", STRAY "<saml:Subject>"}}},
    {"something called Signature", SAML_SIGNATURE_PLACE, .after = {{"<saml:Subject>", "<saml:Subject><saml:Signature/>"}}},
    {"an Object", SAML_SIGNATURE_SHAPE, .how.after = {"</ds:Signature>", "<ds:Object/></ds:Signature>"}},
    {"no SignatureValue", SAML_SIGNATURE_SHAPE, .how.after = {"ds:SignatureValue", "ds:KeyName"}},
    {"an empty SignatureValue", SAML_SIGNATURE_SHAPE, .how.after = {"</ds:SignedInfo>", "</ds:SignedInfo><ds:SignatureValue/>"}},
    {"two SignedInfo", SAML_SIGNATURE_SHAPE, .how.after = {"<ds:SignatureValue>", "<ds:SignedInfo/><ds:SignatureValue>"}},
    {"two references", SAML_SIGNATURE_SHAPE, .how.info = {"</ds:SignedInfo>", "<ds:Reference URI=\"#_a1\"></ds:Reference></ds:SignedInfo>"}},
    {"two digests", SAML_SIGNATURE_SHAPE, .how.info = {"</ds:Reference>", "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"}},
    {"a digest that is no base64", SAML_SIGNATURE_SHAPE, .how.info = {"<ds:DigestValue>", "<ds:DigestValue>!"}},
    {"an unknown attribute", SAML_SIGNATURE_SHAPE, .how.after = {"<ds:SignatureValue>", "<ds:SignatureValue x=\"y\">"}},
    {"inclusive C14N", SAML_CANONICALIZATION_METHOD, .how.info = {"<ds:CanonicalizationMethod Algorithm=\"" EXC, "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"}},
    {"C14N with comments", SAML_CANONICALIZATION_METHOD, .how.info = {"<ds:CanonicalizationMethod Algorithm=\"" EXC, "<ds:CanonicalizationMethod Algorithm=\"" EXC "WithComments"}},
    {"HMAC", SAML_SIGNATURE_ALGORITHM, .how.method = DSIGMORE "hmac-sha256"},
    {"RSA with MD5", SAML_SIGNATURE_ALGORITHM, .how.method = DSIGMORE "rsa-md5"},
    {"no algorithm", SAML_SIGNATURE_ALGORITHM, .how.info = {"<ds:SignatureMethod Algorithm=\"" SIGNER_RSA_SHA256 "\"", "<ds:SignatureMethod"}},
    {"RSA with SHA-1", SAML_SHA1_REFUSED, .how.method = DS "rsa-sha1"},
    {"a digest by SHA-1", SAML_SHA1_REFUSED, .how.digest = DS "sha1"},
    {"a reference to the Response", SAML_REFERENCE_MISMATCH, .how.info = {"#_a1", "#_r1"}},
    {"a reference to the whole", SAML_REFERENCE_MISMATCH, .how.info = {"#_a1", ""}},
    {"a reference abroad", SAML_REFERENCE_MISMATCH, .how.info = {"#_a1", "http://127.0.0.1:1/#_a1"}},
    {"XPointer", SAML_REFERENCE_MISMATCH, .how.info = {"#_a1", "#xpointer(id('_a1'))"}},
    {"XSLT", SAML_TRANSFORMS, .how.info = {DS "enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"}},
    {"three transforms", SAML_TRANSFORMS, .how.info = {"</ds:Transforms>", "<ds:Transform Algorithm=\"" EXC "\"></ds:Transform></ds:Transforms>"}},
    {"the transforms' order", SAML_TRANSFORMS, .how.info = {"<ds:Transforms>", "<ds:Transforms><ds:Transform Algorithm=\"" EXC "\"></ds:Transform>"}},
    {"more prefixes than anybody needs", SAML_TRANSFORMS, .how.info = {"Algorithm=\"" EXC "\"></ds:Transform>", "Algorithm=\"" EXC "\"><x:InclusiveNamespaces xmlns:x=\"" EXC "\" PrefixList=\"" BIG16("a ") "a\"></x:InclusiveNamespaces></ds:Transform>"}},
    {"a digest by MD5", SAML_DIGEST_ALGORITHM, .how.digest = DSIGMORE "md5"},
};

static const world_row_t signers[] = {
    {"no certificate, none stored", SAML_CERTIFICATE_MISSING, .how.bare = true},
    {"a key alone", SAML_CERTIFICATE_MISSING, .how = {.bare = true, .after = {"</ds:Signature>", "<ds:KeyInfo><ds:KeyName>idp</ds:KeyName></ds:KeyInfo></ds:Signature>"}}},
    {"a certificate that is none", SAML_CERTIFICATE_MALFORMED, .how.after = {"<ds:X509Certificate>", "<ds:X509Certificate>!"}},
    {"a certificate and something before", SAML_CERTIFICATE_UNKNOWN, .how.after = {"<ds:X509Certificate>", "<ds:X509Certificate>AAAA"}},
    {"trusted bytes that are no certificate", SAML_CERTIFICATE_MALFORMED, .how.after = {"<ds:X509Certificate>", "<ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509Certificate>"}, .tune = by_zeroes},
    {"too many certificates", SAML_CERTIFICATE_MALFORMED, .how.after = {"<ds:X509Data>", "<ds:X509Data>" BIG16("<ds:X509Certificate>AAAA</ds:X509Certificate>")}},
    {"another's certificate", SAML_CERTIFICATE_UNKNOWN, .tune = by_other},
    {"another's, some stored", SAML_CERTIFICATE_UNKNOWN, .how.by = &p256, .tune = by_retired, .how.shown = &p384},
    {"retired", SAML_CERTIFICATE_RETIRED, .tune = by_retired},
    {"a fingerprint of another length", SAML_FINGERPRINT_LENGTH, .tune = by_short_fingerprint},
    {"no fingerprint", SAML_FINGERPRINT_LENGTH, .tune = by_no_fingerprint},
    {"RSA of 1024 bits", SAML_KEY_TOO_WEAK, .how.by = &weak},
    {"a curve of no use", SAML_KEY_TOO_WEAK, .how.by = &koblitz},
    {"ECDSA by an RSA key", SAML_KEY_TYPE, .how.method = DSIGMORE "ecdsa-sha256"},
    {"RSA by a curve", SAML_KEY_TYPE, .how = {.by = &p256, .method = SIGNER_RSA_SHA256}},
    {"bare, no key that fits", SAML_KEY_TYPE, .how.bare = true, .tune = by_stored_curve},
    {"bare, all stored are others", SAML_SIGNATURE_INVALID, .how.bare = true, .tune = by_stored_other},
    {"bare, retired", SAML_SIGNATURE_INVALID, .how.bare = true, .tune = by_retired},
    {"a name changed", SAML_DIGEST_MISMATCH, .after = {{SIGNER_NAME_ID, "admin@example.com"}}},
    {"the Response changed", SAML_DIGEST_MISMATCH, .signed_by = BY_RESPONSE, .after = {{STATUS_OF("Success"), STATUS_OF("Requester")}}},
    {"both signed, the outer changed", SAML_DIGEST_MISMATCH, .signed_by = BY_BOTH, .after = {{"IssueInstant=\"" SIGNER_NOW_TEXT "\" Version=\"2.0\"><saml:Issuer x", "IssueInstant=\"2026-03-01T12:00:01Z\" Version=\"2.0\"><saml:Issuer x"}}},
    {"an element added", SAML_DIGEST_MISMATCH, .after = {{"<saml:Conditions ", "<saml:Advice></saml:Advice><saml:Conditions "}}},
    {"a short digest", SAML_DIGEST_MISMATCH, .how.info = {"<ds:DigestMethod Algorithm=\"" SIGNER_SHA256, "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha512"}},
    {"the key of another", SAML_SIGNATURE_INVALID, .how = {.by = &other, .shown = &rsa}, .tune = by_rsa},
    {"the algorithm changed", SAML_SIGNATURE_INVALID, .how.after = {SIGNER_RSA_SHA256, DSIGMORE "rsa-sha512"}},
    {"a shorter ECDSA signature", SAML_SIGNATURE_INVALID, .how = {.by = &p384, .after = {"<ds:SignatureValue>", "<ds:SignatureValue>AAAA"}}},
};

#define CONFIRMED "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
#define DATA      "<saml:SubjectConfirmationData InResponseTo=\"" SIGNER_REQUEST "\" NotOnOrAfter=\"2026-03-01T12:05:00Z\" Recipient=\"" SIGNER_ACS "\"></saml:SubjectConfirmationData>"
#define AUDIENCE  "<saml:AudienceRestriction><saml:Audience>" SIGNER_SP "</saml:Audience></saml:AudienceRestriction>"
#define VALUE     "<saml:AttributeValue>staff</saml:AttributeValue>"

static const world_row_t claims[] = {
    {"the assertion's version", SAML_VERSION, .before = {{"ID=\"_a1\" IssueInstant=\"" SIGNER_NOW_TEXT "\" Version=\"2.0\"", "ID=\"_a1\" IssueInstant=\"" SIGNER_NOW_TEXT "\" Version=\"2.1\""}}},
    {"the Response's version", SAML_VERSION, .after = {{"Version=\"2.0\"><saml:Issuer xmlns", "Version=\"1.1\"><saml:Issuer xmlns"}}},
    {"the status", SAML_STATUS, .before = {{STATUS_OF("Success"), STATUS_OF("Responder")}}},
    {"no status", SAML_STATUS, .after = {{"<samlp:Status><samlp:StatusCode Value=\"" STATUS_OF("Success") "\"></samlp:StatusCode></samlp:Status>", ""}}},
    {"success within a refusal", SAML_STATUS, .signed_by = BY_RESPONSE, .before = {{"<samlp:StatusCode Value=\"" STATUS_OF("Success") "\"></samlp:StatusCode>", "<samlp:StatusCode Value=\"" STATUS_OF("Requester") "\"><samlp:StatusCode Value=\"" STATUS_OF("Success") "\"></samlp:StatusCode></samlp:StatusCode>"}}},
    {"another issuer", SAML_ISSUER_MISMATCH, .tune = at_another_entity},
    {"the Response's issuer", SAML_ISSUER_MISMATCH, .after = {{"assertion\">" SIGNER_IDP, "assertion\">https://evil.example.com/"}}},
    {"no issuer", SAML_ISSUER_MISMATCH, .before = {{"<saml:Issuer>" SIGNER_IDP "</saml:Issuer>", ""}}},
    {"no issuer is expected", SAML_ISSUER_MISMATCH, .before = {{SIGNER_IDP, ""}}, .tune = with_no_entity},
    {"blanks around the issuer", SAML_ISSUER_MISMATCH, .before = {{SIGNER_IDP, " " SIGNER_IDP}}},
    {"another destination", SAML_DESTINATION_MISMATCH, .before = {{"Destination=\"" SIGNER_ACS, "Destination=\"" SIGNER_ACS "/"}}},
    {"an empty destination", SAML_DESTINATION_MISMATCH, .before = {{"Destination=\"" SIGNER_ACS, "Destination=\""}}},
    {"no destination, signed", SAML_DESTINATION_MISSING, .signed_by = BY_BOTH, .before = {{" Destination=\"" SIGNER_ACS "\"", ""}}},
    {"no subject", SAML_SUBJECT_MISSING, .before = {{"saml:Subject>", "saml:Advice>"}}},
    {"no name", SAML_NAME_ID_MISSING, .before = {{"saml:NameID", "saml:BaseID"}}},
    {"an empty name", SAML_NAME_ID_MISSING, .before = {{SIGNER_NAME_ID "</saml:NameID>", "</saml:NameID>"}}},
    {"a blank name", SAML_NAME_ID_MISSING, .before = {{SIGNER_NAME_ID "</saml:NameID>", "  </saml:NameID>"}}},
    {"two names", SAML_NAME_ID_MISSING, .before = {{"</saml:NameID>", "</saml:NameID><saml:NameID>x</saml:NameID>"}}},
    {"an element in the name", SAML_NAME_ID_MISSING, .before = {{"</saml:NameID>", "<saml:x></saml:x>.evil.com</saml:NameID>"}}},
    {"no bearer", SAML_CONFIRMATION_MISSING, .before = {{"cm:bearer", "cm:sender-vouches"}}},
    {"another recipient", SAML_RECIPIENT_MISMATCH, .before = {{"Recipient=\"" SIGNER_ACS, "Recipient=\"https://other.example.com/"}}},
    {"no recipient", SAML_RECIPIENT_MISMATCH, .before = {{" Recipient=\"" SIGNER_ACS "\"", ""}}},
    {"no confirmation data", SAML_RECIPIENT_MISMATCH, .before = {{DATA, ""}}},
    {"two halves of a confirmation", SAML_RECIPIENT_MISMATCH, .before = {{CONFIRMED, CONFIRMED "<saml:SubjectConfirmationData InResponseTo=\"" SIGNER_REQUEST "\" NotOnOrAfter=\"2026-03-01T12:05:00Z\" Recipient=\"urn:x\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>" CONFIRMED}, {"T12:05:00Z\" Recipient=\"" SIGNER_ACS, "T11:05:00Z\" Recipient=\"" SIGNER_ACS}}},
    {"a confirmation that is over", SAML_CONFIRMATION_EXPIRED, .tune = after_the_confirmation},
    {"a confirmation without an end", SAML_CONFIRMATION_EXPIRED, .before = {{" NotOnOrAfter=\"2026-03-01T12:05:00Z\"", ""}}},
    {"a confirmation to come", SAML_CONFIRMATION_NOT_YET, .before = {{" NotOnOrAfter=\"2026-03-01T12:05:00Z\"", " NotBefore=\"2026-03-01T12:01:00.001Z\" NotOnOrAfter=\"2026-03-01T12:05:00Z\""}}},
    {"another request", SAML_IN_RESPONSE_TO_MISMATCH, .tune = asked_otherwise},
    {"the Response answers another", SAML_IN_RESPONSE_TO_MISMATCH, .after = {{"InResponseTo=\"" SIGNER_REQUEST "\" Is", "InResponseTo=\"_x\" Is"}}},
    {"no answer", SAML_IN_RESPONSE_TO_MISMATCH, .signed_by = BY_BOTH, .before = {{" InResponseTo=\"" SIGNER_REQUEST "\"", ""}}},
    {"an answer that is not signed", SAML_IN_RESPONSE_TO_MISMATCH, .before = {{"InResponseTo=\"" SIGNER_REQUEST "\" Not", "Not"}}},
    {"no conditions", SAML_CONDITIONS_MISSING, .before = {{"saml:Conditions", "saml:Advice"}}},
    {"conditions to come", SAML_CONDITIONS_NOT_YET, .tune = before_the_conditions},
    {"conditions that are over", SAML_CONDITIONS_EXPIRED, .before = {{"T12:10:00Z", "T11:59:00Z"}}},
    {"an unknown condition", SAML_CONDITION_UNKNOWN, .before = {{AUDIENCE, AUDIENCE "<saml:Condition></saml:Condition>"}}},
    {"a condition in words", SAML_CONDITION_UNKNOWN, .before = {{AUDIENCE, AUDIENCE "at night only"}}},
    {"no audience", SAML_AUDIENCE_MISSING, .before = {{AUDIENCE, ""}}},
    {"another audience", SAML_AUDIENCE_MISMATCH, .before = {{"<saml:Audience>" SIGNER_SP, "<saml:Audience>" SIGNER_SP "/"}}},
    {"an empty restriction", SAML_AUDIENCE_MISMATCH, .before = {{AUDIENCE, "<saml:AudienceRestriction></saml:AudienceRestriction>"}}},
    {"one restriction of two", SAML_AUDIENCE_MISMATCH, .before = {{AUDIENCE, AUDIENCE "<saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction>"}}},
    {"nobody logged in", SAML_AUTHN_STATEMENT_MISSING, .before = {{"saml:AuthnStatement", "saml:AuthzDecisionStatement"}}},
    {"a session that is over", SAML_SESSION_EXPIRED, .before = {{"T20:00:00Z", "T11:59:00Z"}}},
    {"the second session is over", SAML_SESSION_EXPIRED, .before = {{"<saml:AttributeStatement>", "<saml:AuthnStatement AuthnInstant=\"2026-03-01T11:00:00Z\" SessionNotOnOrAfter=\"2026-03-01T11:00:00Z\"></saml:AuthnStatement><saml:AttributeStatement>"}}},
    {"a time with an offset", SAML_TIME_MALFORMED, .before = {{"T12:05:00Z", "T12:05:00+00:00"}}},
    {"a time without a zone", SAML_TIME_MALFORMED, .before = {{"T12:10:00Z", "T12:10:00"}}},
    {"a day that is none", SAML_TIME_MALFORMED, .before = {{"2026-03-01T20:00:00Z", "2026-02-30T20:00:00Z"}}},
    {"no time of login", SAML_TIME_MALFORMED, .before = {{" AuthnInstant=\"2026-03-01T11:59:00Z\"", ""}}},
    {"no IssueInstant", SAML_TIME_MALFORMED, .signed_by = BY_RESPONSE, .before = {{" IssueInstant=\"" SIGNER_NOW_TEXT "\"", ""}}},
    {"a long name", SAML_VALUE_TOO_LONG, .before = {{">" SIGNER_NAME_ID "</saml:NameID>", ">" BIG16(BIG16("xxx")) "</saml:NameID>"}}},
    {"a name with a line feed", SAML_VALUE_TOO_LONG, .before = {{">" SIGNER_NAME_ID "</saml:NameID>", ">alice\nadmin</saml:NameID>"}}},
    {"a long session", SAML_VALUE_TOO_LONG, .before = {{"_s1", BIG16(BIG16("x")) "x"}}},
    {"a long ID", SAML_VALUE_TOO_LONG, .signed_by = BY_RESPONSE, .before = {{"ID=\"_a1\"", "ID=\"" BIG16(BIG16("x")) "x\""}}},
    {"a long group", SAML_VALUE_TOO_LONG, .before = {{"staff", BIG16(BIG16("x")) "x"}}, .tune = with_groups},
    {"too many groups", SAML_VALUE_TOO_LONG, .before = {{VALUE, BIG16(VALUE VALUE VALUE VALUE)}}, .tune = with_groups},
};
/* clang-format on */

static void run_xml(void **state)
{
    (void)state;
    world_run(xml, ARRAY_LEN(xml));
}

static void run_shapes(void **state)
{
    (void)state;
    world_run(shapes, ARRAY_LEN(shapes));
}

static void run_signers(void **state)
{
    (void)state;
    world_run(signers, ARRAY_LEN(signers));
}

static void run_claims(void **state)
{
    (void)state;
    world_run(claims, ARRAY_LEN(claims));
}

/* What a document may hold so often and no more: pieces in the place of a text. The first row that
 * is over is refused, and one piece less is not for that reason. */
static const struct {
    signer_edit_t edit; /* replace: the piece */
    size_t most;
    saml_reason_t reason;
} bounds[] = {
    {{"<saml:AttributeStatement>", "<saml:AttributeStatement><saml:x/></saml:AttributeStatement>"},
     2466,
     SAML_XML_TOO_MANY_NODES},
    {{"<saml:AttributeStatement>", "<saml:AttributeStatement a=\"\" b=\"\"/>"},
     1644,
     SAML_XML_TOO_MANY_NODES},
    {{SIGNER_NAME_ID "</saml:NameID>", ">>>>>>>>"}, 16336, SAML_CANONICALIZATION_FAILED},
};

static saml_reason_t reason_with(const signer_edit_t *edit, size_t count)
{
    size_t length = strlen(edit->replace);
    AUTO(saml_verdict_clear) saml_verdict_t verdict;
    AUTO(mem_release) char *pieces = mem_array(count * length + strlen(edit->find) + 1, 1);
    for (size_t i = 0; i < count; i++)
        memcpy(pieces + i * length, edit->replace, length);
    memcpy(pieces + count * length, edit->find, strlen(edit->find));
    world_row_t row = {.after = {{edit->find, pieces}}};
    world_verify(&row, &verdict);
    assert_int_not_equal(verdict.reason, SAML_NONE);
    world_met[verdict.reason] = true;
    return verdict.reason;
}

static void run_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        saml_reason_t over = reason_with(&bounds[i].edit, bounds[i].most + 1);
        saml_reason_t within = reason_with(&bounds[i].edit, bounds[i].most);
        if (over != bounds[i].reason || within == bounds[i].reason)
            fail_msg("row %zu: %d, %d", i, over, within);
    }
}

/* length 0: the text's. */
static const struct {
    const char *base64;
    size_t length;
    saml_reason_t reason;
} messages[] = {
    {"", 0, SAML_MESSAGE_MISSING},
    {" \r\n", 0, SAML_MESSAGE_MISSING},
    {"<samlp:Response/>", 0, SAML_MESSAGE_NOT_BASE64},
    {"PHg+!", 0, SAML_MESSAGE_NOT_BASE64},
    {"PHg", 0, SAML_MESSAGE_NOT_BASE64},
    {"PHgvPg==\0", 9, SAML_MESSAGE_NOT_BASE64},
    {"PHgv\0Pg==", 9, SAML_MESSAGE_NOT_BASE64},
    {"PHg-", 0, SAML_MESSAGE_NOT_BASE64}, /* base64url */
    {"PHgvPg==", 0, SAML_XML_NAMESPACE},  /* <x/> */
    {"PHgAPg==", 0, SAML_XML_ENCODING},   /* <x\0> */
};

static void run_messages(void **state)
{
    (void)state;
    static char huge[SAML_BASE64_MAX + 4];
    saml_expect_t expect = world_expect(&rsa);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        AUTO(saml_verdict_clear) saml_verdict_t verdict;
        size_t length = messages[i].length > 0 ? messages[i].length : strlen(messages[i].base64);
        saml_verify(&expect, messages[i].base64, length, &verdict);
        if (verdict.reason != messages[i].reason)
            fail_msg("row %zu: %d", i, verdict.reason);
        world_met[verdict.reason] = true;
    }
    memset(huge, 'A', sizeof(huge));
    const size_t lengths[] = {SAML_BASE64_MAX, SAML_BASE64_MAX + 4};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        AUTO(saml_verdict_clear) saml_verdict_t verdict;
        saml_verify(&expect, huge, lengths[i], &verdict);
        assert_int_equal(verdict.reason, SAML_MESSAGE_TOO_LARGE);
    }
    world_met[SAML_MESSAGE_TOO_LARGE] = true;
}

static void every_reason_is_met(void **state)
{
    (void)state;
    for (int i = 0; i <= SAML_VALUE_TOO_LONG; i++)
        if (!world_met[i])
            fail_msg("no row ends with %s", saml_reason_words[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_messages),        cmocka_unit_test(run_xml),
        cmocka_unit_test(run_shapes),          cmocka_unit_test(run_signers),
        cmocka_unit_test(run_claims),          cmocka_unit_test(run_bounds),
        cmocka_unit_test(every_reason_is_met),
    };
    return cmocka_run_group_tests_name("saml_refused", tests, world_set_up, world_tear_down);
}
