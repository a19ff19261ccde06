/* Messages taken out of URLs. Must never: check a signature over anything but the bytes that came,
 * or inflate what nobody has signed. Next: logout_message.c. */
#define ZLIB_CONST /* its input is const */
#include "services/auth-provider/saml/redirect.h"

#include "common/mem.h"
#include "common/text.h"
#include "services/auth-provider/saml/key.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ALGORITHM_SIZE = 128 };

/* The order is that in which they are signed. */
typedef enum { REQUEST, RESPONSE, RELAY_STATE, SIG_ALG, SIGNATURE, ENCODING, PARAMETERS } name_t;

static const char *const names[PARAMETERS] = {"SAMLRequest", "SAMLResponse", "RelayState",
                                              "SigAlg",      "Signature",    "SAMLEncoding"};

/* A parameter as it stands in the query; there is none if at is NULL. */
typedef struct {
    const char *at; /* of its name */
    size_t length;
    const char *value;
    size_t value_length;
} parameter_t;

typedef struct {
    parameter_t parameters[PARAMETERS];
} query_parts_t;

static name_t name_of(const char *bytes, size_t length)
{
    name_t name = REQUEST;
    while (name < PARAMETERS &&
           (strlen(names[name]) != length || memcmp(names[name], bytes, length) != 0))
        name++;
    return name;
}

/* A name may be escaped, and one of ours in that dress would be another to whoever unescapes first:
 * so no name that is escaped is taken. Other names mean nothing, to us and to the signature. */
static bool take(query_parts_t *parts, const char *at, size_t length)
{
    const char *equals = memchr(at, '=', length);
    size_t name_length = equals == NULL ? length : (size_t)(equals - at);
    if (memchr(at, '%', name_length) != NULL || memchr(at, '+', name_length) != NULL)
        return false;
    name_t name = name_of(at, name_length);
    if (name == PARAMETERS)
        return true;
    parameter_t *parameter = &parts->parameters[name];
    if (parameter->at != NULL || equals == NULL)
        return false;
    *parameter = (parameter_t){at, length, equals + 1, length - name_length - 1};
    return true;
}

static bool split(const char *query, query_parts_t *out)
{
    *out = (query_parts_t){0};
    for (const char *at = query; *at != '\0';) {
        size_t length = strcspn(at, "&");
        if (!take(out, at, length))
            return false;
        at += length + (at[length] == '&');
    }
    return true;
}

static bool has(const query_parts_t *parts, name_t name)
{
    return parts->parameters[name].at != NULL;
}

static bool decode(const query_parts_t *parts, name_t name, char *out, size_t size)
{
    const parameter_t *parameter = &parts->parameters[name];
    return text_percent_decode(out, size, parameter->value, parameter->value_length, true) ==
           STATUS_OK;
}

static bool is_deflated(const query_parts_t *parts)
{
    static const char deflate[] = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
    char encoding[sizeof(deflate)];
    return !has(parts, ENCODING) ||
           (decode(parts, ENCODING, encoding, sizeof(encoding)) && strcmp(encoding, deflate) == 0);
}

