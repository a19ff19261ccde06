/* From an HTTP request to a checked envelope: body, Idempotency-Key, msgpack. Next: rpc.h.
 *
 * Must never: know an operation by name; its table row says all. */
#ifndef LK_GATEWAY_INTAKE_H
#define LK_GATEWAY_INTAKE_H

#include "gateway/exchange.h"

/* Fills exchange->envelope for the routed operation. OUTCOME_OK, or why the request is refused,
 * with the faults or the message in exchange->reply. */
outcome_t intake(exchange_t *exchange);

#endif
