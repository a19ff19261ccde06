/* Both envelopes: what is read can be written, and reads as the same again. */
#include "proto/dialect.h"
#include "proto/envelope.h"
#include "proto/json.h"
#include "proto/registry.h"
#include "tests/fuzz/replay.h"
#include "tests/support/shown.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    msgpack_sbuffer bytes;
    msgpack_packer packer;
} output_t;

static void output_init(output_t *output)
{
    msgpack_sbuffer_init(&output->bytes);
    msgpack_packer_init(&output->packer, &output->bytes, msgpack_sbuffer_write);
}

static void must(int holds)
{
    if (!holds)
        abort();
}

static int same_bytes(const output_t *a, const output_t *b)
{
    return a->bytes.size == b->bytes.size &&
           memcmp(a->bytes.data, b->bytes.data, a->bytes.size) == 0;
}

static void write_request(const request_t *request, output_t *out)
{
    output_init(out);
    envelope_write_request(request, &out->packer);
    msgpack_pack_object(&out->packer, request->path);
    msgpack_pack_object(&out->packer, request->query);
    msgpack_pack_object(&out->packer, request->head);
    msgpack_pack_object(&out->packer, request->body);
}

static void write_reply(const reply_t *reply, output_t *out)
{
    output_t body;
    output_init(&body);
    output_init(out);
    msgpack_pack_object(&body.packer, reply->body);
    envelope_write_reply(reply, body.bytes.data, body.bytes.size, &out->packer);
    msgpack_sbuffer_destroy(&body.bytes);
}

static void run_request(const msgpack_object *envelope)
{
    static request_t request, again;
    if (envelope_read_request(envelope, &request) != STATUS_OK)
        return;
    output_t first, second;
    msgpack_unpacked decoded;
    write_request(&request, &first);
    must(envelope_decode(first.bytes.data, first.bytes.size, &decoded) == STATUS_OK);
    must(envelope_read_request(&decoded.data, &again) == STATUS_OK);
    write_request(&again, &second);
    must(same_bytes(&first, &second));
    msgpack_unpacked_destroy(&decoded);
    msgpack_sbuffer_destroy(&first.bytes);
    msgpack_sbuffer_destroy(&second.bytes);
}

/* A document goes out as it came in. */
static void render_document(const dialect_t *dialect, const reply_t *reply)
{
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer text;
    msgpack_sbuffer_init(&text);
    must(dialect_render(dialect, reply, NULL, false, &text) == reply->media);
    must(text.size == reply->body.via.str.size);
    must(text.size == 0 || memcmp(text.data, reply->body.via.str.ptr, text.size) == 0);
}

/* Every reply can be shown in every dialect, and is sound JSON there. */
static void render(const dialect_t *dialect, const reply_t *reply)
{
    bool goes_on = reply->outcome == OUTCOME_ELSEWHERE && reply->body.type == MSGPACK_OBJECT_NIL;
    bool shown = dialect_status(dialect, reply->outcome) != 204 && !goes_on;
    if (reply->media != MEDIA_JSON && outcome_is_success(reply->outcome)) {
        if (shown)
            render_document(dialect, reply);
        return;
    }
    AUTO(json_release) json_t *body = shown_reply(dialect, reply, NULL, false);
    must((body != NULL) == shown);
    for (size_t s = 0; s < registry_count; s++) {
        const schema_t *result = registry[s]->operations[0].result;
        AUTO(json_release) json_t *list = shown_reply(dialect, reply, result, true);
        must((list == NULL) == (body == NULL));
    }
}

static void run_reply(const msgpack_object *envelope)
{
    static reply_t reply, again;
    if (envelope_read_reply(envelope, &reply) != STATUS_OK)
        return;
    output_t first, second;
    msgpack_unpacked decoded;
    write_reply(&reply, &first);
    must(envelope_decode(first.bytes.data, first.bytes.size, &decoded) == STATUS_OK);
    must(envelope_read_reply(&decoded.data, &again) == STATUS_OK);
    write_reply(&again, &second);
    must(same_bytes(&first, &second));
    render(&dialect_trunk, &reply);
    render(&dialect_v2, &reply);
    if (reply.media != MEDIA_JSON || !outcome_is_success(reply.outcome)) /* else it may be bare */
        render(&dialect_sip, &reply);
    msgpack_unpacked_destroy(&decoded);
    msgpack_sbuffer_destroy(&first.bytes);
    msgpack_sbuffer_destroy(&second.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    msgpack_unpacked decoded;
    if (envelope_decode(bytes, size, &decoded) == STATUS_OK) {
        run_request(&decoded.data);
        run_reply(&decoded.data);
    }
    msgpack_unpacked_destroy(&decoded);
    return 0;
}
