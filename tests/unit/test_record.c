#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/record.h"
#include "proto/trunk_auth.h"
#include "tests/support/packing.h"
#include "tests/support/sample_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads JSON into the record; returns the faults as "code /where; code /where". */
static const char *faults_of(const schema_t *schema, const char *json, record_mode_t mode,
                             void *record)
{
    static char text[4096];
    faults_t faults = {.count = 0};
    packing_t packed;
    memset(record, 0, schema->record_size);
    status_t status =
        record_read(schema, packing_json(&packed, json), mode, FAULT_IN_BODY, record, &faults);
    packing_free(&packed);
    assert_int_equal(status, faults.count == 0 ? STATUS_OK : STATUS_INVALID);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < faults.count; i++) {
        assert_true(faults.items[i].message[0] != '\0');
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s", i > 0 ? "; " : "",
                                 fault_code_name(faults.items[i].code), faults.items[i].where);
    }
    return text;
}

static const char *shown(const schema_t *schema, const void *record)
{
    static char text[4096];
    packing_t packed;
    packing_init(&packed);
    record_write(schema, record, &packed.packer);
    (void)snprintf(text, sizeof(text), "%s", packing_shown(&packed));
    packing_free(&packed);
    return text;
}

static void a_whole_record_gets_its_defaults(void **state)
{
    (void)state;
    sample_t sample;
    assert_string_equal(faults_of(&sample_schema, "{'name':'abcd'}", RECORD_WHOLE, &sample), "");
    assert_string_equal(sample.name, "abcd");
    assert_string_equal(sample.note, "none");
    assert_int_equal(sample.kind, 2);
    assert_int_equal(sample.size, 3);
    assert_true(sample.on);
    assert_false(field_given(&sample.fields, SAMPLE_AT));
    assert_false(field_given(&sample.fields, SAMPLE_TOKEN));
    assert_string_equal(shown(&sample_schema, &sample),
                        "{'kind':'longer','name':'abcd','note':'none','on':true,'size':3}");
}

static void a_part_has_only_what_is_given(void **state)
{
    (void)state;
    sample_t sample;
    assert_string_equal(faults_of(&sample_schema, "{}", RECORD_PART, &sample), "");
    assert_true(sample.fields.given == 0 && sample.fields.null == 0);
    assert_string_equal(faults_of(&sample_schema, "null", RECORD_PART, &sample), "");
    const char *json = "{'name':5,'at':null,'size':10}"; /* fixed: not even looked at */
    assert_string_equal(faults_of(&sample_schema, json, RECORD_PART, &sample), "");
    assert_true(field_null(&sample.fields, SAMPLE_AT) && !field_set(&sample.fields, SAMPLE_AT));
    assert_true(field_set(&sample.fields, SAMPLE_SIZE));
    assert_false(field_given(&sample.fields, SAMPLE_NAME));
    assert_string_equal(shown(&sample_schema, &sample), "{'at':null,'size':10}");
}

