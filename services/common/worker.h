/* The worker: one service process. main() of every service is one call of worker_main.
 *
 *   link thread     sockets, heartbeats, fast reads          link.c
 *   writer thread   the gate, group commit                   writer.c
 *   slow pool       hashing, fetching, long answers          slowpool.c
 *   resolver        names of gateways                        resolver.c
 *
 * A request's way: link -> dispatch (decode, check) -> the handler, on the link thread, by way of
 * the slow pool, or in the writer -> link. */
#ifndef LK_SERVICES_COMMON_WORKER_H
#define LK_SERVICES_COMMON_WORKER_H

#include "common/config.h"
#include "services/common/call.h"

typedef struct {
    const service_t *contract;
    const handler_t *handlers; /* one per operation of the contract, in its order */
    size_t handler_count;
    const store_spec_t *store;
} worker_spec_t;

/* Runs until SIGTERM or SIGINT, then drains. Returns main's exit code: 0 after a clean stop, 78
 * when a setting, a key file or the database's version is wrong, 1 on other failures. Refuses to
 * start unless every operation has a handler. */
int worker_main(const worker_spec_t *spec, int argc, char *argv[]);

/* The settings every worker has, for docs/settings.md and its test. */
extern const setting_t worker_settings[];
extern const size_t worker_setting_count;

#endif
