/* What the files of the link share: link.c (connections, the loop), link_calls.c (from a REQUEST to
 * its REPLY). For nobody else. */
#ifndef LK_SERVICES_COMMON_LINK_INTERNAL_H
#define LK_SERVICES_COMMON_LINK_INTERNAL_H

#include "common/log.h"
#include "services/common/link.h"
#include "services/common/peers.h"
#include "services/common/resolver.h"
#include "services/common/shares.h"

typedef struct {
    const link_config_t *config;
    void *context;
    resolver_t *resolver;
    int moved; /* eventfd: the resolver has news */
    peers_t peers;
    shares_t *shares;     /* of the waiting pool */
    uint64_t connections; /* made so far */
    size_t held;          /* jobs that others have, of lost connections too */
    int64_t now_ms;
    log_limit_t unreachable;
    bool draining;
    int64_t drain_until_ms;
    int64_t asked_ms;              /* when the last request came */
    size_t told_heard, told_count; /* gateways, as the service manager knows it */
    int64_t tell_ms;               /* not before, after a try in vain */
} link_t;

/* Ends a peer's connection; another one is opened in its place. */
void link_lose(link_t *link, peer_t *peer, const char *reason);
/* The same for one that did not keep to the rules: frames.h wants it told so. */
void link_turn_away(link_t *link, peer_t *peer, const char *reason);

/* Starts every call of a REQUEST message, and answers at once what is answered at once. */
void link_take_requests(link_t *link, peer_t *peer, zmq_msg_t *body);
/* Sends the replies of the jobs that have come back. */
void link_send_finished(link_t *link);

#endif
