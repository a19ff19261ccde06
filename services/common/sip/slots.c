#include "services/common/sip/slots.h"

enum { TIME_BITS = 32, BUCKETS = 2 };

uint64_t slots_word(const slots_t *slots, const fact_t *fact, uint32_t time, uint64_t extra)
{
    unsigned below = TIME_BITS + slots->extra;
    return fact->tag >> below << below | (uint64_t)time << slots->extra | extra;
}

uint32_t slots_time(const slots_t *slots, uint64_t word)
{
    return (uint32_t)(word >> slots->extra);
}

uint64_t slots_extra(const slots_t *slots, uint64_t word)
{
    return word & ((UINT64_C(1) << slots->extra) - 1);
}

static slot_t *bucket(const slots_t *slots, const fact_t *fact, unsigned which)
{
    uint64_t part = which == 0 ? fact->place & UINT32_MAX : fact->place >> 32;
    return &slots->words[(part * slots->buckets >> 32) * SLOTS_BUCKET];
}

slot_t *slots_find(const slots_t *slots, const fact_t *fact, const slot_t *but, uint64_t *out_word)
{
    unsigned below = TIME_BITS + slots->extra;
    for (unsigned which = 0; which < BUCKETS; which++) {
        slot_t *at = bucket(slots, fact, which);
        for (size_t i = 0; i < SLOTS_BUCKET; i++) {
            uint64_t word = atomic_load(&at[i]);
            if (word == 0 || (word ^ fact->tag) >> below != 0 || &at[i] == but)
                continue;
            *out_word = word;
            return &at[i];
        }
    }
    return NULL;
}

typedef struct {
    size_t empty;
    slot_t *slot; /* the best one */
    uint64_t word;
    uint32_t age; /* its time, 0 for one that is worth nothing */
} look_t;

static look_t look(const slots_t *slots, slot_t *at, uint32_t future)
{
    look_t found = {.age = UINT32_MAX};
    for (size_t i = 0; i < SLOTS_BUCKET; i++) {
        uint64_t word = atomic_load(&at[i]);
        uint32_t age = slots_time(slots, word);
        if (age > future)
            age = 0;
        if (found.empty == 0 && (found.slot == NULL || word == 0 || age < found.age)) {
            found.slot = &at[i];
            found.word = word;
            found.age = age;
        }
        found.empty += word == 0;
    }
    return found;
}

slot_t *slots_pick(const slots_t *slots, const fact_t *fact, uint32_t future, uint64_t *out_word)
{
    look_t first = look(slots, bucket(slots, fact, 0), future);
    look_t second = look(slots, bucket(slots, fact, 1), future);
    bool takes_second =
        first.empty != second.empty ? second.empty > first.empty : second.age < first.age;
    *out_word = takes_second ? second.word : first.word;
    return takes_second ? second.slot : first.slot;
}
