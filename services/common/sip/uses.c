/* Two lists: what is noted, each method once, and what is being written. The second is the writer's
 * alone, and is filled from the first when it is empty. Must never: hold the lock while the store
 * works. Next: chores.h. */
#include "services/common/sip/uses.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"
#include "services/common/worker_metrics.h"

#include <pthread.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 1000,
    WRITE_AFTER_MS = 50 * 1000, /* the first of them is a minute old at most when it is written, */
    WRITE_FROM = SIP_USES_MAX / 2, /* with time for the batches of so many: */
    BATCH = 500,
    PAUSE_MS = 20,
    SLOTS = 2 * SIP_USES_MAX,
};

typedef struct {
    char auth_id[UUID_SIZE];
    int64_t utc_ms;
} use_row_t;

typedef struct {
    size_t count;
    use_row_t rows[SIP_USES_MAX];
} use_list_t;

struct sip_uses {
    pthread_mutex_t lock;
    use_list_t *noted;
    int64_t first_ms;      /* when the first one was noted, as clock_ms() tells time */
    uint32_t slots[SLOTS]; /* of auth_id's hash or behind: number in `noted`, from 1; 0: free */
    use_list_t *writing;   /* from its end on; the writer's alone, as all below */
    size_t in_transaction;
    const sip_family_t *family;
};

sip_uses_t *sip_uses_new(void)
{
    sip_uses_t *uses = mem_zalloc(sizeof(*uses));
    uses->noted = mem_zalloc(sizeof(*uses->noted));
    uses->writing = mem_zalloc(sizeof(*uses->writing));
    (void)pthread_mutex_init(&uses->lock, NULL);
    return uses;
}

void sip_uses_free(sip_uses_t **uses)
{
    if (*uses == NULL)
        return;
    (void)pthread_mutex_destroy(&(*uses)->lock);
    mem_free((*uses)->noted);
    mem_free((*uses)->writing);
    mem_free(*uses);
    *uses = NULL;
}

/* FNV-1a. The ids are our own: nobody chooses them. */
static size_t slot_of(const char *auth_id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *at = auth_id; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
    return (size_t)(hash % SLOTS);
}

/* Its slot, or the free one where it belongs: half of them are always free. */
static uint32_t *find(sip_uses_t *uses, const char *auth_id)
{
    size_t at = slot_of(auth_id);
    while (uses->slots[at] != 0 &&
           strcmp(uses->noted->rows[uses->slots[at] - 1].auth_id, auth_id) != 0)
        at = (at + 1) % SLOTS;
    return &uses->slots[at];
}

static void note(sip_uses_t *uses, const char *auth_id, int64_t utc_ms)
{
    uint32_t *slot = find(uses, auth_id);
    use_list_t *noted = uses->noted;
    if (*slot != 0) {
        use_row_t *row = &noted->rows[*slot - 1];
        row->utc_ms = utc_ms > row->utc_ms ? utc_ms : row->utc_ms;
        return;
    }
    if (noted->count == SIP_USES_MAX) {
        metric_add(&worker_metric_uses_dropped, 0, 1);
        return;
    }
    if (noted->count == 0)
        uses->first_ms = clock_ms();
    use_row_t *row = &noted->rows[noted->count++];
    text_cut(row->auth_id, sizeof(row->auth_id), auth_id);
    row->utc_ms = utc_ms;
    *slot = (uint32_t)noted->count;
}

void sip_uses_note(sip_uses_t *uses, const char *auth_id, int64_t utc_ms)
{
    if (uses == NULL)
        return;
    (void)pthread_mutex_lock(&uses->lock);
    note(uses, auth_id, utc_ms);
    (void)pthread_mutex_unlock(&uses->lock);
}

/* ---- the writer's ---- */

static bool is_due(void *context, store_t *writer, bool at_end)
{
    sip_uses_t *uses = context;
    (void)writer;
    if (uses->writing->count > 0)
        return true;
    (void)pthread_mutex_lock(&uses->lock);
    size_t count = uses->noted->count;
    bool old = clock_ms() - uses->first_ms >= WRITE_AFTER_MS;
    (void)pthread_mutex_unlock(&uses->lock);
    return count > 0 && (at_end || old || count >= WRITE_FROM);
}

static void fill(sip_uses_t *uses)
{
    (void)pthread_mutex_lock(&uses->lock);
    use_list_t *empty = uses->writing;
    uses->writing = uses->noted;
    uses->noted = empty;
    memset(uses->slots, 0, sizeof(uses->slots));
    (void)pthread_mutex_unlock(&uses->lock);
}

static status_t write_some(void *context, store_t *writer, bool *out_more, err_t *err)
{
    sip_uses_t *uses = context;
    if (uses->writing->count == 0)
        fill(uses);
    size_t count = uses->writing->count < BATCH ? uses->writing->count : BATCH;
    for (size_t i = 1; i <= count; i++) {
        const use_row_t *row = &uses->writing->rows[uses->writing->count - i];
        status_t status = uses->family->note_use(writer, row->auth_id, row->utc_ms, err);
        if (status != STATUS_OK)
            return status;
    }
    uses->in_transaction = count;
    *out_more = count < uses->writing->count;
    return STATUS_OK;
}

static void settle(void *context, bool kept)
{
    sip_uses_t *uses = context;
    if (kept)
        uses->writing->count -= uses->in_transaction;
    uses->in_transaction = 0;
}

chore_t sip_uses_chore(sip_uses_t *uses, const sip_family_t *family)
{
    uses->family = family;
    return (chore_t){.event = "uses_not_written",
                     .every_ms = LOOK_EVERY_MS,
                     .pause_ms = PAUSE_MS,
                     .at_end = true,
                     .context = uses,
                     .is_due = is_due,
                     .run = write_some,
                     .settle = settle};
}
