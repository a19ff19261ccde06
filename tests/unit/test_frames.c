#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/frames.h"
#include "tests/support/packing.h"

#include <string.h>

#define INSTANCE "018f0000-0000-7000-8000-000000000001"

/* Made with another implementation of msgpack (Python's). */
static const char golden_ready[] =
    "93aa7472756e6b2d61757468d92430313866303030302d303030302d373030302d"
    "383030302d30303030303030303030303140";
static const char golden_requests[] = "dd000000029401cd05dcc2c402010294cf000001000000000000c3c400";
static const char golden_replies[] = "dd000000029201c40291c092cf0000010000000000c400";

static void heads_are_five_bytes(void **state)
{
    (void)state;
    static const command_t commands[] = {COMMAND_READY, COMMAND_REQUEST, COMMAND_REPLY,
                                         COMMAND_HEARTBEAT, COMMAND_DISCONNECT};
    char head[FRAMES_HEAD_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        command_t command = COMMAND_READY;
        frames_write_head(commands[i], head);
        assert_memory_equal(head, "LKW1", 4);
        assert_int_equal(frames_read_head(head, sizeof(head), &command), STATUS_OK);
        assert_int_equal(command, commands[i]);
        for (size_t length = 0; length < sizeof(head); length++)
            assert_int_equal(frames_read_head(head, length, &command), STATUS_INVALID);
    }
    unsigned known = 0;
    for (int letter = 0; letter < 256; letter++) {
        command_t command = COMMAND_READY;
        head[4] = (char)letter;
        known += frames_read_head(head, sizeof(head), &command) == STATUS_OK;
    }
    assert_int_equal(known, ARRAY_LEN(commands));
    command_t command = COMMAND_READY;
    assert_int_equal(frames_read_head("LKW2R", 5, &command), STATUS_INVALID);
    assert_int_equal(frames_read_head("LKW1RR", 6, &command), STATUS_INVALID);
    assert_int_equal(frames_read_head("MDPW0", 5, &command), STATUS_INVALID);
}

static void a_ready_goes_both_ways(void **state)
{
    (void)state;
    static const ready_t ready = {.service = "trunk-auth", .instance = INSTANCE, .window = 64};
    packing_t packed;
    packing_init(&packed);
    frames_write_ready(&ready, &packed.packer);
    assert_string_equal(packing_digits(&packed), golden_ready);
    ready_t back;
    assert_int_equal(frames_read_ready(packed.bytes.data, packed.bytes.size, &back), STATUS_OK);
    assert_string_equal(back.service, "trunk-auth");
    assert_string_equal(back.instance, INSTANCE);
    assert_int_equal(back.window, 64);
    packing_free(&packed);
}

static void every_element_of_a_ready_is_checked(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "null",
        "{}",
        "['s','" INSTANCE "']",
        "['s','" INSTANCE "',1,1]",
        "[5,'" INSTANCE "',1]",
        "['s\\u0000','" INSTANCE "',1]",
        "['a name of thirty-two characters..','" INSTANCE "',1]",
        "['s','',1]",
        "['s',null,1]",
        "['s','018f0000-0000-7000-8000-00000000000g',1]",
        "['s','" INSTANCE "0',1]",
        "['s','" INSTANCE "',0]",
        "['s','" INSTANCE "',-1]",
        "['s','" INSTANCE "',1025]",
        "['s','" INSTANCE "',1.0]",
        "['s','" INSTANCE "','1']",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        packing_t packed;
        ready_t ready = {.window = 42};
        (void)packing_json(&packed, rows[i]);
        if (frames_read_ready(packed.bytes.data, packed.bytes.size, &ready) != STATUS_INVALID ||
            ready.window != 42)
            fail_msg("%s", rows[i]);
        packing_free(&packed);
    }
}

static void assert_hex(const void *bytes, size_t length, const char *expected)
{
    char hex[1024];
    assert_true(2 * length < sizeof(hex));
    text_hex(hex, bytes, length);
    assert_string_equal(hex, expected);
}

static void batches_have_their_bytes(void **state)
{
    (void)state;
    batch_t batch;
    size_t length = 0;
    batch_init(&batch);
    assert_hex(batch_bytes(&batch, &length), 5, "dd00000000"); /* none is an empty array */
    assert_int_equal(length, 5);
    batch_add_request(&batch, 1, 1500, false, "\x01\x02", 2);
    batch_add_request(&batch, (uint64_t)1 << 40, -5, true, "", 0); /* late is no time left */
    const void *bytes = batch_bytes(&batch, &length);
    assert_hex(bytes, length, golden_requests);
    batch_clear(&batch);
    assert_int_equal(batch.count, 0);
    batch_add_reply(&batch, 1, "\x91\xc0", 2);
    batch_add_reply(&batch, (uint64_t)1 << 40, "", 0);
    bytes = batch_bytes(&batch, &length);
    assert_hex(bytes, length, golden_replies);
    batch_free(&batch);
}

