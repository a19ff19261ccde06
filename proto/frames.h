/* The worker protocol: what gateways and workers say to each other over ZeroMQ.
 *
 * Modelled on Majordomo (ZeroMQ RFC 18) under a version tag of its own, since a window is no part
 * of it. A message is a head frame of five bytes, "LKW1" and the command's letter, and what
 * follows:
 *
 *   letter  command     from     body frame
 *   R       READY       worker   msgpack [service, instance, window]
 *   Q       REQUEST     gateway  msgpack [[id, milliseconds left, again, bin request], ...]
 *   A       REPLY       worker   msgpack [[id, bin reply], ...], perhaps empty
 *   H       HEARTBEAT   both     none
 *   D       DISCONNECT  both     none
 *
 * Rules:
 * - A worker says READY once on every new connection. `window` is how many requests this gateway
 * may have waiting there; `instance` (a UUID) is the process, so that a reconnection is recognised.
 * - Every REQUEST message is answered at once by one REPLY message that holds the replies which are
 *   ready, perhaps none; slower ones follow in REPLY messages of their own. So a gateway knows what
 * has been taken, and may let requests gather for a busy worker until then.
 * - Any message counts as a heartbeat; each side sends one at least every FRAMES_HEARTBEAT_MS, and
 *   holds the other for dead after FRAMES_SILENCE_MS without any.
 * - DISCONNECT from a worker: send me nothing more, I finish what I have. From a gateway: I don't
 *   know you, say READY again. Anything that breaks these rules is answered with DISCONNECT.
 * - id is the gateway's own number for the request and comes back with its reply.
 * - again: it was sent to another worker before, which was lost with it. Its client has been
 * waiting since, and of a write nobody knows whether it was done: it is not to be refused for want
 * of room while there is time for it. */
#ifndef LK_PROTO_FRAMES_H
#define LK_PROTO_FRAMES_H

#include "common/uuid.h"
#include "proto/envelope.h"

enum {
    FRAMES_HEAD_SIZE = 5,
    FRAMES_HEARTBEAT_MS = 250,
    FRAMES_SILENCE_MS = 1000,
    FRAMES_WINDOW = 64,
    FRAMES_WINDOW_MAX = 1024,
};

typedef enum {
    COMMAND_READY = 'R',
    COMMAND_REQUEST = 'Q',
    COMMAND_REPLY = 'A',
    COMMAND_HEARTBEAT = 'H',
    COMMAND_DISCONNECT = 'D',
} command_t;

void frames_write_head(command_t command, char out[FRAMES_HEAD_SIZE]);
status_t frames_read_head(const void *bytes, size_t length, command_t *out) MUST_CHECK;

typedef struct {
    char service[SERVICE_NAME_SIZE];
    char instance[UUID_SIZE];
    uint32_t window; /* 1 to FRAMES_WINDOW_MAX */
} ready_t;

void frames_write_ready(const ready_t *ready, msgpack_packer *out);
status_t frames_read_ready(const void *bytes, size_t length, ready_t *out) MUST_CHECK;

/* The body of a REQUEST or REPLY message in the making. */
typedef struct {
    msgpack_sbuffer bytes;
    uint32_t count;
} batch_t;

void batch_init(batch_t *batch);
void batch_free(batch_t *batch);
/* Empties it, wipes what it held, and keeps the memory. */
void batch_clear(batch_t *batch);
void batch_add_request(batch_t *batch, uint64_t id, int64_t ms_left, bool again,
                       const void *request, size_t length);
void batch_add_reply(batch_t *batch, uint64_t id, const void *reply, size_t length);
/* The finished body, valid until the batch is changed. An empty batch is an empty array. */
const void *batch_bytes(batch_t *batch, size_t *out_length);

/* One element of a received batch; bytes are borrowed from the message. */
typedef struct {
    uint64_t id;
    int64_t ms_left; /* of a request */
    bool again;      /* the same */
    const void *bytes;
    size_t length;
} batch_item_t;

typedef struct {
    msgpack_unpacked decoded;
    uint32_t count;
} batch_reader_t;

/* Scans and decodes a batch; every item is checked. Call batch_reader_free in any case. */
status_t batch_read_requests(batch_reader_t *reader, const void *bytes, size_t length) MUST_CHECK;
status_t batch_read_replies(batch_reader_t *reader, const void *bytes, size_t length) MUST_CHECK;
batch_item_t batch_item(const batch_reader_t *reader, uint32_t index);
void batch_reader_free(batch_reader_t *reader);

#endif
