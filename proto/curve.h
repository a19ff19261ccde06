/* CURVE (ZeroMQ RFC 26) between gateways and workers: keys as files, and on sockets.
 *
 * One directory (LK_CURVE_DIR) with files of fixed names, each one line: a key in Z85 (ZeroMQ
 * RFC 32, 40 characters) or in 64 hexadecimal digits. A public key is derived from its secret one.
 *   gateway.key   the gateways' secret key: all of them share it
 *   gateway.pub   its public key, for workers
 *   SERVICE.key   a service's secret key: all its replicas share it
 *   workers       for gateways: which public key may serve what (gateway/allow.h)
 * CURVE alone keeps nobody out of a server: who may come in is decided by gateway/zap.h. */
#ifndef LK_PROTO_CURVE_H
#define LK_PROTO_CURVE_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

#define CURVE_GATEWAY_KEY    "gateway.key"
#define CURVE_GATEWAY_PUBLIC "gateway.pub"
#define CURVE_WORKERS        "workers"
#define CURVE_DOMAIN         "workers" /* what the ZAP handler knows the worker port by */

enum { CURVE_KEY_LENGTH = 40, CURVE_KEY_SIZE = CURVE_KEY_LENGTH + 1 }; /* in Z85; and a NUL */

/* One side's keys. */
typedef struct curve curve_t;

/* A new pair. For tests and for making key files. */
curve_t *curve_new(void);
/* A gateway's side: DIRECTORY/gateway.key. Errors: keyfile_read's, and STATUS_INVALID. */
status_t curve_open_gateway(const char *directory, curve_t **out, err_t *err) MUST_CHECK;
/* A worker's side: DIRECTORY/SERVICE.key and DIRECTORY/gateway.pub. */
status_t curve_open_worker(const char *directory, const char *service, curve_t **out, err_t *err)
    MUST_CHECK;
/* Wipes and frees. NULL-safe; clears *curve. What was applied to sockets stays there. */
void curve_close(curve_t **curve);

/* The public key in Z85; owned by curve. */
const char *curve_public(const curve_t *curve);
/* The secret key in Z85, for the file that keeps it. The caller wipes out. */
void curve_secret(const curve_t *curve, char out[CURVE_KEY_SIZE]);

/* Makes the socket, before it binds, one that speaks CURVE only and asks the ZAP handler of its
 * context about everybody. */
status_t curve_serve(const curve_t *curve, void *socket, err_t *err) MUST_CHECK;
/* Makes the socket, before it connects, speak to that gateway alone. gateway: NULL for the one
 * that curve_open_worker has read. */
status_t curve_dial(const curve_t *curve, const char *gateway, void *socket, err_t *err) MUST_CHECK;

/* Reads a key in Z85 or hexadecimal; out is in Z85. STATUS_INVALID. */
status_t curve_read_key(const char *text, size_t length, char out[CURVE_KEY_SIZE]) MUST_CHECK;
/* The Z85 of a public key as it travels (32 bytes). */
void curve_write_key(const void *key, char out[CURVE_KEY_SIZE]);

/* Whether a ZeroMQ address can be reached from this machine alone: ipc, or a loopback address
 * (not a name). Elsewhere nothing travels in plain text. */
bool curve_is_local(const char *endpoint);

#endif
