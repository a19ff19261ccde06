/* The broker: the ROUTER socket that workers dial, and the pool behind it, as a monitor.
 *
 * One mutex guards socket and pool. A thread that asks sends by itself, without a hand-over to
 * another thread (docs/adr/0002), and one of those that ask receives for all; the broker's own
 * thread beats, watches deadlines, and receives what comes when nobody asks. ZeroMQ sockets may
 * change threads where a full fence stands between: the mutex is that fence. Must never: look into
 * an envelope, or wait for anything while it holds the mutex. Next: services/common/link.h, on the
 * other side. */
#ifndef LK_GATEWAY_BROKER_H
#define LK_GATEWAY_BROKER_H

#include "gateway/allow.h"
#include "gateway/pool.h"
#include "gateway/zap.h"

typedef struct broker broker_t;

typedef struct {
    const char *listen; /* "tcp://127.0.0.1:8081" or "ipc:///path" */
    int64_t queue_max;  /* waiting requests per service */
    int64_t in_flight_max;
    /* Both or neither; borrowed until broker_stop. NULL: plain text, and whoever can reach the
     * address is a worker: only for addresses that are this machine's alone (curve_is_local). */
    const curve_t *curve;
    allow_t *allow;
} broker_settings_t;

/* Binds and starts the thread. STATUS_BUSY if the address is taken; STATUS_INVALID if it is none,
 * or must not be listened at in plain text. */
status_t broker_start(const broker_settings_t *settings, broker_t **out, err_t *err) MUST_CHECK;
/* Ends what waits and tells the workers; whatever is asked from now on ends at once
 * (PENDING_UNAVAILABLE). For a shutdown that must not wait for workers. */
void broker_end(broker_t *broker);
/* broker_end, then frees. No thread may ask any more; those that are being ended may still be
 * inside. NULL-safe; clears *broker. */
void broker_stop(broker_t **broker);

/* Hands a request over and waits until it has ended: at its deadline at the latest. Fills end,
 * reply and reply_length. Any thread. */
void broker_ask(broker_t *broker, pending_t *pending);

/* The most descriptors that its connections may take, by CURVE. */
size_t broker_descriptors(void);
size_t broker_live(broker_t *broker, size_t service);
/* Whether the service had a live worker at the latest tick; takes no lock. */
bool broker_serves(const broker_t *broker, size_t service);
pool_load_t broker_load(broker_t *broker, size_t service);
/* The address that was bound (a port of 0 resolved). */
const char *broker_endpoint(const broker_t *broker);
pool_counters_t broker_counters(broker_t *broker);
/* Who has come to the worker port; all 0 without CURVE. */
zap_counters_t broker_strangers(broker_t *broker);
visitors_counters_t broker_visitors(broker_t *broker);
/* The allow list is another: workers that are not on it any more are sent away. */
void broker_recheck(broker_t *broker);

#endif
