/* Changes laid over records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "proto/merge.h"
#include "proto/packed.h"
#include "proto/record.h"
#include "tests/support/packing.h"
#include "tests/support/sample_schema.h"

#include <string.h>

/* A record of each kind that the sample has not: packed values, and a rest. */
typedef struct {
    presence_t fields;
    char name[TEXT_SIZE(8)];
    packed_t tags;
    packed_t rest;
} open_t;

enum { OPEN_NAME, OPEN_TAGS, OPEN_REST };

static const field_t open_rows[] = {
    [OPEN_NAME] = FIELD_TEXT_ROW(open_t, name, 0, 8, .flags = FIELD_NULLABLE, .doc = "d"),
    [OPEN_TAGS] = FIELD_PACKED_ROW(open_t, tags, SHAPE_TEXTS, 0, 8, .doc = "d"),
    [OPEN_REST] = FIELD_PACKED_ROW(open_t, rest, SHAPE_OPEN, 0, 0, .doc = "d"),
};
static const schema_t open_schema = SCHEMA("Open", open_t, open_rows, .is_open = true);

static void read_json(const schema_t *schema, const char *json, void *record)
{
    faults_t faults = {.count = 0};
    packing_t packed;
    memset(record, 0, schema->record_size);
    assert_int_equal(record_read(schema, packing_json(&packed, json), RECORD_PART, FAULT_IN_BODY,
                                 record, &faults),
                     STATUS_OK);
    packing_free(&packed);
}

/* before and change as JSON; what comes of them must be `after`. */
static void merges_to(const schema_t *schema, const char *before, const char *change,
                      const char *after)
{
    void *record = mem_zalloc(schema->record_size), *changes = mem_zalloc(schema->record_size);
    packing_t packed;
    read_json(schema, before, record);
    read_json(schema, change, changes);
    assert_int_equal(merge_record(schema, record, changes), STATUS_OK);
    packing_init(&packed);
    record_write(schema, record, &packed.packer);
    assert_string_equal(packing_shown(&packed), after);
    packing_free(&packed);
    mem_free(record);
    mem_free(changes);
}

static void what_is_given_takes_the_place(void **state)
{
    (void)state;
    merges_to(&sample_schema, "{'note':'a','size':2}", "{}", "{'note':'a','size':2}");
    merges_to(&sample_schema, "{'note':'longer','on':true,'size':2}", "{'note':'b','on':false}",
              "{'note':'b','on':false,'size':2}");
    merges_to(&sample_schema, "{'kind':'b','size':2}", "{'kind':'longer','at':5}",
              "{'at':5,'kind':'longer','size':2}");
    merges_to(&open_schema, "{'name':'x'}", "{'name':null}", "{'name':null}");
    merges_to(&open_schema, "{'name':null}", "{'name':'y'}", "{'name':'y'}");
}

static void objects_are_merged_inside(void **state)
{
    (void)state;
    merges_to(&sample_schema, "{'inner':{'realm':'r','level':1}}", "{'inner':{'level':2}}",
              "{'inner':{'realm':'r','level':2}}");
    merges_to(&sample_schema, "{}", "{'inner':{'level':2}}", "{'inner':{'level':2}}");
    merges_to(&sample_schema, "{'inner':{'level':1}}", "{'inner':null}", "{'inner':null}");
    merges_to(&sample_schema, "{'inner':null}", "{'inner':{'realm':'r'}}",
              "{'inner':{'realm':'r'}}");
}

static void packed_values_are_replaced_and_the_rest_is_merged(void **state)
{
    (void)state;
    merges_to(&open_schema, "{'tags':['a','b'],'x':1,'y':{'z':2}}", "{'tags':[],'y':null,'w':true}",
              "{'tags':[],'x':1,'y':null,'w':true}");
    merges_to(&open_schema, "{'name':'n'}", "{'x':1}", "{'name':'n','x':1}");
}

static bool changes_anything(const schema_t *schema, const char *json)
{
    void *record = mem_zalloc(schema->record_size);
    read_json(schema, json, record);
    bool changes = merge_changes(schema, record);
    mem_free(record);
    return changes;
}

static void empty_objects_change_nothing(void **state)
{
    (void)state;
    assert_false(changes_anything(&sample_schema, "{}"));
    assert_false(changes_anything(&sample_schema, "{'inner':{}}"));
    assert_false(changes_anything(&sample_schema, "{'unknown':1}"));
    assert_true(changes_anything(&sample_schema, "{'inner':{'level':2}}"));
    assert_true(changes_anything(&sample_schema, "{'inner':null}"));
    assert_false(changes_anything(&open_schema, "{}"));
    assert_true(changes_anything(&open_schema, "{'unknown':1}"));
}

static void what_does_not_fit_together_is_told(void **state)
{
    (void)state;
    static open_t record, change;
    char json[PACKED_SIZE], filler[PACKED_SIZE / 2 + 100];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    assert_int_equal(text_format(json, sizeof(json), "{'a':'%s'}", filler), STATUS_OK);
    read_json(&open_schema, json, &record);
    assert_int_equal(text_format(json, sizeof(json), "{'b':'%s'}", filler), STATUS_OK);
    read_json(&open_schema, json, &change);
    assert_int_equal(merge_record(&open_schema, &record, &change), STATUS_TOO_LARGE);
}

static bool are_same(const schema_t *schema, const char *first, const char *second)
{
    void *a = mem_zalloc(schema->record_size);
    void *b = mem_zalloc(schema->record_size);
    read_json(schema, first, a);
    read_json(schema, second, b);
    bool same = merge_same(schema, a, b);
    assert_true(merge_same(schema, b, a) == same);
    mem_free(a);
    mem_free(b);
    return same;
}

static void the_same_is_told_from_other(void **state)
{
    (void)state;
    assert_true(are_same(&sample_schema, "{}", "{}"));
    assert_true(are_same(&sample_schema, "{'inner':{'level':2}}", "{'inner':{'level':2}}"));
    assert_false(are_same(&sample_schema, "{'inner':{'level':2}}", "{'inner':{'level':3}}"));
    assert_false(are_same(&sample_schema, "{'inner':{'level':2}}", "{'inner':{}}"));
    assert_false(are_same(&sample_schema, "{'inner':null}", "{'inner':{}}"));
    assert_false(are_same(&sample_schema, "{'inner':null}", "{}"));
    assert_true(are_same(&open_schema, "{'name':'n','tags':['a'],'x':1}",
                         "{'x':1,'tags':['a'],'name':'n'}"));
    assert_false(are_same(&open_schema, "{'name':'n'}", "{'name':'m'}"));
    assert_false(are_same(&open_schema, "{'tags':['a']}", "{'tags':['b']}"));
    assert_false(are_same(&open_schema, "{'tags':['a']}", "{'tags':['a','a']}"));
    assert_false(are_same(&open_schema, "{'x':1}", "{'x':2}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_takes_the_place),
        cmocka_unit_test(objects_are_merged_inside),
        cmocka_unit_test(packed_values_are_replaced_and_the_rest_is_merged),
        cmocka_unit_test(empty_objects_change_nothing),
        cmocka_unit_test(what_does_not_fit_together_is_told),
        cmocka_unit_test(the_same_is_told_from_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
