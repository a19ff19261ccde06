/* From the method to the connection, and then to the address: prefix and token are unique, while a
 * thousand connections may share an address. Each step is bounded.
 * Must never: name a connection that another organization's key asks for. Next: user_part.c. */
#include "services/fqdn-auth/sip_claims.h"

#include "services/fqdn-auth/sql.h"
#include "services/fqdn-auth/token.h"
#include "services/fqdn-auth/user_part.h"

#include <string.h>

enum {
    PREFIX_DIGITS = 4,
    CANDIDATES_MAX = 1024, /* of one p_charge_info */
    OTHERS_MAX = 256,      /* at one address, to find a reason in */
};

typedef struct {
    const call_t *call;
    store_t *reader;
    const ipnet_t *address;
    sip_claims_t *out;
    err_t *err;
} search_t;

status_t sip_claims_comes_from(store_t *reader, const char *connection_id, const ipnet_t *address,
                               bool *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_COMES_FROM);
    query_text(query, 1, connection_id);
    query_blob(query, 2, address->first, sizeof(address->first));
    return query_step(query, out, err);
}

static bool has_claimed(const sip_claims_t *claims, const char *connection_id)
{
    for (size_t i = 0; i < claims->count; i++)
        if (strcmp(claims->items[i].subject, connection_id) == 0)
            return true;
    return false;
}

/* The connection that the row stands on. */
static status_t add(search_t *search, query_t *row, reason_t standing)
{
    sip_claims_t *claims = search->out;
    if (has_claimed(claims, query_column_text(row, 0, NULL)))
        return STATUS_OK;
    if (claims->count == SIP_CLAIMS_MAX) {
        claims->more = true;
        return STATUS_OK;
    }
    sip_claim_t *claim = &claims->items[claims->count];
    memset(claim, 0, sizeof(*claim));
    claim->standing = query_column_number(row, 2) == 0 ? REASON_DISABLED : standing;
    claim->until_utc_ms = INT64_MAX;
    status_t status = query_copy_text(row, 0, claim->subject, sizeof(claim->subject), search->err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 0, claim->auth_id, sizeof(claim->auth_id), search->err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 1, claim->organization_id, sizeof(claim->organization_id),
                                 search->err);
    if (status == STATUS_OK)
        claims->count++;
    return status;
}

static bool is_word(query_t *row, int column, const char *word)
{
    const char *text = query_column_text(row, column, NULL);
    return text != NULL && strcmp(text, word) == 0;
}

/* ---- those whose method is satisfied ---- */

/* The row's method must be this one, be in force, and be the principal's to know of. */
static status_t add_candidate(search_t *search, query_t *row, const char *method)
{
    if (!is_word(row, 3, "ip-authentication") || !is_word(row, 4, method) ||
        !call_may_see(search->call, query_column_text(row, 1, NULL)))
        return STATUS_OK;
    bool comes = false;
    status_t status = sip_claims_comes_from(search->reader, query_column_text(row, 0, NULL),
                                            search->address, &comes, search->err);
    return status == STATUS_OK && comes ? add(search, row, REASON_NONE) : status;
}

/* query: bound but for its limit. */
static status_t add_candidates(search_t *search, query_t *query, const char *method)
{
    query_number(query, 2, CANDIDATES_MAX + 1);
    bool row = false;
    status_t status = query_step(query, &row, search->err);
    for (size_t seen = 1; status == STATUS_OK && row; seen++) {
        if (seen > CANDIDATES_MAX) {
            search->out->more = true; /* more than are looked at: whose call it is stays open */
            return STATUS_OK;
        }
        status = add_candidate(search, query, method);
        if (status == STATUS_OK)
            status = query_step(query, &row, search->err);
    }
    return status;
}

