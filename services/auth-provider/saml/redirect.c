/* Messages put into URLs. Must never: sign other bytes than those it sends. Next: redirect_read.c.
 */
#define ZLIB_CONST /* its input is const */
#include "services/auth-provider/saml/redirect.h"

#include "common/mem.h"
#include "services/auth-provider/saml/key.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A text that grows in the caller's room; once it is full it stays so. */
typedef struct {
    char *out;
    size_t size, used;
    bool full;
} text_t;

static void put(text_t *text, const char *bytes, size_t length)
{
    text->full = text->full || length >= text->size - text->used;
    if (text->full)
        return;
    memcpy(text->out + text->used, bytes, length);
    text->used += length;
    text->out[text->used] = '\0';
}

static void put_text(text_t *text, const char *string)
{
    put(text, string, strlen(string));
}

/* All but what RFC 3986 section 2.3 calls unreserved is escaped. */
static void put_encoded(text_t *text, const char *string)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";
    for (; *string != '\0'; string++) {
        unsigned char c = (unsigned char)*string;
        char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
        if (strchr(plain, c) != NULL)
            put(text, string, 1);
        else
            put(text, escape, sizeof(escape));
    }
}

/* The caller frees with mem_free. */
static char *to_base64(const unsigned char *bytes, size_t length)
{
    size_t size = sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL);
    char *base64 = mem_zalloc(size);
    return sodium_bin2base64(base64, size, bytes, length, sodium_base64_VARIANT_ORIGINAL);
}

/* Raw DEFLATE (RFC 1951), in base64: Bindings 3.4.4.1. The caller frees with mem_free. */
static char *deflated(const char *xml)
{
    size_t length = strlen(xml);
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        abort(); /* it is out of memory */
    size_t size = deflateBound(&stream, (uLong)length);
    unsigned char *bytes = mem_zalloc(size);
    stream.next_in = (const unsigned char *)xml;
    stream.avail_in = (uInt)length;
    stream.next_out = bytes;
    stream.avail_out = (uInt)size;
    int ended = deflate(&stream, Z_FINISH);
    assert(ended == Z_STREAM_END);
    (void)ended;
    (void)deflateEnd(&stream);
    char *base64 = to_base64(bytes, stream.total_out);
    mem_free(bytes);
    return base64;
}

static status_t put_signature(text_t *url, size_t begin, const signer_t *signer, err_t *err)
{
    unsigned char signature[KEY_SIGNATURE_MAX];
    size_t length = 0;
    put_text(url, "&SigAlg=");
    put_encoded(url, signer_algorithm(signer));
    if (url->full)
        return STATUS_OK; /* said by the caller */
    status_t status = signer_sign(signer, url->out + begin, url->used - begin, signature,
                                  sizeof(signature), &length, err);
    if (status != STATUS_OK)
        return status;
    AUTO(mem_release) char *base64 = to_base64(signature, length);
    put_text(url, "&Signature=");
    put_encoded(url, base64);
    return STATUS_OK;
}

/* A query goes before the fragment, and behind the query that is there. */
static void put_target(text_t *url, const char *where, size_t length)
{
    const char *query = memchr(where, '?', length);
    put(url, where, length);
    if (query == NULL)
        put_text(url, "?");
    else if (where[length - 1] != '?' && where[length - 1] != '&')
        put_text(url, "&");
}

status_t redirect_url(const char *where, bool is_request, const char *xml, const char *relay_state,
                      const signer_t *signer, char *out, size_t size, err_t *err)
{
    size_t target = strcspn(where, "#");
    text_t url = {.out = out, .size = size};
    assert(size > 0);
    if (strlen(xml) > REDIRECT_XML_MAX ||
        (relay_state != NULL && strlen(relay_state) > SAML_RELAY_STATE_MAX))
        return err_set(err, STATUS_TOO_LARGE, "redirect", "the message is too long for a URL");
    AUTO(mem_release) char *message = deflated(xml);
    put_target(&url, where, target);
    size_t begin = url.used;
    put_text(&url, is_request ? "SAMLRequest=" : "SAMLResponse=");
    put_encoded(&url, message);
    if (relay_state != NULL) {
        put_text(&url, "&RelayState=");
        put_encoded(&url, relay_state);
    }
    status_t status = signer == NULL ? STATUS_OK : put_signature(&url, begin, signer, err);
    put_text(&url, where + target);
    if (status == STATUS_OK && url.full)
        status = err_set(err, STATUS_TOO_LARGE, "redirect", "the URL is too long");
    if (status != STATUS_OK)
        out[0] = '\0';
    return status;
}
