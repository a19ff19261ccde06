/* The loop: connections come and go, messages and signals are taken, a drain ends it.
 * Must never: wait for anything but the poll. Next: link_calls.c. */
#include "services/common/link_internal.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/notify.h"
#include "services/common/worker_metrics.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    MESSAGES_PER_TURN = 16, /* of one gateway, before the others have their turn */
    QUIET_MS = 200,         /* a drain ends when no request has come for so long */
    POLL_FIXED = 3,
    VAIN_TRIES = 5,
};

/* ---- connections ---- */

static void log_peer(log_level_t level, const char *event, const peer_t *peer, const char *reason)
{
    log_line_t line = log_line(level, event);
    log_text(&line, "gateway", peer->address);
    log_text(&line, "reason", reason);
    log_number(&line, "held", (int64_t)peer->held);
    log_end(&line);
}

/* A gateway that never answers is told of once: it may be down, or not know our key. */
void link_lose(link_t *link, peer_t *peer, const char *reason)
{
    bool tried_long = !peer->heard && ++peer->vain_tries == VAIN_TRIES;
    log_peer(peer->heard || tried_long ? LOG_WARN : LOG_DEBUG,
             tried_long ? "gateway_silent" : "gateway_lost", peer,
             tried_long ? "no answer: is it there, and is our key on its list?" : reason);
    peer_lose(peer, link->now_ms);
}

void link_turn_away(link_t *link, peer_t *peer, const char *reason)
{
    (void)!peer_send(peer, COMMAND_DISCONNECT, NULL, 0, link->now_ms);
    link_lose(link, peer, reason);
}

/* This process stood still so long (SIGSTOP, a suspended machine) that its gateways have given what
 * it holds, and what waits in its sockets, to others: nothing of that may be begun now. */
static void lose_all(link_t *link)
{
    for (size_t i = 0; i < link->peers.count; i++)
        if (link->peers.items[i].greeted)
            link_lose(link, &link->peers.items[i], "this process stood still");
}

static void open_peer(link_t *link, peer_t *peer)
{
    err_t err;
    const peer_options_t options = {.context = link->context,
                                    .window = link->config->ready.window,
                                    .curve = link->config->curve};
    int64_t held_back = 0;
    if (peer_open(peer, &options, ++link->connections, link->now_ms, &err) != STATUS_OK &&
        log_due(&link->unreachable, link->now_ms, &held_back))
        log_failure(LOG_WARN, "gateway_unreachable", &err);
}

static void tick_peer(link_t *link, peer_t *peer)
{
    if (peer->socket == NULL) {
        if (!link->draining && link->now_ms >= peer->open_ms)
            open_peer(link, peer);
        return;
    }
    if (link->now_ms - peer->heard_ms >= FRAMES_SILENCE_MS)
        link_lose(link, peer, "silence");
    else if (peer->greeted && link->now_ms - peer->sent_ms >= FRAMES_HEARTBEAT_MS &&
             !peer_send(peer, COMMAND_HEARTBEAT, NULL, 0, link->now_ms))
        link_lose(link, peer, "connection gone");
}

/* What no name leads to any more goes, once it has its answers. */
static void drop_unlisted(link_t *link)
{
    size_t kept = 0;
    for (size_t i = 0; i < link->peers.count; i++) {
        peer_t *peer = &link->peers.items[i];
        if (!peer->listed && (peer->socket == NULL || peer->held == 0)) {
            if (peer->greeted)
                (void)!peer_send(peer, COMMAND_DISCONNECT, NULL, 0, link->now_ms);
            log_peer(LOG_INFO, "gateway_dropped", peer, "its name leads elsewhere");
            peer_free(peer);
        } else {
            if (kept != i)
                link->peers.items[kept] = *peer;
            kept++;
        }
    }
    link->peers.count = kept;
}

/* Who replaces workers one by one waits for it: deploy/lib/units.sh. What did not get there is told
 * again, that we are ready too, in case that got lost. */
