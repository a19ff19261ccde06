#include "services/fqdn-auth/dns_message.h"

#include "common/text.h"
#include "proto/checks.h"

#include <ares.h>
#include <string.h>
#include <strings.h>

enum {
    HEADER = 12,
    FLAG_RESPONSE = 0x80, /* of byte 2 */
    FLAG_AUTHORITY = 0x04,
    FLAG_CUT = 0x02,
    FLAG_RECURSION = 0x80, /* of byte 3 */
    RCODE = 0x0f,
    RCODE_OK = 0,
    RCODE_NO_NAME = 3,
    CLASS_IN = 1,
    RECORD_FIXED = 10, /* type, class, TTL, length */
};

typedef struct {
    const uint8_t *bytes;
    size_t length, at;
} cursor_t;

typedef struct {
    char owner[DNS_NAME_SIZE];
    unsigned type, class;
    uint32_t ttl;
    size_t data, data_length;
} resource_t;

typedef struct {
    cursor_t answers; /* at the first */
    unsigned count;
} section_t;

static unsigned number16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t number32(const uint8_t *at)
{
    return (uint32_t)number16(at) << 16 | number16(at + 2);
}

/* Reads the name at the cursor and goes behind it. */
static bool take_name(cursor_t *cursor, char out[DNS_NAME_SIZE])
{
    char *name = NULL;
    long used = 0;
    if (cursor->at >= cursor->length ||
        ares_expand_name(cursor->bytes + cursor->at, cursor->bytes, (int)cursor->length, &name,
                         &used) != ARES_SUCCESS)
        return false;
    size_t length = strlen(name);
    bool fits = text_copy(out, DNS_NAME_SIZE, name, length) == STATUS_OK;
    ares_free_string(name);
    cursor->at += (size_t)used;
    return fits;
}

static bool take_resource(cursor_t *cursor, resource_t *out)
{
    if (!take_name(cursor, out->owner) || cursor->length - cursor->at < RECORD_FIXED)
        return false;
    const uint8_t *fixed = cursor->bytes + cursor->at;
    out->type = number16(fixed);
    out->class = number16(fixed + 2);
    out->ttl = number32(fixed + 4);
    if (out->ttl > INT32_MAX)
        out->ttl = 0; /* RFC 2181 section 8 */
    out->data_length = number16(fixed + 8);
    out->data = cursor->at + RECORD_FIXED;
    if (cursor->length - out->data < out->data_length)
        return false;
    cursor->at = out->data + out->data_length;
    return true;
}

static bool take_question(cursor_t *cursor, const char *name, dns_type_t type)
{
    char asked[DNS_NAME_SIZE];
    if (!take_name(cursor, asked) || cursor->length - cursor->at < 4)
        return false;
    const uint8_t *fixed = cursor->bytes + cursor->at;
    cursor->at += 4;
    return strcasecmp(asked, name) == 0 && number16(fixed) == (unsigned)type &&
           number16(fixed + 2) == CLASS_IN;
}

/* An empty answer of one that neither recurses nor has authority is a referral. */
static bool take_header(cursor_t *cursor, unsigned *out_count)
{
    if (cursor->length < HEADER || cursor->length > DNS_MESSAGE_MAX)
        return false;
    const uint8_t *bytes = cursor->bytes;
    unsigned rcode = bytes[3] & RCODE;
    unsigned count = number16(bytes + 6);
    bool is_last = (bytes[2] & FLAG_AUTHORITY) != 0 || (bytes[3] & FLAG_RECURSION) != 0;
    cursor->at = HEADER;
    *out_count = count;
    return (bytes[2] & FLAG_RESPONSE) != 0 && (bytes[2] & FLAG_CUT) == 0 &&
           (rcode == RCODE_OK || rcode == RCODE_NO_NAME) && (count > 0 || is_last) &&
           number16(bytes + 4) == 1 && count <= DNS_ANSWERS_MAX;
}

