/* What the handlers of call authorization share in a process: keeper_t.sip. */
#ifndef LK_SERVICES_COMMON_SIP_SIP_H
#define LK_SERVICES_COMMON_SIP_SIP_H

#include "services/common/sip/memory.h"
#include "services/common/sip/uses.h"

typedef struct sip {
    const sip_family_t *family;
    const sip_settings_t *settings;
    sip_memory_t *memory;
    board_t *board;
    sip_uses_t *uses;
} sip_t;

typedef struct {
    const sip_family_t *family;
    const sip_settings_t *settings;
    const char *directory; /* of the store */
    const char *service;
    bool alone; /* nobody else has the store open */
} sip_spec_t;

/* Both raise the board: what was answered before may not be what these settings, or those of
 * whoever goes on, make of the same store. All is borrowed until sip_close. Errors: board_open's,
 * sip_memory_open's; *out is then to be closed, too. */
status_t sip_open(const sip_spec_t *spec, sip_t *out, err_t *err) MUST_CHECK;
void sip_close(sip_t *sip);

/* Whose failures and denials these are: of an operator's keys "", else the organization (memory.h).
 */
const char *sip_asker(const call_t *call);

/* ---- Denials ---- */

/* Who and what a decision is about; for the ring, the log at debug level, and the metrics. Any may
 * be NULL. */
typedef struct {
    const char *username;
    const ipnet_t *source;
    const char *subject;
} sip_about_t;

/* Notes a denial. */
void sip_note_denial(const call_t *call, const sip_about_t *about, reason_t reason);
/* Ends a call with 403 and the reason (404 for unknown_user, unknown_source), noted. */
void sip_deny(call_t *call, const sip_about_t *about, reason_t reason);

/* How long the answer may be given again: until the store's version changes or that time comes,
 * whichever is first. */
void sip_fresh_until(call_t *call, int64_t until_utc_ms);

#endif