static void tell_manager(link_t *link, size_t heard)
{
    if ((heard == link->told_heard && link->peers.count == link->told_count) ||
        link->now_ms < link->tell_ms)
        return;
    char status[64];
    (void)snprintf(status, sizeof(status), "%sSTATUS=known to %zu of %zu gateways",
                   link->draining ? "" : "READY=1\n", heard, link->peers.count);
    if (!notify_manager(status)) {
        link->tell_ms = link->now_ms + FRAMES_HEARTBEAT_MS;
        return;
    }
    link->told_heard = heard;
    link->told_count = link->peers.count;
}

/* ---- messages ---- */

static void note_word(link_t *link, peer_t *peer)
{
    peer->heard_ms = link->now_ms;
    if (peer->heard || !peer->greeted)
        return;
    peer->heard = true;
    peer->vain_tries = 0;
    log_peer(LOG_INFO, "gateway_connected", peer, NULL);
}

static void take_message(link_t *link, peer_t *peer, command_t command, zmq_msg_t *body)
{
    switch (command) {
    case COMMAND_HEARTBEAT:
        note_word(link, peer);
        return;
    case COMMAND_REQUEST:
        note_word(link, peer);
        link_take_requests(link, peer, body);
        return;
    case COMMAND_DISCONNECT:
        link_lose(link, peer, "turned away");
        return;
    case COMMAND_READY:
    case COMMAND_REPLY:
        link_turn_away(link, peer, "not a gateway");
        return;
    }
}

static void receive(link_t *link, peer_t *peer)
{
    for (int i = 0; i < MESSAGES_PER_TURN && peer->socket != NULL; i++) {
        command_t command = COMMAND_HEARTBEAT;
        zmq_msg_t body;
        status_t status = peer_receive(peer, &command, &body);
        if (status == STATUS_BUSY)
            return;
        if (status != STATUS_OK) {
            link_turn_away(link, peer, "malformed message");
            return;
        }
        take_message(link, peer, command, &body);
        (void)zmq_msg_close(&body);
    }
}

/* ---- the loop ---- */

