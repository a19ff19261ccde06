#include "services/fqdn-auth/changes.h"

#include "common/mem.h"
#include "common/text.h"
#include "services/fqdn-auth/address_store.h"

#include <pthread.h>
#include <string.h>

enum {
    WAITING_MAX = 1024,
    BATCH = 64,
    EVERY_MS = 200,
    PAUSE_MS = 10,
};

typedef struct change {
    struct change *next;
    char fqdn[DNS_NAME_SIZE];
    bool srv;
    knowledge_t *known; /* of as many rows as it has; NULL: to be forgotten */
} change_t;

struct changes {
    board_t *board;
    pthread_mutex_t lock;
    change_t *first;
    change_t **end;
    size_t count;
    size_t written; /* of the batch whose commit is awaited; the writer's */
    bool changing;  /* the board */
};

changes_t *changes_new(board_t *board)
{
    changes_t *changes = mem_zalloc(sizeof(*changes));
    changes->board = board;
    changes->end = &changes->first;
    (void)pthread_mutex_init(&changes->lock, NULL);
    return changes;
}

/* The first one; the caller holds the lock. */
static void drop_first(changes_t *changes)
{
    change_t *change = changes->first;
    changes->first = change->next;
    if (changes->first == NULL)
        changes->end = &changes->first;
    changes->count--;
    mem_free(change->known);
    mem_free(change);
}

void changes_free(changes_t **changes)
{
    if (*changes == NULL)
        return;
    while ((*changes)->first != NULL)
        drop_first(*changes);
    (void)pthread_mutex_destroy(&(*changes)->lock);
    mem_free(*changes);
    *changes = NULL;
}

static change_t *make(const char *fqdn, bool srv, const knowledge_t *known)
{
    change_t *change = mem_zalloc(sizeof(*change));
    text_cut(change->fqdn, sizeof(change->fqdn), fqdn);
    change->srv = srv;
    if (known == NULL)
        return change;
    size_t size = offsetof(knowledge_t, items) + known->count * sizeof(known->items[0]);
    change->known = mem_zalloc(size);
    memcpy(change->known, known, size);
    return change;
}

bool changes_put(changes_t *changes, const char *fqdn, bool srv, const knowledge_t *known)
{
    (void)pthread_mutex_lock(&changes->lock);
    bool fits = changes->count < WAITING_MAX;
    if (fits) {
        change_t *change = make(fqdn, srv, known);
        *changes->end = change;
        changes->end = &change->next;
        changes->count++;
    }
    (void)pthread_mutex_unlock(&changes->lock);
    return fits;
}

bool changes_hold(changes_t *changes, const char *fqdn, bool srv)
{
    bool found = false;
    (void)pthread_mutex_lock(&changes->lock);
    for (const change_t *at = changes->first; at != NULL && !found; at = at->next)
        found = at->srv == srv && strcmp(at->fqdn, fqdn) == 0;
    (void)pthread_mutex_unlock(&changes->lock);
    return found;
}

/* ---- the writer's thread ---- */

static bool is_due(void *context, store_t *writer, bool at_end)
{
    (void)writer;
    (void)at_end;
    changes_t *changes = context;
    (void)pthread_mutex_lock(&changes->lock);
    bool any = changes->count > 0;
    (void)pthread_mutex_unlock(&changes->lock);
    return any;
}

/* Only this thread takes any away: what has been seen stays where it is. */
static status_t write_batch(void *context, store_t *writer, bool *out_more, err_t *err)
{
    changes_t *changes = context;
    (void)pthread_mutex_lock(&changes->lock);
    const change_t *change = changes->first;
    size_t waiting = changes->count;
    (void)pthread_mutex_unlock(&changes->lock);
    status_t status = STATUS_OK;
    changes->written = 0;
    for (; status == STATUS_OK && changes->written < waiting && changes->written < BATCH;
         changes->written++) {
        if (changes->written > 0)
            change = change->next;
        status = change->known == NULL
                     ? address_store_forget(writer, change->fqdn, change->srv, err)
                     : address_store_replace(writer, change->fqdn, change->srv, change->known, err);
    }
    if (status != STATUS_OK)
        return status;
    changes->changing = true;
    board_begin_change(changes->board);
    *out_more = waiting > changes->written;
    return STATUS_OK;
}

static void settle(void *context, bool kept)
{
    changes_t *changes = context;
    if (changes->changing)
        board_end_change(changes->board);
    changes->changing = false;
    if (!kept)
        return;
    (void)pthread_mutex_lock(&changes->lock);
    for (; changes->written > 0; changes->written--)
        drop_first(changes);
    (void)pthread_mutex_unlock(&changes->lock);
}

chore_t changes_chore(changes_t *changes)
{
    return (chore_t){.event = "addresses_not_written",
                     .every_ms = EVERY_MS,
                     .pause_ms = PAUSE_MS,
                     .context = changes,
                     .is_due = is_due,
                     .run = write_batch,
                     .settle = settle};
}
