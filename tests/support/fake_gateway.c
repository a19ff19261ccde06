#include "tests/support/fake_gateway.h"

#include "common/clock.h"
#include "tests/support/packing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { BEAT_MS = 100 };

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "fake_gateway: %s: %s\n", what, zmq_strerror(zmq_errno()));
    abort();
}

void fake_open(fake_gateway_t *gateway, const char *endpoint)
{
    memset(gateway, 0, sizeof(*gateway));
    gateway->context = zmq_ctx_new();
    gateway->socket = zmq_socket(gateway->context, ZMQ_ROUTER);
    int on = 1;
    int linger = 0;
    (void)zmq_setsockopt(gateway->socket, ZMQ_ROUTER_MANDATORY, &on, sizeof(on));
    (void)zmq_setsockopt(gateway->socket, ZMQ_LINGER, &linger, sizeof(linger));
    must(zmq_bind(gateway->socket, endpoint) == 0, endpoint);
    size_t size = sizeof(gateway->endpoint);
    must(zmq_getsockopt(gateway->socket, ZMQ_LAST_ENDPOINT, gateway->endpoint, &size) == 0, "end");
    batch_init(&gateway->batch);
    gateway->next_id = 1;
    msgpack_unpacked_init(&gateway->decoded);
}

void fake_close(fake_gateway_t *gateway)
{
    (void)zmq_close(gateway->socket);
    (void)zmq_ctx_term(gateway->context);
    batch_free(&gateway->batch);
    msgpack_unpacked_destroy(&gateway->decoded);
    for (size_t i = 0; i < FAKE_IDS; i++)
        msgpack_sbuffer_destroy(&gateway->answers[i]);
}

void fake_send_frames(fake_gateway_t *gateway, const void *first, size_t first_length,
                      const void *second, size_t second_length)
{
    /* A worker that is gone can't be sent to: tests notice by its silence. */
    if (zmq_send(gateway->socket, gateway->worker, gateway->worker_length,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return;
    must(zmq_send(gateway->socket, first, first_length, second == NULL ? 0 : ZMQ_SNDMORE) >= 0,
         "send");
    if (second != NULL)
        must(zmq_send(gateway->socket, second, second_length, 0) >= 0, "send");
}

void fake_say(fake_gateway_t *gateway, command_t command)
{
    char head[FRAMES_HEAD_SIZE];
    frames_write_head(command, head);
    fake_send_frames(gateway, head, sizeof(head), NULL, 0);
}

static void beat(fake_gateway_t *gateway)
{
    int64_t now_ms = clock_ms();
    if (gateway->muted || gateway->worker_length == 0 || now_ms - gateway->beat_ms < BEAT_MS)
        return;
    gateway->beat_ms = now_ms;
    fake_say(gateway, COMMAND_HEARTBEAT);
}

static void take_replies(fake_gateway_t *gateway, const void *bytes, size_t length)
{
    AUTO(batch_reader_free) batch_reader_t reader;
    must(batch_read_replies(&reader, bytes, length) == STATUS_OK, "malformed REPLY");
    gateway->replies++;
    gateway->last_reply_count = reader.count;
    for (uint32_t i = 0; i < reader.count; i++) {
        batch_item_t item = batch_item(&reader, i);
        must(item.id < FAKE_IDS, "a reply to nothing");
        gateway->times[item.id]++;
        msgpack_sbuffer_clear(&gateway->answers[item.id]);
        (void)msgpack_sbuffer_write(&gateway->answers[item.id], item.bytes, item.length);
    }
}

static void take_message(fake_gateway_t *gateway, zmq_msg_t *parts, size_t count)
{
    command_t command = COMMAND_HEARTBEAT;
    must(count >= 2 && frames_read_head(zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1]),
                                        &command) == STATUS_OK,
         "malformed head");
    switch (command) {
    case COMMAND_READY:
        must(count == 3 && frames_read_ready(zmq_msg_data(&parts[2]), zmq_msg_size(&parts[2]),
                                             &gateway->ready) == STATUS_OK,
             "malformed READY");
        gateway->worker_length = zmq_msg_size(&parts[0]);
        must(gateway->worker_length <= sizeof(gateway->worker), "long routing id");
        memcpy(gateway->worker, zmq_msg_data(&parts[0]), gateway->worker_length);
        gateway->readies++;
        gateway->beat_ms = 0;
        return;
    case COMMAND_REPLY:
        must(count == 3, "REPLY without a body");
        take_replies(gateway, zmq_msg_data(&parts[2]), zmq_msg_size(&parts[2]));
        return;
    case COMMAND_HEARTBEAT:
        gateway->heartbeats++;
        return;
    case COMMAND_DISCONNECT:
        gateway->disconnects++;
        return;
    case COMMAND_REQUEST:
        must(false, "a worker that asks");
        return;
    }
}

