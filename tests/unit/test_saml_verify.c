/* Who is logged in by which Response, and what is known of them then. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "proto/packed.h"
#include "tests/unit/saml_world.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DS        "http://www.w3.org/2000/09/xmldsig#"
#define EXC       "http://www.w3.org/2001/10/xml-exc-c14n#"
#define MORE      "http://www.w3.org/2001/04/xmldsig-more#"
#define MGF1      "http://www.w3.org/2007/05/xmldsig-more#"
#define ENC       "http://www.w3.org/2001/04/xmlenc#"
#define CONFIRMED "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
#define ELSEWHERE                                                                                  \
    CONFIRMED "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-03-01T12:20:00Z\" "               \
              "Recipient=\"urn:x\"></saml:SubjectConfirmationData></saml:SubjectConfirmation>"
#define FIRST_VALUE "<saml:AttributeValue>alice@example.com</saml:AttributeValue>"
#define MINUTE      INT64_C(60000)
#define FOUR(x)     x x x x

static void allow_sha1(saml_expect_t *expect)
{
    expect->allow_sha1 = true;
}

static saml_certificate_t stored[3];

static void stored_only(saml_expect_t *expect)
{
    stored[0] = (saml_certificate_t){p256.der, p256.length, false};
    stored[1] = (saml_certificate_t){other.der, other.length, true};
    stored[2] = (saml_certificate_t){rsa.der, rsa.length, false};
    expect->certificates = stored;
    expect->certificate_count = 3;
    expect->fingerprint_algorithm = FINGERPRINT_SHA512; /* whose length it has not */
}

static void nobody_asked(saml_expect_t *expect)
{
    expect->in_response_to = NULL;
}

static void last_moment(saml_expect_t *expect)
{
    expect->now_utc_ms += 6 * MINUTE - 1;
}

static void first_moment(saml_expect_t *expect)
{
    expect->now_utc_ms -= 6 * MINUTE;
}

static void with_groups(saml_expect_t *expect)
{
    expect->groups = true;
}

