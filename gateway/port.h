/* The worker port: the ROUTER socket that workers dial, guarded by CURVE and a ZAP handler where it
 * has keys. Next: zap.h. */
#ifndef LK_GATEWAY_PORT_H
#define LK_GATEWAY_PORT_H

#include "gateway/zap.h"

typedef struct {
    const char *listen;
    const curve_t *curve; /* both or neither; borrowed until port_close. NULL: plain text */
    allow_t *allow;
    size_t workers; /* how many there may be */
} port_settings_t;

typedef struct {
    void *router;
    int fd;     /* ZMQ_FD */
    zap_t *zap; /* NULL: plain text */
    visitors_t *visitors;
    char endpoint[256];
} port_t;

/* Binds. STATUS_BUSY if the address is taken; STATUS_INVALID if it is none, or must not be listened
 * at in plain text; STATUS_SYSTEM. Whatever it returns, port_close ends it; *out begins zeroed. */
status_t port_open(const port_settings_t *settings, void *context, port_t *out, err_t *err)
    MUST_CHECK;
/* Closes, and shuts the context down (zmq_ctx_shutdown): its other sockets are of no use then. */
void port_close(port_t *port, void *context);

#endif
