/* From a REQUEST to its REPLY: which lane a call takes, and the way back.
 * Must never: block, or send a reply on another connection than the one its request came on (a
 * gateway that was started again counts its requests from the start). Next: dispatch.c. */
#include "services/common/link_internal.h"

#include "proto/scan.h"
#include "services/common/worker_metrics.h"

#include <sodium.h>
#include <sys/eventfd.h>

enum { REPLY_MAX = SCAN_BYTES_MAX - 1024 };

/* ---- replies ---- */

/* Adds the finished job's reply to its peer's, and takes the job back. */
static void reply_with(link_t *link, peer_t *peer, job_t *job)
{
    if (job->reply.size > REPLY_MAX) {
        err_t err;
        (void)err_set(&err, STATUS_TOO_LARGE, job->call.request.operation,
                      "its answer does not fit into a message");
        dispatch_finish_with(job, OUTCOME_INTERNAL, &err);
    }
    if (peer->socket != NULL &&
        !peer_add_reply(peer, job->id, job->reply.data, job->reply.size, link->now_ms))
        link_lose(link, peer, "connection gone");
    dispatch_drop(link->config->dispatch, job);
}

static void flush(link_t *link, peer_t *peer)
{
    if (peer->socket != NULL && !peer_flush(peer, link->now_ms))
        link_lose(link, peer, "connection gone");
}

void link_send_finished(link_t *link)
{
    eventfd_t count = 0;
    (void)eventfd_read(link->config->finished->event, &count);
    job_t *chain = jobs_take(link->config->finished, SIZE_MAX, 0);
    while (chain != NULL) {
        job_t *job = chain;
        chain = job->next;
        link->held--;
        if (job->lane == LANE_WAIT)
            shares_return(link->shares, job);
        peer_t *peer = peers_with_connection(&link->peers, job->connection);
        if (peer == NULL) {
            dispatch_drop(link->config->dispatch, job);
            continue;
        }
        peer->held--;
        peer->lingering -= lane_lingers(job->lane);
        reply_with(link, peer, job);
    }
    for (size_t i = 0; i < link->peers.count; i++)
        if (link->peers.items[i].replies.count > 0)
            flush(link, &link->peers.items[i]);
}

/* ---- requests ---- */

/* What one REQUEST message needs on its way. */
typedef struct {
    bool one_state;   /* a read transaction was begun, or tried */
    bool locked;      /* the database is, so that reads must wait: not here */
    bool has_secret;  /* something else than reads is in it */
    uint64_t version; /* of the store, from before that transaction */
    job_t *writes;    /* to be handed over together: one group, one commit */
    job_t **writes_end;
} turn_t;

static void note_given(link_t *link, peer_t *peer, job_t *job, bool lingers, bool given)
{
    if (given) { /* the job is another thread's now */
        link->held++;
        peer->held++;
        peer->lingering += lingers;
    } else {
        dispatch_finish_with(job, OUTCOME_UNAVAILABLE, NULL);
        reply_with(link, peer, job);
    }
}

/* To the pools. What waits there long leaves a quarter of the window, or reads would wait for it.
 */
static void give(link_t *link, peer_t *peer, job_t *job)
{
    bool crowded = peer->lingering * 4 >= (size_t)link->config->ready.window * 3;
    bool given = job->lane == LANE_WAIT
                     ? (!crowded || job->again) && shares_give(link->shares, job)
                     : slowpool_give(link->config->slow, job, crowded, link->now_ms);
    note_given(link, peer, job, true, given);
}

/* Returns whether it is answered: it may turn out to be one for the slow pool. */
static bool read_now(link_t *link, turn_t *turn, job_t *job)
{
    if (!turn->one_state) {
        err_t err;
        turn->one_state = true;
        turn->version = board_version(link->config->board);
        turn->locked = store_begin_read(link->config->reader, &err) == STATUS_BUSY;
    }
    if (turn->locked)
        return false;
    job->call.on_link = true;
    job->call.version = turn->version;
    dispatch_read(job, link->config->reader);
    job->call.on_link = false;
    if (job->call.deferred)
        return false;
    dispatch_finish(job);
    return true;
}

static void run_job(link_t *link, peer_t *peer, turn_t *turn, job_t *job)
{
    job->connection = peer->connection;
    switch (job->lane) {
    case LANE_DONE:
        turn->has_secret = true; /* of what was refused we don't know */
        dispatch_finish(job);
        reply_with(link, peer, job);
        return;
    case LANE_READ:
        if (read_now(link, turn, job)) {
            reply_with(link, peer, job);
            return;
        }
        job->call.deferred = false;
        job->lane = LANE_SLOW_READ;
        give(link, peer, job);
        return;
    case LANE_SLOW_READ:
    case LANE_PREPARE:
    case LANE_WAIT:
        turn->has_secret = true;
        give(link, peer, job);
        return;
    case LANE_WRITE:
        turn->has_secret = true;
        *turn->writes_end = job;
        turn->writes_end = &job->next;
        return;
    }
}

static void hand_writes(link_t *link, peer_t *peer, turn_t *turn)
{
    size_t count = jobs_length(turn->writes);
    if (jobs_put(link->config->writes, turn->writes)) {
        link->held += count;
        peer->held += count;
        return;
    }
    while (turn->writes != NULL) { /* as many as there is room for */
        job_t *job = turn->writes;
        turn->writes = job->next;
        job->next = NULL;
        note_given(link, peer, job, false, jobs_put(link->config->writes, job));
    }
}

/* Every REQUEST message is answered at once by one REPLY message with what is ready. */
void link_take_requests(link_t *link, peer_t *peer, zmq_msg_t *body)
{
    AUTO(batch_reader_free) batch_reader_t batch;
    if (batch_read_requests(&batch, zmq_msg_data(body), zmq_msg_size(body)) != STATUS_OK) {
        link_turn_away(link, peer, "malformed request message");
        return;
    }
    turn_t turn = {.writes_end = &turn.writes};
    link->asked_ms = link->now_ms;
    metric_observe(&worker_metric_link_batch, 0, batch.count);
    for (uint32_t i = 0; i < batch.count; i++) {
        batch_item_t item = batch_item(&batch, i);
        job_t *job = dispatch_accept(link->config->dispatch, &item, link->now_ms);
        run_job(link, peer, &turn, job);
    }
    if (turn.one_state)
        store_end_read(link->config->reader);
    hand_writes(link, peer, &turn);
    flush(link, peer);
    if (turn.has_secret)
        sodium_memzero(zmq_msg_data(body), zmq_msg_size(body));
}
