/* Asking a worker: an envelope out, a reply back. Next: broker.h. */
#ifndef LK_GATEWAY_RPC_H
#define LK_GATEWAY_RPC_H

#include "gateway/broker.h"

/* Sends the packed envelope to the registry's service of that index and waits for the answer, at
 * most wait_ms. Fills out in any case; its body is borrowed from *memory, which the caller ends
 * with rpc_memory_free. */
typedef struct {
    msgpack_unpacked decoded;
    char *bytes;
} rpc_memory_t;

void rpc_ask(broker_t *broker, size_t service, const msgpack_sbuffer *envelope, int64_t wait_ms,
             reply_t *out, rpc_memory_t *memory);
/* Safe on zeroed memory. */
void rpc_memory_free(rpc_memory_t *memory);

#endif
