#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/json.h"
#include "proto/record.h"
#include "proto/sip.h"
#include "proto/transcode.h"
#include "proto/trunk_auth.h"
#include "tests/support/packing.h"
#include "tests/support/sample_schema.h"
#include "tests/support/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *body_of(const schema_t *schema, const char *single_quoted)
{
    static char text[4096];
    char json[4096];
    err_t err = {0};
    AUTO(json_release) json_t *value = NULL;
    (void)snprintf(json, sizeof(json), "%s", single_quoted);
    for (char *at = json; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    assert_int_equal(json_read(json, strlen(json), &value, &err), STATUS_OK);
    packing_t packed;
    packing_init(&packed);
    transcode_body(schema, value, &packed.packer);
    (void)snprintf(text, sizeof(text), "%s", packing_shown(&packed));
    packing_free(&packed);
    return text;
}

static void bodies_lose_what_the_table_does_not_take(void **state)
{
    (void)state;
    static const struct {
        const char *json, *packed;
    } rows[] = {
        {"{}", "{}"},
        {"{'unknown':1,'made':'2020-01-01','items':[1],'size':4}", "{'size':4}"},
        {"{'size':4,'name':'x','at':'2018-02-02T22:25:27.521Z'}",
         "{'at':1517610327521,'name':'x','size':4}"}, /* the table's order */
        {"{'at':'soon'}", "{'at':'soon'}"},
        {"{'at':null,'name':null}", "{'at':null,'name':null}"},
        {"{'at':5}", "{'at':5.0}"}, /* a number is no time and must not become one */
        {"{'size':'5','on':0,'name':5}",
         "{'name':5,'on':0,'size':'5'}"}, /* record_read's business */
        {"{'size':5.5,'on':true,'kind':false}", "{'kind':false,'on':true,'size':5.5}"},
        {"{'inner':{'realm':'r','x':1},'name':{'a':1},'size':[1,2]}",
         "{'inner':{'realm':'r'},'name':{},'size':[]}"},
        {"{'inner':[{'realm':'r'}]}", "{'inner':[]}"},
        {"{'token':'secret','unseen':'x'}", "{'token':'secret','unseen':'x'}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(body_of(&sample_schema, rows[i].json), rows[i].packed);
    assert_string_equal(body_of(NULL, "{'a':1}"), "null");
}

static void query_strings_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *query, *packed, *faults;
    } rows[] = {
        {NULL, "{}", ""},
        {"", "{}", ""},
        {"&&=&=x&", "{}", ""},
        {"size=5&name=a+b%2B", "{'size':5,'name':'a b+'}", ""},
        {"si%7Ae=5", "{'size':5}", ""},
        {"size", "{'size':''}", ""},
        {"size=", "{'size':''}", ""},
        {"size=-5", "{'size':-5}", ""},
        {"size=-", "{'size':'-'}", ""},
        {"size=+5", "{'size':' 5'}", ""},
        {"size=5x", "{'size':'5x'}", ""},
        {"size=-99999999999999999999", "{'size':-9223372036854775808}", ""},
        {"on=true&kind=true", "{'on':true,'kind':'true'}", ""},
        {"on=false", "{'on':false}", ""},
        {"on=TRUE", "{'on':'TRUE'}", ""},
        {"at=1970-01-01T00:00:00.001%2B00:00", "{'at':1}", ""},
        {"at=1970", "{'at':'1970'}", ""},
        {"name=a=b", "{'name':'a=b'}", ""},
        {"unknown=1&size=5&unknown=2", "{'size':5}", ""},
        {"size=5&size=6", "{'size':5}", "size is there twice"},
        {"size=5&size=5&size=7", "{'size':5}", "size is there twice; size is there twice"},
        {"size=%zz", "{}", "size must be percent-encoded UTF-8"},
        {"size=%", "{}", "size must be percent-encoded UTF-8"},
        {"name=%00", "{}", "name must be percent-encoded UTF-8"},
        {"name=%ff&size=5", "{'size':5}", "name must be percent-encoded UTF-8"},
        {"size=%zz&size=5", "{}", "size must be percent-encoded UTF-8; size is there twice"},
        {"%zz=5&%00=1&size%00=1", "{}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        packing_t packed;
        char text[1024] = "";
        faults_t faults = {.count = 0};
        packing_init(&packed);
        transcode_query(&sample_schema, rows[i].query, &packed.packer, &faults);
        if (strcmp(packing_shown(&packed), rows[i].packed) != 0)
            fail_msg("%s: %s", rows[i].query, packing_shown(&packed));
        packing_free(&packed);
        for (size_t f = 0; f < faults.count; f++) {
            size_t used = strlen(text);
            (void)snprintf(text + used, sizeof(text) - used, "%s%s %s", f > 0 ? "; " : "",
                           faults.items[f].where, faults.items[f].message);
            assert_int_equal(faults.items[f].place, FAULT_IN_QUERY);
        }
        assert_string_equal(text, rows[i].faults);
    }
    packing_t packed;
    faults_t faults = {.count = 0};
    packing_init(&packed);
    transcode_query(NULL, "a=1", &packed.packer, &faults);
    assert_string_equal(packing_shown(&packed), "null");
    packing_free(&packed);
}

/* What is packed, and the faults behind a bar. */
static const char *form_of(const schema_t *schema, const char *bytes, size_t length)
{
    static char text[4096];
    packing_t packed;
    faults_t faults = {.count = 0};
    packing_init(&packed);
    transcode_form(schema, bytes, length, &packed.packer, &faults);
    size_t used = (size_t)snprintf(text, sizeof(text), "%s", packing_shown(&packed));
    packing_free(&packed);
    for (size_t f = 0; f < faults.count && used < sizeof(text); f++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "|%s %s", faults.items[f].where,
                                 faults.items[f].message);
        assert_int_equal(faults.items[f].place, FAULT_IN_BODY);
    }
    return text;
}

static void forms_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *form, *packed;
    } rows[] = {
        {"", "{}"},
        {"&&=&=x&", "{}"},
        {"size=5&name=a+b%2B&on=true", "{'size':5,'name':'a b+','on':true}"},
        {"made=2020-01-01&items=x&name=a", "{'name':'a'}"}, /* nobody may write them */
        /* servers repeat themselves */
        {"name=a%41&size=5&name=a%41&name=a%41", "{'name':'aA','size':5}"},
        {"name=a&name=b", "{'name':'a'}|/name is there twice"},
        {"name=a&name=", "{'name':'a'}|/name is there twice"},
        {"name=a&n%61me=a", "{'name':'a'}"},
        {"name=%ff&size=5", "{'size':5}|/name must be percent-encoded UTF-8"},
        {"name=a%00b", "{}|/name must be percent-encoded UTF-8"},
        /* what is not ours may be anything */
        {"X-A=%ff&X-A=%zz&%zz=1&%00=&=%&X-A&name=a", "{'name':'a'}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(form_of(&sample_schema, rows[i].form, strlen(rows[i].form)),
                            rows[i].packed);
    assert_string_equal(form_of(&sample_schema, "name=a\0b&size=5", 15),
                        "{'size':5}|/name must be percent-encoded UTF-8");
    assert_string_equal(form_of(&sample_schema, "size=5&name=abc", 12), "{'size':5,'name':''}");
    assert_string_equal(form_of(NULL, "a=b", 3), "null");
}

