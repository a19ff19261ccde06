#include "services/fqdn-auth/names.h"

#include "common/mem.h"

#include <string.h>

static int compare(const name_t *name, const char *fqdn, bool srv)
{
    int order = strcmp(name->fqdn, fqdn);
    return order != 0 ? order : (int)name->srv - (int)srv;
}

void names_clear(names_t *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->items[i]);
    mem_free(names->items);
    *names = (names_t){.count = 0};
}

static void make_room(names_t *names)
{
    if (names->count < names->room)
        return;
    names->room = names->room == 0 ? 64 : 2 * names->room;
    names->items = mem_resize(names->items, names->room * sizeof(name_t *));
}

/* fqdn's neighbours may come mixed: a before srv is set right here. */
bool names_add(names_t *names, const char *fqdn, bool srv, int64_t now_ms)
{
    size_t at = names->count;
    while (at > 0 && compare(names->items[at - 1], fqdn, srv) > 0)
        at--;
    if (at > 0 && compare(names->items[at - 1], fqdn, srv) == 0)
        return true;
    if (names->count == NAMES_MAX)
        return false;
    make_room(names);
    size_t size = strlen(fqdn) + 1;
    name_t *name = mem_zalloc(sizeof(*name) + size);
    name->due_ms = now_ms;
    name->srv = srv;
    memcpy(name->fqdn, fqdn, size);
    memmove(&names->items[at + 1], &names->items[at], (names->count - at) * sizeof(name_t *));
    names->items[at] = name;
    names->count++;
    return true;
}

void names_replace(names_t *names, names_t *after)
{
    size_t old = 0;
    for (size_t i = 0; i < after->count; i++) {
        name_t *name = after->items[i];
        while (old < names->count && compare(names->items[old], name->fqdn, name->srv) < 0)
            old++;
        if (old == names->count || compare(names->items[old], name->fqdn, name->srv) != 0)
            continue;
        name->due_ms = names->items[old]->due_ms;
        name->flight = names->items[old]->flight;
        name->failures = names->items[old]->failures;
    }
    after->turn = names->turn;
    names_clear(names);
    *names = *after;
    names->soonest_ms = 0;
    *after = (names_t){.count = 0};
}

name_t *names_find(const names_t *names, const char *fqdn, bool srv)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(names->items[middle], fqdn, srv);
        if (order == 0)
            return names->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void set_soonest(names_t *names)
{
    names->soonest_ms = INT64_MAX;
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i]->flight == 0 && names->items[i]->due_ms < names->soonest_ms)
            names->soonest_ms = names->items[i]->due_ms;
}

name_t *names_due(names_t *names, int64_t now_ms)
{
    if (now_ms < names->soonest_ms)
        return NULL;
    for (size_t i = 0; i < names->count; i++) {
        if (names->turn >= names->count)
            names->turn = 0;
        name_t *name = names->items[names->turn++];
        if (name->flight == 0 && name->due_ms <= now_ms)
            return name;
    }
    set_soonest(names);
    return NULL;
}

void names_land(names_t *names, name_t *name, int64_t due_ms)
{
    name->flight = 0;
    name->due_ms = due_ms;
    if (due_ms < names->soonest_ms)
        names->soonest_ms = due_ms;
}
