/* What the files of the memory share: memory.c (the file), lockout.c, replay.c, ring.c. For nobody
 * else. */
#ifndef LK_SERVICES_COMMON_SIP_MEMORY_INTERNAL_H
#define LK_SERVICES_COMMON_SIP_MEMORY_INTERNAL_H

#include "common/ipnets.h"
#include "services/common/sip/memory.h"
#include "services/common/sip/slots.h"

/* What a hash is of: each kind has a key of its own. */
typedef enum {
    FACT_PAIR,
    FACT_SOURCE,
    FACT_RESPONSE,
    FACT_NONCE,
    FACT_RECORD, /* of the ring */
    FACT_KINDS,
} fact_kind_t;

enum {
    RECORD_WORDS = 64, /* 512 bytes */
    COUNT_BITS = 8,    /* each of two: lockout.c */
    LEVEL_BITS = 5,
    LOCK_BITS = LEVEL_BITS + 1,
};

typedef struct {
    slot_t words[RECORD_WORDS];
} record_t;

struct sip_memory {
    void *mapped;
    size_t size;
    const uint8_t *keys;
    const sip_settings_t *settings;
    board_t *board;
    ipnets_t exempt;
    slots_t counts, locks; /* of failures */
    slots_t facts;         /* responses and nonces */
    slot_t *written;       /* records of the ring so far */
    record_t *records;
};

fact_t memory_hash(const sip_memory_t *memory, fact_kind_t kind, const void *bytes, size_t length);

/* Times in words: whole seconds since 1970. */
uint32_t memory_seconds(int64_t utc_ms);

#endif
