/* Asking a worker: an envelope out, a reply back. Next: broker.h. */
#ifndef LK_GATEWAY_RPC_H
#define LK_GATEWAY_RPC_H

#include "gateway/broker.h"
#include "gateway/exchange.h"

/* Sends exchange->envelope to the routed operation's service and waits for the answer, at most
 * wait_ms. Fills exchange->reply in any case. Returns how the request ended, for the log. */
pending_end_t rpc_ask(broker_t *broker, exchange_t *exchange, int64_t wait_ms);

#endif
