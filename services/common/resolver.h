/* Where the gateways are: turns LK_GATEWAYS into addresses, and looks again every second.
 *
 * Every name has a thread of its own, since a lookup may hang for many seconds and must hold up
 * nothing else; libzmq never gets a name (it would resolve it in its I/O thread). Of a name that
 * has IPv4 addresses only these are used, so that one gateway is not reached twice. */
#ifndef LK_SERVICES_COMMON_RESOLVER_H
#define LK_SERVICES_COMMON_RESOLVER_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    RESOLVER_ADDRESSES_MAX = 64,
    RESOLVER_ADDRESS_SIZE = 128,
    RESOLVER_NAMES_MAX = 16,
    RESOLVER_ROUNDS = 3, /* an address is dropped when it was missing from so many lookups */
};

typedef struct {
    size_t count;
    char items[RESOLVER_ADDRESSES_MAX][RESOLVER_ADDRESS_SIZE]; /* "tcp://10.0.0.1:8081" */
} addresses_t;

typedef struct resolver resolver_t;

/* text: tcp://HOST:PORT, tcp://[IPV6]:PORT and ipc:///PATH between commas. IP addresses and paths
 * stand in the first answer of resolver_get; names follow when they are found. event: an eventfd
 * that is written when the addresses change; duplicated. STATUS_INVALID says what is malformed. */
status_t resolver_start(const char *text, int event, resolver_t **out, err_t *err) MUST_CHECK;

/* The addresses as they are known now. */
void resolver_get(resolver_t *resolver, addresses_t *out);

/* NULL-safe; clears *resolver. Does not wait for a lookup that hangs. */
void resolver_stop(resolver_t **resolver);

#endif
