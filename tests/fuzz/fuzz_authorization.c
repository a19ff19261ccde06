/* Digest credentials of SIP. What is read stands within its bounds, and quoted and read again it is
 * the same; what is refused changes nothing. */
#include "services/common/sip/authorization.h"
#include "tests/fuzz/replay.h"

#include <stdlib.h>
#include <string.h>

enum { QUOTED_MAX = 16384 };

static const unsigned rows[] = {
    SIP_CALL_USERNAME,  SIP_CALL_REALM,  SIP_CALL_NONCE,  SIP_CALL_URI, SIP_CALL_RESPONSE,
    SIP_CALL_ALGORITHM, SIP_CALL_CNONCE, SIP_CALL_OPAQUE, SIP_CALL_QOP, SIP_CALL_NC};

static void must(int holds)
{
    if (!holds)
        abort();
}

static const char *member(const sip_call_t *call, unsigned row)
{
    return (const char *)call + sip_call_schema.rows[row].offset;
}

static size_t put(char *out, size_t used, const char *text)
{
    size_t length = strlen(text);
    must(used + length < QUOTED_MAX);
    memcpy(out + used, text, length + 1);
    return used + length;
}

/* The header that says the same, all of it quoted. */
static size_t quote(const sip_call_t *call, char *out)
{
    size_t used = put(out, 0, "digest x=y");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!field_set(&call->fields, rows[i]))
            continue;
        used = put(out, used, ",");
        used = put(out, used, sip_call_schema.rows[rows[i]].name);
        used = put(out, used, "=\"");
        for (const char *at = member(call, rows[i]); *at != '\0'; at++) {
            char c[] = {*at, '\0'};
            if (*at == '"' || *at == '\\')
                used = put(out, used, "\\");
            used = put(out, used, c);
        }
        used = put(out, used, "\"");
    }
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char quoted[QUOTED_MAX];
    static const sip_call_t before = {.method = "INVITE", .username = "kept"};
    sip_call_t call = before, again = before;
    const char *flaw = NULL;
    if (authorization_read((const char *)bytes, size, &call, &flaw) != STATUS_OK) {
        must(flaw != NULL && call.fields.given == 0 && strcmp(call.username, "kept") == 0);
        return 0;
    }
    must(strcmp(call.method, "INVITE") == 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t length = strlen(member(&call, rows[i]));
        must(length <= (size_t)sip_call_schema.rows[rows[i]].max);
        must(text_utf8_length(member(&call, rows[i]), length) >= 0);
        must(length == 0 || field_set(&call.fields, rows[i]));
    }
    must(authorization_read(quoted, quote(&call, quoted), &again, &flaw) == STATUS_OK);
    must(again.fields.given == call.fields.given);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        must(strcmp(member(&again, rows[i]), member(&call, rows[i])) == 0);
    return 0;
}