static void an_open_form_keeps_what_has_no_row(void **state)
{
    (void)state;
    static const struct {
        const char *form, *packed;
    } rows[] = {
        {"id=office-pbx", "{'id':'office-pbx'}"},
        {"id%20LIKE=%25", "{'id LIKE':'%'}"},
        {"id+LIKE=%25&mailboxes%20!%3D=", "{'id LIKE':'%','mailboxes !=':''}"},
        {"id=a&id=a", "{'id':'a'}|/id is there twice"},
        {"id=a&%69d=b", "{'id':'a'}|/id is there twice"},
        {"id=a&idd=b&i=c", "{'id':'a','idd':'b','i':'c'}"},
        {"id=%ff", "{}|/id must be percent-encoded UTF-8"},
        {"id=a&%ff=b", "{'id':'a'}|/ must have names of percent-encoded UTF-8"},
        {"rest=a", "{'rest':'a'}"}, /* the row's own name is no way around it: a text is no map */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(form_of(&asterisk_schema, rows[i].form, strlen(rows[i].form)),
                            rows[i].packed);
    char form[65 * sizeof("aa=") + 1] = ""; /* "aa=&" each */
    for (size_t i = 0; i < 65; i++)
        (void)snprintf(form + 4 * i, sizeof(form) - 4 * i, "%c%c=&", (char)('a' + i / 26),
                       (char)('a' + i % 26));
    const char *most = form_of(&asterisk_schema, form, strlen(form) - 4);
    assert_non_null(strstr(most, "'cl':''}"));
    assert_null(strstr(most, "|"));
    most = form_of(&asterisk_schema, form, strlen(form));
    assert_non_null(strstr(most, "'cl':''}|/cm is one too many"));
}

static void a_parameter_behind_many_others_counts(void **state)
{
    (void)state;
    char query[2001] = "";
    for (size_t i = 0; i < 990; i++)
        memcpy(query + 2 * i, "x&", 3);
    memcpy(query + 1980, "size=7", 7);
    packing_t packed;
    faults_t faults = {.count = 0};
    packing_init(&packed);
    transcode_query(&sample_schema, query, &packed.packer, &faults);
    assert_string_equal(packing_shown(&packed), "{'size':7}");
    packing_free(&packed);
}

static void a_number_too_large_fails_by_its_range(void **state)
{
    (void)state;
    packing_t packed;
    faults_t faults = {.count = 0};
    page_query_t page = {.fields = {0}};
    packing_init(&packed);
    transcode_query(&page_query_schema, "limit=99999999999999999999", &packed.packer, &faults);
    assert_int_equal(record_read(&page_query_schema, packing_decode(&packed), RECORD_WHOLE,
                                 FAULT_IN_QUERY, &page, &faults),
                     STATUS_INVALID);
    packing_free(&packed);
    assert_int_equal(faults.items[0].code, FAULT_RANGE);
}

static void path_segments_become_a_map(void **state)
{
    (void)state;
    static const char *const values[] = {"a%20b+c/tail", "%zz"};
    static const size_t lengths[] = {7, 3};
    packing_t packed;
    packing_init(&packed);
    transcode_path(&method_path_schema, values, lengths, &packed.packer);
    assert_string_equal(packing_shown(&packed), "{'uuid':'a b+c','auth_uuid':''}");
    packing_free(&packed);
    packing_init(&packed);
    transcode_path(NULL, NULL, NULL, &packed.packer);
    assert_string_equal(packing_shown(&packed), "null");
    packing_free(&packed);
}

static const char *result_of(const char *record, bool list)
{
    static char text[4096];
    packing_t packed;
    const msgpack_object *object = packing_json(&packed, record);
    AUTO(json_release)
    json_t *json = shown_result(&sample_schema, object, list);
    size_t size = json_dumpb(json, text, sizeof(text) - 1, JSON_COMPACT);
    packing_free(&packed);
    assert_true(size < sizeof(text));
    text[size] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at == '"')
            *at = '\'';
    return text;
}

