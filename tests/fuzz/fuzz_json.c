/* A request's body on its way in: JSON, msgpack, record. Runs on a thread with the small stack that
 * an HTTP thread has. */
#include "common/mem.h"
#include "proto/envelope.h"
#include "proto/json.h"
#include "proto/transcode.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/schemas.h"
#include "tests/support/shown.h"

#include <pthread.h>
#include <stdlib.h>

/* Twice an HTTP thread's: sanitizers make frames larger. */
enum { STACK_SIZE = 200 * 1024 };

typedef struct {
    const uint8_t *bytes;
    size_t size;
} input_t;

static void *run(void *argument)
{
    const input_t *input = argument;
    fuzz_pick_t pick = fuzz_pick(input->bytes[0]);
    AUTO(json_release) json_t *value = NULL;
    err_t err = {0};
    if (json_read((const char *)input->bytes + 1, input->size - 1, &value, &err) != STATUS_OK)
        return NULL;
    msgpack_sbuffer packed;
    msgpack_packer packer;
    msgpack_unpacked decoded;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    transcode_body(pick.schema, value, &packer);
    /* What the gateway sends always passes the worker's scan. */
    if (envelope_decode(packed.data, packed.size, &decoded) != STATUS_OK)
        abort();
    fuzz_record_round_trip(&pick, &decoded.data);
    json_decref(shown_result(pick.schema, &decoded.data, false));
    msgpack_unpacked_destroy(&decoded);
    msgpack_sbuffer_destroy(&packed);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    input_t input = {bytes, size};
    pthread_attr_t small;
    pthread_t thread;
    if (pthread_attr_init(&small) != 0 || pthread_attr_setstacksize(&small, STACK_SIZE) != 0 ||
        pthread_create(&thread, &small, run, &input) != 0 || pthread_join(thread, NULL) != 0)
        abort();
    (void)pthread_attr_destroy(&small);
    return 0;
}
