/* Foreign msgpack as a worker takes it: scan, decode, record; and as a gateway does: JSON. An
 * input whose second byte is '?' is a query string instead, '&' a form. */
#include "common/mem.h"
#include "proto/envelope.h"
#include "proto/json.h"
#include "proto/transcode.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/schemas.h"
#include "tests/support/shown.h"

#include <stdlib.h>

static void run_parameters(const fuzz_pick_t *pick, const uint8_t *bytes, size_t size, bool form)
{
    AUTO(mem_release) char *text = mem_copy(bytes, size);
    faults_t faults = {.count = 0};
    msgpack_sbuffer packed;
    msgpack_packer packer;
    msgpack_unpacked decoded;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    if (form)
        transcode_form(pick->schema, text, size, &packer, &faults);
    else
        transcode_query(pick->schema, text, &packer, &faults);
    if (envelope_decode(packed.data, packed.size, &decoded) != STATUS_OK)
        abort();
    fuzz_record_round_trip(pick, &decoded.data);
    msgpack_unpacked_destroy(&decoded);
    msgpack_sbuffer_destroy(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2)
        return 0;
    fuzz_pick_t pick = fuzz_pick(bytes[0]);
    if (bytes[1] == '?' || bytes[1] == '&') {
        run_parameters(&pick, bytes + 2, size - 2, bytes[1] == '&');
        return 0;
    }
    msgpack_unpacked decoded;
    if (envelope_decode(bytes + 1, size - 1, &decoded) == STATUS_OK) {
        fuzz_record_round_trip(&pick, &decoded.data);
        json_decref(shown_result(pick.schema, &decoded.data, false));
        json_decref(shown_result(pick.schema, &decoded.data, true));
    }
    msgpack_unpacked_destroy(&decoded);
    return 0;
}
