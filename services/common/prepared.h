/* What a slow write makes in `prepare`, before its transaction, and hands to `write`.
 *
 * A service keeps what it likes: a struct of its own, whose first member is a prepared_t. What is
 * kept of a password has such a struct already: credentials.h. */
#ifndef LK_SERVICES_COMMON_PREPARED_H
#define LK_SERVICES_COMMON_PREPARED_H

#include "services/common/verdict.h"

/* The head of every struct in call->state. */
typedef struct {
    verdict_t verdict;
    size_t size;
    void (*release)(void *prepared);
} prepared_t;

/* Ends the checks of a `prepare`: makes call->state, `size` zeroed bytes with a prepared_t in
 * front, which keeps the verdict. At the call's end `release` (NULL: not needed) frees what it
 * points to; then it is wiped and freed. NULL: the call has been failed, since status is not OK. A
 * refusal is left to `write`, which alone knows whether this request has been applied before: the
 * slow part would be in vain. */
void *prepared_keep(call_t *call, status_t status, const verdict_t *verdict, const err_t *err,
                    size_t size, void (*release)(void *prepared)) MUST_CHECK;

/* For `write`, once its own checks have passed: whether the work can go on. If not, the call has
 * been refused as it was to be when it was prepared. A call that was not prepared passes. */
bool prepared_passes(call_t *call) MUST_CHECK;

#endif
