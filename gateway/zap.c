/* Must never: let in what it does not understand, or wait for anything but its two sockets.
 * Next: allow.c. */
#include "gateway/zap.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/text.h"
#include "gateway/multipart.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <zmq.h>

#define HANDLER "inproc://zeromq.zap.01"
#define MONITOR "inproc://linekeeper.worker-port"

enum { KEY_BYTES = 32, SETTLE_MS = 1000, ADDRESS_MAX = 64 };

/* Indices of a request's frames. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS };

struct zap {
    allow_t *allow;
    visitors_t *visitors;
    void *handler, *monitor;
    pthread_t thread;
    atomic_uint_fast64_t admitted, unknown_keys, strangers;
    /* The thread's own: */
    uint64_t accepted;
    uint64_t open_least; /* connections without a finished handshake: the fewest of this second */
    int64_t settle_ms;   /* when this second is over */
    log_limit_t refusals;
};

/* ---- deciding ---- */

static bool is_text(const zap_frame_t *frame, const char *text)
{
    return frame->length == strlen(text) && memcmp(frame->bytes, text, frame->length) == 0;
}

zap_answer_t zap_decide(allow_t *allow, const zap_frame_t frames[ZAP_REQUEST_FRAMES], size_t count)
{
    zap_answer_t answer = {.code = "500", .text = "not a request of ZAP 1.0"};
    if (count < CREDENTIALS || !is_text(&frames[VERSION], "1.0"))
        return answer;
    answer.code = "400";
    answer.text = "not for this";
    if (!is_text(&frames[DOMAIN], CURVE_DOMAIN) || !is_text(&frames[MECHANISM], "CURVE") ||
        count != ZAP_REQUEST_FRAMES || frames[CREDENTIALS].length != KEY_BYTES)
        return answer;
    curve_write_key(frames[CREDENTIALS].bytes, answer.key);
    answer.text = "unknown key";
    if (allow_knows(allow, answer.key)) {
        answer.code = "200";
        answer.text = "OK";
    }
    return answer;
}

void zap_write_user(const char *key, uint64_t number, char out[ZAP_USER_SIZE])
{
    (void)!text_format(out, ZAP_USER_SIZE, "%s %" PRIu64, key, number);
}

uint64_t zap_read_user(const char *user, char out_key[CURVE_KEY_SIZE])
{
    uint64_t number = 0;
    const char *blank = user == NULL ? NULL : strchr(user, ' ');
    text_cut(out_key, CURVE_KEY_SIZE, "");
    if (blank == NULL ||
        text_number(blank + 1, strlen(blank + 1), UINT64_MAX, &number) != STATUS_OK ||
        text_copy(out_key, CURVE_KEY_SIZE, user, (size_t)(blank - user)) != STATUS_OK)
        return 0;
    return number;
}

/* ---- answering ---- */

static void tell_refusal(zap_t *zap, const zap_frame_t *address, const zap_answer_t *answer)
{
    int64_t held_back = 0;
    atomic_fetch_add(&zap->unknown_keys, 1);
    if (!log_due(&zap->refusals, clock_ms(), &held_back))
        return;
    log_line_t line = log_line(LOG_WARN, "worker_refused");
    log_text(&line, "why", answer->text);
    log_bytes(&line, "address", address->bytes,
              address->length < ADDRESS_MAX ? address->length : ADDRESS_MAX);
    log_text(&line, "key", answer->key);
    log_number(&line, "held_back", held_back);
    log_end(&line);
}

static void send_part(void *socket, const void *bytes, size_t length, int flags)
{
    (void)zmq_send(socket, bytes, length, flags | ZMQ_DONTWAIT);
}

static void reply(zap_t *zap, const zap_frame_t *request_id, const zap_answer_t *answer)
{
    char user[ZAP_USER_SIZE] = "";
    if (strcmp(answer->code, "200") == 0)
        zap_write_user(answer->key, visitors_admit(zap->visitors), user);
    send_part(zap->handler, "1.0", 3, ZMQ_SNDMORE);
    send_part(zap->handler, request_id->bytes, request_id->length, ZMQ_SNDMORE);
    send_part(zap->handler, answer->code, 3, ZMQ_SNDMORE);
    send_part(zap->handler, answer->text, strlen(answer->text), ZMQ_SNDMORE);
    send_part(zap->handler, user, strlen(user), ZMQ_SNDMORE);
    send_part(zap->handler, "", 0, 0);
}

/* Reads a whole message. Returns how many frames it has, room + 1 if they are more; 0: none. */
static size_t receive(void *socket, zmq_msg_t *frames, size_t room)
{
    bool more = false;
    size_t count = multipart_receive(socket, frames, room, &more);
    bool too_many = more;
    while (more)
        more = multipart_skip(socket, SIZE_MAX);
    return count + too_many;
}

static void close_all(zmq_msg_t *frames, size_t count, size_t room)
{
    multipart_close(frames, count < room ? count : room);
}

/* ---- connections ---- */

/* Some garbage is dropped by libzmq without an event of its own, so those that fail are counted as
 * those that did not succeed. */
static uint64_t unfinished(const zap_t *zap)
{
    return zap->accepted - atomic_load(&zap->admitted);
}

