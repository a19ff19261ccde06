#define ZLIB_CONST
#include "services/auth-provider/saml/redirect.h"

#include "common/mem.h"
#include "common/text.h"

#include <openssl/evp.h>
#include <string.h>
#include <zlib.h>

/* Raw DEFLATE, without zlib's head (Bindings 3.4.4.1). STATUS_SYSTEM: zlib has no memory. */
static status_t deflate_xml(const char *xml, size_t length, unsigned char *out, size_t size,
                            size_t *out_length, err_t *err)
{
    z_stream stream = {.next_in = (const Bytef *)xml, .avail_in = (uInt)length};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(err, STATUS_SYSTEM, "zlib", "does not begin");
    stream.next_out = out;
    stream.avail_out = (uInt)size;
    int ended = deflate(&stream, Z_FINISH);
    *out_length = stream.total_out;
    (void)deflateEnd(&stream);
    return ended == Z_STREAM_END ? STATUS_OK
                                 : err_set(err, STATUS_SYSTEM, "zlib", "does not compress");
}

/* Appends, with all but RFC 3986's unreserved characters encoded. */
static status_t append_encoded(char *out, size_t size, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";
    size_t at = strlen(out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_plain = strchr(plain, *text) != NULL;
        if (size - at < (is_plain ? 2 : 4))
            return STATUS_TOO_LARGE;
        if (!is_plain) {
            out[at++] = '%';
            out[at++] = digits[c >> 4];
        }
        out[at++] = is_plain ? *text : digits[c & 15U];
        out[at] = '\0';
    }
    return STATUS_OK;
}

static status_t append(char *out, size_t size, const char *text)
{
    size_t at = strlen(out);
    return text_copy(out + at, size - at, text, strlen(text));
}

static status_t append_parameter(char *out, size_t size, const char *name, const char *value)
{
    status_t status = append(out, size, name);
    return status == STATUS_OK ? append_encoded(out, size, value) : status;
}

static status_t append_message(char *out, size_t size, bool is_request, const char *xml, err_t *err)
{
    size_t length = strlen(xml), room = compressBound((uLong)length) + 16, used = 0;
    if (length > REDIRECT_XML_MAX)
        return STATUS_TOO_LARGE;
    AUTO(mem_release) char *bytes = mem_zalloc(room);
    status_t status = deflate_xml(xml, length, (unsigned char *)bytes, room, &used, err);
    if (status != STATUS_OK)
        return status;
    AUTO(mem_release) char *base64 = mem_zalloc(4 * ((used + 2) / 3) + 1);
    (void)EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)bytes, (int)used);
    return append_parameter(out, size, is_request ? "SAMLRequest=" : "SAMLResponse=", base64);
}

static status_t make(const char *where, bool is_request, const char *xml, const char *relay_state,
                     char *out, size_t size, err_t *err)
{
    status_t status = append(out, size, where);
    if (status == STATUS_OK)
        status = append(out, size, strchr(where, '?') == NULL ? "?" : "&");
    if (status == STATUS_OK)
        status = append_message(out, size, is_request, xml, err);
    if (status == STATUS_OK && relay_state != NULL)
        status = append_parameter(out, size, "&RelayState=", relay_state);
    return status;
}

status_t redirect_url(const char *where, bool is_request, const char *xml, const char *relay_state,
                      const signer_t *signer, char *out, size_t size, err_t *err)
{
    if (signer != NULL)
        return err_set(err, STATUS_REFUSED, "redirect", "can't sign yet");
    out[0] = '\0';
    status_t status = make(where, is_request, xml, relay_state, out, size, err);
    if (status != STATUS_OK)
        out[0] = '\0';
    return status == STATUS_TOO_LARGE ? err_set(err, status, "redirect", "the URL is too long")
                                      : status;
}
