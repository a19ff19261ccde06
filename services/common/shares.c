#include "services/common/shares.h"

#include "common/mem.h"
#include "common/text.h"

#include <assert.h>
#include <string.h>

/* What one organization has there. */
typedef struct {
    char organization_id[UUID_SIZE];
    size_t held;    /* and not come back */
    size_t working; /* of these, in the pool */
    job_t *waiting; /* the others, oldest first */
} share_t;

struct shares {
    jobs_t *queue;
    size_t limit;
    size_t held_each;
    size_t working_each;
    size_t held;
    size_t count;
    size_t room;
    share_t *items; /* nobody is listed who holds nothing */
};

static size_t quarter(size_t whole)
{
    return whole < 4 ? 1 : whole / 4;
}

shares_t *shares_new(jobs_t *queue, size_t limit, size_t threads)
{
    shares_t *shares = mem_zalloc(sizeof(*shares));
    shares->queue = queue;
    shares->limit = limit == 0 ? 1 : limit;
    shares->held_each = quarter(shares->limit);
    shares->working_each = quarter(threads);
    shares->room = shares->limit;
    shares->items = mem_array(shares->room, sizeof(*shares->items));
    return shares;
}

void shares_free(shares_t **shares)
{
    if (*shares == NULL)
        return;
    for (size_t i = 0; i < (*shares)->count; i++)
        while ((*shares)->items[i].waiting != NULL) {
            job_t *job = (*shares)->items[i].waiting;
            (*shares)->items[i].waiting = job->next;
            job_free(&job);
        }
    mem_free((*shares)->items);
    mem_free(*shares);
    *shares = NULL;
}

static share_t *find(shares_t *shares, const char *organization_id)
{
    for (size_t i = 0; i < shares->count; i++)
        if (strcmp(shares->items[i].organization_id, organization_id) == 0)
            return &shares->items[i];
    return NULL;
}

static share_t *add(shares_t *shares, const char *organization_id)
{
    if (shares->count == shares->room) { /* of more organizations than the limit */
        shares->room *= 2;
        shares->items = mem_resize(shares->items, shares->room * sizeof(*shares->items));
    }
    share_t *share = &shares->items[shares->count++];
    *share = (share_t){.held = 0};
    text_cut(share->organization_id, sizeof(share->organization_id), organization_id);
    return share;
}

static void put_last(share_t *share, job_t *job)
{
    job_t **end = &share->waiting;
    while (*end != NULL)
        end = &(*end)->next;
    *end = job;
}

static void pass_on(shares_t *shares, share_t *share, job_t *job)
{
    bool given = jobs_put(shares->queue, job);
    assert(given); /* no limit, and closed only after the link has ended */
    (void)given;
    share->working++;
}

bool shares_give(shares_t *shares, job_t *job)
{
    const char *organization_id = job->call.request.principal.organization_id;
    share_t *share = find(shares, organization_id);
    bool full =
        shares->held >= shares->limit || (share != NULL && share->held >= shares->held_each);
    if (full && !job->again)
        return false;
    job->next = NULL;
    if (share == NULL)
        share = add(shares, organization_id);
    if (share->working < shares->working_each)
        pass_on(shares, share, job);
    else
        put_last(share, job);
    share->held++;
    shares->held++;
    return true;
}

void shares_return(shares_t *shares, const job_t *job)
{
    share_t *share = find(shares, job->call.request.principal.organization_id);
    assert(share != NULL && share->working > 0);
    shares->held--;
    share->held--;
    share->working--;
    job_t *next = share->waiting;
    if (next != NULL) {
        share->waiting = next->next;
        next->next = NULL;
        pass_on(shares, share, next);
    }
    if (share->held == 0)
        *share = shares->items[--shares->count];
}
