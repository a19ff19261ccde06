/* What is stored of an ip_authentication_token: a keyed hash, by which it is found and unique, and
 * the sealed token, from which another key's hash can be made.
 *
 * Must never: keep the token in the clear. */
#ifndef LK_SERVICES_FQDN_AUTH_TOKEN_H
#define LK_SERVICES_FQDN_AUTH_TOKEN_H

#include "proto/fqdn_auth.h"
#include "services/common/call.h"

enum {
    TOKEN_HASH_SIZE = 32,
    TOKEN_SEALED_MAX = TEXT_SIZE(FQDN_AUTH_TOKEN_MAX) + SEAL_OVERHEAD,
};

typedef struct {
    uint8_t hash[TOKEN_HASH_SIZE]; /* BLAKE2b, keyed */
    uint8_t sealed[TOKEN_SEALED_MAX];
    size_t sealed_length;
} token_t;

/* Quick. The keeper has a seal (LK_DIGEST is not off). */
void token_make(const keeper_t *keeper, const char *connection_id, const char *text, token_t *out);

#endif
