#include "gateway/broker.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "gateway/port.h"
#include "proto/registry.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

enum { TICK_MS = 50, MESSAGES_PER_HOLD = 64, ASSIGNED_IDENTITY = 5 };

struct broker {
    pthread_mutex_t lock;
    void *zmq;
    port_t port;
    int stop_fd;
    pool_t *pool;
    pthread_t thread;
    bool running;
    pthread_cond_t nobody_receives; /* for broker_stop */
    pending_t *receiver;  /* the asker that takes what comes; NULL: the thread, at its ticks */
    int nudge_fd;         /* eventfd: the receiver's own request has ended by another's hand */
    allow_t *allow;       /* NULL: plain text */
    log_limit_t refusals; /* the thread's */
    atomic_bool *serves;  /* of each service: broker_serves */
};

/* ---- what the pool asks for; the mutex is held ---- */

static status_t send_message(void *context, const void *identity, size_t identity_length,
                             command_t command, const void *body, size_t body_length)
{
    const broker_t *broker = context;
    return port_send(&broker->port, identity, identity_length, command, body, body_length);
}

/* libzmq lets a connection be whose key is on the list no more. */
static bool tolerate(void *context, const sender_t *sender)
{
    const broker_t *broker = context;
    bool known = allow_knows(broker->allow, sender->key);
    return visitors_tolerate(broker->port.visitors, sender->line, known);
}

static void note_works(void *context, uint64_t line, bool works)
{
    const broker_t *broker = context;
    visitors_work(broker->port.visitors, line, works);
}

static bool may_serve(void *context, const char *key, size_t service)
{
    const broker_t *broker = context;
    return allow_serves(broker->allow, key, service);
}

/* ---- receiving; the mutex is held ---- */

/* ROUTER's own identities. A peer may choose one instead, and so take that of another which has
 * just gone: ours don't. */
static bool is_assigned(const sender_t *sender)
{
    return sender->length == ASSIGNED_IDENTITY && *(const char *)sender->identity == '\0';
}

static void handle_message(const broker_t *broker, port_message_t *message, int64_t now_ms)
{
    pool_t *pool = broker->pool;
    const sender_t *sender = &message->sender;
    command_t command = COMMAND_HEARTBEAT;
    if (message->count < 2 || message->too_many || !is_assigned(sender) ||
        frames_read_head(zmq_msg_data(&message->frames[1]), zmq_msg_size(&message->frames[1]),
                         &command) != STATUS_OK) {
        pool_garbage(pool, sender);
        return;
    }
    bool has_body = message->count == PORT_FRAMES_MAX;
    const void *body = has_body ? zmq_msg_data(&message->frames[2]) : "";
    size_t body_length = has_body ? zmq_msg_size(&message->frames[2]) : 0;
    pool_message(pool, sender, command, body, body_length, now_ms);
}

/* Handles what has arrived. Must follow every send: a send may take in the socket's signals, and
 * then nothing wakes anybody for the messages behind them. Returns whether more may wait. With
 * `own` it ends early once that has ended and nobody else waits: to find out that there is nothing
 * more costs system calls, and the next asker or tick will look. */
static bool receive_all(broker_t *broker, int64_t now_ms, const pending_t *own)
{
    port_message_t message;
    for (int handled = 0; handled < MESSAGES_PER_HOLD; handled++) {
        received_t received = port_receive(&broker->port, &message);
        if (received == RECEIVED_NOTHING)
            return false;
        if (received == RECEIVED_WASTE)
            continue;
        handle_message(broker, &message, now_ms);
        port_message_close(&message);
        if (own != NULL && own->ended && pool_first_waiting(broker->pool) == NULL)
            return false;
    }
    return true;
}

/* ---- the monitor ---- */

static void lock(broker_t *broker)
{
    (void)pthread_mutex_lock(&broker->lock);
}

/* Wakes the askers outside the mutex, so that they don't run into it. */
static void unlock_and_wake(broker_t *broker)
{
    pending_t *done = pool_take_done(broker->pool);
    bool nudge = broker->receiver != NULL && broker->receiver->ended;
    (void)pthread_mutex_unlock(&broker->lock);
    if (nudge)
        (void)eventfd_write(broker->nudge_fd, 1);
    while (done != NULL) {
        pending_t *next = done->next; /* gone as soon as its owner is awake */
        (void)sem_post(&done->done);
        done = next;
    }
}

/* The receiver lets go: to one that still waits, or, if none does, to nobody. What comes then
 * (heartbeats, a READY) is taken by the next asker or at the next tick. The mutex is held. */
static void pass_receiving_on(broker_t *broker)
{
    pending_t *heir = pool_first_waiting(broker->pool);
    broker->receiver = heir;
    if (heir == NULL) {
        (void)pthread_cond_signal(&broker->nobody_receives);
        return;
    }
    heir->receives = true;
    (void)sem_post(&heir->done);
}

