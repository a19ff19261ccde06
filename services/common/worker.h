/* The worker: one service process. main() of every service is one call of worker_main.
 *
 *   link thread     sockets, heartbeats, fast reads          link.c
 *   writer thread   the gate, group commit                   writer.c
 *   slow pool       hashing, long answers                    slowpool.c
 *   waiting pool    what other hosts are asked for           slowpool.c, shares.c
 *   resolver        names of gateways                        resolver.c
 *   metrics         numbers for Prometheus                   common/metrics_http.c
 *
 * A request's way: link -> dispatch (decode, check) -> the handler, on the link thread, by way of
 * a pool, or in the writer -> link. */
#ifndef LK_SERVICES_COMMON_WORKER_H
#define LK_SERVICES_COMMON_WORKER_H

#include "common/config.h"
#include "proto/board.h"
#include "services/common/call.h"
#include "services/common/chores.h"
#include "services/common/reseal.h"

/* What a service's own background work finds; all of it is there until `end`. */
typedef struct {
    const void *settings;  /* the service's own */
    void *own;             /* what `open` has made of them */
    const char *directory; /* of the store, which is ready */
    board_t *board;        /* NULL without calls to authorize */
    chores_t *chores;      /* to add to */
} ground_t;

typedef struct {
    const service_t *contract;
    const handler_t *handlers; /* one per operation of the contract, in its order */
    size_t handler_count;
    const store_spec_t *store;
    const sip_family_t *sip;      /* NULL: authorizes no calls */
    const sealed_table_t *sealed; /* its tables of sealed values */
    size_t sealed_count;

    /* The service's own settings, if it has any: rows over a struct of settings_size bytes, which
     * handlers find in call->keeper->settings. check_settings (NULL: nothing to check) says what
     * else is wrong with them: STATUS_INVALID names the variable. */
    const setting_t *settings;
    size_t setting_count;
    size_t settings_size;
    status_t (*check_settings)(const void *settings, err_t *err);

    /* What else its handlers share, made before the first thread and found in call->keeper->own:
     * with `open`, `close` is called at the end, when no thread runs any more. NULL: nothing. */
    status_t (*open)(const void *settings, void **out_own, err_t *err);
    void (*close)(void **own); /* clears *own */

    /* Work beside the calls, in a thread of its own: begun when the store is ready and before the
     * writer is, ended (NULL-safe; clears *work) when the writer has. NULL: none. */
    status_t (*begin)(const ground_t *ground, void **out_work, err_t *err);
    void (*end)(void **work);
    size_t descriptors; /* that it has open, at most */
} worker_spec_t;

/* Runs until SIGTERM or SIGINT, then drains. Returns main's exit code: 0 after a clean stop, 78
 * when a setting, a key file or the database's version is wrong, 65 when the database is damaged, 1
 * on other failures. Refuses to start unless every operation has a handler. */
int worker_main(const worker_spec_t *spec, int argc, char *argv[]);

#endif
