/* All gateways that the link knows. Belongs to the link thread. */
#ifndef LK_SERVICES_COMMON_PEERS_H
#define LK_SERVICES_COMMON_PEERS_H

#include "services/common/peer.h"

typedef struct {
    size_t count;
    peer_t items[RESOLVER_ADDRESSES_MAX];
} peers_t;

/* Adds what the resolver names anew, and marks in each peer whether it is still named. */
void peers_update(peers_t *peers, resolver_t *resolver, int64_t now_ms);

/* The peer whose connection has that number, if it still stands; or NULL. */
peer_t *peers_with_connection(peers_t *peers, uint64_t connection);
bool peers_any_greeted(const peers_t *peers);
/* How many have answered on their connection. */
size_t peers_heard(const peers_t *peers);

#endif