static void results_become_json(void **state)
{
    (void)state;
    static const struct {
        const char *packed, *json;
    } rows[] = {
        {"{}", "{}"},
        {"null", "{}"},
        {"[]", "{}"},
        {"{'at':1517610327521,'made':86400000,'name':'x','on':false,'size':3}",
         "{'at':'2018-02-02T22:25:27.521Z','made':'1970-01-02','name':'x','on':false,'size':3}"},
        {"{'name':'x','unknown':1,'at':null}", "{'name':'x','at':null}"},
        {"{'inner':{'realm':'r','x':1},'items':[{'level':1},5]}",
         "{'inner':{'realm':'r'},'items':[{'level':1},{}]}"},
        {"{'unseen':'x','token':'********'}", "{'token':'********'}"},
        {"{'name':'a\\u0001\\n\\r\\t\\\\b'}", "{'name':'a\\u0001\\n\\r\\t\\\\b'}"},
        /* what does not fit the table */
        {"{'name':5,'size':'x','on':1,'at':'x','made':true,'kind':2,'inner':[],'items':{}}",
         "{'name':null,'size':null,'on':null,'at':null,'made':null,'kind':null,'inner':null,"
         "'items':null}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(result_of(rows[i].packed, false), rows[i].json);
    assert_string_equal(result_of("[{'size':1},{'size':2}]", true), "[{'size':1},{'size':2}]");
    assert_string_equal(result_of("{}", true), "[]");
}

/* A request's whole way: JSON, msgpack, struct, msgpack, JSON. */
static void a_record_survives_the_round_trip(void **state)
{
    (void)state;
    packing_t packed, back;
    sample_t sample = {.fields = {0}};
    faults_t faults = {.count = 0};
    err_t err = {0};
    static const char text[] =
        "{\"at\":\"2018-02-02T22:25:27.521Z\",\"inner\":{\"realm\":\"r\",\"level\":-5},"
        "\"kind\":\"b\",\"name\":\"n\xc3\xa4me\",\"note\":\"\",\"on\":false,\"size\":10}";
    AUTO(json_release) json_t *value = NULL;
    assert_int_equal(json_read(text, sizeof(text) - 1, &value, &err), STATUS_OK);
    packing_init(&packed);
    transcode_body(&sample_schema, value, &packed.packer);
    assert_int_equal(record_read(&sample_schema, packing_decode(&packed), RECORD_WHOLE,
                                 FAULT_IN_BODY, &sample, &faults),
                     STATUS_OK);
    packing_init(&back);
    record_write(&sample_schema, &sample, &back.packer);
    AUTO(json_release) json_t *result = shown_result(&sample_schema, packing_decode(&back), false);
    char *again = json_dumps(result, JSON_COMPACT);
    assert_string_equal(again, text);
    free(again);
    packing_free(&packed);
    packing_free(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_lose_what_the_table_does_not_take),
        cmocka_unit_test(query_strings_are_read),
        cmocka_unit_test(forms_are_read),
        cmocka_unit_test(an_open_form_keeps_what_has_no_row),
        cmocka_unit_test(a_parameter_behind_many_others_counts),
        cmocka_unit_test(a_number_too_large_fails_by_its_range),
        cmocka_unit_test(path_segments_become_a_map),
        cmocka_unit_test(results_become_json),
        cmocka_unit_test(a_record_survives_the_round_trip),
    };
    return cmocka_run_group_tests_name("transcode", tests, NULL, NULL);
}
