#include "proto/scan.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at;
    size_t left;
    size_t elements;
} scanner_t;

/* One level of nesting: how many values are still to come, and whether they are a map's. */
typedef struct {
    uint64_t left;
    bool map;
} level_t;

/* What a first byte announces (msgpack specification, "Formats"). */
typedef struct {
    bool good;
    bool text, array, map;
    uint8_t size_bytes; /* bytes of a length or count that follow */
    uint32_t size;      /* the length, count or payload, where it is in the first byte */
} format_t;

static format_t format_of(uint8_t byte)
{
    if (byte <= 0x7f || byte >= 0xe0) /* fixint */
        return (format_t){.good = true};
    if (byte <= 0x8f)
        return (format_t){.good = true, .map = true, .size = byte & 0x0fU};
    if (byte <= 0x9f)
        return (format_t){.good = true, .array = true, .size = byte & 0x0fU};
    if (byte <= 0xbf)
        return (format_t){.good = true, .text = true, .size = byte & 0x1fU};
    switch (byte) {
    case 0xc0: /* nil */
    case 0xc2: /* false */
    case 0xc3: /* true */
        return (format_t){.good = true};
    case 0xc4: /* bin 8, 16, 32 */
    case 0xc5:
    case 0xc6:
        return (format_t){.good = true, .size_bytes = (uint8_t)(1U << (byte - 0xc4U))};
    case 0xca: /* float 32, 64 */
    case 0xcb:
        return (format_t){.good = true, .size = byte == 0xca ? 4 : 8};
    case 0xcc: /* uint 8 to 64 */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return (format_t){.good = true, .size = 1U << (byte - 0xccU)};
    case 0xd0: /* int 8 to 64 */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return (format_t){.good = true, .size = 1U << (byte - 0xd0U)};
    case 0xd9: /* str 8, 16, 32 */
    case 0xda:
    case 0xdb:
        return (format_t){
            .good = true, .text = true, .size_bytes = (uint8_t)(1U << (byte - 0xd9U))};
    case 0xdc: /* array 16, 32 */
    case 0xdd:
        return (format_t){.good = true, .array = true, .size_bytes = byte == 0xdc ? 2 : 4};
    case 0xde: /* map 16, 32 */
    case 0xdf:
        return (format_t){.good = true, .map = true, .size_bytes = byte == 0xde ? 2 : 4};
    default: /* never used, and extension types */
        return (format_t){.good = false};
    }
}

static bool take(scanner_t *scanner, size_t size)
{
    if (size > scanner->left)
        return false;
    scanner->at += size;
    scanner->left -= size;
    return true;
}

static bool read_size(scanner_t *scanner, unsigned bytes, uint32_t *out)
{
    const uint8_t *at = scanner->at;
    if (!take(scanner, bytes))
        return false;
    uint32_t size = 0;
    for (unsigned i = 0; i < bytes; i++)
        size = size << 8 | at[i];
    *out = size;
    return true;
}

/* Reads one value's head. *out_children is how many values it holds itself. */
static status_t scan_value(scanner_t *scanner, bool key, format_t *out_format,
                           uint64_t *out_children)
{
    if (scanner->left == 0)
        return STATUS_INVALID;
    if (++scanner->elements > SCAN_ELEMENTS_MAX)
        return STATUS_TOO_LARGE;
    format_t format = format_of(*scanner->at);
    if (!format.good || !take(scanner, 1) || (key && !format.text))
        return STATUS_INVALID;
    uint32_t size = format.size;
    if (format.size_bytes > 0 && !read_size(scanner, format.size_bytes, &size))
        return STATUS_INVALID;
    uint64_t children = 0;
    if (format.array || format.map) {
        children = format.map ? 2 * (uint64_t)size : size;
        if (children > scanner->left) /* each takes a byte at least */
            return STATUS_INVALID;
    } else if (!take(scanner, size)) {
        return STATUS_INVALID;
    }
    *out_format = format;
    *out_children = children;
    return STATUS_OK;
}

status_t scan_msgpack(const void *bytes, size_t length)
{
    if (length > SCAN_BYTES_MAX)
        return STATUS_TOO_LARGE;
    scanner_t scanner = {.at = bytes, .left = length};
    level_t levels[SCAN_DEPTH_MAX + 1] = {{.left = 1}};
    unsigned depth = 0;
    for (;;) {
        while (levels[depth].left == 0) {
            if (depth == 0)
                return scanner.left == 0 ? STATUS_OK : STATUS_INVALID;
            depth--;
        }
        level_t *level = &levels[depth];
        bool key = level->map && level->left % 2 == 0;
        level->left--;
        format_t format = {0};
        uint64_t children = 0;
        status_t status = scan_value(&scanner, key, &format, &children);
        if (status != STATUS_OK)
            return status;
        if (children == 0)
            continue;
        if (depth == SCAN_DEPTH_MAX)
            return STATUS_TOO_LARGE;
        levels[++depth] = (level_t){.left = children, .map = format.map};
    }
}
