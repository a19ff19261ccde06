/* GET /ha1: the value that a server verifies a digest with. The path of every call: no allocation,
 * few queries. Must never: keep the value, or give it to anybody but its organization.
 * Next: admit.h, ha1.h; docs/adr/0029. */
#include "services/common/sip/admit.h"
#include "services/common/sip/ha1.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

#include "common/text.h"

#include <sodium.h>
#include <string.h>

/* What an answer is made of. */
typedef struct {
    ipnet_t address;
    const ipnet_t *source; /* NULL: not given */
    const char *realm;
    sip_user_t user;
    ha1_text_t current, previous; /* previous "": there is none */
} lookup_t;

static void wipe(lookup_t *lookup)
{
    sodium_memzero(lookup, sizeof(*lookup));
}

static void read_query(const call_t *call, lookup_t *out)
{
    const ha1_query_t *query = call->query;
    out->realm =
        field_set(&query->fields, HA1_QUERY_REALM) ? query->realm : call->keeper->realms->names[0];
    if (ipnet_parse(query->source_ip, strlen(query->source_ip), &out->address) == STATUS_OK)
        out->source = &out->address;
}

/* One that is asked for and not there is a denial; the previous one beside it may be missing. */
static status_t open_values(const call_t *call, store_t *reader, lookup_t *lookup,
                            reason_t *out_reason, err_t *err)
{
    const ha1_query_t *query = call->query;
    const sip_user_t *user = &lookup->user;
    bool wants_previous = query->generation == GENERATION_PREVIOUS;
    digest_t algorithm = (digest_t)query->algorithm;
    if (wants_previous && user->previous_generation == 0) {
        *out_reason = REASON_EXPIRED;
        return STATUS_OK;
    }
    int64_t asked = wants_previous ? user->previous_generation : user->generation;
    status_t status = ha1_open(call, reader, user, asked, lookup->realm, algorithm,
                               &lookup->current, out_reason, err);
    if (status != STATUS_OK)
        return status == STATUS_UNKNOWN ? STATUS_OK : status;
    *out_reason = REASON_NONE;
    if (wants_previous || user->previous_generation == 0)
        return STATUS_OK;
    reason_t ignored = REASON_NONE;
    status = ha1_open(call, reader, user, user->previous_generation, lookup->realm, algorithm,
                      &lookup->previous, &ignored, err);
    return status == STATUS_UNKNOWN ? STATUS_OK : status;
}

/* ---- the answer ---- */

static void answer_text(call_t *call, const lookup_t *lookup)
{
    char text[2 * (SIP_HA1_TEXT_MAX + 1) + 1];
    bool both = lookup->previous.hex[0] != '\0';
    status_t status = text_format(text, sizeof(text), "%s\n%s%s", lookup->current.hex,
                                  lookup->previous.hex, both ? "\n" : "");
    (void)status; /* it fits */
    call_document(call, MEDIA_TEXT, text, strlen(text));
    sodium_memzero(text, sizeof(text));
}

/* What rlm_rest takes as an assignment to the attribute. */
static void answer_freeradius(call_t *call, const lookup_t *lookup)
{
    char text[SIP_HA1_TEXT_MAX + 32];
    status_t status =
        text_format(text, sizeof(text), "{\"control:Digest-HA1\":\"%s\"}", lookup->current.hex);
    (void)status; /* it fits */
    call_document(call, MEDIA_JSON_TEXT, text, strlen(text));
    sodium_memzero(text, sizeof(text));
}

static void answer_json(call_t *call, const lookup_t *lookup, int64_t ttl)
{
    const ha1_query_t *query = call->query;
    const sip_user_t *user = &lookup->user;
    ha1_t answer = {.algorithm = query->algorithm, .ttl = ttl};
    field_give(&answer.fields, HA1_ALGORITHM);
    field_give(&answer.fields, HA1_TTL);
    record_give_text(&ha1_schema, &answer, HA1_AUTH_ID, user->auth_id);
    record_give_text(&ha1_schema, &answer, HA1_SUBJECT, user->subject);
    record_give_text(&ha1_schema, &answer, HA1_HA1, lookup->current.hex);
    if (lookup->previous.hex[0] != '\0')
        record_give_text(&ha1_schema, &answer, HA1_PREVIOUS, lookup->previous.hex);
    if (call->request.principal.is_operator)
        record_give_text(&ha1_schema, &answer, HA1_ORGANIZATION_ID, user->organization_id);
    call_answer(call, &answer);
    sodium_memzero(&answer, sizeof(answer));
}

static void answer(call_t *call, const lookup_t *lookup)
{
    const ha1_query_t *query = call->query;
    int64_t ttl = call->keeper->sip->settings->ha1_ttl_s;
    int64_t left = (lookup->user.until_utc_ms - call->now_utc_ms) / 1000;
    if (left < ttl)
        ttl = left;
    /* Given again later, the same ttl must still end in time. */
    sip_fresh_until(call, lookup->user.until_utc_ms - ttl * 1000);
    switch ((ha1_format_t)query->format) {
    case HA1_JSON:
        answer_json(call, lookup, ttl);
        break;
    case HA1_TEXT:
        answer_text(call, lookup);
        break;
    case HA1_FREERADIUS:
        answer_freeradius(call, lookup);
        break;
    }
}

void sip_ha1(call_t *call, store_t *reader)
{
    const ha1_query_t *query = call->query;
    AUTO(wipe) lookup_t lookup = {.source = NULL};
    reason_t reason = REASON_UNKNOWN_USER;
    err_t err;
    read_query(call, &lookup);
    status_t status =
        admit_user(call, reader, query->username, lookup.source, &lookup.user, &reason, &err);
    if (status == STATUS_OK && reason == REASON_NONE)
        status = open_values(call, reader, &lookup, &reason, &err);
    const sip_about_t about = {
        .username = query->username,
        .source = lookup.source,
        .subject = lookup.user.subject[0] == '\0' ? NULL : lookup.user.subject,
    };
    if (status != STATUS_OK)
        call_fail(call, &err);
    else if (reason != REASON_NONE)
        sip_deny(call, &about, reason);
    else
        answer(call, &lookup);
}
