/* What a rule says of a request: go on, or how to refuse. Rules run twice for slow writes (before
 * the slow part, and again in the transaction), so they don't answer the call themselves. */
#ifndef LK_SERVICES_COMMON_VERDICT_H
#define LK_SERVICES_COMMON_VERDICT_H

#include "services/common/call.h"

enum { VERDICT_FAULTS_MAX = 8 }; /* further ones are dropped */

typedef struct {
    fault_code_t code;
    const char *where; /* field of the body, "/ip" */
    const char *message;
} verdict_fault_t;

/* Zero: nothing stands against the request. Texts are borrowed: static, or kept until the call's
 * end. */
typedef struct {
    outcome_t outcome;   /* OUTCOME_OK, which is zero: go on */
    const char *message; /* where no field is at fault; NULL: the outcome's own words */
    size_t fault_count;
    verdict_fault_t faults[VERDICT_FAULTS_MAX];
} verdict_t;

/* Adds a field at fault. The first fault decides the outcome. */
void verdict_fault(verdict_t *verdict, outcome_t outcome, fault_code_t code, const char *where,
                   const char *message);

/* What a look-up for the principal says: status is its own (STATUS_UNKNOWN: nothing is there),
 * organization_id whose it is that was found. The verdict is UNKNOWN unless it is there and may be
 * seen. Returns the status, STATUS_OK in place of STATUS_UNKNOWN. */
status_t verdict_on_found(const call_t *call, status_t status, const char *organization_id,
                          verdict_t *out) MUST_CHECK;

/* Whether the work can go on. If not, the call has been answered: failed when status is not OK,
 * else refused as the verdict says. */
bool verdict_passes(call_t *call, status_t status, const verdict_t *verdict, const err_t *err)
    MUST_CHECK;

#endif