static void begin_drain(link_t *link)
{
    struct signalfd_siginfo signal;
    while (read(link->config->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
    }
    if (link->draining) {
        link->drain_until_ms = link->now_ms; /* asked twice: no more waiting */
        return;
    }
    link->draining = true;
    link->drain_until_ms = link->now_ms + link->config->drain_ms;
    link->asked_ms = link->now_ms;
    log_line_t line = log_line(LOG_INFO, "draining");
    log_number(&line, "held", (int64_t)link->held);
    log_end(&line);
    (void)notify_manager("STOPPING=1");
    for (size_t i = 0; i < link->peers.count; i++) {
        peer_t *peer = &link->peers.items[i];
        /* One that has not been greeted must not be any more. */
        if (!peer->greeted)
            peer_lose(peer, link->now_ms);
        else if (!peer_send(peer, COMMAND_DISCONNECT, NULL, 0, link->now_ms))
            link_lose(link, peer, "connection gone");
    }
}

/* Requests that were on their way when we said DISCONNECT still come: hence the quiet time. */
static bool is_over(const link_t *link)
{
    if (!link->draining)
        return false;
    if (link->now_ms >= link->drain_until_ms)
        return true;
    return link->held == 0 &&
           (!peers_any_greeted(&link->peers) || link->now_ms - link->asked_ms >= QUIET_MS);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int until_next_tick(const link_t *link)
{
    int64_t next_ms = link->now_ms + FRAMES_HEARTBEAT_MS;
    for (size_t i = 0; i < link->peers.count; i++) {
        const peer_t *peer = &link->peers.items[i];
        if (peer->socket == NULL) {
            if (!link->draining)
                next_ms = earlier(next_ms, peer->open_ms);
            continue;
        }
        next_ms = earlier(next_ms, peer->heard_ms + FRAMES_SILENCE_MS);
        if (peer->greeted)
            next_ms = earlier(next_ms, peer->sent_ms + FRAMES_HEARTBEAT_MS);
    }
    if (link->draining) {
        next_ms = earlier(next_ms, link->drain_until_ms);
        if (link->held == 0)
            next_ms = earlier(next_ms, link->asked_ms + QUIET_MS);
    }
    return next_ms > link->now_ms ? (int)(next_ms - link->now_ms) : 0;
}

/* A peer without a socket is polled as -1, which poll(2) passes over: positions are the peers'. */
static nfds_t fill_poll(const link_t *link, struct pollfd *items)
{
    const int files[POLL_FIXED] = {link->config->finished->event, link->moved,
                                   link->config->signals};
    nfds_t count = 0;
    for (; count < POLL_FIXED; count++)
        items[count] = (struct pollfd){.fd = files[count], .events = POLLIN};
    for (size_t i = 0; i < link->peers.count; i++) {
        const peer_t *peer = &link->peers.items[i];
        items[count++] =
            (struct pollfd){.fd = peer->socket == NULL ? -1 : peer->fd, .events = POLLIN};
    }
    return count;
}

static bool any_unsettled(const link_t *link)
{
    for (size_t i = 0; i < link->peers.count; i++)
        if (link->peers.items[i].socket != NULL && link->peers.items[i].unsettled)
            return true;
    return false;
}

static void serve_peer(link_t *link, peer_t *peer, bool told)
{
    if (peer->socket == NULL || !(told || peer->unsettled))
        return;
    receive(link, peer);
    /* Only now: it is a receive that takes in what fd has told, such as a connection made. */
    if (peer->socket != NULL && !peer->greeted)
        peer_greet(peer, &link->config->ready, link->now_ms);
}

static void serve_files(link_t *link, const struct pollfd *items)
{
    if (items[0].revents != 0)
        link_send_finished(link);
    if (items[1].revents != 0) {
        eventfd_t news = 0;
        (void)eventfd_read(link->moved, &news);
        peers_update(&link->peers, link->resolver, link->now_ms);
    }
    if (items[2].revents != 0)
        begin_drain(link);
}

/* Messages before timers: after a pause of our own a gateway that has been writing all the while is
 * not silent. */
static void step(link_t *link)
{
    struct pollfd items[POLL_FIXED + RESOLVER_ADDRESSES_MAX];
    size_t peers = link->peers.count; /* those that were polled: more may join */
    nfds_t count = fill_poll(link, items);
    int64_t before_ms = link->now_ms;
    int ready = poll(items, count, any_unsettled(link) ? 0 : until_next_tick(link));
    link->now_ms = clock_ms();
    if (link->now_ms - before_ms >= FRAMES_SILENCE_MS)
        lose_all(link);
    if (ready > 0)
        serve_files(link, items);
    for (size_t i = 0; i < peers; i++)
        serve_peer(link, &link->peers.items[i], ready > 0 && items[POLL_FIXED + i].revents != 0);
    for (size_t i = 0; i < link->peers.count; i++)
        tick_peer(link, &link->peers.items[i]);
    drop_unlisted(link);
    size_t heard = peers_heard(&link->peers);
    tell_manager(link, heard);
    worker_metrics_link(link->held, heard);
}

static void release(link_t **link)
{
    if (*link == NULL)
        return;
    for (size_t i = 0; i < (*link)->peers.count; i++)
        peer_free(&(*link)->peers.items[i]);
    resolver_stop(&(*link)->resolver);
    shares_free(&(*link)->shares);
    if ((*link)->moved >= 0)
        (void)close((*link)->moved);
    if ((*link)->context != NULL)
        (void)zmq_ctx_term((*link)->context); /* waits for what lingers */
    mem_free(*link);
    *link = NULL;
}

status_t link_run(const link_config_t *config, size_t *out_held, err_t *err)
{
    AUTO(release) link_t *link = mem_zalloc(sizeof(*link));
    link->config = config;
    link->now_ms = clock_ms();
    link->moved = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    link->context = zmq_ctx_new();
    if (link->moved < 0 || link->context == NULL)
        return err_errno(err, "link", "cannot be started");
    status_t status = resolver_start(config->gateways, link->moved, &link->resolver, err);
    if (status != STATUS_OK)
        return status;
    peers_update(&link->peers, link->resolver, link->now_ms);
    if (config->waiting != NULL)
        link->shares = shares_new(config->waiting, config->ready.window / 2, config->waiters);
    while (!is_over(link))
        step(link);
    *out_held = link->held;
    return STATUS_OK;
}
