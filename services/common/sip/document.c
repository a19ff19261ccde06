#include "services/common/sip/document.h"

#include "common/mem.h"
#include "common/text.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

void document_end(document_t *document)
{
    if (document->bytes != NULL)
        sodium_memzero(document->bytes, document->length);
    mem_free(document->bytes);
    *document = (document_t){0};
}

/* By hand, since realloc leaves what it moved where it was. */
static void grow(document_t *document, size_t need)
{
    size_t room = document->room == 0 ? FIRST_ROOM : document->room;
    while (room < need)
        room *= 2;
    char *bytes = mem_zalloc(room);
    if (document->length > 0) {
        memcpy(bytes, document->bytes, document->length);
        sodium_memzero(document->bytes, document->length);
    }
    mem_free(document->bytes);
    document->bytes = bytes;
    document->room = room;
}

static void add_bytes(document_t *document, const char *bytes, size_t length)
{
    size_t need = document->length + length;
    if (document->too_large || need > DOCUMENT_MAX) {
        document->too_large = true;
        return;
    }
    if (need > document->room)
        grow(document, need);
    if (length > 0)
        memcpy(document->bytes + document->length, bytes, length);
    document->length = need;
}

void document_add(document_t *document, const char *text)
{
    add_bytes(document, text, strlen(text));
}

void document_add_number(document_t *document, int64_t number)
{
    char text[24];
    if (text_format(text, sizeof(text), "%" PRId64, number) == STATUS_OK)
        document_add(document, text);
}

static const char *entity(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void document_add_xml(document_t *document, const char *text)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "&<>\"'\t\n\r");
        add_bytes(document, text, plain);
        text += plain;
        if (*text != '\0')
            document_add(document, entity(*text++));
    }
}

void document_add_percent(document_t *document, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";
    while (*text != '\0') {
        size_t length = strspn(text, plain);
        add_bytes(document, text, length);
        text += length;
        if (*text == '\0')
            return;
        unsigned char byte = (unsigned char)*text++;
        const char escaped[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        add_bytes(document, escaped, sizeof(escaped));
    }
}

const char *document_cidr(const ipnet_t *range, char out[IPNET_TEXT_SIZE])
{
    ipnet_format(range, out);
    if (strchr(out, '/') == NULL) {
        const char *prefix = range->ipv4 ? "/32" : "/128";
        memcpy(out + strlen(out), prefix, strlen(prefix) + 1);
    }
    return out;
}

bool document_xml_can_say(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 && *at != '\t' && *at != '\n' && *at != '\r')
            return false;
        /* U+FFFE and U+FFFF */
        if (at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe)
            return false;
    }
    return true;
}

void document_answer(call_t *call, media_t media, const document_t *document)
{
    if (!document->too_large) {
        call_document(call, media, document->bytes == NULL ? "" : document->bytes,
                      document->length);
        return;
    }
    err_t err;
    (void)err_set(&err, STATUS_TOO_LARGE, call->operation->name,
                  "has an answer of more than %d MiB", DOCUMENT_MAX >> 20);
    call_fail(call, &err);
}
