/* Looks up the FQDNs of active connections, in a thread of its own, and has the writer store what
 * changes: off every call's path (ADR 0027).
 *
 * Of all processes of the service on a host one asks (a lock of the gate's file, GATE_BYTE_DNS); if
 * it dies, another one goes on. New names are seen within a second. What DNS does not answer leaves
 * what is known as it was, for as long as it takes.
 *
 *   resolving.c   the thread: who leads, which look-ups are under way
 *   names.c       what is to be looked up, and when
 *   lookup.c      one look-up; c-ares
 *   finding.c     what it found against what was known
 *   changes.c     what is to be stored; the writer's chore
 *   address_store.c */
#ifndef LK_SERVICES_FQDN_AUTH_RESOLVING_H
#define LK_SERVICES_FQDN_AUTH_RESOLVING_H

#include "services/common/worker.h"

enum {
    RESOLVING_FLIGHTS_MAX = 32, /* look-ups under way */
    RESOLVING_TTL_MAX_S = 3600,
};

/* worker_spec_t's begin, end and descriptors. ground->settings is a setup_t. */
status_t resolving_begin(const ground_t *ground, void **out_work, err_t *err) MUST_CHECK;
void resolving_end(void **work);
enum { RESOLVING_DESCRIPTORS = 4 * RESOLVING_FLIGHTS_MAX + 8 };

/* In how many milliseconds a name is to be looked up again. ttl: seconds, UINT32_MAX: nothing was
 * found; failures: look-ups in a row of which some question failed, 0: none did. */
int64_t resolving_pause_ms(uint32_t ttl, unsigned failures, int64_t ttl_min_s);

#endif
