/* Which methods have authorized calls since that was last written down: last_used_at, off the
 * call's path. Link and pools note it, a chore of the writer's writes it in batches: at most a
 * minute late, sooner when there are many, and when the worker drains. What a worker has not
 * written when it is killed is lost: at most a minute of uses. Bounded: a use that finds no room is
 * dropped and counted. */
#ifndef LK_SERVICES_COMMON_SIP_USES_H
#define LK_SERVICES_COMMON_SIP_USES_H

#include "services/common/chores.h"
#include "services/common/sip/family.h"

enum { SIP_USES_MAX = 65536 }; /* methods that are noted and not being written */

typedef struct sip_uses sip_uses_t;

sip_uses_t *sip_uses_new(void);
/* NULL-safe; clears *uses. */
void sip_uses_free(sip_uses_t **uses);

/* Any thread; quick. uses NULL: the family keeps no uses. */
void sip_uses_note(sip_uses_t *uses, const char *auth_id, int64_t utc_ms);

/* Writes them down by family->note_use. What is not kept is written again. Both are borrowed for as
 * long as the chore runs. */
chore_t sip_uses_chore(sip_uses_t *uses, const sip_family_t *family);

#endif
