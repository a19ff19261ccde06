/* The ZAP handler (ZeroMQ RFC 27): decides which keys come in at the worker port, and counts who
 * does not. Without a handler libzmq lets every key in.
 *
 * A thread of its own at inproc://zeromq.zap.01 of the broker's context. Each key that is on the
 * allow list is let in; its Z85 and the connection's number become the User-Id of every message of
 * that connection. Which service it may serve is decided when it says READY (pool.h). Next:
 * allow.h, visitors.h. */
#ifndef LK_GATEWAY_ZAP_H
#define LK_GATEWAY_ZAP_H

#include "gateway/allow.h"
#include "gateway/visitors.h"
#include "proto/curve.h"

#include <stdint.h>

typedef struct zap zap_t;

typedef struct {
    uint64_t admitted;     /* connections whose handshake went through */
    uint64_t unknown_keys; /* handshakes with a key that is not on the list */
    uint64_t strangers;    /* connections that never got through the handshake: those above, other
                              protocols and mechanisms, other gateways' keys, silence. Known a
                              second later */
} zap_counters_t;

/* Starts the thread. socket: of that context, not bound yet; its connections are counted, and told
 * to visitors. allow, visitors: borrowed. */
status_t zap_start(void *context, void *socket, allow_t *allow, visitors_t *visitors, zap_t **out,
                   err_t *err) MUST_CHECK;
/* Waits for the thread's end: the socket's monitor is ended and the context is shut down.
 * NULL-safe; clears *zap. */
void zap_stop(zap_t **zap);
/* Any thread. */
zap_counters_t zap_counters(zap_t *zap);

/* ---- one request, decided ---- */

enum { ZAP_REQUEST_FRAMES = 7 };

typedef struct {
    const void *bytes;
    size_t length;
} zap_frame_t;

typedef struct {
    const char *code; /* "200", "400", "500" */
    const char *text;
    char key[CURVE_KEY_SIZE]; /* that was shown, in Z85; "" if none was */
} zap_answer_t;

/* count: how many frames the request has, even if more than are given. */
zap_answer_t zap_decide(allow_t *allow, const zap_frame_t frames[ZAP_REQUEST_FRAMES], size_t count);

/* ---- the User-Id ---- */

enum { ZAP_USER_SIZE = CURVE_KEY_SIZE + 1 + 20 };

/* number: visitors_admit's. */
void zap_write_user(const char *key, uint64_t number, char out[ZAP_USER_SIZE]);
/* Returns the number; 0, and no key, if it is none (NULL too). */
uint64_t zap_read_user(const char *user, char out_key[CURVE_KEY_SIZE]);

#endif
