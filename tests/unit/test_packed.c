#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/checks.h"
#include "proto/json.h"
#include "proto/packed.h"
#include "proto/record.h"
#include "proto/transcode.h"
#include "tests/support/packing.h"

#include <string.h>

typedef struct {
    presence_t fields;
    bool on;
    packed_t tags;
    packed_t words;
    packed_t rest;
} open_t;

enum { OPEN_ON, OPEN_TAGS, OPEN_WORDS, OPEN_REST };

static const field_t rows[] = {
    [OPEN_ON] = FIELD_SWITCH_ROW_AS("is[on]", open_t, on, .doc = "On."),
    [OPEN_TAGS] =
        FIELD_PACKED_ROW(open_t, tags, SHAPE_TEXTS, 1, 3, .check = check_printable, .doc = "Tags."),
    [OPEN_WORDS] = FIELD_PACKED_ROW(open_t, words, SHAPE_TEXT_MAP, 0, 2, .flags = FIELD_NULLABLE,
                                    .doc = "Words."),
    [OPEN_REST] = FIELD_PACKED_ROW(open_t, rest, SHAPE_OPEN, 0, 0, .doc = "Others."),
};
static const schema_t schema = SCHEMA("Open", open_t, rows, .is_open = true);

/* JSON in, as the gateway reads it, to the record and back to JSON. */
static const char *through(const char *json, record_mode_t mode, open_t *record)
{
    static char text[8192];
    AUTO(json_release) json_t *value = NULL;
    err_t err;
    faults_t faults = {.count = 0};
    packing_t packed;
    memset(record, 0, sizeof(*record));
    assert_int_equal(json_read(json, strlen(json), &value, &err), STATUS_OK);
    packing_init(&packed);
    transcode_body(&schema, value, &packed.packer);
    status_t status =
        record_read(&schema, packing_decode(&packed), mode, FAULT_IN_BODY, record, &faults);
    packing_free(&packed);
    if (status != STATUS_OK) {
        assert_int_equal(faults.count, 1);
        assert_true(text_format(text, sizeof(text), "%s %s %s",
                                fault_code_name(faults.items[0].code), faults.items[0].where,
                                faults.items[0].message) == STATUS_OK);
        return text;
    }
    packing_init(&packed);
    record_write(&schema, record, &packed.packer);
    msgpack_sbuffer shown;
    msgpack_sbuffer_init(&shown);
    transcode_result(&schema, packing_decode(&packed), &shown);
    assert_true(shown.size < sizeof(text));
    memcpy(text, shown.data, shown.size);
    text[shown.size] = '\0';
    msgpack_sbuffer_destroy(&shown);
    packing_free(&packed);
    return text;
}

static void what_is_sent_comes_back(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{\"tags\":[\"a\",\"\",\"\xc3\xa9\"],\"words\":{\"a\":\"b\"}}",
        "{\"is[on]\":true,\"words\":null,\"x\":1,\"y\":[1,-2.5,null,true,{\"z\":\"\"}],\"u\":{}}",
        "{\"a0\":0,\"a1\":0,\"a2\":0,\"a3\":0,\"a4\":0,\"a5\":0,\"a6\":0,\"a7\":0,\"a8\":0,\"a9\":"
        "0,"
        "\"b0\":0,\"b1\":0,\"b2\":0,\"b3\":0,\"b4\":0,\"b5\":0,\"b6\":0,\"b7\":0}",
        "{}",
    };
    open_t record;
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        assert_string_equal(through(same[i], RECORD_WHOLE, &record), same[i]);
        assert_true(field_given(&record.fields, OPEN_REST));
        assert_string_equal(through(same[i], RECORD_PART, &record), same[i]);
    }
    assert_false(field_given(&record.fields, OPEN_REST));
}

