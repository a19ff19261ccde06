/* Facts about trunks for call authorization. Must never: decide, or look at anything but the store.
 * Next: ranges.h for whose an address is, services/common/sip/decide.h for what follows. */
#include "services/trunk-auth/sip_family.h"

#include "common/text.h"
#include "services/common/list.h"
#include "services/common/sip/digest_rows.h"
#include "services/trunk-auth/ranges.h"
#include "services/trunk-auth/sql.h"

#include <assert.h>
#include <string.h>

enum { GROUP = 1, DEAD_MAX = 16 };

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static status_t copy_ids(query_t *row, int column, char *const out[3], err_t *err)
{
    status_t status = STATUS_OK;
    for (int i = 0; i < 3 && status == STATUS_OK; i++)
        status = query_copy_text(row, column + i, out[i], UUID_SIZE, err);
    return status;
}

/* Whatever is not plainly "any" asks for both. */
static bool needs_both(query_t *row, int column)
{
    const char *policy = query_column_text(row, column, NULL);
    return policy == NULL || strcmp(policy, "any") != 0;
}

/* ---- users ---- */

static reason_t standing(bool enabled, int64_t ends, int64_t now_utc_ms)
{
    if (!enabled)
        return REASON_DISABLED;
    return ends <= now_utc_ms ? REASON_EXPIRED : REASON_NONE;
}

static int64_t end_of(query_t *row, int column)
{
    return query_column_is_null(row, column) ? INT64_MAX : query_column_number(row, column);
}

/* Within the grace of a rotation. */
static status_t read_previous(query_t *row, int64_t now_utc_ms, sip_user_t *out, err_t *err)
{
    out->previous_generation = 0;
    out->previous_hash[0] = '\0';
    if (query_column_number(row, 9) <= now_utc_ms)
        return STATUS_OK;
    out->previous_generation = query_column_number(row, 8);
    out->until_utc_ms = earlier(out->until_utc_ms, query_column_number(row, 9));
    return query_copy_text(row, 11, out->previous_hash, sizeof(out->previous_hash), err);
}

/* Columns of SQL_SIP_USER. */
static status_t read_user(query_t *row, int64_t now_utc_ms, sip_user_t *out, err_t *err)
{
    char *const ids[] = {out->auth_id, out->subject, out->organization_id};
    status_t status = copy_ids(row, 0, ids, err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 3, out->username, sizeof(out->username), err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 10, out->password_hash, sizeof(out->password_hash), err);
    if (status != STATUS_OK)
        return status;
    int64_t ends = end_of(row, 5);
    out->standing = standing(query_column_number(row, 4) != 0, ends, now_utc_ms);
    out->until_utc_ms = ends > now_utc_ms ? ends : INT64_MAX;
    out->needs_source = needs_both(row, 6);
    out->generation = query_column_number(row, 7);
    return read_previous(row, now_utc_ms, out, err);
}

static status_t find_user(const call_t *call, store_t *reader, const char *username,
                          sip_user_t *out, err_t *err)
{
    char key[SIP_USER_MAX + 1];
    size_t length = strlen(username);
    if (length >= sizeof(key))
        return STATUS_UNKNOWN;
    text_fold(key, username, length);
    key[length] = '\0';
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_USER);
    query_text(query, 1, key);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK)
        return status;
    const char *stored = query_column_text(query, 3, NULL);
    if (stored == NULL || strcmp(stored, username) != 0)
        return STATUS_UNKNOWN;
    return read_user(query, call->now_utc_ms, out, err);
}

static status_t find_digest(store_t *reader, const sip_user_t *user, int64_t generation,
                            const char *realm, const char *algorithm, uint8_t *out,
                            size_t *out_length, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_DIGEST);
    return digest_rows_find(query, user, generation, realm, algorithm, out, out_length, err);
}

static status_t has_realm(store_t *reader, const sip_user_t *user, int64_t generation,
                          const char *realm, bool *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_REALM);
    return digest_rows_any(query, user, generation, realm, out, err);
}

/* ---- sources ---- */

/* Columns of SQL_RANGE_CLAIMS. */
static status_t read_claim(query_t *row, int64_t now_utc_ms, sip_claim_t *out, err_t *err)
{
    char *const ids[] = {out->auth_id, out->subject, out->organization_id};
    status_t status = copy_ids(row, 0, ids, err);
    if (status != STATUS_OK)
        return status;
    int64_t ends = query_column_number(row, 4);
    out->standing = standing(query_column_number(row, 3) != 0, ends, now_utc_ms);
    if (out->standing == REASON_NONE && needs_both(row, 5))
        out->standing = REASON_POLICY_NEEDS_BOTH;
    out->until_utc_ms = ends > now_utc_ms ? ends : INT64_MAX;
    return STATUS_OK;
}

/* Anybody may have claimed the address for a time that is over: of the dead some are enough to tell
 * why, and who lives has room always. */
static void add_claim(sip_claims_t *out, const sip_claim_t *claim)
{
    bool dead = claim->standing == REASON_DISABLED || claim->standing == REASON_EXPIRED;
    if (dead && out->count >= DEAD_MAX)
        return;
    if (out->count < SIP_CLAIMS_MAX)
        out->items[out->count++] = *claim;
    else
        out->more = true;
}

