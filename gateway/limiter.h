/* Requests a second, per API key or client network, and gateway: a token bucket that holds one
 * second's worth.
 * Next: handler.c, which asks it once a key is known. */
#ifndef LK_GATEWAY_LIMITER_H
#define LK_GATEWAY_LIMITER_H

#include "common/uuid.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct limiter limiter_t;

typedef struct {
    bool limited; /* a limit applies; else all is allowed and the rest is 0 */
    bool allowed;
    int64_t limit;     /* requests a second */
    int64_t remaining; /* requests that are allowed at once */
    int64_t reset_s;   /* seconds until the bucket is full again, rounded up */
} allowance_t;

/* rate: requests a second for keys without a limit of their own; 0: none. */
limiter_t *limiter_new(int64_t rate);
void limiter_destroy(limiter_t **limiter);

/* Who shares a bucket with that client address: itself, or its /64 of IPv6, which is the least that
 * one subscriber is given (RFC 6177). */
void limiter_network(const char *client, char out[UUID_SIZE]);

/* Takes one token of the key's bucket. own_rate: the key's own limit; 0: the general one. Any
 * thread. */
allowance_t limiter_take(limiter_t *limiter, const char *key_id, int64_t own_rate, int64_t now_us);

#endif