static void batches_are_read(void **state)
{
    (void)state;
    packing_t packed;
    batch_reader_t reader;
    packing_hex(&packed, golden_requests);
    assert_int_equal(batch_read_requests(&reader, packed.bytes.data, packed.bytes.size), STATUS_OK);
    assert_int_equal(reader.count, 2);
    batch_item_t item = batch_item(&reader, 0);
    assert_int_equal(item.id, 1);
    assert_int_equal(item.ms_left, 1500);
    assert_false(item.again);
    assert_int_equal(item.length, 2);
    assert_memory_equal(item.bytes, "\x01\x02", 2);
    item = batch_item(&reader, 1);
    assert_true(item.id == (uint64_t)1 << 40);
    assert_int_equal(item.ms_left, 0);
    assert_true(item.again);
    assert_int_equal(item.length, 0);
    batch_reader_free(&reader);
    assert_int_equal(batch_read_replies(&reader, packed.bytes.data, packed.bytes.size),
                     STATUS_INVALID);
    batch_reader_free(&reader);
    packing_free(&packed);
    packing_hex(&packed, golden_replies);
    assert_int_equal(batch_read_replies(&reader, packed.bytes.data, packed.bytes.size), STATUS_OK);
    assert_int_equal(reader.count, 2);
    assert_memory_equal(batch_item(&reader, 0).bytes, "\x91\xc0", 2);
    batch_reader_free(&reader);
    assert_int_equal(batch_read_requests(&reader, packed.bytes.data, packed.bytes.size),
                     STATUS_INVALID);
    batch_reader_free(&reader);
    packing_free(&packed);
}

static void every_item_of_a_batch_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        status_t requests, replies;
    } rows[] = {
        {"90", STATUS_OK, STATUS_OK},
        {"dd00000000", STATUS_OK, STATUS_OK},
        {"", STATUS_INVALID, STATUS_INVALID},
        {"c0", STATUS_INVALID, STATUS_INVALID},
        {"80", STATUS_INVALID, STATUS_INVALID},
        {"91c0", STATUS_INVALID, STATUS_INVALID},
        {"9190", STATUS_INVALID, STATUS_INVALID},
        {"91 94 01 02 c2 c400", STATUS_OK, STATUS_INVALID},
        {"91 94 ff 02 c2 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 94 c0 02 c2 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 94 01 ff c2 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 94 01 cf8000000000000000 c2 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 94 cf8000000000000000 00 c3 c400", STATUS_OK, STATUS_INVALID},
        {"91 94 01 02 c2 a0", STATUS_INVALID, STATUS_INVALID},
        {"91 94 01 02 c2 c0", STATUS_INVALID, STATUS_INVALID},
        {"91 95 01 02 c2 c400 c0", STATUS_INVALID, STATUS_INVALID},
        {"92 94 01 02 c2 c400 c0", STATUS_INVALID, STATUS_INVALID},
        {"91 94 01 02 00 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 94 01 02 c0 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 93 01 02 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 92 01 c400", STATUS_INVALID, STATUS_OK},
        {"91 92 01 a0", STATUS_INVALID, STATUS_INVALID},
        {"91 92 a0 c400", STATUS_INVALID, STATUS_INVALID},
        {"91 92 01 c400 00", STATUS_INVALID, STATUS_INVALID},
        {"dd00000002 92 01 c400", STATUS_INVALID, STATUS_INVALID},
        {"ddffffffff", STATUS_INVALID, STATUS_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        packing_t packed;
        batch_reader_t reader;
        packing_hex(&packed, rows[i].hex);
        const char *bytes = packed.bytes.data == NULL ? "" : packed.bytes.data;
        if (batch_read_requests(&reader, bytes, packed.bytes.size) != rows[i].requests)
            fail_msg("requests %s", rows[i].hex);
        batch_reader_free(&reader);
        if (batch_read_replies(&reader, bytes, packed.bytes.size) != rows[i].replies)
            fail_msg("replies %s", rows[i].hex);
        assert_true(rows[i].replies == STATUS_OK || reader.count == 0);
        batch_reader_free(&reader);
        packing_free(&packed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_five_bytes),
        cmocka_unit_test(a_ready_goes_both_ways),
        cmocka_unit_test(every_element_of_a_ready_is_checked),
        cmocka_unit_test(batches_have_their_bytes),
        cmocka_unit_test(batches_are_read),
        cmocka_unit_test(every_item_of_a_batch_is_checked),
    };
    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