/* owner: whose claims count; NULL: everybody's. */
static status_t add_claims(store_t *reader, const ipnet_t *block, const char *owner,
                           int64_t now_utc_ms, sip_claims_t *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(reader, SQL_RANGE_CLAIMS);
    query_blob(query, 1, block->first, sizeof(block->first));
    query_number(query, 2, block->prefix);
    bool row = false;
    status_t status = query_step(query, &row, err);
    while (status == STATUS_OK && row) {
        sip_claim_t claim;
        status = read_claim(query, now_utc_ms, &claim, err);
        if (status != STATUS_OK)
            return status;
        if (owner == NULL || strcmp(owner, claim.organization_id) == 0)
            add_claim(out, &claim);
        status = query_step(query, &row, err);
    }
    return status;
}

static bool stands(const sip_claims_t *claims)
{
    for (size_t i = 0; i < claims->count; i++)
        if (claims->items[i].standing == REASON_NONE)
            return true;
    return false;
}

/* From the narrowest on, as far as one that stands: around it there is no live claim but the same
 * trunk's (ranges_check). */
static status_t gather_claims(store_t *reader, const ipnet_t *address, const char *owner,
                              int64_t now_utc_ms, sip_claims_t *out, err_t *err)
{
    range_walk_t walk = ranges_around(address);
    bool found = true;
    status_t status = STATUS_OK;
    out->count = 0;
    out->more = false;
    while (found && !stands(out)) {
        ipnet_t block;
        status = ranges_next(reader, &walk, &found, &block, err);
        if (status == STATUS_OK && found)
            status = add_claims(reader, &block, owner, now_utc_ms, out, err);
        if (status != STATUS_OK)
            return status;
    }
    return status;
}

static status_t find_claims(const call_t *call, store_t *reader, const sip_source_t *source,
                            sip_claims_t *out, err_t *err)
{
    return gather_claims(reader, &source->address, list_owner(call), call->now_utc_ms, out, err);
}

static status_t may_come_from(const call_t *call, store_t *reader, const sip_source_t *source,
                              sip_user_t *user, bool *out, err_t *err)
{
    sip_claims_t claims;
    assert(user != NULL);
    status_t status = gather_claims(reader, &source->address, user->organization_id,
                                    call->now_utc_ms, &claims, err);
    if (status != STATUS_OK)
        return status;
    bool may = false;
    int64_t until = 0;
    for (size_t i = 0; i < claims.count; i++) {
        const sip_claim_t *claim = &claims.items[i];
        bool live = claim->standing == REASON_NONE || claim->standing == REASON_POLICY_NEEDS_BOTH;
        if (!live || strcmp(claim->subject, user->subject) != 0)
            continue;
        may = true;
        until = claim->until_utc_ms > until ? claim->until_utc_ms : until;
    }
    if (may)
        user->until_utc_ms = earlier(user->until_utc_ms, until);
    *out = may;
    return STATUS_OK;
}

/* ---- lists ---- */

/* What is live now, of the principal's organization or, by the other statement, of all. */
static query_t *list(const call_t *call, store_t *reader, size_t of_all, size_t of_one)
{
    const char *owner = list_owner(call);
    query_t *query = store_query(reader, owner == NULL ? of_all : of_one);
    query_number(query, 1, call->now_utc_ms);
    if (owner != NULL)
        query_text(query, 2, owner);
    return query;
}

static status_t read_range(query_t *row, sip_range_t *out, err_t *err)
{
    char *const ids[] = {out->auth_id, out->subject, out->organization_id};
    status_t status = ranges_read(row, &out->range, err);
    if (status == STATUS_OK)
        status = copy_ids(row, 2, ids, err);
    out->port = 0;
    return status;
}

static status_t each_range(const call_t *call, store_t *reader, sip_each_range_fn each,
                           void *context, err_t *err)
{
    AUTO(query_end) query_t *query = list(call, reader, SQL_SIP_RANGES, SQL_SIP_RANGES_OF);
    bool row = false;
    status_t status = query_step(query, &row, err);
    while (status == STATUS_OK && row) {
        sip_range_t range;
        status = read_range(query, &range, err);
        if (status == STATUS_OK)
            status = each(context, &range, err);
        if (status == STATUS_OK)
            status = query_step(query, &row, err);
    }
    return status;
}

static status_t each_user(const call_t *call, store_t *reader, sip_each_user_fn each, void *context,
                          err_t *err)
{
    AUTO(query_end) query_t *query = list(call, reader, SQL_SIP_USERS, SQL_SIP_USERS_OF);
    bool row = false;
    status_t status = query_step(query, &row, err);
    while (status == STATUS_OK && row) {
        sip_user_t user;
        status = read_user(query, call->now_utc_ms, &user, err);
        if (status == STATUS_OK)
            status = each(context, &user, err);
        if (status == STATUS_OK)
            status = query_step(query, &row, err);
    }
    return status;
}

static status_t note_use(store_t *writer, const char *auth_id, int64_t utc_ms, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_SIP_USE);
    query_number(query, 1, utc_ms);
    query_text(query, 2, auth_id);
    return query_run(query, NULL, err);
}

const sip_family_t trunk_sip_family = {
    .name = "trunks",
    .group = GROUP,
    .find_user = find_user,
    .find_digest = find_digest,
    .has_realm = has_realm,
    .find_claims = find_claims,
    .may_come_from = may_come_from,
    .each_range = each_range,
    .each_user = each_user,
    .note_use = note_use,
};
