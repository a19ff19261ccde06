#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/checks.h"
#include "proto/registry.h"
#include "tests/support/sample_schema.h"

#include <string.h>

static void assert_sound(const schema_t *schema)
{
    if (schema == NULL)
        return;
    const char *flaw = schema_flaw(schema);
    if (flaw != NULL)
        fail_msg("%s: %s", schema->name, flaw);
}

static void every_schema_is_sound(void **state)
{
    (void)state;
    assert_sound(&sample_schema);
    for (size_t s = 0; s < registry_count; s++) {
        for (size_t o = 0; o < registry[s]->operation_count; o++) {
            const operation_t *operation = &registry[s]->operations[o];
            assert_sound(operation->path_schema);
            assert_sound(operation->query);
            assert_sound(operation->body);
            assert_sound(operation->result);
        }
    }
}

/* "{a}" and "{b}" of a path are the rows of its schema, in order. */
static void assert_path_matches(const operation_t *operation)
{
    const schema_t *schema = operation->path_schema;
    size_t parameters = 0, count = schema == NULL ? 0 : schema->count;
    assert_int_equal(operation->path[0], '/');
    for (const char *at = strchr(operation->path, '{'); at != NULL; at = strchr(at, '{')) {
        assert_int_equal(at[-1], '/');
        size_t length = strcspn(++at, "}");
        assert_true(at[length] == '}' && (at[length + 1] == '/' || at[length + 1] == '\0'));
        if (schema == NULL || parameters == count) {
            fail_msg("%s has too many parameters", operation->path);
            return;
        }
        const field_t *row = &schema->rows[parameters++];
        assert_int_equal(strlen(row->name), length);
        assert_memory_equal(row->name, at, length);
        assert_true(row->type == FIELD_TEXT || row->type == FIELD_CHOICE);
        assert_true((row->flags & FIELD_REQUIRED) != 0);
    }
    assert_int_equal(parameters, count);
}

static void assert_operation(const operation_t *operation)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        known = known || strcmp(methods[i], operation->method) == 0;
    assert_true(known);
    bool writes = (operation->flags & OPERATION_WRITES) != 0;
    bool open = (operation->flags & OPERATION_OPEN) != 0;
    if (open) /* for browsers, which follow a link to log in */
        assert_true(writes || strcmp(operation->method, "GET") == 0);
    else if ((operation->flags & (OPERATION_CALL | OPERATION_ADMIN)) == 0)
        assert_int_equal(writes, strcmp(operation->method, "GET") != 0);
    assert_non_null(operation->dialect);
    assert_non_null(operation->doc);
    assert_true(outcome_is_success(operation->success));
    bool answers = operation->result != NULL || operation->documents != 0;
    assert_int_equal(operation->success == OUTCOME_DELETED, !answers);
    assert_int_equal(operation->documents & MEDIA_BIT(MEDIA_JSON), 0);
    assert_int_equal(operation->documents >> MEDIA_COUNT, 0);
    assert_true((operation->flags & OPERATION_FORM) == 0 || operation->body != NULL);
    assert_true((operation->flags & OPERATION_LIST) == 0 || operation->result != NULL);
    assert_true((operation->flags & OPERATION_PART) == 0 || operation->body != NULL);
    assert_true(strlen(operation->name) < OPERATION_NAME_SIZE);
    assert_path_matches(operation);
    for (size_t i = 0; operation->head != NULL && i < operation->head->count; i++) {
        assert_int_equal(operation->head->rows[i].type, FIELD_TEXT);
        assert_int_equal(operation->head->rows[i].min, 0);
        assert_int_equal(operation->head->rows[i].flags & FIELD_REQUIRED, 0);
    }
    /* The gateway looks at no key for what is open, and at one for everything else. */
    for (int scope = SCOPE_ADMIN; open && scope < SCOPE_NOBODY; scope++)
        assert_false(operation_permits(operation, (scope_t)scope));
    assert_int_equal(operation_permits(operation, SCOPE_NOBODY), open);
    assert_int_equal(strncmp(operation->path, "/sso/", strlen("/sso/")) == 0, open);
    assert_int_equal(operation->dialect->is_open, open);
}

static void every_operation_is_whole_and_has_its_own_name(void **state)
{
    (void)state;
    for (size_t s = 0; s < registry_count; s++) {
        const service_t *service = registry[s];
        assert_true(strlen(service->name) < SERVICE_NAME_SIZE);
        assert_non_null(service->doc);
        for (size_t a = 0; a < service->operation_count; a++) {
            const operation_t *operation = &service->operations[a];
            assert_operation(operation);
            for (size_t b = 0; b < a; b++) {
                assert_string_not_equal(operation->name, service->operations[b].name);
                assert_false(strcmp(operation->path, service->operations[b].path) == 0 &&
                             strcmp(operation->method, service->operations[b].method) == 0);
            }
        }
    }
}

