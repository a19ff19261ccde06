/* Metadata: documents as identity providers publish them, and as attackers would. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "services/auth-provider/metadata.h"
#include "services/auth-provider/xml.h"
#include "tests/support/issuer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CERTIFICATES = METADATA_CERTIFICATES_MAX + 1 };
#define NOW INT64_C(1750000000000) /* 2025-06-15T15:06:40Z */

static issued_t issued[CERTIFICATES];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < CERTIFICATES; i++)
        issuer_make("idp.example.com", 1700000000, 2000000000, &issued[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < CERTIFICATES; i++)
        issuer_free(&issued[i]);
    return 0;
}

#define NS                                                                                         \
    "xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' "                                             \
    "xmlns:ds='http://www.w3.org/2000/09/xmldsig#'"
#define SAML2       "protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'"
#define REDIRECT    "Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'"
#define POST        "Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'"
#define CERT(which) "<ds:X509Certificate>" which "</ds:X509Certificate>"
#define KEY(use, of)                                                                               \
    "<md:KeyDescriptor" use "><ds:KeyInfo><ds:X509Data>" of                                        \
    "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
#define SIGNING       " use='signing'"
#define SSO           "<md:SingleSignOnService " REDIRECT " Location='https://idp.example/sso'/>"
#define SLO           "<md:SingleLogoutService " REDIRECT " Location='https://idp.example/slo'/>"
#define IDP_OF(inner) "<md:IDPSSODescriptor " SAML2 ">" inner "</md:IDPSSODescriptor>"
#define IDP           IDP_OF(KEY(SIGNING, CERT("@A")) SSO)
#define SP            "<md:SPSSODescriptor " SAML2 "/>"
#define ENTITY(id, inner)                                                                          \
    "<md:EntityDescriptor " NS " entityID='" id "'>" inner "</md:EntityDescriptor>"
#define ENTITIES(inner) "<md:EntitiesDescriptor " NS ">" inner "</md:EntitiesDescriptor>"
#define ONE             ENTITY("https://idp.example/", IDP)

/* The document with base64 in the place of "@A", "@B" ...; the caller frees. */
static char *filled(const char *pattern)
{
    size_t used = 0, room = strlen(pattern) + 1;
    for (const char *at = strchr(pattern, '@'); at != NULL; at = strchr(at + 1, '@'))
        room += sizeof(issued[0].base64);
    char *text = mem_array(room, 1);
    for (const char *at = pattern; *at != '\0'; at++) {
        size_t which = (size_t)(at[1] - 'A');
        if (*at == '@' && which < CERTIFICATES) {
            size_t length = strlen(issued[which].base64);
            memcpy(text + used, issued[which].base64, length);
            used += length;
            at++;
        } else {
            text[used++] = *at;
        }
    }
    return text;
}

static status_t read_as(const char *pattern, const char *entity_id, metadata_t *out, err_t *err)
{
    AUTO(mem_release) char *text = filled(pattern);
    return metadata_read(text, strlen(text), entity_id, NOW, out, err);
}

