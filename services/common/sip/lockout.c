/* Failures are counted in two windows, the running one and the one before, of which what still lies
 * within the last window counts in proportion; a lock-out is a fact of its own. Must never: lock
 * out a user name for a source from which nobody failed. */
#include "services/common/sip/memory_internal.h"
#include "services/common/worker_metrics.h"

#include <string.h>

enum {
    COUNT_MAX = (1 << COUNT_BITS) - 1,
    LEVEL_MAX = (1 << LEVEL_BITS) - 1,
    TOLD = 1 << LEVEL_BITS,
    IPV6_NET = 64, /* what one host has at least */
    ASKER_ROOM = UUID_SIZE,
    PAIR_ROOM = 16 + ASKER_ROOM + SIP_USER_MAX + 1,
};

/* ---- whom a fact is about ---- */

typedef struct {
    size_t length;
    char bytes[PAIR_ROOM];
} about_t;

/* With its NUL: two texts in a row are not one. */
static void add_text(about_t *about, const char *text, size_t room)
{
    size_t length = strnlen(text, room - 1);
    memcpy(about->bytes + about->length, text, length);
    about->length += length;
    about->bytes[about->length++] = '\0';
}

static about_t about_source(const char *asker, const ipnet_t *source)
{
    about_t about = {.length = sizeof(source->first)};
    uint8_t net[16];
    memcpy(net, source->first, sizeof(net));
    if (!source->ipv4)
        ipnet_mask(net, IPV6_NET);
    memcpy(about.bytes, net, sizeof(net));
    add_text(&about, asker, ASKER_ROOM);
    return about;
}

static fact_t pair_of(const sip_memory_t *memory, const char *asker, const char *username,
                      const ipnet_t *source)
{
    about_t about = about_source(asker, source);
    add_text(&about, username, SIP_USER_MAX + 1);
    return memory_hash(memory, FACT_PAIR, about.bytes, about.length);
}

static fact_t source_of(const sip_memory_t *memory, const char *asker, const ipnet_t *source)
{
    about_t about = about_source(asker, source);
    return memory_hash(memory, FACT_SOURCE, about.bytes, about.length);
}

static bool is_exempt(const sip_memory_t *memory, const ipnet_t *source)
{
    return source == NULL || ipnets_contain(&memory->exempt, source);
}

/* ---- lock-outs ---- */

/* Whoever finds an end later than any lock-out lasts looks at one from before a clock was put back.
 */
static bool is_on(const sip_memory_t *memory, uint64_t word, uint32_t now)
{
    uint32_t until = slots_time(&memory->locks, word);
    return until > now && until - now <= memory->settings->lockout_max_s;
}

/* Raises the board, if nobody has. Who began the lock-out may be about to, or was killed before:
 * whoever finds it does so before anybody is told of it. */
static void tell(sip_memory_t *memory, slot_t *slot, uint64_t word)
{
    if (memory->board == NULL || (slots_extra(&memory->locks, word) & TOLD) != 0)
        return;
    board_raise(memory->board);
    (void)atomic_compare_exchange_strong(slot, &word, word | TOLD);
}

static bool holds(sip_memory_t *memory, const fact_t *fact, uint32_t now, uint32_t *out_until)
{
    uint64_t word = 0;
    slot_t *slot = slots_find(&memory->locks, fact, NULL, &word);
    if (slot == NULL || !is_on(memory, word, now))
        return false;
    tell(memory, slot, word);
    if (slots_time(&memory->locks, word) > *out_until)
        *out_until = slots_time(&memory->locks, word);
    return true;
}

/* How many lock-outs a new one comes after: one is forgotten in each LK_SIP_LOCKOUT_MAX_SECONDS. */
static uint64_t level_now(const sip_memory_t *memory, uint64_t word, uint32_t now)
{
    uint64_t level = slots_extra(&memory->locks, word) & LEVEL_MAX;
    uint32_t until = slots_time(&memory->locks, word);
    uint64_t forgotten =
        until >= now ? 0 : (now - until) / (uint64_t)memory->settings->lockout_max_s;
    return forgotten >= level ? 0 : level - forgotten;
}

static uint32_t duration(const sip_memory_t *memory, uint64_t level)
{
    int64_t length = memory->settings->lockout_s;
    for (uint64_t i = 0; i < level && length < memory->settings->lockout_max_s; i++)
        length *= 2;
    return (uint32_t)(length < memory->settings->lockout_max_s ? length
                                                               : memory->settings->lockout_max_s);
}

/* False: it has begun already. */
static bool begin(sip_memory_t *memory, const fact_t *fact, uint32_t now)
{
    const slots_t *locks = &memory->locks;
    for (;;) {
        uint64_t word = 0;
        slot_t *slot = slots_find(locks, fact, NULL, &word);
        bool is_new = slot == NULL;
        if (!is_new && is_on(memory, word, now)) {
            tell(memory, slot, word);
            return false;
        }
        uint64_t level = is_new ? 0 : level_now(memory, word, now);
        if (is_new)
            slot = slots_pick(locks, fact, now + (uint32_t)memory->settings->lockout_max_s, &word);
        bool crowds_out = is_new && word != 0 && is_on(memory, word, now);
        uint64_t next = level < LEVEL_MAX ? level + 1 : LEVEL_MAX;
        uint64_t mine = slots_word(locks, fact, now + duration(memory, level), next);
        if (!atomic_compare_exchange_strong(slot, &word, mine))
            continue;
        if (crowds_out)
            metric_add(&worker_metric_sip_full, WORKER_SIP_LOCKOUTS, 1);
        tell(memory, slot, mine);
        return true;
    }
}

