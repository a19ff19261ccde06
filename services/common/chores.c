/* Must never: wait, or do more than a batch at a time. Next: writer.c. */
#include "services/common/chores.h"

#include "common/clock.h"

#include <assert.h>

void chores_add(chores_t *chores, const chore_t *chore)
{
    assert(chores->count < CHORES_MAX);
    chores->items[chores->count].chore = *chore;
    chores->items[chores->count].next_ms = clock_ms() + chore->every_ms;
    chores->items[chores->count].due = false;
    chores->count++;
}

int64_t chores_next_ms(const chores_t *chores)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < chores->count; i++)
        if (chores->items[i].next_ms < next_ms)
            next_ms = chores->items[i].next_ms;
    return next_ms;
}

bool chores_look(chores_t *chores, store_t *writer, bool at_end)
{
    bool any = false;
    int64_t now_ms = clock_ms();
    for (size_t i = 0; i < chores->count; i++) {
        const chore_t *chore = &chores->items[i].chore;
        bool its_time = at_end ? chore->at_end : chores->items[i].next_ms <= now_ms;
        chores->items[i].due =
            its_time && (chore->is_due == NULL || chore->is_due(chore->context, writer, at_end));
        if (its_time)
            chores->items[i].next_ms = now_ms + chore->every_ms;
        any = any || chores->items[i].due;
    }
    return any;
}

static status_t run_one(const chore_t *chore, store_t *writer, bool *out_more, err_t *err)
{
    bool more = false;
    status_t status = store_begin(writer, err);
    if (status != STATUS_OK)
        return status;
    status = chore->run(chore->context, writer, &more, err);
    if (status == STATUS_OK)
        status = store_commit(writer, err);
    else
        store_rollback(writer);
    if (chore->settle != NULL)
        chore->settle(chore->context, status == STATUS_OK);
    if (status == STATUS_OK)
        *out_more = more;
    return status;
}

static void tell(chores_t *chores, const chore_t *chore, const err_t *err)
{
    int64_t held_back = 0;
    if (log_due(&chores->warnings, clock_ms(), &held_back))
        log_failure(LOG_WARN, chore->event, err);
}

bool chores_run(chores_t *chores, store_t *writer)
{
    bool all_done = true;
    for (size_t i = 0; i < chores->count; i++) {
        const chore_t *chore = &chores->items[i].chore;
        bool more = false;
        err_t err;
        if (!chores->items[i].due)
            continue;
        chores->items[i].due = false;
        if (run_one(chore, writer, &more, &err) != STATUS_OK) {
            tell(chores, chore, &err);
            all_done = false;
        } else if (more) {
            chores->items[i].next_ms = clock_ms() + chore->pause_ms;
        }
    }
    return all_done;
}

void chores_put_off(chores_t *chores, int64_t ms)
{
    int64_t until_ms = clock_ms() + ms;
    for (size_t i = 0; i < chores->count; i++)
        if (chores->items[i].due)
            chores->items[i].next_ms = until_ms;
}
