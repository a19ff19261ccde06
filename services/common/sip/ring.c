/* Recent denials, for people who ask why. Must never: show half of one. */
#include "services/common/sip/memory_internal.h"

#include "common/text.h"

#include <string.h>

/* A record's words: the number of its writing, twice that and one while it is being written; a
 * keyed hash over number and content, which tells a record that two have written at once; the
 * content. */
enum { NUMBER, CHECK, CONTENT, CONTENT_WORDS = RECORD_WORDS - CONTENT };

typedef struct {
    int64_t at;
    int32_t reason;
    char operation[OPERATION_NAME_SIZE];
    char organization_id[UUID_SIZE];
    char source_ip[IPNET_TEXT_SIZE];
    char subject[UUID_SIZE];
    char username[SIP_USER_MAX + 1];
} content_t;

/* What is hashed. */
typedef union {
    uint64_t words[1 + CONTENT_WORDS];
    struct {
        uint64_t number;
        content_t content;
    } is;
} sealed_t;

_Static_assert(sizeof(content_t) <= CONTENT_WORDS * sizeof(uint64_t), "it fits");

static uint64_t check_of(const sip_memory_t *memory, const sealed_t *sealed)
{
    return memory_hash(memory, FACT_RECORD, sealed, sizeof(*sealed)).tag;
}

void sip_ring_add(sip_memory_t *memory, const decision_t *denial)
{
    sealed_t sealed = {.words = {0}};
    content_t *content = &sealed.is.content;
    sealed.is.number = atomic_fetch_add(memory->written, 1) + 1;
    content->at = denial->at;
    content->reason = denial->reason;
    text_cut(content->operation, sizeof(content->operation), denial->operation);
    text_cut(content->organization_id, sizeof(content->organization_id), denial->organization_id);
    text_cut(content->source_ip, sizeof(content->source_ip), denial->source_ip);
    text_cut(content->subject, sizeof(content->subject), denial->subject);
    text_cut(content->username, sizeof(content->username), denial->username);
    record_t *record = &memory->records[sealed.is.number % SIP_RING];
    atomic_store(&record->words[NUMBER], 2 * sealed.is.number + 1);
    for (size_t i = 0; i < CONTENT_WORDS; i++)
        atomic_store_explicit(&record->words[CONTENT + i], sealed.words[1 + i],
                              memory_order_relaxed);
    atomic_store(&record->words[CHECK], check_of(memory, &sealed));
    atomic_store(&record->words[NUMBER], 2 * sealed.is.number);
}

static void show(const content_t *content, decision_t *out)
{
    *out = (decision_t){.at = content->at, .reason = content->reason};
    text_cut(out->operation, sizeof(out->operation), content->operation);
    text_cut(out->organization_id, sizeof(out->organization_id), content->organization_id);
    text_cut(out->source_ip, sizeof(out->source_ip), content->source_ip);
    text_cut(out->subject, sizeof(out->subject), content->subject);
    text_cut(out->username, sizeof(out->username), content->username);
    field_give(&out->fields, DECISION_AT);
    field_give(&out->fields, DECISION_OPERATION);
    field_give_if(&out->fields, DECISION_ORGANIZATION_ID, out->organization_id[0] != '\0');
    field_give(&out->fields, DECISION_REASON);
    field_give_if(&out->fields, DECISION_SOURCE_IP, out->source_ip[0] != '\0');
    field_give_if(&out->fields, DECISION_SUBJECT, out->subject[0] != '\0');
    field_give_if(&out->fields, DECISION_USERNAME, out->username[0] != '\0');
}

static bool read_one(const sip_memory_t *memory, uint64_t number, decision_t *out)
{
    const record_t *record = &memory->records[number % SIP_RING];
    sealed_t sealed = {.is = {.number = number}};
    if (atomic_load(&record->words[NUMBER]) != 2 * number)
        return false;
    for (size_t i = 0; i < CONTENT_WORDS; i++)
        sealed.words[1 + i] =
            atomic_load_explicit(&record->words[CONTENT + i], memory_order_relaxed);
    int32_t reason = sealed.is.content.reason; /* perhaps one that only a later release has */
    if (atomic_load(&record->words[CHECK]) != check_of(memory, &sealed) || reason < 0 ||
        reason >= REASON_COUNT)
        return false;
    show(&sealed.is.content, out);
    return true;
}

size_t sip_ring_read(sip_memory_t *memory, decision_t *out, size_t room)
{
    size_t count = 0;
    uint64_t last = atomic_load(memory->written);
    for (uint64_t i = 0; i < SIP_RING && i < last && count < room; i++)
        count += read_one(memory, last - i, &out[count]);
    return count;
}
