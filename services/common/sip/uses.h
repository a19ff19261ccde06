/* Which methods have authorized calls since the last time it was written down: last_used_at, off
 * the call's path. The link thread notes, the writer thread writes in batches, at most a minute
 * late and when the worker drains. Bounded: beyond SIP_USES_MAX methods the writer is woken early,
 * and what finds no room then is dropped and counted. */
#ifndef LK_SERVICES_COMMON_SIP_USES_H
#define LK_SERVICES_COMMON_SIP_USES_H

#include "services/common/sip/family.h"

enum { SIP_USES_MAX = 65536 };

typedef struct sip_uses sip_uses_t;

sip_uses_t *sip_uses_new(void);
/* NULL-safe; clears *uses. */
void sip_uses_free(sip_uses_t **uses);

/* Any thread. */
void sip_uses_note(sip_uses_t *uses, const char *auth_id, int64_t utc_ms);

/* In the writer's transaction: writes down up to `most`; *out_left: how many remain. What failed to
 * be written is noted again. */
status_t sip_uses_write(sip_uses_t *uses, const sip_family_t *family, store_t *writer, size_t most,
                        size_t *out_left, err_t *err) MUST_CHECK;

#endif
