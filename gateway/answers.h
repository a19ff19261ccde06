/* Answers that may be given again without asking a worker: those of OPERATION_KEPT operations that
 * succeeded, for as long as the worker allowed (reply_t.fresh, ADR 0025).
 *
 * A table of fixed size in this process: nothing is allocated per answer. What two askers may not
 * both see has two places: the key holds whose view it is. Slots are found by a keyed hash, so that
 * nobody outside can aim at one. The answers hold HA1 values: they are wiped when they are dropped.
 * Must never: give an answer whose freshness is not exactly the one asked for. Any thread. Next:
 * boards.h, which says what is fresh. */
#ifndef LK_GATEWAY_ANSWERS_H
#define LK_GATEWAY_ANSWERS_H

#include "proto/dialect.h"
#include "proto/service.h"

enum {
    ANSWERS_SLOT = 640, /* bytes of an answer and its query, with what stands beside: the longest
                           of ours has 500; what is longer is not kept */
};

typedef struct answers answers_t;

/* What an answer depends on beside the store. Borrowed. */
typedef struct {
    const operation_t *operation; /* OPERATION_KEPT, without parameters in its path */
    bool is_operator;             /* whose view it is: an operator's, or an organization's */
    const char *organization_id;
    const char *query; /* as it was sent; NULL: none */
} answer_key_t;

/* Where the store stands now. */
typedef struct {
    uint64_t board, version;
    int64_t now_utc_ms;
} answers_now_t;

/* bytes: about what it may take; memory is taken as it is used. */
answers_t *answers_new(size_t bytes);
/* Wipes; NULL-safe; clears *answers. */
void answers_destroy(answers_t **answers);

/* Appends the body of the answer that was kept for that key. False: there is none, or it is no
 * longer fresh, and then dropped. */
bool answers_find(answers_t *answers, const answer_key_t *key, const answers_now_t *now,
                  msgpack_sbuffer *out_body, media_t *out_media) MUST_CHECK;

/* Keeps an answer in place of the key's last, or of the one in its set that was not asked for
 * longest. Nothing happens if it is too long. */
void answers_keep(answers_t *answers, const answer_key_t *key, const freshness_t *fresh,
                  media_t media, const char *body, size_t length);

/* Drops what is fresh by none of these, one for each service. A few milliseconds: not for a
 * request.
 */
void answers_sweep(answers_t *answers, const answers_now_t *now, size_t count);

#endif
