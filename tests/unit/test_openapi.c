#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "gateway/openapi_internal.h"
#include "proto/json.h"
#include "proto/record.h"
#include "proto/registry.h"
#include "proto/transcode.h"
#include "tests/support/packing.h"
#include "tests/support/sample_schema.h"
#include "tests/support/shown.h"

#include <stdio.h>
#include <string.h>

/* Compact, with single quotes; consumed. Static. */
static const char *shown(json_t *value)
{
    static char text[4096];
    size_t size = value == NULL ? 0 : json_dumpb(value, text, sizeof(text) - 1, JSON_COMPACT);
    assert_true(size > 0 && size < sizeof(text));
    text[size] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at == '"')
            *at = '\'';
    json_decref(value);
    return text;
}

static json_t *components(void)
{
    return openapi_pack("{s:{}, s:{}}", "schemas", "responses");
}

static void fields_have_the_type_of_their_form(void **state)
{
    (void)state;
    static const struct {
        unsigned row;
        form_t form;
        const char *schema;
    } cases[] = {
        {SAMPLE_AT, FORM_RESULT,
         "{'type':['string','null'],'format':'date-time','description':'When.'}"},
        {SAMPLE_INNER, FORM_RESULT,
         "{'anyOf':[{'$ref':'#/components/schemas/"
         "Inner'},{'type':'null'}],'description':'Inner.'}"},
        {SAMPLE_INNER, FORM_PART,
         "{'anyOf':[{'$ref':'#/components/schemas/InnerChange'},{'type':'null'}],"
         "'description':'Inner.'}"},
        {SAMPLE_ITEMS, FORM_RESULT,
         "{'type':'array','items':{'$ref':'#/components/schemas/Inner'},'description':'Items.'}"},
        {SAMPLE_KIND, FORM_WHOLE,
         "{'type':'string','enum':['a','b','longer'],'description':'Kind.','default':'longer'}"},
        {SAMPLE_KIND, FORM_PART,
         "{'type':'string','enum':['a','b','longer'],'description':'Kind.'}"},
        {SAMPLE_MADE, FORM_RESULT, "{'type':'string','format':'date','description':'Made.'}"},
        {SAMPLE_NAME, FORM_WHOLE,
         "{'type':'string','minLength':2,'maxLength':4,'description':'Name.'}"},
        {SAMPLE_ON, FORM_WHOLE, "{'type':'boolean','description':'On.','default':true}"},
        {SAMPLE_ON, FORM_RESULT, "{'type':'boolean','description':'On.'}"},
        {SAMPLE_SIZE, FORM_WHOLE,
         "{'type':'integer','format':'int64','minimum':1,'maximum':10,'description':'Size.',"
         "'default':3}"},
        /* 4 bytes may be one code point */
        {SAMPLE_TOKEN, FORM_WHOLE,
         "{'type':['string','null'],'minLength':1,'maxLength':16,'format':'password',"
         "'description':'Token.'}"},
        {SAMPLE_TOKEN, FORM_RESULT,
         "{'type':['string','null'],'enum':['********',null],'description':'Token.'}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_release) json_t *shared = components();
        const field_t *row = &sample_schema.rows[cases[i].row];
        assert_string_equal(shown(openapi_field(shared, row, cases[i].form)), cases[i].schema);
    }
    /* may be left out at creation and has no default: an answer shows null */
    AUTO(json_release) json_t *shared = components();
    const field_t *level = &sample_inner_schema.rows[INNER_LEVEL];
    assert_string_equal(shown(openapi_field(shared, level, FORM_RESULT)),
                        "{'type':['integer','null'],'format':'int64','minimum':-5,'maximum':5,"
                        "'description':'Level.'}");
}

static const json_t *schema_at(json_t *shared, const schema_t *schema, form_t form)
{
    AUTO(json_release) json_t *ref = openapi_schema_ref(shared, schema, form);
    const char *name = json_string_value(json_object_get(ref, "$ref"));
    return json_object_get(json_object_get(shared, "schemas"), strrchr(name, '/') + 1);
}

static bool has(const json_t *schema, const char *name)
{
    return json_object_get(json_object_get(schema, "properties"), name) != NULL;
}

static void a_table_has_three_forms(void **state)
{
    (void)state;
    AUTO(json_release) json_t *shared = components();
    const json_t *result = schema_at(shared, &sample_schema, FORM_RESULT);
    const json_t *whole = schema_at(shared, &sample_schema, FORM_WHOLE);
    const json_t *part = schema_at(shared, &sample_schema, FORM_PART);
    assert_true(has(result, "made") && !has(whole, "made") && !has(part, "made")); /* read-only */
    assert_true(has(result, "name") && has(whole, "name") && !has(part, "name"));  /* fixed */
    assert_true(!has(result, "unseen") && has(whole, "unseen") && has(part, "unseen"));
    assert_string_equal(shown(json_deep_copy(json_object_get(whole, "required"))), "['name']");
    assert_null(json_object_get(part, "required"));
    const json_t *given = json_object_get(result, "required");
    const json_t *properties = json_object_get(result, "properties");
    assert_int_equal(json_array_size(given), json_object_size(properties));
}

static void a_field_that_answers_may_lack_is_not_required(void **state)
{
    (void)state;
    field_t rows[2] = {sample_inner_schema.rows[0], sample_inner_schema.rows[1]};
    rows[1].flags |= FIELD_SPARSE;
    const schema_t sparse = {.name = "Sparse", .rows = rows, .count = ARRAY_LEN(rows)};
    const schema_t open = {.name = "Open", .rows = rows, .count = ARRAY_LEN(rows), .is_open = true};
    AUTO(json_release) json_t *shared = components();
    const json_t *schema = schema_at(shared, &sparse, FORM_RESULT);
    assert_string_equal(shown(json_deep_copy(json_object_get(schema, "required"))), "['realm']");
    assert_string_equal(shown(openapi_field(shared, &rows[1], FORM_RESULT)),
                        "{'type':'integer','format':'int64','minimum':-5,'maximum':5,"
                        "'description':'Level.'}");
    schema = schema_at(shared, &open, FORM_RESULT);
    assert_false(has(schema, "level")); /* it stands for members that have no row */
    assert_true(json_is_true(json_object_get(schema, "additionalProperties")));
}

/* The members of an envelope are those that its shape requires. */
static void assert_members(json_t *body, json_t *shape)
{
    const json_t *required = json_object_get(shape, "required");
    const json_t *properties = json_object_get(shape, "properties");
    assert_true(json_array_size(required) > 0);
    assert_int_equal(json_object_size(body), json_array_size(required));
    assert_int_equal(json_object_size(properties), json_array_size(required));
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        const json_t *member = json_object_get(body, name);
        const json_t *rule = json_object_get(properties, name);
        const json_t *value = json_object_get(rule, "const");
        assert_true(member != NULL && rule != NULL);
        assert_true(value == NULL || json_equal(value, member));
    }
    json_decref(body);
    json_decref(shape);
}

