#include "services/trunk-auth/ranges.h"

#include "services/trunk-auth/sql.h"

#include <string.h>

/* A block that some method claims, as the index holds it. */
typedef struct {
    ipnet_t block;
    bool live;
    bool ours;
} claim_t;

/* The widest blocks that anybody may claim: whose an address is, is not looked for further out. */
enum { WIDEST_IPV4 = 8, WIDEST_IPV6 = 19 };

status_t ranges_read(query_t *row, ipnet_t *out, err_t *err)
{
    size_t length = 0;
    const void *first = query_column_blob(row, 0, &length);
    int64_t prefix = query_column_number(row, 1);
    if (first == NULL || length != sizeof(out->first) || prefix < 0 || prefix > 128)
        return err_set(err, STATUS_CORRUPT, "method", "holds a range that is none");
    *out = ipnet_of(first, (unsigned)prefix);
    return STATUS_OK;
}

static status_t read_claim(query_t *query, const char *trunk_uuid, int64_t now_utc_ms, claim_t *out,
                           err_t *err)
{
    status_t status = ranges_read(query, &out->block, err);
    if (status != STATUS_OK)
        return status;
    const char *trunk = query_column_text(query, 3, NULL);
    out->live = query_column_number(query, 2) > now_utc_ms;
    out->ours = trunk != NULL && strcmp(trunk, trunk_uuid) == 0;
    return STATUS_OK;
}

static void bind_place(query_t *query, const ipnet_t *place)
{
    query_blob(query, 1, place->first, sizeof(place->first));
    query_number(query, 2, place->prefix);
}

/* The greatest claim at or below the place, if there is one. */
static status_t find_below(store_t *store, const ipnet_t *place, const char *trunk_uuid,
                           const char *self_uuid, int64_t now_utc_ms, bool *out_found, claim_t *out,
                           err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_RANGE_BELOW);
    bind_place(query, place);
    query_text(query, 3, self_uuid);
    bool row = false;
    status_t status = query_step(query, &row, err);
    if (status == STATUS_OK && row)
        status = read_claim(query, trunk_uuid, now_utc_ms, out, err);
    if (status == STATUS_OK)
        *out_found = row;
    return status;
}

/* Moves to the next place where a container of range can stand, behind the claim that was found;
 * false when there is none. A claim beside ours parts from it at bit `shared`: a container of ours
 * that sorts before it can't be longer than that. */
static bool move_outward(const ipnet_t *range, const ipnet_t *found, ipnet_t *place)
{
    bool container = ipnet_contains(found, range);
    if (container && found->prefix == 0)
        return false;
    *place = ipnet_of(range->first, container ? found->prefix - 1U
                                              : ipnet_common_prefix(found->first, range->first));
    return true;
}

static status_t check_containers(store_t *store, const ipnet_t *range, const char *trunk_uuid,
                                 const char *self_uuid, int64_t now_utc_ms, range_verdict_t *out,
                                 err_t *err)
{
    ipnet_t place = *range;
    for (bool more = true; more;) {
        claim_t claim = {0};
        bool found = false;
        status_t status =
            find_below(store, &place, trunk_uuid, self_uuid, now_utc_ms, &found, &claim, err);
        if (status != STATUS_OK)
            return status;
        if (!found)
            break;
        if (claim.live && ipnet_contains(&claim.block, range)) {
            bool same = claim.block.prefix == range->prefix;
            if (!claim.ours || same) {
                *out = claim.ours ? RANGE_REPEATED : RANGE_TAKEN;
                return STATUS_OK;
            }
        }
        more = move_outward(range, &claim.block, &place);
    }
    *out = RANGE_FREE;
    return STATUS_OK;
}

static status_t check_inside(store_t *store, const ipnet_t *range, const char *trunk_uuid,
                             int64_t now_utc_ms, range_verdict_t *out, err_t *err)
{
    uint8_t last[16];
    ipnet_last(range, last);
    AUTO(query_end) query_t *query = store_query(store, SQL_RANGE_INSIDE);
    query_blob(query, 1, range->first, sizeof(range->first));
    query_blob(query, 2, last, sizeof(last));
    query_number(query, 3, now_utc_ms);
    query_text(query, 4, trunk_uuid);
    bool row = false;
    status_t status = query_step(query, &row, err);
    if (status == STATUS_OK)
        *out = row ? RANGE_TAKEN : RANGE_FREE;
    return status;
}

status_t ranges_check(store_t *store, const ipnet_t *range, const char *trunk_uuid,
                      const char *self_uuid, int64_t now_utc_ms, range_verdict_t *out, err_t *err)
{
    range_verdict_t verdict = RANGE_FREE;
    status_t status =
        check_containers(store, range, trunk_uuid, self_uuid, now_utc_ms, &verdict, err);
    /* Nothing lies inside a single address. */
    if (status == STATUS_OK && verdict == RANGE_FREE && range->prefix < 128)
        status = check_inside(store, range, trunk_uuid, now_utc_ms, &verdict, err);
    if (status == STATUS_OK)
        *out = verdict;
    return status;
}

range_walk_t ranges_around(const ipnet_t *address)
{
    return (range_walk_t){.address = address, .at = *address};
}

status_t ranges_next(store_t *store, range_walk_t *walk, bool *out_found, ipnet_t *out, err_t *err)
{
    unsigned widest = walk->address->ipv4 ? 96 + WIDEST_IPV4 : WIDEST_IPV6;
    while (!walk->ended && walk->at.prefix >= widest) {
        AUTO(query_end) query_t *query = store_query(store, SQL_RANGE_OUTWARD);
        bind_place(query, &walk->at);
        bool row = false;
        ipnet_t found = {.prefix = 0};
        status_t status = query_step(query, &row, err);
        if (status == STATUS_OK && row)
            status = ranges_read(query, &found, err);
        if (status != STATUS_OK)
            return status;
        walk->ended = !row || !move_outward(walk->address, &found, &walk->at);
        if (row && found.prefix >= widest && ipnet_contains(&found, walk->address)) {
            *out_found = true;
            *out = found;
            return STATUS_OK;
        }
    }
    *out_found = false;
    return STATUS_OK;
}

const char *ranges_flaw(const ipnet_t *range, bool is_operator)
{
    if (ipnet_covers_no_source(range))
        return "must not cover multicast or unspecified addresses";
    unsigned prefix = ipnet_prefix(range);
    if (is_operator) {
        if (range->ipv4)
            return prefix < WIDEST_IPV4 ? "must not be wider than /8" : NULL;
        return prefix < WIDEST_IPV6 ? "must not be wider than /19" : NULL;
    }
    if (range->ipv4)
        return prefix < 16 ? "must not be wider than /16" : NULL;
    return prefix < 32 ? "must not be wider than /32" : NULL;
}
