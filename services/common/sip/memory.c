/* The file of the memory, and where things stand in it.
 * Must never: hold a name, an address or a nonce in plain, but for recent denials. Next: slots.h.
 */
#include "common/file.h"
#include "common/mapfile.h"
#include "common/mem.h"
#include "common/text.h"
#include "services/common/sip/memory_internal.h"
#include "services/common/store.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FORM_SIZE = 16,
    HEAD = 4096,
    LOCKOUT_BUCKETS = 8192, /* 65,536 pairs and sources */
    MIB = 1024 * 1024,
    KEY_SIZE = crypto_shorthash_siphashx24_KEYBYTES,
};

static const char form[FORM_SIZE] = "linekeeper-cal1";

typedef struct {
    char form[FORM_SIZE];
    uint8_t keys[FACT_KINDS][KEY_SIZE];
    char apart[32]; /* its cache line is for the word that changes */
    slot_t written;
} head_t;

_Static_assert(sizeof(head_t) <= HEAD, "it has a page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a word is written whole, without a lock");

/* One behind the other; facts are what is left. */
enum {
    COUNTS_AT = HEAD,
    SLOTS_SIZE = LOCKOUT_BUCKETS * SLOTS_BUCKET * (int)sizeof(slot_t),
    LOCKS_AT = COUNTS_AT + SLOTS_SIZE,
    RECORDS_AT = LOCKS_AT + SLOTS_SIZE,
    FACTS_AT = RECORDS_AT + SIP_RING * (int)sizeof(record_t),
};

_Static_assert(FACTS_AT < SIP_MEMORY_MIB_LEAST * MIB, "there is room for facts");

fact_t memory_hash(const sip_memory_t *memory, fact_kind_t kind, const void *bytes, size_t length)
{
    fact_t fact;
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];
    _Static_assert(sizeof(hash) == sizeof(fact), "all of it");
    (void)crypto_shorthash_siphashx24(hash, bytes, length, memory->keys + (size_t)KEY_SIZE * kind);
    memcpy(&fact, hash, sizeof(fact));
    return fact;
}

uint32_t memory_seconds(int64_t utc_ms)
{
    return (uint32_t)(utc_ms / 1000);
}

/* ---- the file ---- */

static status_t make(mapfile_t file, err_t *err)
{
    head_t head = {.written = 0};
    memcpy(head.form, form, sizeof(form));
    randombytes_buf(head.keys, sizeof(head.keys));
    file.head = &head;
    file.head_length = sizeof(head);
    status_t status = mapfile_make(&file, err);
    sodium_memzero(&head, sizeof(head));
    return status;
}

/* Who is not alone takes what is there, whatever its size: two memories would forget what the other
 * one knows. */
static status_t open_or_make(mapfile_t file, bool alone, int *out_file, err_t *err)
{
    mapfile_t any = file;
    any.size = (size_t)SIP_MEMORY_MIB_LEAST * MIB;
    any.or_larger = true;
    status_t status = mapfile_open(alone ? &file : &any, true, out_file, err);
    if (status != STATUS_UNKNOWN && status != STATUS_CORRUPT)
        return status;
    file.replaces = status == STATUS_CORRUPT;
    status = make(file, err);
    return status == STATUS_OK ? mapfile_open(&any, true, out_file, err) : status;
}

static status_t map(sip_memory_t *memory, int file, const char *path, err_t *err)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return err_errno(err, path, "cannot be looked at");
    memory->size = (size_t)info.st_size;
    memory->mapped = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory->mapped == MAP_FAILED) {
        memory->mapped = NULL;
        return err_errno(err, path, "cannot be mapped");
    }
    return STATUS_OK;
}

static void lay_out(sip_memory_t *memory)
{
    char *at = memory->mapped;
    head_t *head = memory->mapped;
    memory->keys = head->keys[0];
    memory->written = &head->written;
    memory->counts = (slots_t){
        .words = (void *)(at + COUNTS_AT), .buckets = LOCKOUT_BUCKETS, .extra = 2 * COUNT_BITS};
    memory->locks =
        (slots_t){.words = (void *)(at + LOCKS_AT), .buckets = LOCKOUT_BUCKETS, .extra = LOCK_BITS};
    memory->records = (void *)(at + RECORDS_AT);
    size_t bucket = SLOTS_BUCKET * sizeof(slot_t);
    memory->facts =
        (slots_t){.words = (void *)(at + FACTS_AT), .buckets = (memory->size - FACTS_AT) / bucket};
}

static status_t open_file(sip_memory_t *memory, const char *path, bool alone, err_t *err)
{
    AUTO(file_close) int file = -1;
    int64_t mib = memory->settings->memory_mib;
    if (mib < SIP_MEMORY_MIB_LEAST)
        mib = SIP_MEMORY_MIB_LEAST;
    mapfile_t wanted = {.path = path,
                        .mode = 0600,
                        .size = (size_t)mib * MIB,
                        .head = form,
                        .head_length = sizeof(form)};
    status_t status = open_or_make(wanted, alone, &file, err);
    return status == STATUS_OK ? map(memory, file, path, err) : status;
}

status_t sip_memory_open(const char *directory, const char *service, bool alone,
                         const sip_settings_t *settings, board_t *board, sip_memory_t **out,
                         err_t *err)
{
    char path[STORE_PATH_SIZE];
    AUTO(sip_memory_close) sip_memory_t *memory = mem_zalloc(sizeof(*memory));
    memory->settings = settings;
    memory->board = board;
    if (text_format(path, sizeof(path), "%s/%s.calls", directory, service) != STATUS_OK)
        return err_set(err, STATUS_TOO_LARGE, directory, "its name is too long");
    status_t status =
        ipnets_parse(settings->lockout_exempt, "LK_SIP_LOCKOUT_EXEMPT", &memory->exempt, err);
    if (status == STATUS_OK)
        status = open_file(memory, path, alone, err);
    if (status != STATUS_OK)
        return status;
    lay_out(memory);
    *out = TAKE(memory);
    return STATUS_OK;
}

void sip_memory_close(sip_memory_t **memory)
{
    if (*memory == NULL)
        return;
    if ((*memory)->mapped != NULL)
        (void)munmap((*memory)->mapped, (*memory)->size);
    mem_free(*memory);
    *memory = NULL;
}
