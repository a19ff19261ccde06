#include "gateway/etag.h"

#include "common/text.h"

#include <sodium.h>
#include <string.h>

enum { HASH_SIZE = 16 };
_Static_assert(ETAG_SIZE == 2 * HASH_SIZE + 3, "digits between quotes");

void etag_make(const void *bytes, size_t length, char out[ETAG_SIZE])
{
    uint8_t hash[HASH_SIZE];
    (void)crypto_generichash(hash, sizeof(hash), bytes, length, NULL, 0);
    text_hex(out + 1, hash, sizeof(hash));
    out[0] = out[ETAG_SIZE - 2] = '"';
    out[ETAG_SIZE - 1] = '\0';
}

bool etag_is_named(const char *etag, const char *if_none_match)
{
    size_t own = strlen(etag);
    const char *at = if_none_match + strspn(if_none_match, " \t");
    if (*at == '*')
        return at[1 + strspn(at + 1, " \t")] == '\0';
    for (;;) {
        at += strspn(at, ", \t");
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (end == NULL)
            return false;
        size_t length = (size_t)(end + 1 - at);
        const char *next = end + 1 + strspn(end + 1, " \t");
        if (*next != ',' && *next != '\0')
            return false;
        if (length == own && memcmp(at, etag, own) == 0)
            return true;
        at = next;
    }
}