static void every_fault_has_its_code_and_pointer(void **state)
{
    (void)state;
    static const struct {
        const char *json, *faults;
    } rows[] = {
        {"{}", "required /name"},
        {"null", "required /name"},
        {"[]", "type "},
        {"'x'", "type "},
        {"{'name':null}", "type /name"},
        {"{'name':5}", "type /name"},
        {"{'name':'a'}", "range /name"},
        {"{'name':'abcde'}", "range /name"},
        {"{'name':''}", "range /name"},
        {"{'name':'\\u00e4\\u00e4\\u00e4\\u00e4'}", ""}, /* four characters, eight bytes */
        {"{'name':'\\ud83d\\ude42\\ud83d\\ude42\\ud83d\\ude42\\ud83d\\ude42'}", ""},
        {"{'name':'a\\u0000b'}", "format /name"},
        {"{'name':'ab','note':'a\\u0007'}", "format /note"},
        {"{'name':'ab','note':''}", ""},
        {"{'name':'ab','note':null}", "type /note"},
        {"{'name':'ab','size':0}", "range /size"},
        {"{'name':'ab','size':11}", "range /size"},
        {"{'name':'ab','size':9223372036854775807}", "range /size"},
        {"{'name':'ab','size':-9223372036854775808}", "range /size"},
        {"{'name':'ab','size':'3'}", "type /size"},
        {"{'name':'ab','size':3.0}", "type /size"},
        {"{'name':'ab','size':true}", "type /size"},
        {"{'name':'ab','on':1}", "type /on"},
        {"{'name':'ab','on':'true'}", "type /on"},
        {"{'name':'ab','kind':'c'}", "choice /kind"},
        {"{'name':'ab','kind':'A'}", "choice /kind"},
        {"{'name':'ab','kind':''}", "choice /kind"},
        {"{'name':'ab','kind':'a\\u0000'}", "choice /kind"},
        {"{'name':'ab','kind':0}", "type /kind"},
        {"{'name':'ab','at':'tomorrow'}", "format /at"},
        {"{'name':'ab','at':1.5}", "type /at"},
        {"{'name':'ab','at':-62167219200000}", ""},
        {"{'name':'ab','at':-62167219200001}", "format /at"},
        {"{'name':'ab','at':253402300800000}", "format /at"},
        {"{'name':'ab','token':'abc'}", "range /token"},
        {"{'name':'ab','token':'\\u00e4\\u00e4'}", ""}, /* bytes count */
        {"{'name':'ab','token':'12345678901234567'}", "range /token"},
        {"{'name':'ab','token':'*'}", "format /token"}, /* the mask, whatever its length */
        {"{'name':'ab','token':''}", "range /token"},
        {"{'name':'ab','inner':[]}", "type /inner"},
        {"{'name':'ab','inner':null}", ""},
        {"{'name':'ab','inner':{}}", "required /inner/realm"},
        {"{'name':'ab','inner':{'realm':'','level':6}}", "range /inner/realm; range /inner/level"},
        {"{'name':'ab','kind':'b'}", "rule /size"}, /* the default is odd */
        {"{'name':'ab','kind':'b','size':4}", ""},
        {"{'name':'ab','kind':'b','size':11}", "range /size"}, /* no rule over faulty fields */
        {"{'size':0,'on':2,'kind':'x','at':'y','token':'','inner':{'level':'z'},'note':7}",
         "range /size; type /on; choice /kind; format /at; range /token; type /inner/level; "
         "required /inner/realm; type /note; required /name"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        sample_t sample;
        const char *faults = faults_of(&sample_schema, rows[i].json, RECORD_WHOLE, &sample);
        if (strcmp(faults, rows[i].faults) != 0)
            fail_msg("%s: %s", rows[i].json, faults);
    }
}

static void what_a_client_may_not_write_is_ignored(void **state)
{
    (void)state;
    sample_t sample;
    const char *json = "{'name':'ab','made':'x','items':5,'unknown':{'a':[1]},'':1}";
    assert_string_equal(faults_of(&sample_schema, json, RECORD_WHOLE, &sample), "");
    assert_false(field_given(&sample.fields, SAMPLE_MADE));
    assert_false(field_given(&sample.fields, SAMPLE_ITEMS));
}

static void secrets_are_masked_and_write_only_fields_not_shown(void **state)
{
    (void)state;
    sample_t sample;
    const char *json = "{'token':'hunter2!','unseen':'hunter3'}";
    assert_string_equal(faults_of(&sample_schema, json, RECORD_PART, &sample), "");
    assert_string_equal(sample.token, "hunter2!");
    assert_string_equal(sample.unseen, "hunter3");
    assert_string_equal(shown(&sample_schema, &sample), "{'token':'********'}");
    assert_string_equal(faults_of(&sample_schema, "{'token':null}", RECORD_PART, &sample), "");
    assert_string_equal(shown(&sample_schema, &sample), "{'token':null}");
}

static void faults_never_repeat_a_value(void **state)
{
    (void)state;
    faults_t faults = {.count = 0};
    sample_t sample = {.fields = {0}};
    packing_t packed;
    const char *json = "{'name':'hunter2','note':'\\u0007hunter2','kind':'hunter2','at':'hunter2',"
                       "'token':'hunter2hunter2hunter2','inner':{'realm':'hunter2hunter2'}}";
    assert_int_equal(record_read(&sample_schema, packing_json(&packed, json), RECORD_WHOLE,
                                 FAULT_IN_BODY, &sample, &faults),
                     STATUS_INVALID);
    packing_free(&packed);
    assert_int_equal(faults.count, 6);
    for (size_t i = 0; i < faults.count; i++)
        assert_null(strstr(faults.items[i].message, "hunter"));
}

static void lists_and_dates_are_written(void **state)
{
    (void)state;
    sample_inner_t items[2] = {{.realm = "x"}, {.level = -5}};
    field_give(&items[0].fields, INNER_REALM);
    field_give(&items[1].fields, INNER_LEVEL);
    sample_t sample = {.items = {items, 2}, .made = 86400000, .inner = items[1]};
    field_give(&sample.fields, SAMPLE_ITEMS);
    field_give(&sample.fields, SAMPLE_MADE);
    field_give(&sample.fields, SAMPLE_INNER);
    record_give_text(&sample_schema, &sample, SAMPLE_NAME, "four");
    assert_string_equal(shown(&sample_schema, &sample),
                        "{'inner':{'level':-5},'items':[{'realm':'x'},{'level':-5}],"
                        "'made':86400000,'name':'four'}");
}

/* Only a forged message has it: JSON with such keys is refused. */
static void the_first_of_two_equal_keys_counts(void **state)
{
    (void)state;
    packing_t packed;
    sample_t sample = {.fields = {0}};
    faults_t faults = {.count = 0};
    packing_hex(&packed, "84 a473697a65 04 a473697a65 05 a36f6e00 01 2a c0"); /* "on\0", 42 */
    assert_int_equal(record_read(&sample_schema, packing_decode(&packed), RECORD_PART,
                                 FAULT_IN_BODY, &sample, &faults),
                     STATUS_OK);
    assert_int_equal(sample.size, 4);
    assert_false(field_given(&sample.fields, SAMPLE_ON));
    packing_free(&packed);
    packing_hex(&packed, "81 a473697a65 cfffffffffffffffff");
    assert_int_equal(record_read(&sample_schema, packing_decode(&packed), RECORD_PART,
                                 FAULT_IN_BODY, &sample, &faults),
                     STATUS_INVALID);
    assert_int_equal(faults.items[0].code, FAULT_RANGE);
    packing_free(&packed);
}

/* A list of faults that is full must not turn a bad record into a good one. */
static void a_full_list_of_faults_is_still_a_refusal(void **state)
{
    (void)state;
    packing_t packed;
    sample_t sample = {.fields = {0}};
    faults_t faults = {.count = 0};
    for (int i = 0; i < 2 * FAULTS_MAX; i++)
        faults_add(&faults, FAULT_RULE, FAULT_IN_QUERY, "x", "is bad");
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_int_equal(record_read(&sample_schema, packing_json(&packed, "{'name':5}"), RECORD_WHOLE,
                                 FAULT_IN_BODY, &sample, &faults),
                     STATUS_INVALID);
    packing_free(&packed);
    assert_int_equal(faults.count, FAULTS_MAX);
}

static void places_outside_a_body_have_plain_names(void **state)
{
    (void)state;
    packing_t packed;
    page_query_t page = {.fields = {0}};
    faults_t faults = {.count = 0};
    assert_int_equal(record_read(&page_query_schema, packing_json(&packed, "{'limit':251}"),
                                 RECORD_WHOLE, FAULT_IN_QUERY, &page, &faults),
                     STATUS_INVALID);
    packing_free(&packed);
    assert_string_equal(faults.items[0].where, "limit");
    assert_string_equal(faults.items[0].message, "must be at most 250");
}

static void trunk_methods_have_their_rules(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        record_mode_t mode;
        const char *faults;
    } rows[] = {
        {"{}", RECORD_WHOLE, "required /type"},
        {"{'type':'ip'}", RECORD_WHOLE, "required /ip"},
        {"{'type':'ip','ip':null}", RECORD_WHOLE, "required /ip"},
        {"{'type':'sipuser'}", RECORD_WHOLE, "required /username; required /password"},
        {"{'type':'ip','ip':'255.255.255.255','username':'u','password':'secret'}", RECORD_WHOLE,
         ""},
        {"{'type':'ip','ip':'010.0.0.1'}", RECORD_WHOLE, "format /ip"},
        {"{'type':'sipuser','username':'a b','password':'12345'}", RECORD_WHOLE,
         "format /username; range /password"},
        {"{'type':'sipuser','username':'a b'}", RECORD_WHOLE,
         "format /username; required /password"},
        {"{'type':'x','username':'ab'}", RECORD_WHOLE, "choice /type"},
        {"{'type':'sipuser','username':'ab','password':'********'}", RECORD_WHOLE,
         "format /password"},
        {"{'password':'********'}", RECORD_PART, ""}, /* what is there stays */
        {"{'password':'*******'}", RECORD_PART, "format /password"},
        {"{'password':'*******x','type':7,'username':7}", RECORD_PART, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        method_t method;
        const char *faults = faults_of(&method_schema, rows[i].json, rows[i].mode, &method);
        if (strcmp(faults, rows[i].faults) != 0)
            fail_msg("%s: %s", rows[i].json, faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_record_gets_its_defaults),
        cmocka_unit_test(a_part_has_only_what_is_given),
        cmocka_unit_test(every_fault_has_its_code_and_pointer),
        cmocka_unit_test(what_a_client_may_not_write_is_ignored),
        cmocka_unit_test(secrets_are_masked_and_write_only_fields_not_shown),
        cmocka_unit_test(faults_never_repeat_a_value),
        cmocka_unit_test(lists_and_dates_are_written),
        cmocka_unit_test(the_first_of_two_equal_keys_counts),
        cmocka_unit_test(a_full_list_of_faults_is_still_a_refusal),
        cmocka_unit_test(places_outside_a_body_have_plain_names),
        cmocka_unit_test(trunk_methods_have_their_rules),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
