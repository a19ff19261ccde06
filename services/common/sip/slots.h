/* Facts in memory that processes share: a table of 64-bit words, each a whole fact, changed by
 * compare-and-swap alone. A word is, from the top: a tag, which is part of the fact's keyed hash; a
 * time in seconds (32 bits); and `extra` bits of what else is to be known.
 *
 * A fact may stand in any of eight places in either of two buckets, which its hash names; a new one
 * goes to the emptier bucket, so that the table can be filled to about four fifths before a fact
 * finds both full. Places are never moved, so that who looks needs no lock. Two facts that share
 * buckets and tag are taken for one: with n bits of tag that is once in 2^(n-4) new facts at most,
 * in a full table.
 * Next: lockout.c, replay.c. */
#ifndef LK_SERVICES_COMMON_SIP_SLOTS_H
#define LK_SERVICES_COMMON_SIP_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOTS_BUCKET = 8 };

typedef atomic_uint_least64_t slot_t; /* 0: empty */

typedef struct {
    slot_t *words; /* buckets * SLOTS_BUCKET of them */
    uint64_t buckets;
    unsigned extra; /* bits */
} slots_t;

/* A fact's keyed hash. */
typedef struct {
    uint64_t place, tag;
} fact_t;

/* The word of a fact; time is not 0. */
uint64_t slots_word(const slots_t *slots, const fact_t *fact, uint32_t time, uint64_t extra);
uint32_t slots_time(const slots_t *slots, uint64_t word);
uint64_t slots_extra(const slots_t *slots, uint64_t word);

/* Where the fact stands, and *out_word as it was read there; NULL: nowhere. `but`: a place that
 * does not count, or NULL. */
slot_t *slots_find(const slots_t *slots, const fact_t *fact, const slot_t *but, uint64_t *out_word);

/* A place for a fact that stands nowhere: an empty one; else that with the oldest time, or with one
 * after `future` (a clock was wrong then). *out_word: what stands there, to be swapped for. The
 * caller judges by its time whether it may go. */
slot_t *slots_pick(const slots_t *slots, const fact_t *fact, uint32_t future, uint64_t *out_word);

#endif
