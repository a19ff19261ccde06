/* One look-up of an FQDN by c-ares: its addresses, or its SRV records and their targets' addresses.
 *
 * Each has a channel of its own: a fresh socket, and so a fresh source port, that an off-path liar
 * would have to guess beside the id; and /etc/resolv.conf as it is now. Not for threads.
 * Must never: follow search domains or /etc/hosts, or wait. Next: finding.h, resolving.c. */
#ifndef LK_SERVICES_FQDN_AUTH_LOOKUP_H
#define LK_SERVICES_FQDN_AUTH_LOOKUP_H

#include "services/fqdn-auth/finding.h"

#include <poll.h>

enum { LOOKUP_SOCKETS_MAX = 16, LOOKUP_SERVERS_MAX = 4 };

typedef struct {
    const char
        *servers;       /* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT between commas; "": the system's */
    int64_t timeout_ms; /* of the first try; each further one waits twice as long */
    int64_t tries;      /* of each server */
} lookup_settings_t;

/* STATUS_INVALID: servers are malformed or too many. */
status_t lookup_check(const lookup_settings_t *settings, err_t *err) MUST_CHECK;

typedef struct lookup lookup_t;

/* Asks. STATUS_INVALID: as above; STATUS_SYSTEM: c-ares can't be had. */
status_t lookup_start(const lookup_settings_t *settings, const char *fqdn, bool srv, lookup_t **out,
                      err_t *err) MUST_CHECK;
/* Gives up what is unanswered. NULL-safe; clears *lookup. */
void lookup_free(lookup_t **lookup);

/* The sockets that it waits for; returns how many. */
size_t lookup_sockets(const lookup_t *lookup, struct pollfd out[LOOKUP_SOCKETS_MAX]);
/* When it wants to go on though none is ready, in milliseconds from now; at most `most`. */
int lookup_wait_ms(const lookup_t *lookup, int most);
/* Goes on, with what poll found (revents). */
void lookup_go_on(lookup_t *lookup, const struct pollfd *sockets, size_t count);

/* Whether all is answered or has failed. */
bool lookup_is_over(const lookup_t *lookup);
/* What it has found so far: what is unanswered has failed. Borrowed. */
const finding_t *lookup_finding(lookup_t *lookup);

#endif