/* Takes one message, if there is one within ms. */
static void take_one(fake_gateway_t *gateway, long ms)
{
    zmq_pollitem_t item = {.socket = gateway->socket, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, ms) <= 0)
        return;
    zmq_msg_t parts[4];
    size_t count = 0;
    bool more = true;
    for (; more && count < ARRAY_LEN(parts); count++) {
        (void)zmq_msg_init(&parts[count]);
        must(zmq_msg_recv(&parts[count], gateway->socket, 0) >= 0, "receive");
        more = zmq_msg_more(&parts[count]) != 0;
    }
    take_message(gateway, parts, count);
    while (count > 0)
        (void)zmq_msg_close(&parts[--count]);
}

bool fake_await(fake_gateway_t *gateway, const unsigned *counter, unsigned at_least)
{
    int64_t until_ms = clock_ms() + FAKE_WAIT_MS;
    while (*counter < at_least && clock_ms() < until_ms) {
        beat(gateway);
        take_one(gateway, 20);
    }
    return *counter >= at_least;
}

void fake_pump(fake_gateway_t *gateway, int ms)
{
    int64_t until_ms = clock_ms() + ms;
    for (int64_t now_ms = clock_ms(); now_ms < until_ms; now_ms = clock_ms()) {
        beat(gateway);
        take_one(gateway, until_ms - now_ms < 20 ? (long)(until_ms - now_ms) : 20);
    }
}

uint64_t fake_ask_bytes(fake_gateway_t *gateway, const void *bytes, size_t length)
{
    uint64_t id = gateway->next_id++;
    must(id < FAKE_IDS, "too many requests");
    batch_add_request(&gateway->batch, id, 10000, false, bytes, length);
    return id;
}

static void pack_part(const char *json, msgpack_packer *out)
{
    if (json == NULL) {
        msgpack_pack_nil(out);
        return;
    }
    packing_t part;
    packing_init(&part);
    (void)msgpack_pack_object(out, *packing_json(&part, json));
    packing_free(&part);
}

uint64_t fake_ask(fake_gateway_t *gateway, const ask_t *ask)
{
    uint64_t id = gateway->next_id++;
    must(id < FAKE_IDS, "too many requests");
    request_t request = {.client_key = ask->client_key, .principal = {.scope = ask->scope}};
    (void)snprintf(request.request_id, sizeof(request.request_id), "r%llu", (unsigned long long)id);
    (void)snprintf(request.service, sizeof(request.service), "%s",
                   ask->service == NULL ? "notes" : ask->service);
    (void)snprintf(request.operation, sizeof(request.operation), "%s", ask->operation);
    (void)snprintf(request.idempotency_key, sizeof(request.idempotency_key), "%s",
                   ask->key == NULL ? "" : ask->key);
    (void)snprintf(request.principal.key_id, sizeof(request.principal.key_id), "key-1");
    (void)snprintf(request.principal.organization_id, sizeof(request.principal.organization_id),
                   "%s", ask->organization == NULL ? "organization-1" : ask->organization);
    msgpack_sbuffer bytes;
    msgpack_packer out;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    envelope_write_request(&request, &out);
    pack_part(ask->path, &out);
    pack_part(ask->query, &out);
    pack_part(ask->head, &out);
    pack_part(ask->body, &out);
    batch_add_request(&gateway->batch, id, ask->ms_left == 0 ? 10000 : ask->ms_left, ask->again,
                      bytes.data, bytes.size);
    msgpack_sbuffer_destroy(&bytes);
    return id;
}

void fake_send(fake_gateway_t *gateway)
{
    char head[FRAMES_HEAD_SIZE];
    frames_write_head(COMMAND_REQUEST, head);
    size_t length = 0;
    const void *bytes = batch_bytes(&gateway->batch, &length);
    fake_send_frames(gateway, head, sizeof(head), bytes, length);
    batch_clear(&gateway->batch);
}

bool fake_answer(fake_gateway_t *gateway, uint64_t id, reply_t *out)
{
    if (!fake_await(gateway, &gateway->times[id], 1))
        return false;
    msgpack_unpacked_destroy(&gateway->decoded);
    const msgpack_sbuffer *bytes = &gateway->answers[id];
    must(envelope_decode(bytes->data, bytes->size, &gateway->decoded) == STATUS_OK &&
             envelope_read_reply(&gateway->decoded.data, out) == STATUS_OK,
         "malformed reply");
    return true;
}

outcome_t fake_do(fake_gateway_t *gateway, const ask_t *ask, reply_t *out)
{
    uint64_t id = fake_ask(gateway, ask);
    fake_send(gateway);
    must(fake_answer(gateway, id, out), "no answer");
    return out->outcome;
}