static void a_whole_document(void **state)
{
    (void)state;
    static const char document[] =
        "\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><!-- a comment -->"
        "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' ID='_1'"
        " entityID='http://adfs.example/adfs/services/trust' validUntil='2025-06-15T15:06:41Z'>"
        "<RoleDescriptor xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
        " xsi:type='fed:SecurityTokenServiceType' xmlns:fed='urn:x'/>"
        "<SPSSODescriptor " SAML2 "/>"
        "<IDPSSODescriptor WantAuthnRequestsSigned='true' protocolSupportEnumeration='"
        "urn:oasis:names:tc:SAML:1.1:protocol\n urn:oasis:names:tc:SAML:2.0:protocol'>"
        "<KeyDescriptor use='encryption'><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'>"
        "<X509Data><X509Certificate>@C</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        "<KeyDescriptor use='signing'><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'>"
        "<KeyName>old</KeyName><X509Data><X509Certificate>\n  @B\n </X509Certificate>"
        "<X509Certificate><![CDATA[@A]]></X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        "<KeyDescriptor><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'>"
        "<X509Data><X509Certificate>@B</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        "<SingleLogoutService " POST " Location='https://adfs.example/post'/>"
        "<SingleLogoutService " REDIRECT " Location='https://adfs.example/out?a=1&amp;b=2'/>"
        "<SingleSignOnService " POST " Location='https://adfs.example/post'/>"
        "<SingleSignOnService " REDIRECT " Location='https://adfs.example/ls/'/>"
        "<SingleSignOnService " REDIRECT " Location='https://adfs.example/second'/>"
        "</IDPSSODescriptor></EntityDescriptor>\n";
    AUTO(metadata_clear) metadata_t found = {0};
    err_t err = {0};
    if (read_as(document, NULL, &found, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    assert_string_equal(found.entity_id, "http://adfs.example/adfs/services/trust");
    assert_string_equal(found.sso_url, "https://adfs.example/ls/");
    assert_string_equal(found.slo_url, "https://adfs.example/out?a=1&b=2");
    assert_int_equal(found.certificate_count, 2); /* in order, each once, none for encryption */
    assert_memory_equal(found.certificates[0].der, issued[1].der, issued[1].length);
    assert_memory_equal(found.certificates[1].der, issued[0].der, issued[0].length);
    assert_int_equal(strlen(found.certificates[0].fingerprint), 95);
    assert_true(found.certificates[0].not_after_ms == INT64_C(2000000000000));
}

/* text: what the error must name; NULL: the document is good. */
static const struct {
    const char *document, *entity_id, *text;
} rows[] = {
    {ONE, NULL, NULL},
    {ONE, "https://idp.example/", NULL},
    {ONE, "https://other.example/", NULL}, /* the only one there is */
    {ENTITY("https://idp.example/", IDP SP), NULL, NULL},
    {ENTITIES(ONE), NULL, NULL},
    {ENTITIES(ENTITIES(ENTITY("urn:sp", SP) ONE) ENTITY("urn:sp2", SP)), NULL, NULL},
    {ENTITIES(ENTITY("urn:a", IDP) ENTITY("urn:b", IDP)), "urn:b", NULL},
    {ENTITIES(ENTITY("urn:a", IDP) ENTITY("urn:b", IDP)), NULL, "several"},
    {ENTITIES(ENTITY("urn:a", IDP) ENTITY("urn:a", IDP)), "urn:a", "several"},
    {ENTITIES(ENTITY("urn:a", IDP) ENTITY("urn:b", IDP)), "urn:c", "several"},
    {ENTITIES(ENTITY("urn:a", IDP) ENTITY("urn:b", SP)), "urn:b", NULL},
    {ENTITY("urn:a", IDP IDP), NULL, "several"},
    {ENTITY("urn:a", SP), NULL, "no identity provider"},
    {ENTITY("urn:a", SP), "urn:a", "no identity provider"},
    {ENTITIES(""), NULL, "no identity provider"},
    /* What only looks like it. */
    {"<md:IDPSSODescriptor " NS " " SAML2 "/>", NULL, "not SAML 2.0 metadata"},
    {"<EntityDescriptor entityID='urn:a'/>", NULL, "not SAML 2.0 metadata"},
    {"<html><body>Log in</body></html>", NULL, "not SAML 2.0 metadata"},
    {"<e:EntityDescriptor xmlns:e='urn:oasis:names:tc:SAML:2.0:metadata/' entityID='urn:a'/>", NULL,
     "not SAML 2.0 metadata"},
    {ENTITY("urn:a", "<IDPSSODescriptor " SAML2 "/>"), NULL, "no identity provider"},
    {ENTITY("urn:a", "<md:Extensions>" IDP "</md:Extensions>"), NULL, "no identity provider"},
    {ENTITIES("<md:Extensions>" ONE "</md:Extensions>"), NULL, "no identity provider"},
    {ENTITY("urn:a", "<md:IDPSSODescriptor protocolSupportEnumeration="
                     "'urn:oasis:names:tc:SAML:1.1:protocol'/>"),
     NULL, "no identity provider"},
    {ENTITY("urn:a", "<md:IDPSSODescriptor protocolSupportEnumeration="
                     "'urn:oasis:names:tc:SAML:2.0:protocolx'/>"),
     NULL, "no identity provider"},
    {ENTITY("urn:a", "<md:IDPSSODescriptor/>"), NULL, "no identity provider"},
    /* Names and places. */
    {ENTITY("", IDP), NULL, "no entityID"},
    {"<md:EntityDescriptor " NS ">" IDP "</md:EntityDescriptor>", NULL, "no entityID"},
    {"<md:EntityDescriptor " NS " md:entityID='urn:a'>" IDP "</md:EntityDescriptor>", NULL,
     "no entityID"},
    {ENTITY("a&#10;b", IDP), NULL, "control characters"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A")) SSO SLO)), NULL, NULL},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A")))), NULL, "no sign-on location"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A")) "<md:SingleSignOnService " POST
                                                     " Location='https://idp.example/'/>")),
     NULL, "no sign-on location"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A")) "<md:SingleSignOnService " REDIRECT "/>")),
     NULL, "sign-on location is not"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A")) "<md:SingleSignOnService " REDIRECT
                                                     " Location='javascript:alert(1)'/>")),
     NULL, "sign-on location is not"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A")) SSO "<md:SingleLogoutService " REDIRECT
                                                         " Location='/logout'/>")),
     NULL, "log-out location is not"},
    /* Certificates. */
    {ENTITY("urn:a", IDP_OF(KEY("", CERT("@A")) SSO)), NULL, NULL},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@<!-- -->A")) SSO)), NULL, "not X.509"},
    {ENTITY("urn:a", IDP_OF(SSO)), NULL, "no signing certificate"},
    {ENTITY("urn:a", IDP_OF(KEY(" use='encryption'", CERT("@A")) SSO)), NULL,
     "no signing certificate"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, "") SSO)), NULL, "no signing certificate"},
    {ENTITY("urn:a", IDP_OF("<md:KeyDescriptor/>" SSO)), NULL, "no signing certificate"},
    {ENTITY("urn:a", IDP_OF(CERT("@A") SSO)), NULL, "no signing certificate"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("")) SSO)), NULL, "not X.509"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("MIIB")) SSO)), NULL, "not X.509"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A") CERT("@A@B")) SSO)), NULL, "not X.509"},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A") CERT("@B") CERT("@C") CERT("@D") CERT("@E")
                                             CERT("@F") CERT("@G") CERT("@H") CERT("@I") CERT("@J")
                                                 CERT("@K") CERT("@L") CERT("@M") CERT("@N")
                                                     CERT("@O") CERT("@P") CERT("@A")) SSO)),
     NULL, NULL},
    {ENTITY("urn:a", IDP_OF(KEY(SIGNING, CERT("@A") CERT("@B") CERT("@C") CERT("@D") CERT("@E")
                                             CERT("@F") CERT("@G") CERT("@H") CERT("@I") CERT("@J")
                                                 CERT("@K") CERT("@L") CERT("@M") CERT("@N")
                                                     CERT("@O") CERT("@P") CERT("@Q")) SSO)),
     NULL, "more than 16"},
    /* Time. */
    {ENTITY("urn:a' validUntil='2025-06-15T15:06:41Z", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil='2025-06-15T17:06:41+02:00", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil='2025-06-15T15:06:40Z", IDP), NULL, "expired"},
    {ENTITY("urn:a' validUntil='2025-06-15T15:06:41", IDP), NULL, NULL}, /* UTC without a zone */
    {ENTITY("urn:a' validUntil='2025-06-15T15:06:40", IDP), NULL, "expired"},
    {ENTITY("urn:a' validUntil='2025-06-15T15:06:40.001", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil=' \n2025-06-15T15:06:41Z\t ", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil=' 2025-06-15T15:06:40 ", IDP), NULL, "expired"},
    {ENTITY("urn:a' validUntil='2025-06-15T10:06:41-05:00", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil='2025-06-15T24:00:00Z", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil='2025-06-15T24:00:00.000", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil='2025-06-14T24:00:00", IDP), NULL, "expired"},
    {ENTITY("urn:a' validUntil='2025-06-15T24:00:00-10:00", IDP), NULL, NULL},
    {ENTITY("urn:a' validUntil='2025-06-15T24:00:01Z", IDP), NULL, "validUntil is not"},
    {ENTITY("urn:a' validUntil='2025-06-15T24:00:00.01Z", IDP), NULL, "validUntil is not"},
    {ENTITY("urn:a' validUntil='2025-06-15T25:00:00Z", IDP), NULL, "validUntil is not"},
    {ENTITY("urn:a' validUntil='2025-06-15 15:06:41Z", IDP), NULL, "validUntil is not"},
    {ENTITY("urn:a' validUntil='2025-06-15T15:06:41Z Z", IDP), NULL, "validUntil is not"},
    {ENTITY("urn:a' validUntil='2025-06-15", IDP), NULL, "validUntil is not"},
    {ENTITY("urn:a' validUntil=' ", IDP), NULL, "validUntil is not"},
    {ENTITY("urn:a' validUntil='", IDP), NULL, "validUntil is not"},
    {"<md:EntitiesDescriptor " NS
     " validUntil='2020-01-01T00:00:00Z'>" ENTITIES(ONE) "</md:EntitiesDescriptor>",
     NULL, "expired"},
    {ENTITY("urn:a", "<md:IDPSSODescriptor validUntil='2020-01-01T00:00:00Z' " SAML2 ">" SSO
                     "</md:IDPSSODescriptor>"),
     NULL, "expired"},
    {ENTITIES(ENTITY("urn:a' validUntil='2020-01-01T00:00:00Z", IDP) ONE), "https://idp.example/",
     NULL},
    /* XML. */
    {"", NULL, "empty"},
    {" ", NULL, "malformed"},
    {"{\"a\": 1}", NULL, "malformed"},
    {"<md:EntityDescriptor", NULL, "malformed"},
    {ONE ONE, NULL, "malformed"},
    {ONE "x", NULL, "malformed"},
    {ENTITY("urn:a&x;", IDP), NULL, "malformed"},
    {ENTITY("urn:a", IDP "<un:bound/>"), NULL, "malformed"},
    {"<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>", NULL, "malformed"},
    {"<x:EntityDescriptor entityID='urn:a'/>", NULL, "m"},
    {"<a>\xff</a>", NULL, "not UTF-8"},
    {"<!DOCTYPE a>" ONE, NULL, "DOCTYPE"},
    {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>" ONE, NULL, "DOCTYPE"},
    {"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" ENTITY("&x;", IDP), NULL, "DOCTYPE"},
    {"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'> %x;]>" ONE, NULL, "DOCTYPE"},
    {"<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;&x;&x;'>]><a>&y;&y;&y;</a>", NULL, "DOCTYPE"},
    {"<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>", NULL, "DOCTYPE"},
    {"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/passwd'/>", NULL,
     "not SAML 2.0 metadata"},
};

static void documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(metadata_clear) metadata_t found = {0};
        err_t err = {0};
        status_t status = read_as(rows[i].document, rows[i].entity_id, &found, &err);
        bool good = rows[i].text == NULL;
        if ((status == STATUS_OK) != good || (found.certificate_count > 0) != good)
            fail_msg("row %zu: %s", i, err.text);
        if (!good && strstr(err.text, rows[i].text) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.text, rows[i].text);
    }
}

/* Between the tags, as many of the unit as make a tag unreadable. */
#define TEXTS_OF(begin, unit, end)                                                                 \
    "<md:EntityDescriptor " NS " entityID='a'><md:Organization>" begin, unit, 1000,                \
        end "</md:Organization>" IDP "</md:EntityDescriptor>", NULL

static void expect(const char *document, size_t length, const char *text)
{
    metadata_t found = {0};
    err_t err = {0};
    assert_int_not_equal(metadata_read(document, length, NULL, NOW, &found, &err), STATUS_OK);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

/* prefix, then unit so many times, then suffix; the caller frees. */
static char *repeated(const char *prefix, const char *unit, size_t count, const char *suffix)
{
    size_t head = strlen(prefix), one = strlen(unit), tail = strlen(suffix);
    char *text = mem_array(head + one * count + tail + 1, 1);
    memcpy(text, prefix, head);
    for (size_t i = 0; i < count; i++)
        memcpy(text + head + i * one, unit, one);
    memcpy(text + head + one * count, suffix, tail);
    return text;
}

/* Namespaces of one level, far too many in all: each costs something at every element below it. */
static void namespaces_are_bounded(void **state)
{
    (void)state;
    err_t err = {0};
    xmlDoc *document = NULL;
    char text[8192] = "";
    size_t used = 0;
    for (int i = 0; i < 2; i++) { /* 64 and 65 of them, on two levels */
        used = 0;
        for (int n = 0; n < XML_NAMESPACES_MAX + i; n++) {
            assert_int_equal(text_format(text + used, sizeof(text) - used, "%sxmlns:n%d='urn:%d'%s",
                                         n % 40 == 0 ? "<a " : " ", n, n, n % 40 == 39 ? ">" : ""),
                             STATUS_OK);
            used += strlen(text + used);
        }
        assert_int_equal(text_format(text + used, sizeof(text) - used, "/></a>"), STATUS_OK);
        status_t status = xml_parse(text, strlen(text), &document, &err);
        assert_int_equal(status, i == 0 ? STATUS_OK : STATUS_TOO_LARGE);
        if (i == 1)
            assert_non_null(strstr(err.text, "too many namespaces"));
        xml_free(&document);
    }
    AUTO(mem_release)
    char *siblings = repeated("<a>", "<b xmlns:n='urn:n' xmlns='urn:m'/>", 1000, "</a>");
    assert_int_equal(xml_parse(siblings, strlen(siblings), &document, &err), STATUS_OK);
    xml_free(&document);
}

static void bounds(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *unit;
        size_t count;
        const char *suffix, *text; /* NULL: good */
    } bound_rows[] = {
        {"<md:EntityDescriptor " NS " entityID='", "i", 1024, "'>" IDP "</md:EntityDescriptor>",
         NULL},
        {"<md:EntityDescriptor " NS " entityID='", "\xc3\xa4", 1024,
         "'>" IDP "</md:EntityDescriptor>", NULL},
        {"<md:EntityDescriptor " NS " entityID='", "i", 1025, "'>" IDP "</md:EntityDescriptor>",
         "entityID is too long"},
        {"<md:EntityDescriptor " NS " entityID='", "i", 100000, "'>" IDP "</md:EntityDescriptor>",
         "entityID is too long"},
        {"<md:EntityDescriptor " NS " entityID='a'>", "<!-- '\"'\"= -->", 10000,
         IDP "</md:EntityDescriptor>", NULL},
        {"<md:EntityDescriptor " NS " entityID='a'><md:IDPSSODescriptor " SAML2
         "><md:SingleSignOnService " REDIRECT " Location='https://a/",
         "p", 2038, "'/>" KEY("", CERT("@A")) "</md:IDPSSODescriptor></md:EntityDescriptor>", NULL},
        {"<md:EntityDescriptor " NS " entityID='a'><md:IDPSSODescriptor " SAML2
         "><md:SingleSignOnService " REDIRECT " Location='https://a/",
         "p", 2039, "'/>" KEY("", CERT("@A")) "</md:IDPSSODescriptor></md:EntityDescriptor>",
         "sign-on location is too long"},
        {"", "<a>", XML_DEPTH_MAX, "", "malformed"},
        {"", "<a>", XML_DEPTH_MAX + 1, "", "nested too deeply"},
        {"", "<a>", 300000, "", "nested too deeply"},
        {"<a ", "b='' ", XML_ATTRIBUTES_MAX + 1, "/>", "too many attributes"},
        {"<a b='>' ", "b='' ", XML_ATTRIBUTES_MAX, "/>", "too many attributes"},
        {"<a ", "b = \n '\"' ", XML_ATTRIBUTES_MAX + 1, "/>", "too many attributes"},
        {"<a><!-- \x01 <a ", "b='' ", 100000, "/> -->", "too many attributes"},
        {"<a><? > <a ", "b='' ", 100000, "/> ?>", "too many attributes"},
        {"<?xml version='1.0' > <a ", "b='' ", 100000, "/> ?>", "too many attributes"},
        {TEXTS_OF("", "'", "")},
        {TEXTS_OF("", "it's b=\"x\" ", "")},
        {TEXTS_OF("<![CDATA[", "b='x' ", "]]>")},
        {TEXTS_OF("<!-- ", "b='x' > ", "-->")},
        {TEXTS_OF("<?x ", "b='x' > ", "?>")},
        {"<a ", "b=\"\" ", 100000, "/>", "too many attributes"},
        {"<a>", "x", XML_BYTES_MAX, "</a>", "larger than 1 MiB"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bound_rows); i++) {
        AUTO(mem_release)
        char *pattern = repeated(bound_rows[i].prefix, bound_rows[i].unit, bound_rows[i].count,
                                 bound_rows[i].suffix);
        AUTO(metadata_clear) metadata_t found = {0};
        err_t err = {0};
        status_t status = read_as(pattern, NULL, &found, &err);
        if (bound_rows[i].text == NULL ? status != STATUS_OK
                                       : strstr(err.text, bound_rows[i].text) == NULL)
            fail_msg("row %zu: %s", i, err.text);
    }
}

/* A document's own word on its encoding is not believed, nor is UTF-16 read. */
static void only_utf8_is_read(void **state)
{
    (void)state;
    static const char utf16[] = "\xff\xfe<\0a\0/\0>\0", utf16_plain[] = "<\0a\0/\0>\0";
    expect(utf16, sizeof(utf16) - 1, "not UTF-8");
    expect(utf16_plain, sizeof(utf16_plain) - 1, "not UTF-8");
    static const char *const encodings[] = {"UTF-7", "UTF-16", "ISO-8859-1", "nonsense"};
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        char document[256];
        err_t err = {0};
        metadata_t found = {0};
        assert_int_equal(text_format(document, sizeof(document),
                                     "<?xml version='1.0' encoding='%s'?><a>+ADw-</a>",
                                     encodings[i]),
                         STATUS_OK);
        assert_int_not_equal(metadata_read(document, strlen(document), NULL, NOW, &found, &err),
                             STATUS_OK);
    }
}

static void nothing_is_printed(void **state)
{
    FILE *seen = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_non_null(seen);
    assert_true(dup2(fileno(seen), STDERR_FILENO) >= 0);
    documents(state);
    bounds(state);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    assert_int_equal(lseek(fileno(seen), 0, SEEK_END), 0);
    (void)fclose(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_document),       cmocka_unit_test(documents),
        cmocka_unit_test(namespaces_are_bounded), cmocka_unit_test(bounds),
        cmocka_unit_test(only_utf8_is_read),      cmocka_unit_test(nothing_is_printed),
    };
    return cmocka_run_group_tests_name("metadata", tests, set_up, tear_down);
}
