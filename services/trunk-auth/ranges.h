/* Which address ranges a method may claim: one source address must name one trunk.
 *
 * Blocks are equal, nested or apart (common/ipnet.h), so a block meets another only where one
 * contains the other. Both directions are answered by the index method_range:
 *
 *   - blocks that contain ours: there is at most one per prefix length. We walk from the narrowest
 *     outward, each step one look-up of the greatest key (range_first, prefix) at or below ours;
 *     what lies between is skipped, so it is one or two steps as a rule and never more than 129.
 *   - blocks inside ours: their first address lies between our first and last.
 *
 * Part of method_ops's and method_change's write transaction; nothing else may run in between. */
#ifndef LK_SERVICES_TRUNK_AUTH_RANGES_H
#define LK_SERVICES_TRUNK_AUTH_RANGES_H

#include "common/ipnet.h"
#include "services/common/store.h"

typedef enum {
    RANGE_FREE,
    RANGE_TAKEN,    /* it, or what overlaps it, stands on another trunk */
    RANGE_REPEATED, /* exactly the same stands on this trunk */
} range_verdict_t;

/* Looks at all claims that have not ended at now_utc_ms, of enabled and disabled methods, but for
 * the method self_uuid ("": none). On one trunk nested blocks may stand; equal ones may not. */
status_t ranges_check(store_t *store, const ipnet_t *range, const char *trunk_uuid,
                      const char *self_uuid, int64_t now_utc_ms, range_verdict_t *out, err_t *err)
    MUST_CHECK;

/* ---- Whose an address is ---- */

/* Blocks that contain an address, from the narrowest on. */
typedef struct {
    const ipnet_t *address; /* borrowed */
    ipnet_t at;             /* the greatest key that is still of interest */
    bool ended;
} range_walk_t;

range_walk_t ranges_around(const ipnet_t *address);
/* Columns 0 and 1, range_first and prefix, of any query. */
status_t ranges_read(query_t *row, ipnet_t *out, err_t *err) MUST_CHECK;
/* The next block that is claimed by whomsoever, live or not; *out_found false: there is none. */
status_t ranges_next(store_t *store, range_walk_t *walk, bool *out_found, ipnet_t *out, err_t *err)
    MUST_CHECK;

/* Why calls can't be authorized by this range, to stand after the field's name; NULL if they can.
 * An operator's key may claim wider ones. Static. */
const char *ranges_flaw(const ipnet_t *range, bool is_operator);

#endif