static void wait_for_messages(broker_t *broker)
{
    struct pollfd ready[] = {{.fd = broker->port.fd, .events = POLLIN},
                             {.fd = broker->nudge_fd, .events = POLLIN}};
    if (poll(ready, ARRAY_LEN(ready), TICK_MS) > 0 && (ready[1].revents & POLLIN) != 0) {
        eventfd_t count = 0;
        (void)eventfd_read(broker->nudge_fd, &count);
    }
}

/* Receives for everybody until the own request has ended. */
static void receive_until_ended(broker_t *broker, const pending_t *pending)
{
    bool ended = false;
    while (!ended) {
        lock(broker);
        bool more = receive_all(broker, clock_ms(), pending);
        ended = pending->ended;
        if (ended)
            pass_receiving_on(broker);
        unlock_and_wake(broker);
        if (!ended && !more)
            wait_for_messages(broker);
    }
}

static void wait_for_post(pending_t *pending)
{
    while (sem_wait(&pending->done) != 0) {
        /* interrupted by a signal: wait on */
    }
}

/* Nothing else tells of what was left: the next to wait at the socket looks again. */
static void look_again_if(const broker_t *broker, bool more)
{
    if (more)
        (void)eventfd_write(broker->nudge_fd, 1);
}

void broker_ask(broker_t *broker, pending_t *pending)
{
    int64_t now_ms = clock_ms();
    bool more = false;
    lock(broker);
    if (pool_submit(broker->pool, pending, now_ms))
        more = receive_all(broker, now_ms, NULL);
    bool receives = !pending->ended && broker->receiver == NULL;
    if (receives)
        broker->receiver = pending;
    unlock_and_wake(broker);
    look_again_if(broker, more);
    if (receives) {
        wait_for_messages(broker);
    } else {
        wait_for_post(pending);
        receives = pending->receives;
    }
    if (!receives)
        return;
    receive_until_ended(broker, pending);
    wait_for_post(pending); /* the one of its end */
}

/* What a stranger can cause at will is told of once a second. */
static void log_refusal(broker_t *broker, const pool_event_t *event)
{
    int64_t held_back = 0;
    broker->refusals.held_back += (int64_t)event->refused - 1;
    if (!log_due(&broker->refusals, clock_ms(), &held_back))
        return;
    log_line_t line = log_line(LOG_WARN, "worker_refused");
    log_text(&line, "why", event->why);
    log_text(&line, "service", event->service);
    log_text(&line, "instance", event->instance);
    log_text(&line, "key", event->key);
    log_number(&line, "held_back", held_back);
    log_end(&line);
}

static void log_events(broker_t *broker, const pool_event_t *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (events[i].refused > 0) {
            log_refusal(broker, &events[i]);
            continue;
        }
        log_line_t line = log_line(events[i].joined ? LOG_INFO : LOG_WARN,
                                   events[i].joined ? "worker_joined" : "worker_left");
        log_text(&line, "service", events[i].service);
        log_text(&line, "instance", events[i].instance);
        log_text(&line, "why", events[i].why);
        log_end(&line);
    }
}

static void note_serves(broker_t *broker)
{
    for (size_t i = 0; i < registry_count; i++)
        atomic_store(&broker->serves[i], pool_live(broker->pool, i) > 0);
}

/* One round of the broker's thread. */
static void run_once(broker_t *broker, int64_t *next_tick_ms)
{
    pool_event_t events[8];
    size_t event_count = 0;
    bool more = true, ticks = false;
    while (more) {
        lock(broker);
        int64_t now_ms = clock_ms();
        more = receive_all(broker, now_ms, NULL);
        if (!more && now_ms >= *next_tick_ms) { /* silence is judged when all is read */
            pool_tick(broker->pool, now_ms);
            *next_tick_ms = now_ms + TICK_MS;
            more = receive_all(broker, now_ms, NULL) || more;
            ticks = true;
        }
        note_serves(broker);
        while (event_count < ARRAY_LEN(events) &&
               pool_next_event(broker->pool, &events[event_count]))
            event_count++;
        unlock_and_wake(broker);
        log_events(broker, events, event_count);
        event_count = 0;
    }
    if (ticks && broker->port.visitors != NULL)
        visitors_watch(broker->port.visitors);
}

/* Ticks, and takes at each what no asker has taken. */
static void *run(void *argument)
{
    broker_t *broker = argument;
    int64_t next_tick_ms = 0;
    while (__atomic_load_n(&broker->running, __ATOMIC_ACQUIRE)) {
        run_once(broker, &next_tick_ms);
        struct pollfd stop = {.fd = broker->stop_fd, .events = POLLIN};
        int64_t wait_ms = next_tick_ms - clock_ms();
        (void)poll(&stop, 1, wait_ms < 0 ? 0 : (int)wait_ms);
    }
    return NULL;
}

