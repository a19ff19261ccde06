#include "proto/checks.h"

#include "common/ipnet.h"
#include "common/uuid.h"

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

static bool is_host_name(const char *bytes, size_t length)
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
        } else if (is_alphanumeric(bytes[i]) || (bytes[i] == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

const char *check_host(const char *bytes, size_t length)
{
    ipnet_t net;
    bool address =
        memchr(bytes, '/', length) == NULL && ipnet_parse(bytes, length, &net) == STATUS_OK;
    return address || is_host_name(bytes, length) ? NULL : "must be a host name or IP address";
}