typedef struct {
    presence_t fields;
    char text[5];
    int64_t number;
    int choice;
    bool on;
    sample_inner_t inner;
    records_t list;
} flawed_t;

static const char *const words[] = {"one", "two", NULL};

#define FLAWED(...)                                                                                \
    {                                                                                              \
        SCHEMA("Flawed", flawed_t, ((const field_t[]){__VA_ARGS__}), .rule = NULL)                 \
    }

static const schema_t other_size = {.name = "Other", .record_size = sizeof(sample_inner_t) + 1};

static void flaws_are_found(void **state)
{
    (void)state;
    const struct {
        schema_t schema;
    } rows[] = {
        FLAWED({.name = NULL, .type = FIELD_SWITCH, .doc = "x"}),
        FLAWED(FIELD_SWITCH_ROW(flawed_t, on, .doc = NULL)),
        FLAWED(FIELD_SWITCH_ROW(flawed_t, on, .doc = "x"),
               FIELD_SWITCH_ROW(flawed_t, on, .doc = "x")),
        FLAWED(FIELD_TEXT_ROW(flawed_t, text, 0, 4, .doc = "may need 16 bytes")),
        FLAWED(FIELD_TEXT_ROW(flawed_t, text, 3, 1, .flags = FIELD_BYTES, .doc = "x")),
        FLAWED(FIELD_TEXT_ROW(flawed_t, text, 0, 1, .dflt_text = "12345", .doc = "x")),
        FLAWED(FIELD_TEXT_ROW(flawed_t, text, 0, 1, .dflt_text = "12", .doc = "x")),
        FLAWED(FIELD_TEXT_ROW(flawed_t, text, 0, 4, .check = check_printable, .dflt_text = "\n",
                              .doc = "x")),
        FLAWED(FIELD_TEXT_ROW(flawed_t, text, 0, 1, .flags = FIELD_DEFAULT, .doc = "x")),
        FLAWED(FIELD_NUMBER_ROW(flawed_t, number, 2, 1, .doc = "x")),
        FLAWED(FIELD_NUMBER_ROW(flawed_t, number, 1, 2, .flags = FIELD_DEFAULT, .doc = "x")),
        FLAWED(FIELD_NUMBER_ROW(flawed_t, number, 1, 2, .dflt_text = "1", .doc = "x")),
        FLAWED(FIELD_CHOICE_ROW(flawed_t, choice, NULL, .doc = "x")),
        FLAWED(FIELD_CHOICE_ROW(flawed_t, choice, words, .dflt_text = "three", .doc = "x")),
        FLAWED(FIELD_CHOICE_ROW(flawed_t, choice, words, .flags = FIELD_DEFAULT, .doc = "x")),
        FLAWED(FIELD_DATE_ROW(flawed_t, number, .doc = "x")),
        FLAWED(FIELD_LIST_ROW(flawed_t, list, &sample_inner_schema, .doc = "x")),
        FLAWED(FIELD_LIST_ROW(flawed_t, list, NULL, .flags = FIELD_READ_ONLY, .doc = "x")),
        FLAWED(FIELD_OBJECT_ROW(flawed_t, inner, sample_inner_t, NULL, .doc = "x")),
        FLAWED(FIELD_OBJECT_ROW(flawed_t, inner, sample_inner_t, &other_size, .doc = "x")),
        FLAWED(
            FIELD_SWITCH_ROW(flawed_t, on, .flags = FIELD_READ_ONLY | FIELD_REQUIRED, .doc = "x")),
        FLAWED(FIELD_SWITCH_ROW(flawed_t, on, .flags = FIELD_DEFAULT | FIELD_REQUIRED, .doc = "x")),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (schema_flaw(&rows[i].schema) == NULL)
            fail_msg("flaw %zu was overlooked", i);
    const schema_t good[] = {
        SCHEMA("Good", flawed_t,
               ((const field_t[]){FIELD_NUMBER_ROW(flawed_t, number, 1, 2, .flags = FIELD_DEFAULT,
                                                   .dflt_number = 1, .doc = "x")}),
               .rule = NULL)};
    assert_null(schema_flaw(&good[0]));
}

static void names_are_found_from_anywhere(void **state)
{
    (void)state;
    for (size_t start = 0; start < 2 * sample_schema.count; start++) {
        size_t hint = start;
        const field_t *row = schema_find(&sample_schema, "on", 2, &hint);
        assert_ptr_equal(row, &sample_schema.rows[SAMPLE_ON]);
        assert_int_equal(hint, SAMPLE_ON + 1);
    }
    size_t hint = 3;
    assert_null(schema_find(&sample_schema, "o", 1, &hint));
    assert_null(schema_find(&sample_schema, "onn", 3, &hint));
    assert_null(schema_find(&sample_schema, "", 0, &hint));
    assert_int_equal(hint, 3);
}

/* A key or word with a NUL in it is longer than the name that it begins with. */
static void a_nul_does_not_end_a_name(void **state)
{
    (void)state;
    static char padded[4096] = "on";
    size_t hint = 0;
    assert_null(schema_find(&sample_schema, padded, sizeof(padded), &hint));
    assert_null(schema_find(&sample_schema, padded, 3, &hint));
    const field_t *kind = &sample_schema.rows[SAMPLE_KIND];
    static char word[4096] = "longer";
    assert_int_equal(field_word_index(kind, word, 6), 2);
    assert_int_equal(field_word_index(kind, word, sizeof(word)), -1);
    assert_int_equal(field_word_index(kind, word, 5), -1);
    assert_int_equal(field_word_index(kind, word, 0), -1);
}

static void checks_know_their_forms(void **state)
{
    (void)state;
    static const struct {
        field_check_fn check;
        const char *text;
        bool good;
    } rows[] = {
        {check_host, "example.com", true},
        {check_host, "a-b.c1", true},
        {check_host, "xn--bcher-kva.example", true},
        {check_host, "localhost", true},
        {check_host, "1pbx", true},
        {check_host, "192.0.2.1", true},
        {check_host, "2001:db8::1", true},
        {check_host, "192.0.2.0/24", false},
        {check_host, "", false},
        {check_host, ".", false},
        {check_host, "a..b", false},
        {check_host, "a.b.", false},
        {check_host, "-a.b", false},
        {check_host, "a-.b", false},
        {check_host, "a_b.c", false},
        {check_host, "b\xc3\xbc.de", false},
        {check_host, "010.0.0.1", false},
        {check_host, "10.1", false},
        {check_host, "300.1.1.1", false},
        {check_host, "1234", false},
        {check_host, "0x7f000001", false},
        {check_host, "example.0x1f", false},
        {check_sip_user, "office-pbx", true},
        {check_sip_user,
         "b\xc3\xb6"
         "b@x",
         true},
        {check_sip_user, "a b", false},
        {check_sip_user, "a:b", false},
        {check_sip_user, "a\"b", false},
        {check_sip_user, "a\\b", false},
        {check_sip_user, "a\tb", false},
        {check_sip_user, "a\x7f", false},
        {check_sip_user, "a\xc2\x80", false},
        {check_sip_user, "a\xc2\x9f", false},
        {check_sip_user, "a\xc2\xa0", false},
        {check_sip_user, "a\xc2\xa1", true},
        {check_sip_user, "\xe2\x80\x80", false},
        {check_sip_user, "\xe2\x80\x8a", false},
        {check_sip_user, "\xe2\x80\x8b", true},
        {check_sip_user, "\xe3\x80\x80", false},
        {check_sip_user, "\xe1\x9a\x80", false},
        {check_sip_user, "\xe2\x81\x9f", false},
        {check_sip_user, "\xe2\x80\xaf", false},
        {check_sip_user, "\xe2\x82\xac", true},
        {check_printable, "two words \xc3\xa4", true},
        {check_printable, "a\nb", false},
        {check_printable, "\xc2\x85", false},
        {check_printable, "\x7f", false},
        {check_uuid, "00000000-0000-0000-0000-00000000000", false},
        {check_uuid, "00000000-0000-0000-0000-00000000000A", true},
        {check_ip_range, "10.0.0.0/8", true},
        {check_ip_range, "10.0.0.0/33", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((rows[i].check(rows[i].text, strlen(rows[i].text)) == NULL) != rows[i].good)
            fail_msg("row %zu: \"%s\"", i, rows[i].text);
    char label[65];
    memset(label, 'a', sizeof(label));
    assert_null(check_host(label, 63));
    assert_non_null(check_host(label, 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schema_is_sound),
        cmocka_unit_test(every_operation_is_whole_and_has_its_own_name),
        cmocka_unit_test(flaws_are_found),
        cmocka_unit_test(names_are_found_from_anywhere),
        cmocka_unit_test(a_nul_does_not_end_a_name),
        cmocka_unit_test(checks_know_their_forms),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