static void flaws_are_faults(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"tags\":\"a\"}", "type /tags must be an array of strings"},
        {"{\"tags\":{}}", "type /tags must be an array of strings"},
        {"{\"tags\":[1]}", "type /tags must hold strings only"},
        {"{\"tags\":[]}", "range /tags has too few entries"},
        {"{\"tags\":[\"\",\"\",\"\",\"\"]}", "range /tags has too many entries"},
        {"{\"tags\":[\"\\n\"]}", "format /tags must hold no control characters"},
        {"{\"words\":{\"a\":1}}", "type /words must hold strings only"},
        {"{\"words\":[\"a\"]}", "type /words must be an object of strings"},
        {"{\"words\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}", "range /words has too many entries"},
        {"{\"tags\":null}", "type /tags must not be null"},
        {"{\"o\":[[[[[[[[1]]]]]]]]}", "format  is nested too deeply (maximum is 8 levels)"},
    };
    open_t record;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(through(cases[i][0], RECORD_WHOLE, &record), cases[i][1]);
    char large[PACKED_SIZE + 64] = "{\"o\":\"";
    size_t used = strlen(large);
    memset(large + used, 'x', PACKED_SIZE);
    memcpy(large + used + PACKED_SIZE, "\"}", 3);
    assert_string_equal(through(large, RECORD_WHOLE, &record),
                        "range  is too large (maximum is 4 KiB)");
}

/* `count` zeros in an array, as a member's value. */
static const char *zeros(size_t count)
{
    static char text[2048] = "{\"o\":[0";
    size_t used = strlen("{\"o\":[0");
    for (size_t i = 1; i < count; i++, used += 2)
        memcpy(text + used, ",0", 2);
    memcpy(text + used, "]}", 3);
    return text;
}

/* A page of them must fit a message. */
static void values_are_counted(void **state)
{
    (void)state;
    open_t record, other;
    packed_t merged;
    size_t most = PACKED_VALUES_MAX - 3; /* besides the map, the name and the array */
    assert_string_equal(through(zeros(most), RECORD_WHOLE, &record), zeros(most));
    assert_string_equal(through(zeros(most + 1), RECORD_WHOLE, &record),
                        "format  has too many members (maximum is 256 names and values)");
    (void)through(zeros(most), RECORD_WHOLE, &record);
    (void)through("{\"p\":1}", RECORD_WHOLE, &other);
    assert_int_equal(packed_merge(&record.rest, &other.rest, &merged), STATUS_TOO_LARGE);
}

static const char *shown(const packed_t *value)
{
    static char text[1024];
    packing_t packed;
    packing_init(&packed);
    packed_write(value, &packed.packer);
    assert_int_equal(
        text_copy(text, sizeof(text), packing_shown(&packed), strlen(packing_shown(&packed))),
        STATUS_OK);
    packing_free(&packed);
    return text;
}

static const char *result_of(const char *hex)
{
    static char text[256];
    packing_t packed;
    msgpack_sbuffer json;
    packing_hex(&packed, hex);
    msgpack_sbuffer_init(&json);
    transcode_result(&schema, packing_decode(&packed), &json);
    assert_int_equal(text_copy(text, sizeof(text), json.data, json.size), STATUS_OK);
    msgpack_sbuffer_destroy(&json);
    packing_free(&packed);
    return text;
}

/* Whatever a worker sends, an answer is JSON. */
static void members_without_a_name_are_left_out(void **state)
{
    (void)state;
    assert_string_equal(result_of("82 a1ff 01 a161 02"), "{\"a\":2}");
    assert_string_equal(result_of("82 a161 02 a100 01"), "{\"a\":2}");
    assert_string_equal(result_of("81 a161 82 a1ff 01 a162 92 02 81 a100 c0"),
                        "{\"a\":{\"b\":[2,{}]}}");
}

/* Nobody has to ask whether there is a rest. */
static void no_body_has_an_empty_rest(void **state)
{
    (void)state;
    static const msgpack_object nil = {.type = MSGPACK_OBJECT_NIL};
    open_t record = {.on = false};
    faults_t faults = {.count = 0};
    assert_int_equal(record_read(&schema, &nil, RECORD_WHOLE, FAULT_IN_BODY, &record, &faults),
                     STATUS_OK);
    assert_true(field_given(&record.fields, OPEN_REST));
    assert_string_equal(shown(&record.rest), "{}");
}

