#include "services/common/peers.h"

#include <string.h>

static peer_t *with_address(peers_t *peers, const char *address)
{
    for (size_t i = 0; i < peers->count; i++)
        if (strcmp(peers->items[i].address, address) == 0)
            return &peers->items[i];
    return NULL;
}

void peers_update(peers_t *peers, resolver_t *resolver, int64_t now_ms)
{
    addresses_t addresses;
    resolver_get(resolver, &addresses);
    for (size_t i = 0; i < peers->count; i++)
        peers->items[i].listed = false;
    for (size_t i = 0; i < addresses.count; i++) {
        peer_t *peer = with_address(peers, addresses.items[i]);
        if (peer != NULL)
            peer->listed = true;
        else if (peers->count < RESOLVER_ADDRESSES_MAX)
            peer_init(&peers->items[peers->count++], addresses.items[i], now_ms);
    }
}

peer_t *peers_with_connection(peers_t *peers, uint64_t connection)
{
    for (size_t i = 0; i < peers->count; i++)
        if (peers->items[i].socket != NULL && peers->items[i].connection == connection)
            return &peers->items[i];
    return NULL;
}

bool peers_any_greeted(const peers_t *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        if (peers->items[i].greeted)
            return true;
    return false;
}

size_t peers_heard(const peers_t *peers)
{
    size_t heard = 0;
    for (size_t i = 0; i < peers->count; i++)
        heard += peers->items[i].heard;
    return heard;
}