static bool note_one(zap_t *zap)
{
    zmq_msg_t messages[2];
    struct {
        uint16_t name;
        int32_t value;
    } __attribute__((packed)) event = {0, -1};
    size_t count = receive(zap->monitor, messages, 2);
    if (count == 0)
        return false;
    if (zmq_msg_size(&messages[0]) == sizeof(event))
        memcpy(&event, zmq_msg_data(&messages[0]), sizeof(event));
    close_all(messages, count, 2);
    if (event.name == ZMQ_EVENT_ACCEPTED) {
        zap->accepted++;
        visitors_accepted(zap->visitors, event.value);
    } else if (event.name == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
        atomic_fetch_add(&zap->admitted, 1);
    } else {
        visitors_gone(zap->visitors, event.value);
    }
    if (unfinished(zap) < zap->open_least)
        zap->open_least = unfinished(zap);
    return true;
}

/* ---- the handler ---- */

static bool serve_one(zap_t *zap)
{
    zmq_msg_t messages[ZAP_REQUEST_FRAMES];
    zap_frame_t frames[ZAP_REQUEST_FRAMES] = {{"", 0}};
    size_t count = receive(zap->handler, messages, ZAP_REQUEST_FRAMES);
    if (count == 0)
        return false;
    for (size_t i = 0; i < count && i < ZAP_REQUEST_FRAMES; i++)
        frames[i] = (zap_frame_t){zmq_msg_data(&messages[i]), zmq_msg_size(&messages[i])};
    while (note_one(zap)) { /* its coming, and that of all before, counts first */
    }
    zap_answer_t answer = zap_decide(zap->allow, frames, count);
    reply(zap, &frames[REQUEST_ID], &answer);
    if (strcmp(answer.code, "200") != 0)
        tell_refusal(zap, &frames[ADDRESS], &answer);
    close_all(messages, count, ZAP_REQUEST_FRAMES);
    return true;
}

/* A handshake takes milliseconds: what has been unfinished all through a second has failed, or is
 * about to. */
static void settle(zap_t *zap)
{
    int64_t now_ms = clock_ms();
    uint64_t before = atomic_load(&zap->strangers);
    if (now_ms < zap->settle_ms)
        return;
    uint64_t strangers = zap->open_least;
    zap->settle_ms = now_ms + SETTLE_MS;
    zap->open_least = unfinished(zap);
    if (strangers <= before)
        return;
    atomic_store(&zap->strangers, strangers);
    log_line_t line = log_line(LOG_WARN, "worker_handshakes_failed");
    log_text(&line, "why", "no CURVE, another gateway's key, or a key that is not on the list");
    log_number(&line, "count", (int64_t)(strangers - before));
    log_number(&line, "in_all", (int64_t)strangers);
    log_end(&line);
}

static void *run(void *argument)
{
    zap_t *zap = argument;
    zmq_pollitem_t items[] = {{.socket = zap->handler, .events = ZMQ_POLLIN},
                              {.socket = zap->monitor, .events = ZMQ_POLLIN}};
    while (zmq_poll(items, ARRAY_LEN(items), SETTLE_MS) >= 0 || zmq_errno() == EINTR) {
        while (serve_one(zap)) {
        }
        while (note_one(zap)) {
        }
        settle(zap);
    }
    return NULL; /* ETERM: the context is shut down */
}

/* ---- starting and stopping ---- */

static void free_zap(zap_t **zap)
{
    if (*zap == NULL)
        return;
    if ((*zap)->handler != NULL)
        (void)zmq_close((*zap)->handler);
    if ((*zap)->monitor != NULL)
        (void)zmq_close((*zap)->monitor);
    mem_free(*zap);
    *zap = NULL;
}

/* The I/O thread that tells of events must never wait for us: no bound on them. */
static bool open_sockets(zap_t *zap, void *context, void *socket)
{
    int none = 0;
    zap->handler = zmq_socket(context, ZMQ_REP);
    zap->monitor = zmq_socket(context, ZMQ_PAIR);
    return zap->handler != NULL && zap->monitor != NULL &&
           zmq_setsockopt(zap->handler, ZMQ_LINGER, &none, sizeof(none)) == 0 &&
           zmq_setsockopt(zap->monitor, ZMQ_RCVHWM, &none, sizeof(none)) == 0 &&
           zmq_bind(zap->handler, HANDLER) == 0 &&
           zmq_socket_monitor(socket, MONITOR,
                              ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                                  ZMQ_EVENT_DISCONNECTED) == 0 &&
           zmq_connect(zap->monitor, MONITOR) == 0;
}

status_t zap_start(void *context, void *socket, allow_t *allow, visitors_t *visitors, zap_t **out,
                   err_t *err)
{
    AUTO(free_zap) zap_t *zap = mem_zalloc(sizeof(*zap));
    zap->allow = allow;
    zap->visitors = visitors;
    zap->settle_ms = clock_ms() + SETTLE_MS;
    if (!open_sockets(zap, context, socket))
        return err_set(err, STATUS_SYSTEM, "ZAP handler", "can't be set up: %s",
                       zmq_strerror(zmq_errno()));
    if (pthread_create(&zap->thread, NULL, run, zap) != 0)
        return err_set(err, STATUS_SYSTEM, "ZAP handler", "no thread");
    *out = TAKE(zap);
    return STATUS_OK;
}

void zap_stop(zap_t **zap)
{
    if (*zap == NULL)
        return;
    (void)pthread_join((*zap)->thread, NULL);
    free_zap(zap);
}

zap_counters_t zap_counters(zap_t *zap)
{
    return (zap_counters_t){.admitted = atomic_load(&zap->admitted),
                            .unknown_keys = atomic_load(&zap->unknown_keys),
                            .strangers = atomic_load(&zap->strangers)};
}
