#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/compiler.h"
#include "proto/scan.h"
#include "tests/support/packing.h"

#include <stdlib.h>
#include <string.h>

/* Scans a copy of exactly that size, so that a sanitizer sees a read behind the end. */
static status_t scanned(const void *bytes, size_t length)
{
    void *exact = malloc(length == 0 ? 1 : length);
    assert_non_null(exact);
    memcpy(exact, bytes, length);
    status_t status = scan_msgpack(exact, length);
    free(exact);
    return status;
}

static void every_form_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        status_t status;
    } rows[] = {
        {"", STATUS_INVALID},
        {"00", STATUS_OK},
        {"7f", STATUS_OK},
        {"e0", STATUS_OK},
        {"ff", STATUS_OK},
        {"c0", STATUS_OK},
        {"c1", STATUS_INVALID},
        {"c2", STATUS_OK},
        {"c3", STATUS_OK},
        {"c0 c0", STATUS_INVALID}, /* something behind it */
        {"80", STATUS_OK},
        {"90", STATUS_OK},
        {"a0", STATUS_OK},
        {"a161", STATUS_OK},
        {"a16161", STATUS_INVALID},
        {"c400", STATUS_OK},
        {"c40261 62", STATUS_OK},
        {"c5000161", STATUS_OK},
        {"c60000000161", STATUS_OK},
        {"ca00000000", STATUS_OK},
        {"cb0000000000000000", STATUS_OK},
        {"cc00", STATUS_OK},
        {"cd0000", STATUS_OK},
        {"ce00000000", STATUS_OK},
        {"cf0000000000000000", STATUS_OK},
        {"d000", STATUS_OK},
        {"d10000", STATUS_OK},
        {"d200000000", STATUS_OK},
        {"d30000000000000000", STATUS_OK},
        {"d90161", STATUS_OK},
        {"da000161", STATUS_OK},
        {"db0000000161", STATUS_OK},
        {"dc0001 00", STATUS_OK},
        {"dd00000001 00", STATUS_OK},
        {"de0001 a161 00", STATUS_OK},
        {"df00000001 a161 00", STATUS_OK},
        {"dd00000000", STATUS_OK},
        /* extension types */
        {"c70000", STATUS_INVALID},
        {"c8000000", STATUS_INVALID},
        {"c90000000000", STATUS_INVALID},
        {"d4ff00", STATUS_INVALID},
        {"d5000000", STATUS_INVALID},
        {"d6ff00000000", STATUS_INVALID},
        {"d7ff0000000000000000", STATUS_INVALID},
        {"d8ff00000000000000000000000000000000", STATUS_INVALID},
        /* keys that are no strings */
        {"81 00 00", STATUS_INVALID},
        {"81 c0 00", STATUS_INVALID},
        {"81 90 00", STATUS_INVALID},
        {"81 80 00", STATUS_INVALID},
        {"81 c401 61 00", STATUS_INVALID},
        {"82 a161 00 01 00", STATUS_INVALID},
        {"82 a161 81 a162 00 a163 00", STATUS_OK},
        {"82 a161 81 a162 00 00 00", STATUS_INVALID},
        /* bombs: counts that the bytes can't hold */
        {"dd00100000", STATUS_INVALID},
        {"ddffffffff", STATUS_INVALID},
        {"dfffffffff", STATUS_INVALID},
        {"df80000000", STATUS_INVALID}, /* twice it is 2^32 */
        {"dbffffffff", STATUS_INVALID},
        {"c6ffffffff", STATUS_INVALID},
        {"dcffff 00", STATUS_INVALID},
        {"91 ddffffffff", STATUS_INVALID},
        {"de0001 a161", STATUS_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        packing_t packed;
        packing_hex(&packed, rows[i].hex);
        const char *bytes = packed.bytes.data == NULL ? "" : packed.bytes.data;
        if (scanned(bytes, packed.bytes.size) != rows[i].status)
            fail_msg("%s", rows[i].hex);
        packing_free(&packed);
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    for (size_t depth = 1; depth <= 40; depth++) {
        unsigned char arrays[64], wide[256];
        memset(arrays, 0x91, depth);
        arrays[depth] = 0xc0;
        status_t expected = depth <= SCAN_DEPTH_MAX ? STATUS_OK : STATUS_TOO_LARGE;
        assert_int_equal(scanned(arrays, depth + 1), expected);
        for (size_t i = 0; i < depth; i++) /* array 16 that holds one */
            memcpy(wide + 3 * i, "\xdc\x00\x01", 3);
        wide[3 * depth] = 0xc0;
        assert_int_equal(scanned(wide, 3 * depth + 1), expected);
    }
    unsigned char bomb[32 * 3]; /* 32 times "65,535 follow" */
    for (size_t i = 0; i < 32; i++)
        memcpy(bomb + 3 * i, "\xdc\xff\xff", 3);
    assert_int_equal(scanned(bomb, sizeof(bomb)), STATUS_INVALID);
}

static void elements_and_bytes_are_bounded(void **state)
{
    (void)state;
    size_t count = SCAN_ELEMENTS_MAX; /* with the array itself one too many */
    unsigned char *bytes = calloc(1, count + 5);
    assert_non_null(bytes);
    bytes[0] = 0xdd;
    bytes[1] = (unsigned char)(count >> 24);
    bytes[2] = (unsigned char)(count >> 16);
    bytes[3] = (unsigned char)(count >> 8);
    bytes[4] = (unsigned char)count;
    assert_int_equal(scan_msgpack(bytes, count + 5), STATUS_TOO_LARGE);
    count--;
    bytes[2] = (unsigned char)(count >> 16);
    bytes[3] = (unsigned char)(count >> 8);
    bytes[4] = (unsigned char)count;
    assert_int_equal(scan_msgpack(bytes, count + 5), STATUS_OK);
    free(bytes);
    assert_int_equal(scan_msgpack("", (size_t)SCAN_BYTES_MAX + 1), STATUS_TOO_LARGE);
}

static void no_part_of_a_message_passes(void **state)
{
    (void)state;
    packing_t packed;
    (void)packing_json(&packed, "[1,'text',{'a':[1.5,null,true],'b':-70000},[[]],{'c':{}}]");
    size_t size = packed.bytes.size;
    assert_int_equal(scanned(packed.bytes.data, size), STATUS_OK);
    for (size_t length = 0; length < size; length++)
        assert_int_equal(scanned(packed.bytes.data, length), STATUS_INVALID);
    char longer[256] = {0};
    memcpy(longer, packed.bytes.data, size);
    assert_int_equal(scanned(longer, size + 1), STATUS_INVALID);
    packing_free(&packed);
}

/* What passes is what msgpack-c decodes to its last byte. */
static void what_passes_can_be_decoded(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252U;
    unsigned passed = 0;
    for (int i = 0; i < 100000; i++) {
        char bytes[8];
        for (size_t k = 0; k < sizeof(bytes); k++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            static const unsigned char heads[] = {0x81, 0x91, 0xa1, 0x92, 0xc0, 0xdc, 0x00, 0xa0};
            bytes[k] = (char)(seed % 3 == 0 ? seed >> 24 : heads[seed >> 32 & 7U]);
        }
        size_t length = 1 + seed % sizeof(bytes), used = 0;
        if (scan_msgpack(bytes, length) != STATUS_OK)
            continue;
        passed++;
        msgpack_unpacked decoded;
        msgpack_unpacked_init(&decoded);
        assert_int_equal(msgpack_unpack_next(&decoded, bytes, length, &used),
                         MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(used, length);
        msgpack_unpacked_destroy(&decoded);
    }
    assert_true(passed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_known),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(elements_and_bytes_are_bounded),
        cmocka_unit_test(no_part_of_a_message_passes),
        cmocka_unit_test(what_passes_can_be_decoded),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