/* Bytes behind the value are nobody's: records are compared as a whole. */
static void no_more_than_the_value_is_written(void **state)
{
    (void)state;
    open_t base;
    packed_t values[3];
    packing_t packed;
    (void)through("{\"a\":1}", RECORD_WHOLE, &base);
    memset(values, 'x', sizeof(values));
    const msgpack_object *map = packing_json(&packed, "{'a':1}");
    assert_int_equal(packed_set(map, &values[0]), STATUS_OK);
    assert_int_equal(packed_set_rest(&schema, map, &values[1]), STATUS_OK);
    assert_int_equal(packed_merge(&base.rest, &base.rest, &values[2]), STATUS_OK);
    packing_free(&packed);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        assert_string_equal(shown(&values[i]), "{'a':1}");
        for (size_t at = values[i].length; at < sizeof(values[i].bytes); at++)
            assert_int_equal(values[i].bytes[at], 'x');
    }
}

static void maps_are_merged(void **state)
{
    (void)state;
    open_t base, change;
    packed_t merged;
    (void)through("{\"a\":1,\"b\":{\"c\":2},\"d\":3}", RECORD_WHOLE, &base);
    (void)through("{\"b\":null,\"e\":[4]}", RECORD_WHOLE, &change);
    assert_int_equal(packed_merge(&base.rest, &change.rest, &merged), STATUS_OK);
    assert_string_equal(shown(&merged), "{'a':1,'d':3,'b':null,'e':[4]}");
    (void)through("{}", RECORD_WHOLE, &change);
    assert_int_equal(packed_merge(&base.rest, &change.rest, &merged), STATUS_OK);
    assert_string_equal(shown(&merged), shown(&base.rest));
}

static void stored_bytes_are_checked(void **state)
{
    (void)state;
    packed_t loaded;
    static const char *const texts[] = {"a", "b"};
    packed_t tags;
    packed_set_texts(texts, 2, &tags);
    assert_int_equal(packed_count(&tags), 2);
    assert_int_equal(packed_load(&rows[OPEN_TAGS], tags.bytes, tags.length, &loaded), STATUS_OK);
    assert_string_equal(shown(&loaded), "['a','b']");
    assert_int_equal(packed_load(&rows[OPEN_TAGS], tags.bytes, tags.length - 1, &loaded),
                     STATUS_CORRUPT);
    assert_int_equal(packed_load(&rows[OPEN_WORDS], tags.bytes, tags.length, &loaded),
                     STATUS_CORRUPT);
    assert_int_equal(packed_load(&rows[OPEN_TAGS], NULL, 0, &loaded), STATUS_CORRUPT);
    assert_int_equal(
        packed_load(&rows[OPEN_REST], "\xdf\x00\x00\x00\x01\xa1k\xc4\x01x", 10, &loaded),
        STATUS_CORRUPT); /* binary is nothing of JSON's */
    assert_int_equal(packed_load(&rows[OPEN_REST], "\xdf\x00\x00\x00\x01\xa1k\x01", 8, &loaded),
                     STATUS_OK);
    assert_int_equal(packed_count(&loaded), 1);
    static const char large[PACKED_SIZE + 1000];
    assert_int_equal(packed_load(&rows[OPEN_REST], large, sizeof(large), &loaded), STATUS_CORRUPT);
}

static void an_open_schema_ends_with_its_open_row(void **state)
{
    (void)state;
    assert_null(schema_flaw(&schema));
    schema_t wrong = schema;
    wrong.count--;
    assert_non_null(schema_flaw(&wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_comes_back),
        cmocka_unit_test(flaws_are_faults),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(no_more_than_the_value_is_written),
        cmocka_unit_test(members_without_a_name_are_left_out),
        cmocka_unit_test(no_body_has_an_empty_rest),
        cmocka_unit_test(maps_are_merged),
        cmocka_unit_test(stored_bytes_are_checked),
        cmocka_unit_test(an_open_schema_ends_with_its_open_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
