#include "gateway/rpc.h"

#include "common/clock.h"
#include "common/mem.h"

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

void rpc_ask(broker_t *broker, size_t service, const msgpack_sbuffer *envelope, int64_t wait_ms,
             reply_t *out, rpc_memory_t *memory)
{
    pending_t pending = {.service = service,
                         .request = envelope->data,
                         .request_length = envelope->size,
                         .deadline_ms = clock_ms() + wait_ms};
    (void)sem_init(&pending.done, 0, 0);
    broker_ask(broker, &pending);
    (void)sem_destroy(&pending.done);
    if (pending.end != PENDING_ANSWERED) {
        out->outcome = outcome_of(pending.end);
        return;
    }
    memory->bytes = pending.reply;
    if (envelope_decode(pending.reply, pending.reply_length, &memory->decoded) != STATUS_OK ||
        envelope_read_reply(&memory->decoded.data, out) != STATUS_OK)
        reply_init(out, out->request_id, OUTCOME_INTERNAL);
}

void rpc_memory_free(rpc_memory_t *memory)
{
    if (memory->bytes == NULL)
        return;
    msgpack_unpacked_destroy(&memory->decoded);
    mem_free(memory->bytes);
    memory->bytes = NULL;
}