/* Base64 without blanks (Bindings 3.4.4.1), decoded. */
static saml_reason_t decode_base64(const query_parts_t *parts, name_t name, uint8_t *out,
                                   size_t size, size_t *out_length)
{
    size_t room = parts->parameters[name].value_length + 1;
    AUTO(mem_release) char *base64 = mem_zalloc(room);
    if (!decode(parts, name, base64, room) ||
        sodium_base642bin(out, size, base64, strlen(base64), NULL, out_length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        *out_length == 0)
        return SAML_MESSAGE_NOT_BASE64;
    return SAML_NONE;
}

/* What is signed: the parameters as they came, in the order that the binding gives them. The caller
 * frees with mem_free. */
static char *signed_octets(const query_parts_t *parts, size_t query_length, size_t *out_length)
{
    char *octets = mem_zalloc(query_length + PARAMETERS), *end = octets;
    for (name_t name = REQUEST; name <= SIG_ALG; name++) {
        const parameter_t *parameter = &parts->parameters[name];
        if (parameter->at == NULL)
            continue;
        if (end != octets)
            *end++ = '&';
        memcpy(end, parameter->at, parameter->length);
        end += parameter->length;
    }
    *out_length = (size_t)(end - octets);
    return octets;
}

typedef struct {
    const key_algorithm_t *algorithm;
    char *octets;
    size_t octets_length;
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t signature_length;
} signed_t;

static saml_reason_t try_certificate(const signed_t *claim, const saml_certificate_t *certificate)
{
    return key_verify(claim->algorithm, certificate->der, certificate->length, claim->octets,
                      claim->octets_length, claim->signature, claim->signature_length);
}

/* By any that is good; else why not, by the one that tells most. */
static saml_reason_t try_certificates(const signed_t *claim, const saml_certificate_t *certificates,
                                      size_t count)
{
    saml_reason_t why = SAML_CERTIFICATE_MISSING;
    for (size_t i = 0; i < count; i++) {
        saml_reason_t reason = try_certificate(claim, &certificates[i]);
        if (reason == SAML_NONE && !certificates[i].retired)
            return SAML_NONE;
        if (reason == SAML_NONE)
            why = SAML_CERTIFICATE_RETIRED;
        else if (!certificates[i].retired && why != SAML_CERTIFICATE_RETIRED &&
                 why != SAML_SIGNATURE_INVALID)
            why = reason;
    }
    return why;
}

static saml_reason_t check_signature(const query_parts_t *parts, size_t query_length,
                                     const saml_certificate_t *certificates, size_t count,
                                     bool allow_sha1)
{
    signed_t claim = {0};
    char uri[ALGORITHM_SIZE];
    if (!has(parts, SIG_ALG) || !has(parts, SIGNATURE))
        return SAML_LOGOUT_UNSIGNED;
    if (!decode(parts, SIG_ALG, uri, sizeof(uri)))
        return SAML_SIGNATURE_ALGORITHM;
    saml_reason_t reason = key_algorithm(uri, allow_sha1, &claim.algorithm);
    if (reason == SAML_NONE)
        reason = decode_base64(parts, SIGNATURE, claim.signature, sizeof(claim.signature),
                               &claim.signature_length);
    if (reason != SAML_NONE)
        return reason;
    claim.octets = signed_octets(parts, query_length, &claim.octets_length);
    reason = try_certificates(&claim, certificates, count);
    mem_free(claim.octets);
    return reason;
}

/* All of a raw DEFLATE stream (RFC 1951). What stands behind it is not looked at: the binding's own
 * example has the end of a gzip file there. out: REDIRECT_XML_MAX and one. */
static saml_reason_t inflate_all(const uint8_t *bytes, size_t length, char *out, size_t *out_length)
{
    z_stream stream = {.next_in = bytes,
                       .avail_in = (uInt)length,
                       .next_out = (unsigned char *)out,
                       .avail_out = REDIRECT_XML_MAX + 1};
    int status = inflateInit2(&stream, -MAX_WBITS);
    if (status != Z_OK)
        abort(); /* it is out of memory */
    status = inflate(&stream, Z_FINISH);
    size_t made = stream.total_out;
    (void)inflateEnd(&stream);
    if (made > REDIRECT_XML_MAX)
        return SAML_MESSAGE_TOO_LARGE;
    if (status != Z_STREAM_END || made == 0)
        return SAML_LOGOUT_MESSAGE;
    *out_length = made;
    return SAML_NONE;
}

static saml_reason_t read_message(const query_parts_t *parts, redirect_message_t *out)
{
    name_t name = out->is_request ? REQUEST : RESPONSE;
    size_t room = parts->parameters[name].value_length + 1, length = 0;
    AUTO(mem_release) char *bytes = mem_zalloc(room);
    saml_reason_t reason = decode_base64(parts, name, (uint8_t *)bytes, room, &length);
    if (reason != SAML_NONE)
        return reason;
    AUTO(mem_release) char *xml = mem_zalloc(REDIRECT_XML_MAX + 2);
    reason = inflate_all((const uint8_t *)bytes, length, xml, &out->length);
    if (reason == SAML_NONE)
        out->xml = TAKE(xml);
    return reason;
}

saml_reason_t redirect_read(const char *query, const saml_certificate_t *certificates, size_t count,
                            bool allow_sha1, redirect_message_t *out)
{
    query_parts_t parts;
    redirect_message_t message = {0};
    size_t length = strlen(query);
    if (length > SSO_QUERY_MAX)
        return SAML_MESSAGE_TOO_LARGE;
    if (!split(query, &parts) || has(&parts, REQUEST) == has(&parts, RESPONSE) ||
        !is_deflated(&parts))
        return SAML_LOGOUT_MESSAGE;
    saml_reason_t reason = check_signature(&parts, length, certificates, count, allow_sha1);
    if (reason != SAML_NONE)
        return reason;
    message.is_request = has(&parts, REQUEST);
    message.has_relay_state = has(&parts, RELAY_STATE);
    if (message.has_relay_state &&
        !decode(&parts, RELAY_STATE, message.relay_state, sizeof(message.relay_state)))
        return SAML_VALUE_TOO_LONG;
    reason = read_message(&parts, &message);
    if (reason == SAML_NONE)
        *out = message;
    return reason;
}

void redirect_clear(redirect_message_t *message)
{
    if (message->xml != NULL)
        sodium_memzero(message->xml, message->length);
    mem_free(message->xml);
    sodium_memzero(message, sizeof(*message));
}
