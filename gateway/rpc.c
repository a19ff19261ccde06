#include "gateway/rpc.h"

#include "common/clock.h"
#include "gateway/gateway_metrics.h"

static outcome_t outcome_of(pending_end_t end)
{
    switch (end) {
    case PENDING_ANSWERED:
        return OUTCOME_OK;
    case PENDING_TIMEOUT:
        return OUTCOME_TIMEOUT;
    case PENDING_UNAVAILABLE:
        return OUTCOME_UNAVAILABLE;
    case PENDING_POISON:
        return OUTCOME_INTERNAL;
    }
    return OUTCOME_INTERNAL;
}

/* The last of several workers says that it did nothing. What the others did, nobody knows. */
static bool is_uncertain(const exchange_t *exchange, const pending_t *pending)
{
    return exchange->reply.outcome == OUTCOME_UNAVAILABLE && pending->sends > 1 &&
           (exchange->route.operation->flags & OPERATION_WRITES) != 0;
}

pending_end_t rpc_ask(broker_t *broker, exchange_t *exchange, int64_t wait_ms)
{
    reply_t *reply = &exchange->reply;
    pending_t pending = {.service = exchange->route.service,
                         .request = exchange->envelope.data,
                         .request_length = exchange->envelope.size,
                         .deadline_ms = clock_ms() + wait_ms};
    (void)sem_init(&pending.done, 0, 0);
    broker_ask(broker, &pending);
    (void)sem_destroy(&pending.done);
    if (pending.end != PENDING_ANSWERED) {
        reply->outcome = outcome_of(pending.end);
        return pending.end;
    }
    msgpack_object decoded;
    exchange->reply_bytes = pending.reply;
    exchange->reply_length = pending.reply_length;
    if (envelope_decode_in(&exchange->zone, pending.reply, pending.reply_length, &decoded) !=
            STATUS_OK ||
        envelope_read_reply(&decoded, reply) != STATUS_OK)
        reply_init(reply, exchange->request_id, OUTCOME_INTERNAL);
    if (is_uncertain(exchange, &pending)) {
        reply_init(reply, exchange->request_id, OUTCOME_TIMEOUT);
        gateway_metrics_refusal(REFUSED_TIMEOUT);
        return PENDING_TIMEOUT;
    }
    return pending.end;
}
