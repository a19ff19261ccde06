#include "services/auth-provider/saml/message.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"
#include "services/auth-provider/markup.h"
#include "services/auth-provider/saml/saml.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#define FORMATS     "urn:oasis:names:tc:SAML:1.1:nameid-format"
#define UNSPECIFIED FORMATS ":unspecified"
#define STATUS_CODE "urn:oasis:names:tc:SAML:2.0:status:"

void message_new_id(char out[MESSAGE_ID_SIZE])
{
    uint8_t bytes[(MESSAGE_ID_SIZE - 2) / 2];
    randombytes_buf(bytes, sizeof(bytes));
    out[0] = '_'; /* an NCName begins with no digit */
    text_hex(out + 1, bytes, sizeof(bytes));
}

/* The documentation's sample ends where the name of a format would follow. */
static const char *format_of(const char *given)
{
    bool is_bare = strcmp(given, FORMATS) == 0 || strcmp(given, FORMATS ":") == 0;
    return given[0] == '\0' || is_bare ? UNSPECIFIED : given;
}

static void attribute_unless_empty(markup_t *xml, const char *name, const char *value)
{
    if (value[0] != '\0')
        markup_attribute(xml, name, value);
}

static void element(markup_t *xml, const char *open, const char *value, const char *close)
{
    markup_raw(xml, open);
    markup_value(xml, value);
    markup_raw(xml, close);
}

/* The attributes that every message has (Core 3.2.1). */
static void begin(markup_t *xml, const char *name, const char *id, int64_t now_utc_ms,
                  const char *destination)
{
    char instant[CLOCK_RFC3339_SIZE];
    clock_format_time(now_utc_ms, instant);
    markup_raw(xml, "<samlp:");
    markup_raw(xml, name);
    markup_raw(xml, " xmlns:samlp=\"" SAML_NS_PROTOCOL "\" xmlns:saml=\"" SAML_NS_ASSERTION "\"");
    markup_attribute(xml, "ID", id);
    markup_attribute(xml, "Version", "2.0");
    markup_attribute(xml, "IssueInstant", instant);
    markup_attribute(xml, "Destination", destination);
}

static void issuer(markup_t *xml, const char *sp_entity_id)
{
    element(xml, "<saml:Issuer>", sp_entity_id, "</saml:Issuer>");
}

status_t message_authn_request(const authn_request_t *request, char *out, size_t size)
{
    markup_t xml = markup_begin(out, size);
    begin(&xml, "AuthnRequest", request->id, request->now_utc_ms, request->destination);
    markup_attribute(&xml, "AssertionConsumerServiceURL", request->acs_url);
    markup_attribute(&xml, "ProtocolBinding", SAML_BINDING_POST);
    markup_raw(&xml, ">");
    issuer(&xml, request->sp_entity_id);
    markup_raw(&xml, "<samlp:NameIDPolicy");
    markup_attribute(&xml, "Format", format_of(request->name_id_format));
    markup_raw(&xml, " AllowCreate=\"true\"/></samlp:AuthnRequest>");
    return markup_end(&xml);
}

status_t message_logout_request(const logout_request_t *request, char *out, size_t size)
{
    char until[CLOCK_RFC3339_SIZE];
    markup_t xml = markup_begin(out, size);
    begin(&xml, "LogoutRequest", request->id, request->now_utc_ms, request->destination);
    clock_format_time(request->now_utc_ms + MESSAGE_LOGOUT_MS, until);
    markup_attribute(&xml, "NotOnOrAfter", until);
    markup_raw(&xml, ">");
    issuer(&xml, request->sp_entity_id);
    markup_raw(&xml, "<saml:NameID");
    attribute_unless_empty(&xml, "NameQualifier", request->name_qualifier);
    attribute_unless_empty(&xml, "SPNameQualifier", request->sp_name_qualifier);
    attribute_unless_empty(&xml, "Format", request->name_id_format);
    element(&xml, ">", request->name_id, "</saml:NameID>");
    if (request->session_index[0] != '\0')
        element(&xml, "<samlp:SessionIndex>", request->session_index, "</samlp:SessionIndex>");
    markup_raw(&xml, "</samlp:LogoutRequest>");
    return markup_end(&xml);
}

status_t message_logout_response(const char *id, int64_t now_utc_ms, const char *destination,
                                 const char *sp_entity_id, const char *in_response_to, bool success,
                                 char *out, size_t size)
{
    markup_t xml = markup_begin(out, size);
    begin(&xml, "LogoutResponse", id, now_utc_ms, destination);
    attribute_unless_empty(&xml, "InResponseTo", in_response_to);
    markup_raw(&xml, ">");
    issuer(&xml, sp_entity_id);
    markup_raw(&xml, "<samlp:Status><samlp:StatusCode");
    markup_attribute(&xml, "Value", success ? STATUS_CODE "Success" : STATUS_CODE "Responder");
    markup_raw(&xml, "/></samlp:Status></samlp:LogoutResponse>");
    return markup_end(&xml);
}

static void key(markup_t *xml, const certificate_t *certificate)
{
    size_t size = 4 * ((certificate->length + 2) / 3) + 1;
    char *base64 = mem_zalloc(size);
    (void)EVP_EncodeBlock((unsigned char *)base64, certificate->der, (int)certificate->length);
    markup_raw(xml, "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"" SAML_NS_DSIG
                    "\"><ds:X509Data>");
    element(xml, "<ds:X509Certificate>", base64, "</ds:X509Certificate>");
    markup_raw(xml, "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>");
    mem_free(base64);
}

/* The order of elements is the schema's. */
status_t message_metadata(const char *sp_entity_id, const char *acs_url, const char *slo_url,
                          const char *name_id_format, const certificate_t *certificate, char *out,
                          size_t size)
{
    markup_t xml = markup_begin(out, size);
    markup_raw(&xml, "<md:EntityDescriptor xmlns:md=\"" SAML_NS_METADATA "\"");
    markup_attribute(&xml, "entityID", sp_entity_id);
    markup_raw(&xml, "><md:SPSSODescriptor WantAssertionsSigned=\"true\"");
    markup_attribute(&xml, "AuthnRequestsSigned", certificate != NULL ? "true" : "false");
    markup_attribute(&xml, "protocolSupportEnumeration", SAML_NS_PROTOCOL);
    markup_raw(&xml, ">");
    if (certificate != NULL)
        key(&xml, certificate);
    if (slo_url != NULL) {
        markup_raw(&xml, "<md:SingleLogoutService Binding=\"" SAML_BINDING_REDIRECT "\"");
        markup_attribute(&xml, "Location", slo_url);
        markup_raw(&xml, "/>");
    }
    element(&xml, "<md:NameIDFormat>", format_of(name_id_format), "</md:NameIDFormat>");
    markup_raw(&xml, "<md:AssertionConsumerService Binding=\"" SAML_BINDING_POST "\"");
    markup_attribute(&xml, "Location", acs_url);
    markup_raw(&xml, " index=\"0\" isDefault=\"true\"/></md:SPSSODescriptor>"
                     "</md:EntityDescriptor>\n");
    return markup_end(&xml);
}
