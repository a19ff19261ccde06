#include "proto/frames.h"

#include "common/text.h"

#include <assert.h>
#include <string.h>

static const char tag[] = "LKW1";

enum { TAG_SIZE = sizeof(tag) - 1, COUNT_SIZE = 5, REQUEST_ITEM = 4, REPLY_ITEM = 2 };

void frames_write_head(command_t command, char out[FRAMES_HEAD_SIZE])
{
    memcpy(out, tag, TAG_SIZE);
    out[TAG_SIZE] = (char)command;
}

status_t frames_read_head(const void *bytes, size_t length, command_t *out)
{
    if (length != FRAMES_HEAD_SIZE || memcmp(bytes, tag, TAG_SIZE) != 0)
        return STATUS_INVALID;
    command_t command = (command_t)((const char *)bytes)[TAG_SIZE];
    switch (command) {
    case COMMAND_READY:
    case COMMAND_REQUEST:
    case COMMAND_REPLY:
    case COMMAND_HEARTBEAT:
    case COMMAND_DISCONNECT:
        *out = command;
        return STATUS_OK;
    }
    return STATUS_INVALID;
}

static void write_text(msgpack_packer *out, const char *text)
{
    msgpack_pack_str(out, strlen(text));
    msgpack_pack_str_body(out, text, strlen(text));
}

void frames_write_ready(const ready_t *ready, msgpack_packer *out)
{
    msgpack_pack_array(out, 3);
    write_text(out, ready->service);
    write_text(out, ready->instance);
    msgpack_pack_uint32(out, ready->window);
}

static status_t copy_text(const msgpack_object *element, char *out, size_t size)
{
    if (element->type != MSGPACK_OBJECT_STR ||
        text_has_nul(element->via.str.ptr, element->via.str.size))
        return STATUS_INVALID;
    return text_copy(out, size, element->via.str.ptr, element->via.str.size);
}

static status_t ready_of(const msgpack_object *array, ready_t *out)
{
    if (array->type != MSGPACK_OBJECT_ARRAY || array->via.array.size != 3)
        return STATUS_INVALID;
    const msgpack_object *element = array->via.array.ptr;
    ready_t ready;
    if (copy_text(&element[0], ready.service, sizeof(ready.service)) != STATUS_OK ||
        copy_text(&element[1], ready.instance, sizeof(ready.instance)) != STATUS_OK ||
        !uuid_well_formed(ready.instance, strlen(ready.instance)) ||
        element[2].type != MSGPACK_OBJECT_POSITIVE_INTEGER || element[2].via.u64 == 0 ||
        element[2].via.u64 > FRAMES_WINDOW_MAX)
        return STATUS_INVALID;
    ready.window = (uint32_t)element[2].via.u64;
    *out = ready;
    return STATUS_OK;
}

status_t frames_read_ready(const void *bytes, size_t length, ready_t *out)
{
    AUTO(msgpack_unpacked_destroy) msgpack_unpacked decoded;
    status_t status = envelope_decode(bytes, length, &decoded);
    return status == STATUS_OK ? ready_of(&decoded.data, out) : status;
}

/* The array's head has room for any count (array 32) and is written last. */
static void reserve_count(batch_t *batch)
{
    static const char blank[COUNT_SIZE] = {(char)0xdd};
    (void)msgpack_sbuffer_write(&batch->bytes, blank, sizeof(blank));
    batch->count = 0;
}

void batch_init(batch_t *batch)
{
    msgpack_sbuffer_init(&batch->bytes);
    reserve_count(batch);
}

/* Requests may hold passwords, and the buffer lives long. */
static void wipe(batch_t *batch)
{
    if (batch->bytes.data != NULL)
        explicit_bzero(batch->bytes.data, batch->bytes.size);
}

void batch_free(batch_t *batch)
{
    wipe(batch);
    msgpack_sbuffer_destroy(&batch->bytes);
}

