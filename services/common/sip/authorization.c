/* The parser of digest credentials. Must never: read beyond its text, or keep half of a header.
 * Next: verify_digest.c. */
#include "services/common/sip/authorization.h"

#include "common/text.h"

#include <string.h>
#include <strings.h>

enum { NAME_MAX_SIZE = 16, VALUE_MAX_SIZE = 2048 };

/* Parameters that are no field of a call. */
enum { USERHASH = SIP_CALL_USERNAME + 1, USERNAME_EXTENDED };

static const struct {
    const char *name;
    unsigned row;
} parameters[] = {
    {"username", SIP_CALL_USERNAME},
    {"realm", SIP_CALL_REALM},
    {"nonce", SIP_CALL_NONCE},
    {"uri", SIP_CALL_URI},
    {"response", SIP_CALL_RESPONSE},
    {"algorithm", SIP_CALL_ALGORITHM},
    {"cnonce", SIP_CALL_CNONCE},
    {"opaque", SIP_CALL_OPAQUE},
    {"qop", SIP_CALL_QOP},
    {"nc", SIP_CALL_NC},
    {"username*", USERNAME_EXTENDED},
    {"userhash", USERHASH},
};

typedef struct {
    const char *at;
    const char *end;
    uint64_t seen; /* parameters, by their index */
    bool userhash;
    sip_call_t call;
} reader_t;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Blanks, and line ends that a blank follows. Returns whether there were any. */
static bool skip_blanks(reader_t *reader)
{
    const char *from = reader->at;
    for (; reader->at < reader->end; reader->at++) {
        bool folded = reader->end - reader->at > 2 && reader->at[0] == '\r' &&
                      reader->at[1] == '\n' && is_blank(reader->at[2]);
        if (folded)
            reader->at += 2;
        else if (!is_blank(*reader->at))
            break;
    }
    return reader->at > from;
}

static bool take(reader_t *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-.!%*_+`'~", c) != NULL);
}

static bool read_token(reader_t *reader, char *out, size_t size)
{
    const char *from = reader->at;
    while (reader->at < reader->end && is_token(*reader->at))
        reader->at++;
    return reader->at > from &&
           text_copy(out, size, from, (size_t)(reader->at - from)) == STATUS_OK;
}

static bool is_control(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte < ' ' && byte != '\t') || byte == 0x7f;
}

/* Behind its first quote. */
static bool read_quoted(reader_t *reader, char *out, size_t size)
{
    size_t length = 0;
    while (reader->at < reader->end && *reader->at != '"') {
        if (*reader->at == '\\')
            reader->at++;
        if (reader->at == reader->end || is_control(*reader->at) || length + 1 == size)
            return false;
        out[length++] = *reader->at++;
    }
    out[length] = '\0';
    return take(reader, '"');
}

static bool set(reader_t *reader, unsigned row, const char *value)
{
    const field_t *field = &sip_call_schema.rows[row];
    size_t length = strlen(value);
    if (length > (size_t)field->max ||
        text_copy((char *)&reader->call + field->offset, field->size, value, length) != STATUS_OK)
        return false;
    field_give(&reader->call.fields, row);
    return true;
}

/* UTF-8'language'percent-encoded (RFC 8187). */
static bool set_extended(reader_t *reader, const char *value)
{
    static const char charset[] = "UTF-8'";
    char decoded[SIP_USER_MAX + 1];
    if (strncasecmp(value, charset, sizeof(charset) - 1) != 0)
        return false;
    const char *text = strchr(value + sizeof(charset) - 1, '\'');
    if (text == NULL || text_percent_decode(decoded, sizeof(decoded), text + 1, strlen(text + 1),
                                            false) != STATUS_OK)
        return false;
    for (const char *at = decoded; *at != '\0'; at++)
        if (is_control(*at))
            return false;
    return set(reader, SIP_CALL_USERNAME, decoded);
}

static bool keep(reader_t *reader, unsigned row, const char *value)
{
    if (row == USERNAME_EXTENDED || row == SIP_CALL_USERNAME) {
        if (field_given(&reader->call.fields, SIP_CALL_USERNAME))
            return false; /* one of either kind */
        return row == SIP_CALL_USERNAME ? set(reader, row, value) : set_extended(reader, value);
    }
    if (row != USERHASH)
        return set(reader, row, value);
    reader->userhash = strcasecmp(value, "true") == 0;
    return reader->userhash || strcasecmp(value, "false") == 0;
}

/* NAME = VALUE */
static bool read_parameter(reader_t *reader)
{
    char name[VALUE_MAX_SIZE], value[VALUE_MAX_SIZE];
    if (!read_token(reader, name, sizeof(name)))
        return false;
    (void)skip_blanks(reader);
    if (!take(reader, '='))
        return false;
    (void)skip_blanks(reader);
    bool read = take(reader, '"') ? read_quoted(reader, value, sizeof(value))
                                  : read_token(reader, value, sizeof(value));
    if (!read)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        if (strcasecmp(name, parameters[i].name) != 0)
            continue;
        bool twice = (reader->seen >> i & 1U) != 0;
        reader->seen |= UINT64_C(1) << i;
        return !twice && keep(reader, parameters[i].row, value);
    }
    return true;
}

static bool read_parameters(reader_t *reader)
{
    do {
        (void)skip_blanks(reader);
        if (!read_parameter(reader))
            return false;
        (void)skip_blanks(reader);
    } while (take(reader, ','));
    return reader->at == reader->end;
}

static status_t refuse(const char **out_flaw, status_t status, const char *flaw)
{
    *out_flaw = flaw;
    return status;
}

static void forget_digest(sip_call_t *call)
{
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        unsigned row = parameters[i].row;
        if (row > SIP_CALL_USERNAME)
            continue;
        *((char *)call + sip_call_schema.rows[row].offset) = '\0';
        call->fields.given &= ~(UINT64_C(1) << row);
        call->fields.null &= ~(UINT64_C(1) << row);
    }
}

status_t authorization_read(const char *text, size_t length, sip_call_t *call,
                            const char **out_flaw)
{
    reader_t reader = {.at = text, .end = text + length, .call = *call};
    char scheme[NAME_MAX_SIZE];
    forget_digest(&reader.call);
    (void)skip_blanks(&reader);
    if (text_utf8_length(text, length) < 0 || !read_token(&reader, scheme, sizeof(scheme)))
        return refuse(out_flaw, STATUS_INVALID, "The header is malformed.");
    if (strcasecmp(scheme, "Digest") != 0)
        return refuse(out_flaw, STATUS_REFUSED, "The header's scheme is not Digest.");
    if (!skip_blanks(&reader) || !read_parameters(&reader))
        return refuse(out_flaw, STATUS_INVALID, "The header is malformed.");
    if (reader.userhash)
        return refuse(out_flaw, STATUS_REFUSED, "userhash is not served.");
    *call = reader.call;
    return STATUS_OK;
}
