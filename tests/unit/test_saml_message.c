/* The XML that we send: whole documents, whatever the values are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "services/auth-provider/markup.h"
#include "services/auth-provider/saml/message.h"
#include "services/auth-provider/saml/saml.h"
#include "tests/support/issuer.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define NOW        INT64_C(1700000000000)
#define NOW_TEXT   "2023-11-14T22:13:20.000Z"
#define UNNAMED    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
#define EMAIL      "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
#define HOSTILE    "a\"><b c='1'>&amp;\t\r\n]]>"
#define HOSTILE_IN "https://x.example/?a=1&b=\"'<>"

static xmlDoc *document;
static char text[MESSAGE_SIZE];

static xmlNode *parse(status_t status)
{
    assert_int_equal(status, STATUS_OK);
    xmlFreeDoc(document);
    document = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
    assert_non_null(document);
    return xmlDocGetRootElement(document);
}

static int tear_down(void **state)
{
    (void)state;
    xmlFreeDoc(document);
    document = NULL;
    return 0;
}

static void assert_attribute(xmlNode *node, const char *name, const char *expected)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    if (expected == NULL)
        assert_null(value);
    else
        assert_string_equal((const char *)value, expected);
    xmlFree(value);
}

static void assert_content(xmlNode *node, const char *expected)
{
    xmlChar *value = xmlNodeGetContent(node);
    assert_string_equal((const char *)value, expected);
    xmlFree(value);
}

static xmlNode *named(xmlNode *node, const char *space, const char *name)
{
    assert_non_null(node);
    assert_string_equal((const char *)node->name, name);
    assert_string_equal((const char *)node->ns->href, space);
    return node;
}

static const authn_request_t plain = {.id = "_0123456789012345678901234567890123456789",
                                      .now_utc_ms = NOW,
                                      .destination = HOSTILE_IN,
                                      .acs_url = "https://lk.example/sso/saml/auth/a",
                                      .sp_entity_id = "https://lk.example/sso/saml/metadata/a",
                                      .name_id_format = EMAIL};

static void an_authn_request_has_what_the_profile_asks_for(void **state)
{
    (void)state;
    xmlNode *root = named(parse(message_authn_request(&plain, text, sizeof(text))),
                          SAML_NS_PROTOCOL, "AuthnRequest");
    assert_attribute(root, "ID", plain.id);
    assert_attribute(root, "Version", "2.0");
    assert_attribute(root, "IssueInstant", NOW_TEXT);
    assert_attribute(root, "Destination", HOSTILE_IN);
    assert_attribute(root, "AssertionConsumerServiceURL", plain.acs_url);
    assert_attribute(root, "ProtocolBinding", SAML_BINDING_POST);
    xmlNode *issuer = named(root->children, SAML_NS_ASSERTION, "Issuer");
    assert_content(issuer, plain.sp_entity_id);
    xmlNode *policy = named(issuer->next, SAML_NS_PROTOCOL, "NameIDPolicy");
    assert_attribute(policy, "Format", EMAIL);
    assert_attribute(policy, "AllowCreate", "true");
    assert_null(policy->next);
}

static void a_format_that_is_cut_short_is_unspecified(void **state)
{
    (void)state;
    static const char *const formats[][2] = {
        {"urn:oasis:names:tc:SAML:1.1:nameid-format", UNNAMED},
        {"urn:oasis:names:tc:SAML:1.1:nameid-format:", UNNAMED},
        {"", UNNAMED},
        {UNNAMED, UNNAMED},
        {HOSTILE, HOSTILE},
    };
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        authn_request_t request = plain;
        request.name_id_format = formats[i][0];
        xmlNode *root = parse(message_authn_request(&request, text, sizeof(text)));
        assert_attribute(root->children->next, "Format", formats[i][1]);
        root = parse(message_metadata("e", "a", NULL, formats[i][0], NULL, text, sizeof(text)));
        assert_content(root->children->children, formats[i][1]);
    }
}

static void what_is_too_large_or_no_xml_is_not_written(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\x01",        "\x1f", "\xef\xbf\xbe",
                                      "\xef\xbf\xbf", "\xff", "\xc3"};
    authn_request_t request = plain;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        request.sp_entity_id = bad[i];
        assert_int_equal(message_authn_request(&request, text, sizeof(text)), STATUS_INVALID);
        assert_string_equal(text, "");
    }
    assert_int_equal(message_authn_request(&plain, text, sizeof(text)), STATUS_OK);
    size_t needed = strlen(text) + 1;
    assert_int_equal(message_authn_request(&plain, text, needed), STATUS_OK);
    for (size_t size = 1; size < needed; size++) {
        assert_int_equal(message_authn_request(&plain, text, size), STATUS_TOO_LARGE);
        assert_string_equal(text, "");
    }
}

static void a_logout_request_names_whom(void **state)
{
    (void)state;
    logout_request_t request = {.id = "_1",
                                .now_utc_ms = NOW,
                                .destination = "https://idp.example/slo",
                                .sp_entity_id = "sp",
                                .name_id = HOSTILE,
                                .name_id_format = EMAIL,
                                .name_qualifier = "q",
                                .sp_name_qualifier = HOSTILE,
                                .session_index = "s&1"};
    xmlNode *root = named(parse(message_logout_request(&request, text, sizeof(text))),
                          SAML_NS_PROTOCOL, "LogoutRequest");
    assert_attribute(root, "ID", "_1");
    assert_attribute(root, "Destination", "https://idp.example/slo");
    assert_attribute(root, "NotOnOrAfter", "2023-11-14T22:18:20.000Z");
    xmlNode *issuer = named(root->children, SAML_NS_ASSERTION, "Issuer");
    assert_content(issuer, "sp");
    xmlNode *who = named(issuer->next, SAML_NS_ASSERTION, "NameID");
    assert_content(who, HOSTILE);
    assert_attribute(who, "Format", EMAIL);
    assert_attribute(who, "NameQualifier", "q");
    assert_attribute(who, "SPNameQualifier", HOSTILE);
    assert_content(named(who->next, SAML_NS_PROTOCOL, "SessionIndex"), "s&1");

    request.name_id_format = request.name_qualifier = request.sp_name_qualifier = "";
    request.session_index = "";
    root = parse(message_logout_request(&request, text, sizeof(text)));
    who = root->children->next;
    assert_null(who->properties);
    assert_null(who->next);
}

static void a_logout_response_answers_a_request(void **state)
{
    (void)state;
    static const char success[] = "urn:oasis:names:tc:SAML:2.0:status:Success";
    static const char responder[] = "urn:oasis:names:tc:SAML:2.0:status:Responder";
    for (int done = 0; done < 2; done++) {
        xmlNode *root =
            named(parse(message_logout_response("_2", NOW, "https://idp.example/", "sp",
                                                done ? "_1" : "", done, text, sizeof(text))),
                  SAML_NS_PROTOCOL, "LogoutResponse");
        assert_attribute(root, "ID", "_2");
        assert_attribute(root, "IssueInstant", NOW_TEXT);
        assert_attribute(root, "InResponseTo", done ? "_1" : NULL);
        xmlNode *status = named(named(root->children, SAML_NS_ASSERTION, "Issuer")->next,
                                SAML_NS_PROTOCOL, "Status");
        assert_attribute(named(status->children, SAML_NS_PROTOCOL, "StatusCode"), "Value",
                         done ? success : responder);
    }
}

static void metadata_stands_in_the_schemas_order(void **state)
{
    (void)state;
    issued_t issued;
    certificate_t certificate = {0};
    issuer_make("lk.example", 1700000000, 2000000000, &issued);
    assert_int_equal(certificate_from_der(issued.der, issued.length, &certificate), STATUS_OK);
    xmlNode *root = named(parse(message_metadata("https://sp", HOSTILE_IN, "https://slo", EMAIL,
                                                 &certificate, text, sizeof(text))),
                          SAML_NS_METADATA, "EntityDescriptor");
    assert_attribute(root, "entityID", "https://sp");
    xmlNode *role = named(root->children, SAML_NS_METADATA, "SPSSODescriptor");
    assert_attribute(role, "WantAssertionsSigned", "true");
    assert_attribute(role, "AuthnRequestsSigned", "true");
    assert_attribute(role, "protocolSupportEnumeration", SAML_NS_PROTOCOL);
    xmlNode *key = named(role->children, SAML_NS_METADATA, "KeyDescriptor");
    assert_attribute(key, "use", "signing");
    assert_content(key, issued.base64);
    xmlNode *logout = named(key->next, SAML_NS_METADATA, "SingleLogoutService");
    assert_attribute(logout, "Binding", SAML_BINDING_REDIRECT);
    assert_attribute(logout, "Location", "https://slo");
    xmlNode *format = named(logout->next, SAML_NS_METADATA, "NameIDFormat");
    assert_content(format, EMAIL);
    xmlNode *consumer = named(format->next, SAML_NS_METADATA, "AssertionConsumerService");
    assert_attribute(consumer, "Binding", SAML_BINDING_POST);
    assert_attribute(consumer, "Location", HOSTILE_IN);
    assert_attribute(consumer, "index", "0");
    assert_attribute(consumer, "isDefault", "true");
    assert_null(consumer->next);
    certificate_clear(&certificate);
    issuer_free(&issued);
}

static void metadata_without_a_key_signs_nothing(void **state)
{
    (void)state;
    xmlNode *root = parse(message_metadata("e", "a", NULL, EMAIL, NULL, text, sizeof(text)));
    xmlNode *role = root->children;
    assert_attribute(role, "AuthnRequestsSigned", "false");
    (void)named(role->children, SAML_NS_METADATA, "NameIDFormat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_authn_request_has_what_the_profile_asks_for, tear_down),
        cmocka_unit_test_teardown(a_format_that_is_cut_short_is_unspecified, tear_down),
        cmocka_unit_test_teardown(what_is_too_large_or_no_xml_is_not_written, tear_down),
        cmocka_unit_test_teardown(a_logout_request_names_whom, tear_down),
        cmocka_unit_test_teardown(a_logout_response_answers_a_request, tear_down),
        cmocka_unit_test_teardown(metadata_stands_in_the_schemas_order, tear_down),
        cmocka_unit_test_teardown(metadata_without_a_key_signs_nothing, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
