/* HA1 values and the list of realms. Must never: keep a password. Next: seal.c. */
#include "services/common/digest.h"

#include "common/text.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
    const EVP_MD *(*method)(void);
} algorithms[DIGEST_ALGORITHMS] = {
    [DIGEST_MD5] = {"MD5", 16, EVP_md5},
    [DIGEST_SHA_256] = {"SHA-256", 32, EVP_sha256},
    [DIGEST_SHA_512_256] = {"SHA-512-256", 32, EVP_sha512_256},
};

const char *digest_name(digest_t algorithm)
{
    return algorithms[algorithm].name;
}

size_t digest_size(digest_t algorithm)
{
    return algorithms[algorithm].size;
}

static void free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context); /* wipes */
}

status_t digest_parts(digest_t algorithm, const digest_part_t *parts, size_t count,
                      uint8_t out[HA1_SIZE_MAX])
{
    AUTO(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t made[EVP_MAX_MD_SIZE];
    if (context == NULL || EVP_DigestInit_ex(context, algorithms[algorithm].method(), NULL) != 1)
        return STATUS_SYSTEM;
    for (size_t i = 0; i < count; i++)
        if ((i > 0 && EVP_DigestUpdate(context, ":", 1) != 1) ||
            EVP_DigestUpdate(context, parts[i].bytes, parts[i].length) != 1)
            return STATUS_SYSTEM;
    if (EVP_DigestFinal_ex(context, made, NULL) != 1)
        return STATUS_SYSTEM;
    memcpy(out, made, algorithms[algorithm].size);
    OPENSSL_cleanse(made, sizeof(made));
    return STATUS_OK;
}

status_t digest_ha1(digest_t algorithm, const char *username, const char *realm,
                    const char *password, size_t password_length, uint8_t out[HA1_SIZE_MAX])
{
    const digest_part_t parts[] = {
        {username, strlen(username)}, {realm, strlen(realm)}, {password, password_length}};
    return digest_parts(algorithm, parts, ARRAY_LEN(parts), out);
}

/* Returns what is wrong with a realm, or NULL. */
static const char *realm_flaw(const realms_t *realms, const char *name, size_t length)
{
    if (length == 0)
        return "names an empty realm";
    if (length >= REALM_SIZE)
        return "names a realm that is too long";
    if (text_utf8_length(name, length) < 0)
        return "is not UTF-8";
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < ' ' || c == 0x7f || c == '"' || c == '\\' || c == ':')
            return "names a realm with a quote, backslash, colon or control character";
    }
    for (size_t i = 0; i < realms->count; i++)
        if (strlen(realms->names[i]) == length && memcmp(realms->names[i], name, length) == 0)
            return "names a realm twice";
    return realms->count == REALMS_MAX ? "names too many realms" : NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

status_t realms_parse(const char *text, realms_t *out, err_t *err)
{
    realms_t realms = {0};
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        const char *next = at + length;
        for (; length > 0 && is_blank(*at); at++)
            length--;
        while (length > 0 && is_blank(at[length - 1]))
            length--;
        const char *flaw = realm_flaw(&realms, at, length);
        if (flaw != NULL)
            return err_set(err, STATUS_INVALID, "LK_SIP_REALMS", "%s", flaw);
        memcpy(realms.names[realms.count++], at, length);
        at = next;
        if (*at == '\0')
            break;
    }
    *out = realms;
    return STATUS_OK;
}