static void shapes_are_those_of_the_envelopes(void **state)
{
    (void)state;
    static const dialect_t *const dialects[] = {&dialect_trunk, &dialect_v1, &dialect_v1_set,
                                                &dialect_v2, &dialect_sip};
    static reply_t reply;
    packing_t packed;
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
        const dialect_t *dialect = dialects[i];
        bool is_set = dialect == &dialect_v1_set;
        reply_init(&reply, "r", OUTCOME_INVALID);
        faults_add(&reply.faults, FAULT_REQUIRED, FAULT_IN_BODY, "/name", "is required");
        assert_members(shown_reply(dialect, &reply, NULL, false), dialect->failure_shape());
        reply_init(&reply, "r", OUTCOME_OK);
        reply.body = *packing_json(&packed, "[{'realm':'r'}]");
        if (dialect != &dialect_v1 && dialect != &dialect_sip) /* they have no envelope */
            assert_members(
                shown_reply(dialect, &reply, is_set ? NULL : &sample_inner_schema, !is_set),
                dialect->success_shape(json_object(), 200, false));
        reply.page_number = reply.page_size = 1;
        reply.total = 2;
        if (dialect == &dialect_v2)
            assert_members(shown_reply(dialect, &reply, &sample_inner_schema, true),
                           dialect->success_shape(json_object(), 200, true));
        packing_free(&packed);
    }
}

typedef void (*visit_fn)(const operation_t *operation);

static void visit_all(visit_fn visit)
{
    for (size_t s = 0; s < registry_count; s++)
        for (size_t i = 0; i < registry[s]->operation_count; i++)
            visit(&registry[s]->operations[i]);
}

static json_t *document; /* of all tests */

static const json_t *described(const char *path, const char *method)
{
    char lower[8] = "";
    for (size_t i = 0; i + 1 < sizeof(lower) && method[i] != '\0'; i++)
        lower[i] = (char)(method[i] | 0x20);
    const json_t *paths = json_object_get(document, "paths");
    return json_object_get(json_object_get(paths, path), lower);
}

static void assert_described(const operation_t *operation)
{
    const json_t *found = described(operation->path, operation->method);
    const char *id = json_string_value(json_object_get(found, "operationId"));
    assert_string_equal(id, operation->name);
    assert_int_equal(json_object_get(found, "requestBody") != NULL, operation->body != NULL);
    assert_true(operation->also == NULL || described(operation->also, operation->method) != NULL);
    char status[8];
    (void)snprintf(status, sizeof(status), "%d",
                   dialect_status(operation->dialect, operation->success));
    const json_t *response = json_object_get(json_object_get(found, "responses"), status);
    assert_non_null(response);
    bool bare = strcmp(status, "204") == 0;
    assert_int_equal(json_object_get(response, "content") == NULL,
                     bare || operation->success == OUTCOME_ELSEWHERE);
    /* Whoever sends no key must be told so by the document alone, and only of what takes none. */
    bool open = (operation->flags & OPERATION_OPEN) != 0;
    const json_t *security = json_object_get(found, "security");
    assert_int_equal(security != NULL, open);
    assert_int_equal(json_array_size(security), 0);
}