void batch_clear(batch_t *batch)
{
    wipe(batch);
    msgpack_sbuffer_clear(&batch->bytes);
    reserve_count(batch);
}

static void write_bin(msgpack_packer *out, const void *bytes, size_t length)
{
    msgpack_pack_bin(out, length);
    msgpack_pack_bin_body(out, bytes, length);
}

void batch_add_request(batch_t *batch, uint64_t id, int64_t ms_left, bool again,
                       const void *request, size_t length)
{
    msgpack_packer out;
    msgpack_packer_init(&out, &batch->bytes, msgpack_sbuffer_write);
    msgpack_pack_array(&out, REQUEST_ITEM);
    msgpack_pack_uint64(&out, id);
    msgpack_pack_int64(&out, ms_left < 0 ? 0 : ms_left);
    if (again)
        msgpack_pack_true(&out);
    else
        msgpack_pack_false(&out);
    write_bin(&out, request, length);
    batch->count++;
}

void batch_add_reply(batch_t *batch, uint64_t id, const void *reply, size_t length)
{
    msgpack_packer out;
    msgpack_packer_init(&out, &batch->bytes, msgpack_sbuffer_write);
    msgpack_pack_array(&out, REPLY_ITEM);
    msgpack_pack_uint64(&out, id);
    write_bin(&out, reply, length);
    batch->count++;
}

const void *batch_bytes(batch_t *batch, size_t *out_length)
{
    for (unsigned i = 0; i < 4; i++)
        batch->bytes.data[1 + i] = (char)(batch->count >> (24 - 8 * i));
    *out_length = batch->bytes.size;
    return batch->bytes.data;
}

static bool item_is_good(const msgpack_object *item, uint32_t elements)
{
    if (item->type != MSGPACK_OBJECT_ARRAY || item->via.array.size != elements)
        return false;
    const msgpack_object *element = item->via.array.ptr;
    if (element[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        element[elements - 1].type != MSGPACK_OBJECT_BIN)
        return false;
    return elements == REPLY_ITEM ||
           (element[1].type == MSGPACK_OBJECT_POSITIVE_INTEGER && element[1].via.u64 <= INT64_MAX &&
            element[2].type == MSGPACK_OBJECT_BOOLEAN);
}

static status_t read_batch(batch_reader_t *reader, const void *bytes, size_t length,
                           uint32_t elements)
{
    reader->count = 0;
    status_t status = envelope_decode(bytes, length, &reader->decoded);
    if (status != STATUS_OK)
        return status;
    const msgpack_object *array = &reader->decoded.data;
    if (array->type != MSGPACK_OBJECT_ARRAY)
        return STATUS_INVALID;
    for (uint32_t i = 0; i < array->via.array.size; i++)
        if (!item_is_good(&array->via.array.ptr[i], elements))
            return STATUS_INVALID;
    reader->count = array->via.array.size;
    return STATUS_OK;
}

status_t batch_read_requests(batch_reader_t *reader, const void *bytes, size_t length)
{
    return read_batch(reader, bytes, length, REQUEST_ITEM);
}

status_t batch_read_replies(batch_reader_t *reader, const void *bytes, size_t length)
{
    return read_batch(reader, bytes, length, REPLY_ITEM);
}

batch_item_t batch_item(const batch_reader_t *reader, uint32_t index)
{
    assert(index < reader->count);
    const msgpack_object *item = &reader->decoded.data.via.array.ptr[index];
    uint32_t last = item->via.array.size - 1;
    const msgpack_object *element = item->via.array.ptr;
    return (batch_item_t){
        .id = element[0].via.u64,
        .ms_left = last == REQUEST_ITEM - 1 ? element[1].via.i64 : 0,
        .again = last == REQUEST_ITEM - 1 && element[2].via.boolean,
        .bytes = element[last].via.bin.ptr,
        .length = element[last].via.bin.size,
    };
}

void batch_reader_free(batch_reader_t *reader)
{
    msgpack_unpacked_destroy(&reader->decoded);
}
