#include "tests/support/fake_worker.h"

#include "common/clock.h"
#include "common/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { BEAT_MS = 100, POLL_MS = 10, DEAF_MS = 3 * FRAMES_SILENCE_MS };

static const char prefix[] = "answer to ";

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "fake_worker: %s: %s\n", what, zmq_strerror(zmq_errno()));
    abort();
}

static void say(fake_worker_t *worker, command_t command, const void *body, size_t length)
{
    char head[FRAMES_HEAD_SIZE];
    frames_write_head(command, head);
    int more = body == NULL ? 0 : ZMQ_SNDMORE;
    int sent = zmq_send(worker->socket, head, sizeof(head), more | ZMQ_DONTWAIT);
    must(sent >= 0 || zmq_errno() == EAGAIN, "send");
    if (sent >= 0 && body != NULL)
        must(zmq_send(worker->socket, body, length, 0) >= 0, "send");
}

static void say_ready(fake_worker_t *worker)
{
    msgpack_sbuffer bytes;
    msgpack_packer out;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    frames_write_ready(&worker->ready, &out);
    say(worker, COMMAND_READY, bytes.data, bytes.size);
    msgpack_sbuffer_destroy(&bytes);
}

static void say_replies(fake_worker_t *worker, batch_t *batch)
{
    size_t length = 0;
    const void *bytes = batch_bytes(batch, &length);
    say(worker, COMMAND_REPLY, bytes, length);
    batch_clear(batch);
}

static void add_answer(fake_worker_t *worker, batch_t *batch, const batch_item_t *item)
{
    size_t length = sizeof(prefix) - 1 + item->length;
    char *text = mem_array(length, 1);
    memcpy(text, prefix, sizeof(prefix) - 1);
    memcpy(text + sizeof(prefix) - 1, item->bytes, item->length);
    bool hold = item->length >= sizeof(FAKE_HOLD) - 1 && memcmp(item->bytes, FAKE_HOLD, 4) == 0;
    batch_add_reply(hold ? &worker->held : batch, item->id, text, length);
    atomic_fetch_add(&worker->taken, 1);
    mem_free(text);
}

static void take_requests(fake_worker_t *worker, const void *bytes, size_t length)
{
    AUTO(batch_reader_free) batch_reader_t requests;
    must(batch_read_requests(&requests, bytes, length) == STATUS_OK, "malformed REQUEST");
    AUTO(batch_free) batch_t replies;
    batch_init(&replies);
    for (uint32_t i = 0; i < requests.count; i++) {
        batch_item_t item = batch_item(&requests, i);
        add_answer(worker, &replies, &item);
    }
    say_replies(worker, &replies);
}

static void take_message(fake_worker_t *worker)
{
    char head[FRAMES_HEAD_SIZE];
    command_t command = COMMAND_HEARTBEAT;
    int length = zmq_recv(worker->socket, head, sizeof(head), 0);
    worker->heard_ms = clock_ms();
    must(length > 0 && frames_read_head(head, (size_t)length, &command) == STATUS_OK, "bad head");
    zmq_msg_t body;
    (void)zmq_msg_init(&body);
    int more = 0;
    size_t size = sizeof(more);
    must(zmq_getsockopt(worker->socket, ZMQ_RCVMORE, &more, &size) == 0, "more");
    if (more != 0)
        must(zmq_msg_recv(&body, worker->socket, 0) >= 0, "body");
    if (command == COMMAND_REQUEST) {
        take_requests(worker, zmq_msg_data(&body), zmq_msg_size(&body));
    } else if (command == COMMAND_DISCONNECT) {
        atomic_fetch_add(&worker->called_off, 1);
        say_ready(worker);
    }
    (void)zmq_msg_close(&body);
}

static void connect_worker(fake_worker_t *worker)
{
    err_t err;
    int linger = 0;
    worker->socket = zmq_socket(worker->context, ZMQ_DEALER);
    must(zmq_setsockopt(worker->socket, ZMQ_LINGER, &linger, sizeof(linger)) == 0, "linger");
    must(worker->curve == NULL ||
             curve_dial(worker->curve, worker->gateway, worker->socket, &err) == STATUS_OK,
         "keys");
    must(zmq_connect(worker->socket, worker->endpoint) == 0, worker->endpoint);
    worker->heard_ms = clock_ms();
}

/* One round; false at the end. */
static bool work(fake_worker_t *worker, int64_t *next_beat_ms)
{
    int manner = atomic_load(&worker->manner);
    if (manner == FAKE_ENDS)
        return false;
    bool silent = manner == FAKE_SILENT;
    if (manner == FAKE_LETS_GO) {
        say_replies(worker, &worker->held);
        (void)atomic_compare_exchange_strong(&worker->manner, &manner, FAKE_WORKS);
    }
    int64_t now_ms = clock_ms();
    if (!silent && now_ms - worker->heard_ms >= DEAF_MS) {
        (void)zmq_close(worker->socket);
        connect_worker(worker);
        say_ready(worker);
    }
    if (!silent && now_ms >= *next_beat_ms) {
        say(worker, COMMAND_HEARTBEAT, NULL, 0);
        *next_beat_ms = now_ms + BEAT_MS;
    }
    zmq_pollitem_t item = {.socket = worker->socket, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, silent ? 0 : 1, POLL_MS) > 0)
        take_message(worker);
    return true;
}

static void *run(void *argument)
{
    fake_worker_t *worker = argument;
    int64_t next_beat_ms = 0;
    say_ready(worker);
    while (work(worker, &next_beat_ms)) {
        /* until it is told to end */
    }
    (void)zmq_close(worker->socket);
    (void)zmq_ctx_term(worker->context);
    return NULL;
}

void fake_worker_start(fake_worker_t *worker, const char *endpoint, const char *service)
{
    fake_worker_start_with(worker, endpoint, service, NULL, NULL);
}

void fake_worker_start_with(fake_worker_t *worker, const char *endpoint, const char *service,
                            const curve_t *curve, const char *gateway)
{
    memset(worker, 0, sizeof(*worker));
    (void)snprintf(worker->endpoint, sizeof(worker->endpoint), "%s", endpoint);
    (void)snprintf(worker->ready.service, sizeof(worker->ready.service), "%s", service);
    uuid_new(worker->ready.instance);
    worker->ready.window = FRAMES_WINDOW;
    batch_init(&worker->held);
    worker->curve = curve;
    worker->gateway = gateway;
    worker->context = zmq_ctx_new();
    connect_worker(worker);
    must(pthread_create(&worker->thread, NULL, run, worker) == 0, "thread");
}

void fake_worker_end(fake_worker_t *worker)
{
    atomic_store(&worker->manner, FAKE_ENDS);
    (void)pthread_join(worker->thread, NULL);
    batch_free(&worker->held);
}
