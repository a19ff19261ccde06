/* The frames of the worker protocol. The first byte picks what the rest is: a head, a READY, a
 * batch of requests or one of replies. */
#include "proto/frames.h"
#include "tests/fuzz/replay.h"

#include <stdlib.h>
#include <string.h>

static void must(int holds)
{
    if (!holds)
        abort();
}

static void run_head(const uint8_t *bytes, size_t size)
{
    command_t command = COMMAND_READY;
    char head[FRAMES_HEAD_SIZE];
    if (frames_read_head(bytes, size, &command) != STATUS_OK)
        return;
    frames_write_head(command, head);
    must(size == sizeof(head) && memcmp(bytes, head, size) == 0);
}

static void run_ready(const uint8_t *bytes, size_t size)
{
    ready_t ready, again;
    if (frames_read_ready(bytes, size, &ready) != STATUS_OK)
        return;
    msgpack_sbuffer packed;
    msgpack_packer packer;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    must(ready.window > 0 && ready.window <= FRAMES_WINDOW_MAX);
    frames_write_ready(&ready, &packer);
    must(frames_read_ready(packed.data, packed.size, &again) == STATUS_OK);
    must(strcmp(ready.service, again.service) == 0 && ready.window == again.window &&
         strcmp(ready.instance, again.instance) == 0);
    msgpack_sbuffer_destroy(&packed);
}

typedef status_t (*reading_t)(batch_reader_t *reader, const void *bytes, size_t length);

/* A batch that is read, made anew from its items, and read again. */
static void run_batch(reading_t read, const uint8_t *bytes, size_t size)
{
    batch_reader_t reader, back;
    if (read(&reader, bytes, size) == STATUS_OK) {
        batch_t batch;
        size_t length = 0;
        batch_init(&batch);
        for (uint32_t i = 0; i < reader.count; i++) {
            batch_item_t item = batch_item(&reader, i);
            if (read == batch_read_requests)
                batch_add_request(&batch, item.id, item.ms_left, item.again, item.bytes,
                                  item.length);
            else
                batch_add_reply(&batch, item.id, item.bytes, item.length);
        }
        const void *made = batch_bytes(&batch, &length);
        must(read(&back, made, length) == STATUS_OK && back.count == reader.count);
        for (uint32_t i = 0; i < reader.count; i++) {
            batch_item_t a = batch_item(&reader, i), b = batch_item(&back, i);
            must(a.id == b.id && a.ms_left == b.ms_left && a.again == b.again &&
                 a.length == b.length &&
                 (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0));
        }
        batch_reader_free(&back);
        batch_free(&batch);
    }
    batch_reader_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    switch (bytes[0] & 3U) {
    case 0:
        run_head(bytes + 1, size - 1);
        break;
    case 1:
        run_ready(bytes + 1, size - 1);
        break;
    case 2:
        run_batch(batch_read_requests, bytes + 1, size - 1);
        break;
    default:
        run_batch(batch_read_replies, bytes + 1, size - 1);
        break;
    }
    return 0;
}