/* clang-format off */
static const world_row_t rows[] = {
    {"the assertion signed", SAML_NONE, .signed_by = BY_ASSERTION},
    {"the Response signed", SAML_NONE, .signed_by = BY_RESPONSE},
    {"both signed", SAML_NONE, .signed_by = BY_BOTH},
    {"RSA with SHA-384", SAML_NONE, .how = {.method = MORE "rsa-sha384", .digest = MORE "sha384"}},
    {"RSA with SHA-512", SAML_NONE, .how = {.method = MORE "rsa-sha512", .digest = ENC "sha512"}},
    {"RSA with SHA-1", SAML_NONE, .how = {.method = DS "rsa-sha1", .digest = DS "sha1"}, .tune = allow_sha1},
    {"RSA-PSS with SHA-256", SAML_NONE, .how.method = MGF1 "sha256-rsa-MGF1"},
    {"RSA-PSS with SHA-384", SAML_NONE, .how.method = MGF1 "sha384-rsa-MGF1"},
    {"RSA-PSS with SHA-512", SAML_NONE, .how.method = MGF1 "sha512-rsa-MGF1"},
    {"P-256", SAML_NONE, .how.by = &p256, .signed_by = BY_BOTH},
    {"P-384", SAML_NONE, .how = {.by = &p384, .method = MORE "ecdsa-sha384"}},
    {"P-521", SAML_NONE, .how = {.by = &p521, .method = MORE "ecdsa-sha512"}},
    {"a stored certificate, a fingerprint of no use", SAML_NONE, .tune = stored_only},
    {"no certificate in the signature", SAML_NONE, .how.bare = true, .tune = stored_only},
    {"a KeyName alone", SAML_NONE, .how = {.bare = true, .after = {"</ds:Signature>", "<ds:KeyInfo><ds:KeyName>idp</ds:KeyName></ds:KeyInfo></ds:Signature>"}}, .tune = stored_only},
    {"the trusted certificate behind another", SAML_NONE, .how.after = {"<ds:X509Certificate>", "<ds:X509Certificate>@P</ds:X509Certificate><ds:X509Certificate>"}},
    {"what else may name a key", SAML_NONE, .how.after = {"<ds:X509Data>", "<ds:KeyName>x</ds:KeyName><ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue><ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName>"}},
    {"line breaks in base64", SAML_NONE, .how.after = {"<ds:SignatureValue>", "<ds:SignatureValue>\r\n  "}},
    {"line breaks in the certificate", SAML_NONE, .how.after = {"<ds:X509Certificate>MII", "<ds:X509Certificate>\nM\tI\nI"}},
    {"blanks in the digest", SAML_NONE, .how.info = {"<ds:DigestValue>", "<ds:DigestValue>\n  "}},
    {"IDs within the signature", SAML_NONE, .how.after = {"<ds:KeyInfo>", "<ds:KeyInfo Id=\"_k\">"}},
    {"prefixes", SAML_NONE, .how.info = {"Algorithm=\"" EXC "\"></ds:Transform>", "Algorithm=\"" EXC "\"><ec:InclusiveNamespaces xmlns:ec=\"" EXC "\" PrefixList=\"xs #default\"></ec:InclusiveNamespaces></ds:Transform>"}},
    {"another way to write the same", SAML_NONE, .after = {{" Version=\"2.0\">", "\n  Version='2.0'  >"}, {"></samlp:StatusCode>", "/>"}}},
    {"a namespace nobody uses", SAML_NONE, .after = {{"<samlp:Response ", "<samlp:Response xmlns:x=\"urn:x\" "}}, .signed_by = BY_BOTH},
    {"a declaration", SAML_NONE, .after = {{"<samlp:Response ", "\xef\xbb\xbf<?xml version=\"1.0\" encoding='utf-8' standalone=\"yes\"?>\n<samlp:Response "}}},
    {"a line feed behind", SAML_NONE, .after = {{"</samlp:Response>", "</samlp:Response>\n"}}},
    {"xml:lang", SAML_NONE, .after = {{"</samlp:StatusCode>", "</samlp:StatusCode><samlp:StatusMessage xml:lang=\"en\">ok</samlp:StatusMessage>"}}},
    {"CDATA", SAML_NONE, .after = {{SIGNER_NAME_ID "</saml:NameID>", "<![CDATA[" SIGNER_NAME_ID "]]></saml:NameID>"}}},
    {"types of values", SAML_NONE, .before = {{FIRST_VALUE, "<saml:AttributeValue xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\">alice@example.com</saml:AttributeValue>"}}},
    {"elements without a namespace in values", SAML_NONE, .before = {{FIRST_VALUE, "<saml:AttributeValue><p><q>x</q></p></saml:AttributeValue>"}}},
    {"long values nobody asks for", SAML_NONE, .before = {{FIRST_VALUE, "<saml:AttributeValue>" FOUR(FOUR(FOUR(FOUR(FOUR("x"))))) "</saml:AttributeValue>"}}},
    {"64 groups", SAML_NONE, .before = {{"<saml:AttributeValue>staff</saml:AttributeValue>", FOUR(FOUR(FOUR("<saml:AttributeValue>g</saml:AttributeValue>")))}, {"<saml:AttributeValue>voice</saml:AttributeValue>", ""}}, .tune = with_groups},
    {"a bearer for somebody else too", SAML_NONE, .before = {{CONFIRMED, ELSEWHERE CONFIRMED}}},
    {"another method too", SAML_NONE, .before = {{CONFIRMED, "<saml:SubjectConfirmation Method=\"urn:x\"></saml:SubjectConfirmation>" CONFIRMED}}},
    {"NotBefore of a bearer", SAML_NONE, .before = {{" NotOnOrAfter=\"2026-03-01T12:05", " NotBefore=\"2026-03-01T12:01:00Z\" NotOnOrAfter=\"2026-03-01T12:05"}}},
    {"one use, no proxies", SAML_NONE, .before = {{"</saml:Conditions>", "<saml:OneTimeUse></saml:OneTimeUse><saml:ProxyRestriction Count=\"0\"></saml:ProxyRestriction></saml:Conditions>"}}},
    {"an audience of several", SAML_NONE, .before = {{"<saml:Audience>", "<saml:Audience>urn:x</saml:Audience><saml:Audience>"}}},
    {"conditions without times", SAML_NONE, .before = {{" NotBefore=\"2026-03-01T11:55:00Z\" NotOnOrAfter=\"2026-03-01T12:10:00Z\"", ""}}},
    {"a Response without an issuer", SAML_NONE, .after = {{"<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">" SIGNER_IDP "</saml:Issuer>", ""}}},
    {"an unsigned Response without a destination", SAML_NONE, .after = {{" Destination=\"" SIGNER_ACS "\"", ""}}},
    {"an unsigned Response that answers nothing", SAML_NONE, .after = {{" InResponseTo=\"" SIGNER_REQUEST "\" Is", " Is"}}},
    {"the signed Response alone says what it answers", SAML_NONE, .signed_by = BY_RESPONSE, .before = {{" InResponseTo=\"" SIGNER_REQUEST "\" Not", " Not"}}},
    {"nobody asked", SAML_NONE, .before = {{" InResponseTo=\"" SIGNER_REQUEST "\"", ""}}, .tune = nobody_asked},
    {"whatever was asked", SAML_NONE, .tune = nobody_asked},
    {"the last moment", SAML_NONE, .tune = last_moment},
    {"the first moment", SAML_NONE, .tune = first_moment},
    {"fractions of a second", SAML_NONE, .before = {{"T12:05:00Z", "T12:05:00.1234567Z"}}},
    {"two statements", SAML_NONE, .before = {{"</saml:AuthnStatement>", "</saml:AuthnStatement><saml:AuthnStatement AuthnInstant=\"2026-03-01T11:00:00Z\"></saml:AuthnStatement>"}}},
};
/* clang-format on */

static void good_ones(void **state)
{
    (void)state;
    world_row_t filled[ARRAY_LEN(rows)];
    static char chain[2 * sizeof(p256.base64)];
    memcpy(filled, rows, sizeof(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (filled[i].how.after.replace != NULL && strstr(filled[i].how.after.replace, "@P")) {
            AUTO(mem_release)
            char *text =
                signer_edited(filled[i].how.after.replace, (signer_edit_t){"@P", p256.base64});
            assert_int_equal(text_copy(chain, sizeof(chain), text, strlen(text)), STATUS_OK);
            filled[i].how.after.replace = chain;
        }
    world_run(filled, ARRAY_LEN(filled));
}

static void what_is_known_then(void **state)
{
    (void)state;
    AUTO(saml_verdict_clear) saml_verdict_t verdict;
    world_verify(&(world_row_t){.name = "", .signed_by = BY_BOTH}, &verdict);
    assert_int_equal(verdict.reason, SAML_NONE);
    const saml_claims_t *claims = &verdict.claims;
    assert_string_equal(claims->name_id, SIGNER_NAME_ID);
    assert_string_equal(claims->name_id_format,
                        "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress");
    assert_string_equal(claims->name_qualifier, "");
    assert_string_equal(claims->session_index, "_s1");
    assert_string_equal(claims->assertion_id, "_a1");
    assert_string_equal(claims->in_response_to, SIGNER_REQUEST);
    assert_true(claims->authn_instant_utc_ms == SIGNER_NOW_MS - MINUTE);
    assert_true(claims->session_until_utc_ms == SIGNER_NOW_MS + MINUTE * 8 * 60);
    assert_true(claims->replay_until_utc_ms == SIGNER_NOW_MS + 6 * MINUTE);
    assert_int_equal(packed_count(&claims->attributes), 0);
    assert_int_equal(packed_count(&claims->groups), 0);
    assert_int_equal(claims->certificate_length, rsa.length);
    assert_memory_equal(claims->certificate, rsa.der, rsa.length);
    assert_true(claims->by_fingerprint);
}

/* What a bearer for somebody else says counts for how long the assertion is remembered, but no
 * longer than its conditions. */
static void remembered_long_enough(void **state)
{
    (void)state;
    AUTO(saml_verdict_clear) saml_verdict_t verdict;
    world_verify(&(world_row_t){.before = {{CONFIRMED, ELSEWHERE CONFIRMED}}}, &verdict);
    assert_true(verdict.claims.replay_until_utc_ms == SIGNER_NOW_MS + 11 * MINUTE);
    saml_verdict_clear(&verdict);
    world_verify(&(world_row_t){.before = {{CONFIRMED, ELSEWHERE CONFIRMED},
                                           {" NotOnOrAfter=\"2026-03-01T12:10:00Z\"", ""}}},
                 &verdict);
    assert_true(verdict.claims.replay_until_utc_ms == SIGNER_NOW_MS + 21 * MINUTE);
}

static void a_stored_certificate_is_not_learned(void **state)
{
    (void)state;
    AUTO(saml_verdict_clear) saml_verdict_t verdict;
    world_verify(&(world_row_t){.tune = stored_only}, &verdict);
    assert_int_equal(verdict.reason, SAML_NONE);
    assert_false(verdict.claims.by_fingerprint);
    assert_memory_equal(verdict.claims.certificate, rsa.der, rsa.length);
}

static packed_t names;

static void with_names(saml_expect_t *expect)
{
    static const char map[] =
        "\x84\xa5"
        "email\xa4mail\xa4none\xa7nothing\xa4team\xa6groups\xa6groups\xa6groups";
    memcpy(names.bytes, map, sizeof(map) - 1);
    names.length = sizeof(map) - 1;
    expect->attribute_names = &names;
    expect->groups = true;
}

static void attributes_by_our_names(void **state)
{
    (void)state;
    static const char attributes[] = "\x82\xa5"
                                     "email\xb1"
                                     "alice@example.com\xa4team\xa5staff";
    static const char groups[] = "\x92\xa5staff\xa5voice";
    AUTO(saml_verdict_clear) saml_verdict_t verdict;
    world_verify(&(world_row_t){.tune = with_names}, &verdict);
    assert_int_equal(verdict.reason, SAML_NONE);
    assert_int_equal(verdict.claims.attributes.length, sizeof(attributes) - 1);
    assert_memory_equal(verdict.claims.attributes.bytes, attributes, sizeof(attributes) - 1);
    assert_int_equal(verdict.claims.groups.length, sizeof(groups) - 1);
    assert_memory_equal(verdict.claims.groups.bytes, groups, sizeof(groups) - 1);
    saml_verdict_clear(&verdict);
    world_verify(&(world_row_t){.before = {{FIRST_VALUE, "<saml:AttributeValue>" FOUR(FOUR(FOUR(
                                                             "xxxxx"))) "</saml:AttributeValue>"}},
                                .tune = with_names},
                 &verdict);
    assert_int_equal(verdict.reason, SAML_VALUE_TOO_LONG);
}

/* Blanks are part of a name. */
static void names_are_kept_as_they_are(void **state)
{
    (void)state;
    AUTO(saml_verdict_clear) saml_verdict_t verdict;
    world_verify(
        &(world_row_t){.before = {{SIGNER_NAME_ID "</saml:NameID>", " Ali\xc3\xa7"
                                                                    "e &amp; Bob </saml:NameID>"}}},
        &verdict);
    assert_int_equal(verdict.reason, SAML_NONE);
    assert_string_equal(verdict.claims.name_id, " Ali\xc3\xa7"
                                                "e & Bob ");
}

/* Each check in its order; all of the last part are made, whatever failed before. */
static void all_checks_are_told(void **state)
{
    (void)state;
    static const char *const checks[] = {
        "message",    "document",        "response",  "signature_shape",   "certificate",
        "key",        "digest",          "signature", "signed_bytes",      "assertion_id",
        "version",    "status",          "issuer",    "destination",       "subject",
        "name_id",    "confirmation",    "recipient", "confirmation_time", "in_response_to",
        "conditions", "conditions_time", "audience",  "authn_statement",   "session_time",
        "attributes"};
    AUTO(saml_verdict_clear) saml_verdict_t verdict;
    world_verify(&(world_row_t){.before = {{SIGNER_SP, "urn:x\x01"}, {"T20:", "T10:"}}}, &verdict);
    assert_int_equal(verdict.reason, SAML_XML_MALFORMED); /* U+0001 is no character */
    assert_int_equal(verdict.step_count, 2);
    saml_verdict_clear(&verdict);
    world_verify(
        &(world_row_t){.before = {{SIGNER_SP, "urn:x"}, {"T20:", "T10:"}},
                       .after = {{"Destination=\"" SIGNER_ACS, "Destination=\"urn:&#xa;y"}}},
        &verdict);
    assert_int_equal(verdict.reason, SAML_DESTINATION_MISMATCH);
    assert_string_equal(verdict.detail, "urn:?y");
    assert_int_equal(verdict.step_count, ARRAY_LEN(checks));
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        const saml_step_t *step = &verdict.steps[i];
        assert_string_equal(step->check, checks[i]);
        bool failed = strcmp(step->check, "destination") == 0 ||
                      strcmp(step->check, "audience") == 0 ||
                      strcmp(step->check, "session_time") == 0;
        assert_true(failed == (step->reason != SAML_NONE));
    }
}

/* Signed by xmlsec1 1.2.37, in a form of its own; the keys are thrown away. */
static const struct {
    const char *file, *fingerprint;
    fingerprint_algorithm_t algorithm;
} golden[] = {
    {"golden_p256.xml", "9B:B8:A1:94:27:0D:95:7F:D4:EF:3A:42:FC:60:61:D8:86:DB:05:C2",
     FINGERPRINT_SHA1},
    {"golden_p256.xml",
     "8B:51:EE:14:96:EC:09:41:53:FC:95:49:C6:E4:9D:10:91:77:CB:65:1B:04:12:A8:C0:5A:01:05:63:D5:EF:"
     "B4:FC:36:6E:0E:25:D1:9B:67:82:41:73:4C:71:74:56:28",
     FINGERPRINT_SHA384},
    {"golden_p521.xml",
     "1A:DE:96:0C:46:46:C2:D2:09:10:33:8A:3C:6E:C4:18:BE:18:D6:DE:71:27:89:31:A5:22:9D:6D:08:98:D0:"
     "D5:E3:FB:29:EF:04:69:AF:62:90:1C:94:9B:D3:A3:E5:6C:CE:96:4A:D9:56:51:CA:45:9F:D6:E6:3E:FF:3F:"
     "E7:2A",
     FINGERPRINT_SHA512},
    {"golden_rsa.xml",
     "92:51:3A:C0:B8:01:46:BD:67:82:78:84:62:FD:B1:F8:17:15:11:7D:A9:C2:26:A1:C4:7F:E8:1B:21:8A:4B:"
     "83",
     FINGERPRINT_SHA256},
};

static size_t read_file(const char *name, char *out, size_t size)
{
    char path[512];
    assert_int_equal(text_format(path, sizeof(path), "%s/%s", GOLDEN_DIR, name), STATUS_OK);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(out, 1, size - 1, file);
    assert_int_equal(fclose(file), 0);
    out[length] = '\0';
    return length;
}

static void signed_by_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
        char text[16 * 1024];
        AUTO(saml_verdict_clear) saml_verdict_t verdict;
        saml_expect_t expect = world_expect(&rsa);
        expect.fingerprint = golden[i].fingerprint;
        expect.fingerprint_algorithm = golden[i].algorithm;
        (void)read_file(golden[i].file, text, sizeof(text));
        world_verify_text(&expect, text, &verdict);
        if (verdict.reason != SAML_NONE)
            fail_msg("%s: %s", golden[i].file, saml_reason_words[verdict.reason]);
        assert_string_equal(verdict.claims.name_id, "Ali\xc3\xa7"
                                                    "e & \"Bob\" > \xe2\x98\x83");
        assert_string_equal(verdict.claims.session_index, "a < b");
        char *name = strstr(text, "Ali");
        name[0] = 'a';
        saml_verdict_clear(&verdict);
        world_verify_text(&expect, text, &verdict);
        assert_int_equal(verdict.reason, SAML_DIGEST_MISMATCH);
    }
}

static void *verify_often(void *result)
{
    bool *good = result;
    *good = true;
    for (int i = 0; i < 10; i++) {
        AUTO(saml_verdict_clear) saml_verdict_t verdict;
        world_verify(&(world_row_t){.signed_by = (signed_by_t)(i % 3)}, &verdict);
        *good = *good && verdict.reason == SAML_NONE;
        saml_verdict_clear(&verdict);
        world_verify(&(world_row_t){.after = {{"</samlp:Response>", ""}}}, &verdict);
        *good = *good && verdict.reason == SAML_XML_MALFORMED;
    }
    return NULL;
}

/* In several threads at once, and without a word on standard error. */
static void in_any_thread(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    bool good[THREADS];
    FILE *caught = tmpfile();
    assert_non_null(caught);
    int before = dup(STDERR_FILENO);
    assert_true(before >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, &good[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    off_t written = lseek(STDERR_FILENO, 0, SEEK_END);
    assert_true(dup2(before, STDERR_FILENO) >= 0 && close(before) == 0 && fclose(caught) == 0);
    assert_int_equal(written, 0);
    for (int i = 0; i < THREADS; i++)
        assert_true(good[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(what_is_known_then),
        cmocka_unit_test(remembered_long_enough),
        cmocka_unit_test(a_stored_certificate_is_not_learned),
        cmocka_unit_test(attributes_by_our_names),
        cmocka_unit_test(names_are_kept_as_they_are),
        cmocka_unit_test(all_checks_are_told),
        cmocka_unit_test(signed_by_others),
        cmocka_unit_test(in_any_thread),
    };
    return cmocka_run_group_tests_name("saml_verify", tests, world_set_up, world_tear_down);
}