/* ---- starting and stopping ---- */

static void free_broker(broker_t *broker)
{
    port_close(&broker->port, broker->zmq);
    if (broker->zmq != NULL)
        (void)zmq_ctx_term(broker->zmq);
    pool_destroy(&broker->pool);
    mem_free(broker->serves);
    if (broker->stop_fd >= 0)
        (void)close(broker->stop_fd);
    if (broker->nudge_fd >= 0)
        (void)close(broker->nudge_fd);
    (void)pthread_cond_destroy(&broker->nobody_receives);
    (void)pthread_mutex_destroy(&broker->lock);
    mem_free(broker);
}

status_t broker_start(const broker_settings_t *settings, broker_t **out, err_t *err)
{
    broker_t *broker = mem_zalloc(sizeof(*broker));
    (void)pthread_mutex_init(&broker->lock, NULL);
    (void)pthread_cond_init(&broker->nobody_receives, NULL);
    pool_limits_t limits = {.services = registry_count,
                            .queue_max = (size_t)settings->queue_max,
                            .in_flight_max = (size_t)settings->in_flight_max};
    pool_io_t io = {.send = send_message, .context = broker};
    if (settings->allow != NULL) {
        io.may_serve = may_serve;
        io.tolerate = tolerate;
        io.works = note_works;
    }
    broker->pool = pool_new(&limits, &io);
    broker->serves = mem_array(registry_count, sizeof(*broker->serves));
    broker->allow = settings->allow;
    const port_settings_t port = {.listen = settings->listen,
                                  .curve = settings->curve,
                                  .allow = settings->allow,
                                  .workers = registry_count * POOL_WORKERS_MAX};
    broker->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    broker->nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    broker->zmq = zmq_ctx_new();
    status_t status = broker->stop_fd < 0 || broker->nudge_fd < 0 || broker->zmq == NULL
                          ? err_errno(err, "broker", "can't be set up")
                          : port_open(&port, broker->zmq, &broker->port, err);
    if (status == STATUS_OK) {
        broker->running = true;
        if (pthread_create(&broker->thread, NULL, run, broker) != 0)
            status = err_set(err, STATUS_SYSTEM, "broker", "no thread");
    }
    if (status != STATUS_OK) {
        free_broker(broker);
        return status;
    }
    *out = broker;
    return STATUS_OK;
}

void broker_end(broker_t *broker)
{
    lock(broker);
    pool_stop(broker->pool);
    note_serves(broker);
    unlock_and_wake(broker);
}

void broker_stop(broker_t **broker)
{
    broker_t *self = *broker;
    if (self == NULL)
        return;
    __atomic_store_n(&self->running, false, __ATOMIC_RELEASE);
    (void)eventfd_write(self->stop_fd, 1);
    (void)pthread_join(self->thread, NULL);
    broker_end(self);
    lock(self); /* the receiver, woken by this, still comes in once */
    while (self->receiver != NULL)
        (void)pthread_cond_wait(&self->nobody_receives, &self->lock);
    (void)pthread_mutex_unlock(&self->lock);
    free_broker(self);
    *broker = NULL;
}

size_t broker_descriptors(void)
{
    return VISITORS_STRANGERS_MAX + VISITORS_OVERSHOOT + registry_count * POOL_WORKERS_MAX;
}

size_t broker_live(broker_t *broker, size_t service)
{
    lock(broker);
    size_t live = pool_live(broker->pool, service);
    unlock_and_wake(broker);
    return live;
}

bool broker_serves(const broker_t *broker, size_t service)
{
    return atomic_load(&broker->serves[service]);
}

pool_load_t broker_load(broker_t *broker, size_t service)
{
    lock(broker);
    pool_load_t load = pool_load(broker->pool, service, clock_ms());
    unlock_and_wake(broker);
    return load;
}

pool_counters_t broker_counters(broker_t *broker)
{
    lock(broker);
    pool_counters_t counters = pool_counters(broker->pool);
    unlock_and_wake(broker);
    return counters;
}

const char *broker_endpoint(const broker_t *broker)
{
    return broker->port.endpoint;
}

zap_counters_t broker_strangers(broker_t *broker)
{
    return broker->port.zap == NULL ? (zap_counters_t){0} : zap_counters(broker->port.zap);
}

visitors_counters_t broker_visitors(broker_t *broker)
{
    return broker->port.visitors == NULL ? (visitors_counters_t){0}
                                         : visitors_counters(broker->port.visitors);
}

void broker_recheck(broker_t *broker)
{
    lock(broker);
    pool_recheck(broker->pool, clock_ms());
    bool more = receive_all(broker, clock_ms(), NULL); /* it may have sent */
    unlock_and_wake(broker);
    look_again_if(broker, more);
}