/* ---- failures ---- */

typedef struct {
    uint32_t start; /* of the running window */
    uint32_t running, before;
} count_t;

static count_t count_read(const slots_t *counts, uint64_t word)
{
    uint64_t both = slots_extra(counts, word);
    return (count_t){.start = slots_time(counts, word),
                     .running = (uint32_t)(both & COUNT_MAX),
                     .before = (uint32_t)(both >> COUNT_BITS)};
}

static uint64_t count_write(const slots_t *counts, const fact_t *fact, const count_t *count)
{
    return slots_word(counts, fact, count->start,
                      (uint64_t)count->before << COUNT_BITS | count->running);
}

/* A clock that was put back begins a new window; nothing is forgotten. */
static void roll(count_t *count, uint32_t now, uint32_t window)
{
    uint32_t passed = now - count->start;
    if (now < count->start) {
        count->start = now;
    } else if (passed >= 2 * window) {
        *count = (count_t){.start = now};
    } else if (passed >= window) {
        count->before = count->running;
        count->running = 0;
        count->start += window;
    }
}

static uint32_t within(const count_t *count, uint32_t now, uint32_t window)
{
    return count->running + count->before * (window - (now - count->start)) / window;
}

/* Counts one more; returns how many there are now. */
static uint32_t count_one(sip_memory_t *memory, const fact_t *fact, uint32_t now)
{
    const slots_t *counts = &memory->counts;
    uint32_t window = (uint32_t)memory->settings->lockout_window_s;
    for (;;) {
        uint64_t word = 0;
        count_t count = {.start = now};
        slot_t *slot = slots_find(counts, fact, NULL, &word);
        bool is_new = slot == NULL;
        if (is_new)
            slot = slots_pick(counts, fact, now, &word);
        else
            count = count_read(counts, word);
        bool crowds_out = is_new && word != 0 && slots_time(counts, word) + 2 * window > now;
        roll(&count, now, window);
        count.running += count.running < COUNT_MAX;
        if (!atomic_compare_exchange_strong(slot, &word, count_write(counts, fact, &count)))
            continue;
        if (crowds_out)
            metric_add(&worker_metric_sip_full, WORKER_SIP_COUNTS, 1);
        return within(&count, now, window);
    }
}

static void forget(const slots_t *counts, const fact_t *fact)
{
    uint64_t word = 0;
    slot_t *slot = slots_find(counts, fact, NULL, &word);
    while (slot != NULL && !atomic_compare_exchange_strong(slot, &word, 0))
        slot = slots_find(counts, fact, NULL, &word);
}

/* The lock-out comes first: killed between the two, it holds, and the count is at its limit. */
static void fail(sip_memory_t *memory, const fact_t *fact, int64_t limit, worker_sip_lockout_t of,
                 uint32_t now)
{
    uint32_t until = 0;
    if (limit == 0 || holds(memory, fact, now, &until) || count_one(memory, fact, now) < limit)
        return;
    bool begun = begin(memory, fact, now);
    forget(&memory->counts, fact);
    if (begun)
        metric_add(&worker_metric_sip_lockouts, of, 1);
}

void sip_lockout_fail(sip_memory_t *memory, const char *asker, const char *username,
                      const ipnet_t *source, int64_t now_utc_ms)
{
    if (is_exempt(memory, source))
        return;
    const sip_settings_t *settings = memory->settings;
    uint32_t now = memory_seconds(now_utc_ms);
    fact_t pair = pair_of(memory, asker, username, source);
    fact_t whole = source_of(memory, asker, source);
    fail(memory, &pair, settings->lockout_failures, WORKER_SIP_PAIR, now);
    fail(memory, &whole, settings->lockout_source_failures, WORKER_SIP_SOURCE, now);
}

void sip_lockout_succeed(sip_memory_t *memory, const char *asker, const char *username,
                         const ipnet_t *source, int64_t now_utc_ms)
{
    (void)now_utc_ms;
    if (is_exempt(memory, source))
        return;
    fact_t pair = pair_of(memory, asker, username, source);
    forget(&memory->counts, &pair);
}

bool sip_lockout_holds(sip_memory_t *memory, const char *asker, const char *username,
                       const ipnet_t *source, int64_t now_utc_ms, int64_t *out_until_utc_ms)
{
    if (is_exempt(memory, source))
        return false;
    const sip_settings_t *settings = memory->settings;
    uint32_t now = memory_seconds(now_utc_ms);
    uint32_t until = 0;
    if (settings->lockout_failures > 0) {
        fact_t pair = pair_of(memory, asker, username, source);
        (void)holds(memory, &pair, now, &until);
    }
    if (settings->lockout_source_failures > 0) {
        fact_t whole = source_of(memory, asker, source);
        (void)holds(memory, &whole, now, &until);
    }
    if (until != 0 && out_until_utc_ms != NULL)
        *out_until_utc_ms = (int64_t)until * 1000;
    return until != 0;
}
