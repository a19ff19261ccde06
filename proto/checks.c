#include "proto/checks.h"

#include "common/ipnet.h"
#include "common/text.h"
#include "common/uuid.h"
#include "proto/fingerprint.h"

#include <stdbool.h>
#include <string.h>

const char *check_uuid(const char *bytes, size_t length)
{
    return uuid_well_formed(bytes, length) ? NULL : "must be a UUID";
}

const char *check_ip_range(const char *bytes, size_t length)
{
    ipnet_t net;
    return ipnet_parse(bytes, length, &net) == STATUS_OK
               ? NULL
               : "must be an IPv4 or IPv6 address or CIDR range";
}

const char *check_ip_address(const char *bytes, size_t length)
{
    ipnet_t net;
    return ipnet_parse(bytes, length, &net) == STATUS_OK && memchr(bytes, '/', length) == NULL
               ? NULL
               : "must be an IPv4 or IPv6 address";
}

/* C1 controls are U+0080 to U+009F: C2 80 to C2 9F in UTF-8. */
static bool is_control(const unsigned char *at, size_t left)
{
    return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && left > 1 && at[1] < 0xa0);
}

/* U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000, besides the blank. */
static bool is_blank(const unsigned char *at, size_t left)
{
    if (at[0] == ' ')
        return true;
    if (at[0] == 0xc2 && left > 1)
        return at[1] == 0xa0;
    if (left < 3)
        return false;
    unsigned code = (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
    return at[0] >= 0xe1 && at[0] <= 0xe3 &&
           (code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
            code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000);
}

const char *check_sip_user(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    for (size_t i = 0; i < length; i++)
        if (strchr(":\"\\", bytes[i]) != NULL || is_control(at + i, length - i) ||
            is_blank(at + i, length - i))
            return "must hold no colon, quote, backslash, blank or control character";
    return NULL;
}

const char *check_printable(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (is_control((const unsigned char *)bytes + i, length - i))
            return "must hold no control characters";
    return NULL;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* inet_aton and many resolvers read "10.1", "010.0.0.1" and "0x7f000001" as addresses. */
static bool is_numeric(const char *label, size_t length)
{
    if (length > 1 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
        return true;
    for (size_t i = 0; i < length; i++)
        if (label[i] < '0' || label[i] > '9')
            return false;
    return true;
}

/* extra: a further character that labels may hold, or 0. */
static bool is_name(const char *bytes, size_t length, char extra)
{
    size_t label = 0;
    if (length == 0 || length > 253)
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (i == length || bytes[i] == '.') {
            if (label == 0 || label > 63 || bytes[i - 1] == '-')
                return false;
            if (i == length && is_numeric(bytes + i - label, label))
                return false;
            label = 0;
        } else if (is_alphanumeric(bytes[i]) || (bytes[i] == '-' && label > 0) ||
                   (extra != 0 && bytes[i] == extra)) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

static bool is_host_name(const char *bytes, size_t length)
{
    return is_name(bytes, length, 0);
}

static bool is_address(const char *bytes, size_t length)
{
    ipnet_t net;
    return memchr(bytes, '/', length) == NULL && ipnet_parse(bytes, length, &net) == STATUS_OK;
}

const char *check_host(const char *bytes, size_t length)
{
    bool good = is_address(bytes, length) || is_host_name(bytes, length);
    return good ? NULL : "must be a host name or IP address";
}

const char *check_fqdn(const char *bytes, size_t length)
{
    return is_host_name(bytes, length)
               ? NULL
               : "must be a fully qualified domain name, without scheme, port or trailing slash";
}

const char *check_short_name(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        bool first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!first && (i == 0 || (c != '-' && c != '_')))
            return "must be lower-case letters, digits, hyphens and underscores, the first a "
                   "letter or digit";
    }
    return NULL;
}

static bool has_scheme(const char *bytes, size_t length, const char *scheme)
{
    char folded[8];
    size_t size = strlen(scheme);
    if (length < size)
        return false;
    text_fold(folded, bytes, size);
    return memcmp(folded, scheme, size) == 0;
}

static bool is_port(const char *bytes, size_t length)
{
    uint64_t port = 0;
    return length == 0 ||
           (length > 1 && bytes[0] == ':' &&
            text_number(bytes + 1, length - 1, 65535, &port) == STATUS_OK && port > 0);
}

/* Names of containers have underscores; a dot at the end keeps a resolver from adding a suffix. */
static bool is_url_host(const char *bytes, size_t length)
{
    size_t name = length > 1 && bytes[length - 1] == '.' ? length - 1 : length;
    return length > 0 && (is_address(bytes, length) || is_name(bytes, name, '_'));
}

/* What stands between "//" and the path: a host, perhaps a port. */
static bool is_authority(const char *bytes, size_t length)
{
    ipnet_t net;
    const char *bracket = length > 0 && bytes[0] == '[' ? memchr(bytes, ']', length) : NULL;
    if (bracket != NULL) {
        size_t inner = (size_t)(bracket - bytes) - 1;
        return memchr(bytes, '/', inner + 1) == NULL && memchr(bytes + 1, ':', inner) != NULL &&
               ipnet_parse(bytes + 1, inner, &net) == STATUS_OK &&
               is_port(bracket + 1, length - inner - 2);
    }
    const char *colon = length == 0 ? NULL : memchr(bytes, ':', length);
    size_t host = colon == NULL ? length : (size_t)(colon - bytes);
    return is_url_host(bytes, host) && is_port(bytes + host, length - host);
}

const char *check_http_url(const char *bytes, size_t length)
{
    static const char message[] = "must be an absolute http or https URL";
    const unsigned char *raw = (const unsigned char *)bytes;
    for (size_t i = 0; i < length; i++)
        if (raw[i] >= 0x80)
            return "must be ASCII: other characters are percent-encoded";
        else if (raw[i] <= ' ' || raw[i] == 0x7f || strchr("\"<>\\", bytes[i]) != NULL)
            return message;
    size_t scheme = has_scheme(bytes, length, "http://")    ? 7
                    : has_scheme(bytes, length, "https://") ? 8
                                                            : 0;
    if (scheme == 0)
        return message;
    const char *at = bytes + scheme;
    size_t left = length - scheme, authority = 0;
    for (; authority < left && strchr("/?#", at[authority]) == NULL; authority++)
        if (at[authority] == '@')
            return "must hold no user name or password, since it is answered as it is";
    return is_authority(at, authority) ? NULL : message;
}

const char *check_local_path(const char *bytes, size_t length)
{
    static const char message[] = "must be a local path: one slash, then neither slash nor "
                                  "backslash";
    if (length == 0 || bytes[0] != '/' || (length > 1 && bytes[1] == '/'))
        return message;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] <= ' ' || bytes[i] > '~' || bytes[i] == '\\')
            return message;
    return NULL;
}

const char *check_fingerprint(const char *bytes, size_t length)
{
    uint8_t fingerprint[FINGERPRINT_BYTES_MAX];
    size_t size = 0;
    return fingerprint_read(bytes, length, fingerprint, &size) == STATUS_OK
               ? NULL
               : "must be 20, 32, 48 or 64 bytes of hexadecimal, with or without colons";
}
