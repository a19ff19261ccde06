/* Responses that were used, and nonces that were seen. Must never: call one fresh for two who ask
 * at once, or make room by forgetting what still counts. */
#include "services/common/sip/memory_internal.h"
#include "services/common/worker_metrics.h"

/* A fact from before its clock was put back may claim to last long. */
enum { LONGEST_S = 2 * SIP_NONCE_MEMORY_S };

/* A fact counts for as long as it stands, even after its time: that only says that it may go.
 * Whoever puts it there looks again, so that of two who do so at once in two places at least one
 * sees the other. */
static replay_t remember(const slots_t *facts, const fact_t *fact, uint32_t now, uint32_t until,
                         uint64_t *out_word)
{
    for (;;) {
        uint64_t word = 0;
        if (slots_find(facts, fact, NULL, out_word) != NULL)
            return REPLAY_REPEATED;
        slot_t *slot = slots_pick(facts, fact, now + LONGEST_S, &word);
        uint32_t time = slots_time(facts, word);
        if (word != 0 && time > now && time <= now + LONGEST_S)
            return REPLAY_FULL;
        uint64_t mine = slots_word(facts, fact, until, 0);
        if (!atomic_compare_exchange_strong(slot, &word, mine))
            continue;
        *out_word = mine;
        return slots_find(facts, fact, slot, out_word) == NULL ? REPLAY_FRESH : REPLAY_REPEATED;
    }
}

static replay_t counted(replay_t found)
{
    if (found == REPLAY_FULL)
        metric_add(&worker_metric_sip_full, WORKER_SIP_FACTS, 1);
    return found;
}

replay_t sip_replay_remember(sip_memory_t *memory, const void *bytes, size_t length,
                             int64_t now_utc_ms, int64_t until_utc_ms)
{
    uint64_t word = 0;
    fact_t fact = memory_hash(memory, FACT_RESPONSE, bytes, length);
    replay_t found = remember(&memory->facts, &fact, memory_seconds(now_utc_ms),
                              memory_seconds(until_utc_ms) + 1, &word);
    if (found == REPLAY_REPEATED)
        metric_add(&worker_metric_sip_replays, 0, 1);
    return counted(found);
}

bool sip_replay_holds(sip_memory_t *memory, const void *bytes, size_t length, int64_t now_utc_ms)
{
    (void)now_utc_ms;
    uint64_t word = 0;
    fact_t fact = memory_hash(memory, FACT_RESPONSE, bytes, length);
    return slots_find(&memory->facts, &fact, NULL, &word) != NULL;
}

static int64_t first_seen(const slots_t *facts, uint64_t word)
{
    return ((int64_t)slots_time(facts, word) - SIP_NONCE_MEMORY_S) * 1000;
}

replay_t sip_nonce_first_seen(sip_memory_t *memory, const void *nonce, size_t length,
                              int64_t now_utc_ms, int64_t *out_first_utc_ms)
{
    uint64_t word = 0;
    fact_t fact = memory_hash(memory, FACT_NONCE, nonce, length);
    uint32_t now = memory_seconds(now_utc_ms);
    replay_t found = remember(&memory->facts, &fact, now, now + SIP_NONCE_MEMORY_S, &word);
    if (found != REPLAY_FULL)
        *out_first_utc_ms = first_seen(&memory->facts, word);
    return counted(found);
}

bool sip_nonce_seen(sip_memory_t *memory, const void *nonce, size_t length, int64_t now_utc_ms,
                    int64_t *out_first_utc_ms)
{
    uint64_t word = 0;
    fact_t fact = memory_hash(memory, FACT_NONCE, nonce, length);
    bool seen = slots_find(&memory->facts, &fact, NULL, &word) != NULL;
    *out_first_utc_ms = seen ? first_seen(&memory->facts, word) : now_utc_ms;
    return seen;
}