static bool add_address(const cursor_t *cursor, const resource_t *found, dns_item_t *out)
{
    size_t size = found->type == DNS_A ? 4 : 16;
    if (found->data_length != size)
        return false;
    memset(out, 0, sizeof(*out));
    if (found->type == DNS_A)
        out->address[10] = out->address[11] = 0xff;
    memcpy(out->address + 16 - size, cursor->bytes + found->data, size);
    return true;
}

/* Leaves out what is no host; *out_kept tells. */
static bool add_target(const cursor_t *cursor, const resource_t *found, dns_item_t *out,
                       bool *out_kept)
{
    enum { BEFORE_TARGET = 6 }; /* priority, weight, port */
    char target[DNS_NAME_SIZE];
    cursor_t inner = *cursor;
    inner.at = found->data + BEFORE_TARGET;
    if (found->data_length <= BEFORE_TARGET || !take_name(&inner, target) ||
        inner.at != found->data + found->data_length)
        return false;
    size_t length = strlen(target);
    *out_kept = check_fqdn(target, length) == NULL;
    text_fold(out->target, target, length + 1);
    return true;
}

static bool add_record(const cursor_t *cursor, const resource_t *found, dns_answer_t *out)
{
    bool kept = true;
    if (out->count == DNS_RECORDS_MAX)
        return false;
    dns_item_t *record = &out->items[out->count];
    if (found->type == DNS_SRV ? !add_target(cursor, found, record, &kept)
                               : !add_address(cursor, found, record))
        return false;
    if (found->ttl < out->ttl)
        out->ttl = found->ttl;
    out->count += kept ? 1 : 0;
    return true;
}

typedef enum { HOP_END, HOP_NEXT, HOP_NOTHING, HOP_BROKEN } hop_t;

/* What the section says of a name: records of the type, or a CNAME, whose target replaces it. */
static hop_t hop(const section_t *section, char name[DNS_NAME_SIZE], dns_type_t type,
                 dns_answer_t *out)
{
    cursor_t cursor = section->answers;
    char next[DNS_NAME_SIZE] = "";
    bool any = false;
    for (unsigned i = 0; i < section->count; i++) {
        resource_t found;
        if (!take_resource(&cursor, &found))
            return HOP_BROKEN;
        if (found.class != CLASS_IN || strcasecmp(found.owner, name) != 0)
            continue;
        if (found.type == (unsigned)type) {
            any = true;
            if (!add_record(&cursor, &found, out))
                return HOP_BROKEN;
        } else if (found.type == DNS_CNAME) {
            cursor_t inner = cursor;
            inner.at = found.data;
            if (next[0] != '\0' || !take_name(&inner, next))
                return HOP_BROKEN; /* RFC 1034 section 3.6.2: one */
            if (found.ttl < out->ttl)
                out->ttl = found.ttl;
        }
    }
    if (any)
        return next[0] == '\0' ? HOP_END : HOP_BROKEN;
    if (next[0] == '\0')
        return HOP_NOTHING;
    memcpy(name, next, sizeof(next));
    return HOP_NEXT;
}

static status_t follow(const section_t *section, const char *name, dns_type_t type,
                       dns_answer_t *out)
{
    char at[DNS_NAME_SIZE];
    if (text_copy(at, sizeof(at), name, strlen(name)) != STATUS_OK)
        return STATUS_INVALID;
    for (unsigned hops = 0; hops <= DNS_CHAIN_MAX; hops++) {
        switch (hop(section, at, type, out)) {
        case HOP_END:
            return STATUS_OK;
        case HOP_NEXT:
            break;
        case HOP_NOTHING: /* records of other names alone are an answer to another question */
            return section->count == 0 || hops > 0 ? STATUS_OK : STATUS_INVALID;
        case HOP_BROKEN:
            return STATUS_INVALID;
        }
    }
    return STATUS_INVALID;
}

status_t dns_message_read(const uint8_t *message, size_t length, const char *name, dns_type_t type,
                          dns_answer_t *out)
{
    section_t section = {.answers = {.bytes = message, .length = length}};
    if (!take_header(&section.answers, &section.count) ||
        !take_question(&section.answers, name, type))
        return STATUS_INVALID;
    out->count = 0;
    out->ttl = INT32_MAX;
    return follow(&section, name, type, out);
}
