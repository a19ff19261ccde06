/* The names that are to be looked up, and when. In order, each once. Not for threads. */
#ifndef LK_SERVICES_FQDN_AUTH_NAMES_H
#define LK_SERVICES_FQDN_AUTH_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAMES_MAX = 100000 };

typedef struct {
    int64_t due_ms;    /* clock_ms */
    uint64_t flight;   /* the look-up that is under way; 0: none */
    unsigned failures; /* in a row */
    bool srv;
    char fqdn[];
} name_t;

typedef struct {
    size_t count, room;
    name_t **items;
    size_t turn;        /* whose is next */
    int64_t soonest_ms; /* nothing is due before, if it is not under way */
} names_t;

/* What stands in `after`, which is in order, replaces what was; a name that was there keeps what it
 * had, and a new one is due at once. Clears *after. */
void names_replace(names_t *names, names_t *after);
/* Appends one that is due at once, unless it is the last one already. False: there is no room. */
bool names_add(names_t *names, const char *fqdn, bool srv, int64_t now_ms);
void names_clear(names_t *names);

/* NULL: there is none of that name. */
name_t *names_find(const names_t *names, const char *fqdn, bool srv);

/* One that is due and not under way, each in turn; NULL: none is. */
name_t *names_due(names_t *names, int64_t now_ms);
/* It is under way no more, and due again. */
void names_land(names_t *names, name_t *name, int64_t due_ms);

#endif