static status_t by_tech_prefix(search_t *search, const char *called)
{
    const char *user = NULL;
    size_t length = 0;
    if (called == NULL || user_part(called, &user, &length) != STATUS_OK || length < PREFIX_DIGITS)
        return STATUS_OK;
    char prefix[PREFIX_DIGITS + 1] = "";
    memcpy(prefix, user, PREFIX_DIGITS);
    if (strspn(prefix, "0123456789") != PREFIX_DIGITS)
        return STATUS_OK; /* +12... is a number without prefix */
    AUTO(query_end) query_t *query = store_query(search->reader, SQL_SIP_BY_TECH_PREFIX);
    query_text(query, 1, prefix);
    return add_candidates(search, query, "tech-prefix");
}

static status_t by_token(search_t *search, const char *token)
{
    uint8_t hashes[SEAL_KEYS_MAX][TOKEN_HASH_SIZE];
    size_t count = token == NULL ? 0 : token_hash(search->call->keeper, token, hashes);
    status_t status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        AUTO(query_end) query_t *query = store_query(search->reader, SQL_SIP_BY_TOKEN);
        query_blob(query, 1, hashes[i], TOKEN_HASH_SIZE);
        status = add_candidates(search, query, "token");
    }
    return status;
}

static status_t by_charge(search_t *search, const char *p_charge_info)
{
    const char *user = NULL;
    size_t length = 0;
    char key[SIP_URI_MAX + 1];
    if (p_charge_info == NULL || user_part(p_charge_info, &user, &length) != STATUS_OK ||
        text_copy(key, sizeof(key), user, length) != STATUS_OK)
        return STATUS_OK;
    AUTO(query_end) query_t *query = store_query(search->reader, SQL_SIP_BY_CHARGE);
    query_text(query, 1, key);
    return add_candidates(search, query, "p-charge-info");
}

/* ---- others at that address ---- */

/* Why the row's connection, which no method of the call satisfied, does not authorize it. */
static reason_t lack_of(query_t *row)
{
    if (query_column_is_null(row, 3))
        return REASON_NO_METHOD;
    if (!is_word(row, 3, "ip-authentication"))
        return REASON_PASSWORD_NEEDED;
    if (is_word(row, 4, "tech-prefix"))
        return query_column_is_null(row, 5) ? REASON_NO_METHOD : REASON_TECH_PREFIX_MISMATCH;
    if (is_word(row, 4, "token"))
        return query_column_is_null(row, 6) ? REASON_NO_METHOD : REASON_TOKEN_MISMATCH;
    if (is_word(row, 4, "p-charge-info") && !query_column_is_null(row, 7))
        return REASON_TOKEN_MISMATCH; /* a token of another header */
    return REASON_NO_METHOD;
}

static status_t add_others(search_t *search)
{
    AUTO(query_end) query_t *query = store_query(search->reader, SQL_SIP_CLAIMS);
    query_blob(query, 1, search->address->first, sizeof(search->address->first));
    query_number(query, 2, OTHERS_MAX);
    bool row = false;
    status_t status = query_step(query, &row, search->err);
    while (status == STATUS_OK && row) {
        if (call_may_see(search->call, query_column_text(query, 1, NULL)))
            status = add(search, query, lack_of(query));
        if (status == STATUS_OK)
            status = query_step(query, &row, search->err);
    }
    search->out->more = false; /* none of them authorizes: what the rest lack changes nothing */
    return status;
}

status_t sip_claims_find(const call_t *call, store_t *reader, const sip_source_t *source,
                         sip_claims_t *out, err_t *err)
{
    out->count = 0;
    out->more = false;
    if (ipnet_covers_no_source(&source->address))
        return STATUS_OK;
    search_t search = {call, reader, &source->address, out, err};
    status_t status = by_tech_prefix(&search, source->called);
    if (status == STATUS_OK)
        status = by_token(&search, source->token);
    if (status == STATUS_OK)
        status = by_charge(&search, source->p_charge_info);
    if (status == STATUS_OK && out->count == 0 && !out->more)
        status = add_others(&search);
    return status;
}