static void every_operation_is_described(void **state)
{
    (void)state;
    visit_all(assert_described);
    assert_non_null(described("/healthz", "GET"));
    assert_non_null(described("/readyz", "GET"));
    assert_non_null(described(OPENAPI_PATH, "GET"));
}

static void operations_have_names_of_their_own(void **state)
{
    (void)state;
    AUTO(json_release) json_t *seen = json_object();
    const char *path = NULL, *method = NULL;
    json_t *item = NULL, *operation = NULL;
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            const char *id = json_string_value(json_object_get(operation, "operationId"));
            if (json_object_get(seen, id) != NULL)
                fail_msg("two operations are named %s", id);
            json_object_set_new(seen, id, json_true());
        }
    }
}

static const schema_t *named[128];
static size_t named_count;

static void assert_own_name(const schema_t *schema)
{
    if (schema == NULL)
        return;
    for (size_t i = 0; i < named_count; i++) {
        if (named[i] == schema)
            return;
        if (strcmp(named[i]->name, schema->name) == 0)
            fail_msg("two tables are named %s", schema->name);
    }
    assert_true(named_count < ARRAY_LEN(named));
    named[named_count++] = schema;
    for (size_t i = 0; i < schema->count; i++)
        assert_own_name(schema->rows[i].schema);
}

static void assert_own_names(const operation_t *operation)
{
    assert_own_name(operation->body);
    assert_own_name(operation->result);
}

static void tables_have_names_of_their_own(void **state)
{
    (void)state;
    visit_all(assert_own_names);
}

/* Reads a body as a gateway does; faults are the caller's. */
static void read_body(const schema_t *schema, json_t *body, record_mode_t mode, faults_t *out)
{
    packing_t packed;
    packing_init(&packed);
    transcode_body(schema, body, &packed.packer);
    AUTO(mem_release) char *record = mem_zalloc(schema->record_size);
    status_t status =
        record_read(schema, packing_decode(&packed), mode, FAULT_IN_BODY, record, out);
    assert_int_equal(status == STATUS_OK, out->count == 0);
    packing_free(&packed);
}

static void assert_row_example(const schema_t *schema, const field_t *row)
{
    if (row->example == NULL) {
        if ((row->flags & FIELD_REQUIRED) != 0 && row->type != FIELD_OBJECT)
            fail_msg("%s.%s is required and has no example", schema->name, row->name);
        return;
    }
    AUTO(json_release)
    json_t *body =
        openapi_pack("{s:o?}", row->name, json_loads(row->example, JSON_DECODE_ANY, NULL));
    if (json_is_null(json_object_get(body, row->name)))
        fail_msg("%s.%s: the example is no JSON", schema->name, row->name);
    static faults_t faults;
    faults.count = 0;
    read_body(schema, body, RECORD_WHOLE, &faults);
    size_t length = strlen(row->name);
    for (size_t i = 0; i < faults.count; i++)
        if (strncmp(faults.items[i].where + 1, row->name, length) == 0 &&
            strchr("/", faults.items[i].where[1 + length]) != NULL) /* it, or within it */
            fail_msg("%s: the example of %s %s", schema->name, faults.items[i].where,
                     faults.items[i].message);
}

static void assert_example(const operation_t *operation)
{
    if (operation->body == NULL)
        return;
    for (size_t i = 0; i < operation->body->count; i++)
        if ((operation->body->rows[i].flags & FIELD_READ_ONLY) == 0)
            assert_row_example(operation->body, &operation->body->rows[i]);
    AUTO(json_release) json_t *body = openapi_example(operation);
    if (json_object_size(body) == 0)
        fail_msg("%s: no row of its body has an example", operation->name);
    static faults_t faults;
    faults.count = 0;
    read_body(operation->body, body, operation_mode(operation), &faults);
    if (faults.count > 0)
        fail_msg("%s: the example's %s %s", operation->name, faults.items[0].where,
                 faults.items[0].message);
}

static void examples_are_good_bodies(void **state)
{
    (void)state;
    visit_all(assert_example);
}

static void it_reads_the_same_every_time(void **state)
{
    (void)state;
    size_t lengths[2] = {0};
    AUTO(mem_release) char *one = openapi_text(&lengths[0]);
    AUTO(mem_release) char *two = openapi_text(&lengths[1]);
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(one, two, lengths[0]);
    assert_int_equal(one[lengths[0] - 1], '\n');
    AUTO(json_release) json_t *read = json_loadb(one, lengths[0], JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_equal(read, document));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_the_type_of_their_form),
        cmocka_unit_test(a_table_has_three_forms),
        cmocka_unit_test(a_field_that_answers_may_lack_is_not_required),
        cmocka_unit_test(shapes_are_those_of_the_envelopes),
        cmocka_unit_test(every_operation_is_described),
        cmocka_unit_test(operations_have_names_of_their_own),
        cmocka_unit_test(tables_have_names_of_their_own),
        cmocka_unit_test(examples_are_good_bodies),
        cmocka_unit_test(it_reads_the_same_every_time),
    };
    document = openapi_document();
    int failed = cmocka_run_group_tests_name("openapi", tests, NULL, NULL);
    json_decref(document);
    return failed;
}
