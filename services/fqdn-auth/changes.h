/* Changed addresses on their way from the resolver's thread to the writer's. Bounded: what finds no
 * room is looked up again later. */
#ifndef LK_SERVICES_FQDN_AUTH_CHANGES_H
#define LK_SERVICES_FQDN_AUTH_CHANGES_H

#include "proto/board.h"
#include "services/common/chores.h"
#include "services/fqdn-auth/finding.h"

typedef struct changes changes_t;

/* board is borrowed, and raised when addresses change; it may be NULL. */
changes_t *changes_new(board_t *board);
/* When neither thread uses it any more. NULL-safe; clears *changes. */
void changes_free(changes_t **changes);

/* ---- The resolver's thread ---- */

/* From now on this is what is known of the name; NULL: it is an FQDN no more. False: there is no
 * room. */
bool changes_put(changes_t *changes, const char *fqdn, bool srv, const knowledge_t *known)
    MUST_CHECK;
/* Whether a change of the name is still to be written: what the store says is of no use then. */
bool changes_hold(changes_t *changes, const char *fqdn, bool srv);

/* ---- The writer's ---- */

chore_t changes_chore(changes_t *changes);

#endif
