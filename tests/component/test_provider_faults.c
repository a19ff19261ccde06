/* Every operation with each of its SQLite calls failing once: fault_drill.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "tests/support/fault_drill.h"
#include "tests/support/issuer.h"
#include "tests/support/provider_desk.h"

typedef struct {
    unsigned operation;
    unsigned least;    /* calls that can fail: fewer, and the test has lost its grip */
    const char *input; /* of a change: to be followed by a certificate */
} case_t;

typedef struct {
    desk_t desk;
    char id[UUID_SIZE], certificate[UUID_SIZE];
} fixture_t;

static issued_t issued[2];

static int set_up_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(issued); i++)
        issuer_make("idp.example.com", 1600000000, 2000000000, &issued[i]);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(issued); i++)
        issuer_free(&issued[i]);
    return 0;
}

/* Changes with every change that an operation can make. */
static int64_t mark(const void *fixture)
{
    const fixture_t *f = fixture;
    return desk_query(&f->desk,
                      "SELECT (SELECT count(*) * 1000003 + sum(length(name)) FROM provider) "
                      "+ (SELECT coalesce(sum(total), 0) * 10007 FROM page_total) "
                      "+ (SELECT count(*) * 101 + count(retired_at) FROM certificate)");
}

static bool ask(fixture_t *f, const case_t *asked, size_t which)
{
    char body[4096];
    const char *input = asked->input;
    if (asked->operation == CERTIFICATE_ADD || asked->operation == PROVIDER_CREATE ||
        asked->operation == PROVIDER_CHANGE) {
        assert_int_equal(text_format(body, sizeof(body), "%s '%s'%s", input, issued[which].base64,
                                     asked->operation == CERTIFICATE_ADD ? "}" : "}}"),
                         STATUS_OK);
        input = body;
    }
    return desk_ask(&f->desk, asked->operation, f->id, f->certificate, input) == OUTCOME_OK;
}

static void open_fixture(void *fixture)
{
    fixture_t *f = fixture;
    static const case_t given = {PROVIDER_CHANGE, 0, "{'settings': {'idp_certificate':"};
    provider_desk_open(&f->desk);
    desk_provider(&f->desk, "okta", f->id);
    assert_true(ask(f, &given, 0));
    assert_int_equal(desk_ask(&f->desk, CERTIFICATE_LIST, f->id, NULL, NULL), OUTCOME_OK);
    const json_t *row = json_array_get(f->desk.body, 0);
    text_cut(f->certificate, UUID_SIZE, json_string_value(json_object_get(row, "id")));
}

static void close_fixture(void *fixture)
{
    fixture_t *f = fixture;
    provider_desk_close(&f->desk);
}

static bool ask_again(void *fixture, const void *asked)
{
    return ask(fixture, asked, 1);
}

static void each_call_fails_once(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {PROVIDER_READ, 4, NULL},
        {PROVIDER_LIST, 8, "page[size]=5"},
        {PROVIDER_CREATE, 30,
         "{'name': 'n', 'short_name': 'n', 'settings': {" SETTINGS_NEEDED ", 'idp_certificate':"},
        {PROVIDER_CHANGE, 40, "{'name': 'longer', 'settings': {'idp_certificate':"},
        {CERTIFICATE_LIST, 6, NULL},
        {CERTIFICATE_ADD, 15, "{'certificate':"},
        {CERTIFICATE_RETIRE, 15, NULL},
        {PROVIDER_VALIDATE, 6, "{'saml_response': 'PGEvPg=='}"},
        {PROVIDER_EVENTS, 6, ""},
        {PROVIDER_SESSIONS, 6, ""},
        {PROVIDER_DELETE, 10, NULL},
    };
    static const fault_drill_t drill = {sizeof(fixture_t), open_fixture, close_fixture, ask_again,
                                        mark};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const operation_t *operation = &auth_provider_service.operations[cases[i].operation];
        fault_drill(&drill, &cases[i], (operation->flags & OPERATION_WRITES) != 0, cases[i].least,
                    operation->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_fails_once)};
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
