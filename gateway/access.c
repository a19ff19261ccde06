#include "gateway/access.h"

#include "common/mem.h"
#include "common/text.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

/* The one key of a request, gathered over all its headers. */
typedef struct {
    char secret[KEY_SIZE];
    size_t length;
    bool found;
    bool differs; /* several that are not the same, or one too long to be a key */
} credential_t;

static void take_secret(credential_t *credential, const char *secret, size_t length)
{
    char copy[KEY_SIZE] = {0};
    if (text_copy(copy, sizeof(copy), secret, length) != STATUS_OK ||
        (credential->found && sodium_memcmp(copy, credential->secret, sizeof(copy)) != 0))
        credential->differs = true;
    memcpy(credential->secret, copy, sizeof(copy));
    credential->length = length;
    credential->found = true;
    sodium_memzero(copy, sizeof(copy));
}

/* "user:password" in base64; the password is what follows the first colon. */
static void take_basic(credential_t *credential, const char *encoded)
{
    size_t room = strlen(encoded) + 1; /* bounded by the request's head */
    AUTO(mem_release) char *decoded = mem_zalloc(room);
    size_t length = 0;
    const char *end = NULL;
    bool whole = sodium_base642bin((unsigned char *)decoded, room, encoded, room - 1, " ", &length,
                                   &end, sodium_base64_VARIANT_ORIGINAL) == 0 &&
                 *end == '\0';
    const char *colon = whole ? memchr(decoded, ':', length) : NULL;
    if (colon == NULL)
        credential->differs = true;
    else
        take_secret(credential, colon + 1, (size_t)(decoded + length - colon - 1));
    sodium_memzero(decoded, room);
}

static void take_authorization(void *context, const char *value)
{
    credential_t *credential = context;
    size_t scheme = strcspn(value, " ");
    const char *rest = value + scheme;
    rest += strspn(rest, " ");
    if ((scheme == 6 && strncasecmp(value, "Bearer", 6) == 0) ||
        (scheme == 5 && strncasecmp(value, "Token", 5) == 0))
        take_secret(credential, rest, strlen(rest));
    else if (scheme == 5 && strncasecmp(value, "Basic", 5) == 0)
        take_basic(credential, rest);
    else
        credential->differs = true;
}

static void take_plain(void *context, const char *value)
{
    take_secret(context, value, strlen(value));
}

outcome_t access_identify(key_cache_t *keys, const http_request_t *request, api_key_t *out)
{
    credential_t credential = {0};
    http_headers(request, "Authorization", take_authorization, &credential);
    http_headers(request, "x-api-token", take_plain, &credential);
    http_headers(request, "X-Auth-Password", take_plain, &credential);
    bool known = credential.found && !credential.differs &&
                 key_cache_seek(keys, credential.secret, credential.length, out) == STATUS_OK;
    sodium_memzero(&credential, sizeof(credential));
    return known ? OUTCOME_OK : OUTCOME_UNAUTHENTICATED;
}
