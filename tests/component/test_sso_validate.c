/* The dry run: the verifier's checks and those of what is remembered, and nothing changed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "proto/auth_provider.h"
#include "tests/support/provider_desk.h"
#include "tests/support/saml_signer.h"

#include <string.h>

static const signer_edit_t ours = {"https://sp.example.com/", "https://lk.example/"};

static issued_t issued;
static char *good, *forged; /* base64 */
static desk_t desk;
static char id[UUID_SIZE];

static void free_text(char **text)
{
    mem_free(*text);
}

static int set_up_all(void **state)
{
    (void)state;
    issuer_make("idp.example.com", 1600000000, 2000000000, &issued);
    const signer_how_t how = {.by = &issued};
    const signer_edit_t mallory = {SIGNER_NAME_ID, "mallory@example.com"};
    AUTO(free_text) char *text = signer_edited(signer_response, ours);
    AUTO(free_text) char *is_signed = signer_signed(text, NULL, &how);
    AUTO(free_text) char *changed = signer_edited(is_signed, mallory);
    good = signer_base64(is_signed, strlen(is_signed));
    forged = signer_base64(changed, strlen(changed));
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    mem_free(good);
    mem_free(forged);
    issuer_free(&issued);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    char body[sizeof(issued.base64) + 64];
    provider_desk_open(&desk);
    desk.now_utc_ms = SIGNER_NOW_MS;
    assert_int_equal(desk_ask(&desk, PROVIDER_CREATE, NULL, NULL,
                              "{'name': 'a', 'short_name': 'acme', 'settings': {'idp_entity_id': "
                              "'" SIGNER_IDP "', 'idp_sso_target_url': 'https://idp.example/', "
                              "'idp_cert_fingerprint': '" PRINT_20 "'}}"),
                     OUTCOME_OK);
    text_cut(id, sizeof(id), desk_text(&desk, "id"));
    assert_int_equal(text_format(body, sizeof(body), "{'certificate': '%s'}", issued.base64),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_ADD, id, NULL, body), OUTCOME_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

/* more: further members, or "". */
static void try_out(const char *base64, const char *more)
{
    char body[32768];
    assert_int_equal(text_format(body, sizeof(body), "{'saml_response': '%s'%s}", base64, more),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, PROVIDER_VALIDATE, id, NULL, body), OUTCOME_OK);
}

#define ANSWERS ", 'in_response_to': '" SIGNER_REQUEST "'"

static bool is_valid(void)
{
    return json_is_true(json_object_get(desk.body, "valid"));
}

static void assert_reason(const char *reason)
{
    assert_false(is_valid());
    assert_string_equal(desk_text(&desk, "reason"), reason);
}

/* Of the check of that name; "" if it passed, NULL if it was not made. */
static const char *reason_of(const char *check)
{
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(json_object_get(desk.body, "checks"), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "check")), check) ==
                                0)
    {
        const char *reason = json_string_value(json_object_get(row, "reason"));
        assert_int_equal(json_is_true(json_object_get(row, "passed")), reason == NULL);
        return reason == NULL ? "" : reason;
    }
    return NULL;
}

static int64_t rows(void)
{
    return desk_query(&desk, "SELECT (SELECT COUNT(*) FROM sso_event) + (SELECT COUNT(*) FROM "
                             "sso_session) + (SELECT COUNT(*) FROM assertion_used) + (SELECT "
                             "COUNT(used_at) FROM authn_request)");
}

static void insert(const char *sql)
{
    assert_int_equal(desk_query(&desk, sql), 1);
}

static void ask_for_it(const char *used_at)
{
    char sql[512];
    assert_int_equal(
        text_format(sql, sizeof(sql),
                    "INSERT OR REPLACE INTO authn_request (id, provider_id, number, kind, "
                    "relay_state, browser, return_to, expires_at, used_at) SELECT "
                    "'" SIGNER_REQUEST "', id, 1, 'login', 'r', zeroblob(32), '', "
                    "1772366460000, %s FROM provider RETURNING 1",
                    used_at),
        STATUS_OK);
    insert(sql);
}

static void a_good_one_tells_whom_it_logs_in(void **state)
{
    (void)state;
    int64_t before = rows();
    try_out(good, ANSWERS);
    assert_true(is_valid());
    assert_null(desk_text(&desk, "reason"));
    assert_string_equal(desk_text(&desk, "name_id"), SIGNER_NAME_ID);
    assert_true(json_array_size(json_object_get(desk.body, "checks")) > 10);
    assert_string_equal(reason_of("active"), "");
    assert_string_equal(reason_of("replay"), "");
    assert_null(reason_of("request")); /* taken as sent */
    assert_false(desk.was_quick);
    try_out(good, ANSWERS);
    assert_true(is_valid()); /* once more: it was none */
    assert_int_equal(rows(), before);
}

static void the_request_is_looked_up(void **state)
{
    (void)state;
    try_out(good, "");
    assert_reason("request_unknown");
    assert_string_equal(desk_text(&desk, "name_id"), SIGNER_NAME_ID);
    ask_for_it("NULL");
    try_out(good, "");
    assert_true(is_valid());
    assert_string_equal(reason_of("request"), "");
    try_out(good, ", 'at': '2026-03-01T12:01:01Z'");
    assert_reason("request_expired");
    ask_for_it("1");
    try_out(good, "");
    assert_reason("request_used");
    try_out(good, ", 'in_response_to': '_another'");
    assert_reason("in_response_to_mismatch");
}

static void a_replay_is_told(void **state)
{
    (void)state;
    insert("INSERT INTO assertion_used SELECT short_name, '_a1', 1772366460000 FROM provider "
           "RETURNING 1");
    try_out(good, ANSWERS);
    assert_reason("assertion_replayed");
    assert_string_equal(reason_of("replay"), "assertion_replayed");
}

static void nobody_is_named_by_a_forgery(void **state)
{
    (void)state;
    try_out(forged, ANSWERS);
    assert_reason("digest_mismatch");
    assert_null(desk_text(&desk, "name_id"));
    assert_null(reason_of("replay"));
    try_out("####", ANSWERS);
    assert_reason("message_not_base64");
}

static void time_and_trust_count(void **state)
{
    (void)state;
    try_out(good, ANSWERS ", 'at': '2027-03-01T12:00:00Z'");
    assert_false(is_valid());
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, "{'active': false}"), OUTCOME_OK);
    try_out(good, ANSWERS);
    assert_reason("provider_inactive");
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, "{'active': true}"), OUTCOME_OK);
    insert("UPDATE certificate SET retired_at = 1 RETURNING 1");
    try_out(good, ANSWERS);
    assert_reason("certificate_retired");
}

static void others_see_nothing(void **state)
{
    (void)state;
    text_cut(desk.principal.organization_id, sizeof(desk.principal.organization_id), DESK_OTHERS);
    assert_int_equal(desk_ask(&desk, PROVIDER_VALIDATE, id, NULL, "{'saml_response': 'a'}"),
                     OUTCOME_UNKNOWN);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_good_one_tells_whom_it_logs_in),
        CASE(the_request_is_looked_up),
        CASE(a_replay_is_told),
        CASE(nobody_is_named_by_a_forgery),
        CASE(time_and_trust_count),
        CASE(others_see_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
