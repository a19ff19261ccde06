/* Certificates by hand: added beside others, retired, and whose they are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "services/auth-provider/certificate_rows.h"
#include "tests/support/issuer.h"
#include "tests/support/provider_desk.h"

#include <string.h>

static issued_t issued[CERTIFICATES_GIVEN_MAX + 1], weak;
static desk_t desk;
static char id[UUID_SIZE];

static int set_up_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(issued); i++)
        issuer_make("idp.example.com", 1600000000, 2000000000 + (int64_t)i, &issued[i]);
    issuer_make_rsa(1024, "idp.example.com", 1600000000, 2000000000, &weak);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(issued); i++)
        issuer_free(&issued[i]);
    issuer_free(&weak);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    provider_desk_open(&desk);
    desk_provider(&desk, "okta", id);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

static outcome_t add(const char *base64)
{
    char body[sizeof(issued[0].base64) + 64];
    assert_int_equal(text_format(body, sizeof(body), "{'certificate': '%s'}", base64), STATUS_OK);
    return desk_ask(&desk, CERTIFICATE_ADD, id, NULL, body);
}

static void add_and_note(size_t which, char out_id[UUID_SIZE])
{
    assert_int_equal(add(issued[which].base64), OUTCOME_OK);
    text_cut(out_id, UUID_SIZE, desk_text(&desk, "id"));
}

static size_t listed(void)
{
    assert_int_equal(desk_ask(&desk, CERTIFICATE_LIST, id, NULL, NULL), OUTCOME_OK);
    return desk_count(&desk);
}

static void one_is_added_beside_the_others(void **state)
{
    (void)state;
    assert_int_equal(listed(), 0);
    char first[UUID_SIZE], second[UUID_SIZE];
    add_and_note(0, first);
    assert_non_null(strstr(desk_text(&desk, "certificate"), "-----BEGIN CERTIFICATE-----\n"));
    assert_string_equal(desk_text(&desk, "source"), "given");
    assert_null(desk_text(&desk, "retired_at"));
    assert_string_equal(desk_text(&desk, "not_after"), "2033-05-18T03:33:20.000Z");
    assert_string_equal(desk_text(&desk, "not_before"), "2020-09-13T12:26:40.000Z");
    assert_int_equal(strlen(desk_text(&desk, "fingerprint_sha256")), 95);
    add_and_note(1, second);
    assert_string_not_equal(first, second);
    assert_int_equal(listed(), 2);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate WHERE retired_at IS NULL"),
                     2);
}

/* From then on no refresh retires it: it is there by hand. */
static void the_same_again_is_that_one(void **state)
{
    (void)state;
    char first[UUID_SIZE], again[UUID_SIZE];
    add_and_note(0, first);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate WHERE source = 'given'"),
                     1);
    add_and_note(0, again);
    assert_string_equal(again, first);
    assert_int_equal(listed(), 1);
}

static void a_retired_one_stays_and_may_come_back(void **state)
{
    (void)state;
    char first[UUID_SIZE], again[UUID_SIZE], at[64];
    add_and_note(0, first);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, first, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "id"), first);
    text_cut(at, sizeof(at), desk_text(&desk, "retired_at"));
    desk.now_utc_ms += 1000;
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, first, NULL), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "retired_at"), at);
    assert_int_equal(listed(), 1);
    add_and_note(0, again);
    assert_string_equal(again, first);
    assert_null(desk_text(&desk, "retired_at"));
}

static void what_is_of_no_use_is_refused(void **state)
{
    (void)state;
    assert_int_equal(add("hello"), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "format /certificate");
    assert_int_equal(desk_ask(&desk, CERTIFICATE_ADD, id, NULL, "{}"), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "required /certificate");
    assert_int_equal(add(weak.base64), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /certificate");
    assert_non_null(strstr(desk.faults.items[0].message, "2048"));
    assert_int_equal(listed(), 0);
}

static void sixteen_are_live_at_most(void **state)
{
    (void)state;
    char first[UUID_SIZE], other[UUID_SIZE];
    add_and_note(0, first);
    for (size_t i = 1; i < CERTIFICATES_GIVEN_MAX; i++)
        add_and_note(i, other);
    assert_int_equal(add(issued[CERTIFICATES_GIVEN_MAX].base64), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "rule /certificate");
    add_and_note(3, other); /* is there already */
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, first, NULL), OUTCOME_OK);
    add_and_note(CERTIFICATES_GIVEN_MAX, other);
    assert_int_equal(add(issued[0].base64), OUTCOME_CONFLICT); /* it would live again */
}

static void others_see_nothing(void **state)
{
    (void)state;
    char first[UUID_SIZE], stranger[UUID_SIZE], theirs[UUID_SIZE];
    add_and_note(0, first);
    desk_provider(&desk, "second", stranger);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, stranger, first, NULL), OUTCOME_UNKNOWN);
    text_cut(desk.principal.organization_id, sizeof(desk.principal.organization_id), DESK_OTHERS);
    desk_provider(&desk, "theirs", theirs);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_LIST, id, NULL, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(add(issued[1].base64), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, first, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, theirs, first, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate WHERE retired_at IS NULL"),
                     1);
}

/* A client's change of trust is at once, for all that were trusted besides. */
static void a_new_fingerprint_retires_them(void **state)
{
    (void)state;
    char first[UUID_SIZE];
    add_and_note(0, first);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate WHERE retired_at IS NULL"),
                     1);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL,
                              "{'settings': {'idp_cert_fingerprint': '" PRINT_32 "'}}"),
                     OUTCOME_OK);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate WHERE retired_at IS NULL"),
                     0);
}

/* Else it would be trusted by the settings' fingerprint, or by metadata, once more. */
static void one_that_is_retired_by_hand_is_not_forgotten(void **state)
{
    (void)state;
    char body[512], own[UUID_SIZE], other[UUID_SIZE], last[UUID_SIZE];
    add_and_note(0, own);
    assert_int_equal(text_format(body, sizeof(body), "{'settings': {'idp_cert_fingerprint': '%s'}}",
                                 desk_text(&desk, "fingerprint_sha256")),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body), OUTCOME_OK);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, own, NULL), OUTCOME_OK);
    desk.now_utc_ms += 1000;
    add_and_note(1, other);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, other, NULL), OUTCOME_OK);
    /* More than are kept, retired by refreshes since. */
    assert_int_equal(
        desk_query(&desk, "INSERT INTO certificate (id, provider_id, source, der, sha256, "
                          "not_before, not_after, retired_at, missing_since) "
                          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                          "WHERE i < 40) SELECT 'n' || i, provider_id, 'metadata', der, 'n' || i, "
                          "not_before, not_after, retired_at + i, retired_at + i FROM n, "
                          "certificate WHERE source = 'given' AND not_after = 2000000001000 "
                          "RETURNING 1"),
        1);
    add_and_note(2, last);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, last, NULL), OUTCOME_OK);
    assert_int_equal(listed(), CERTIFICATES_RETIRED_MAX);
    const char *const stay[] = {own, other, last};
    for (size_t i = 0; i < ARRAY_LEN(stay); i++) {
        char sql[256];
        assert_int_equal(text_format(sql, sizeof(sql),
                                     "SELECT count(*) FROM certificate WHERE id = '%s' "
                                     "AND retired_at IS NOT NULL",
                                     stay[i]),
                         STATUS_OK);
        assert_int_equal(desk_query(&desk, sql), 1);
    }
}

/* Warned of, and no more than that. */
static void the_first_to_expire_is_shown(void **state)
{
    (void)state;
    const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000, end_ms = INT64_C(2000000000) * 1000;
    const struct {
        int64_t now_utc_ms;
        const char *warning;
    } cases[] = {
        {end_ms - 31 * day_ms, NULL},
        {end_ms - 29 * day_ms, "expires at 2033-05-18T03:33:20.000Z"},
        {end_ms, "expired at 2033-05-18T03:33:20.000Z"},
    };
    char first[UUID_SIZE], second[UUID_SIZE];
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
    assert_null(desk_setting(&desk, "certificate_expires_at"));
    add_and_note(1, second);
    add_and_note(0, first);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        desk.now_utc_ms = cases[i].now_utc_ms;
        assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
        assert_string_equal(desk_setting(&desk, "certificate_expires_at"),
                            "2033-05-18T03:33:20.000Z");
        const json_t *warnings = json_object_get(desk.body, "warnings");
        assert_int_equal(json_array_size(warnings), cases[i].warning != NULL);
        if (cases[i].warning != NULL)
            assert_non_null(
                strstr(json_string_value(json_array_get(warnings, 0)), cases[i].warning));
    }
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, first, NULL), OUTCOME_OK);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, "{'name': 'b'}"), OUTCOME_OK);
    assert_string_equal(desk_setting(&desk, "certificate_expires_at"), "2033-05-18T03:33:21.000Z");
}

/* Who retires one by hand does not trust it any more. */
static void retiring_ends_sessions_and_is_noted(void **state)
{
    (void)state;
    char first[UUID_SIZE];
    int64_t epoch = desk_query(&desk, "SELECT session_epoch FROM provider");
    add_and_note(0, first);
    assert_int_equal(desk_query(&desk, "SELECT session_epoch FROM provider"), epoch);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, first, NULL), OUTCOME_OK);
    assert_int_equal(desk_query(&desk, "SELECT session_epoch FROM provider"), epoch + 1);
    assert_int_equal(desk_ask(&desk, PROVIDER_EVENTS, id, NULL, ""), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 2);
    const json_t *latest = json_array_get(desk.body, 0);
    assert_string_equal(json_string_value(json_object_get(latest, "kind")), "certificate");
    assert_non_null(strstr(json_string_value(json_object_get(latest, "detail")), "retired "));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(one_is_added_beside_the_others),
        CASE(the_same_again_is_that_one),
        CASE(a_retired_one_stays_and_may_come_back),
        CASE(what_is_of_no_use_is_refused),
        CASE(sixteen_are_live_at_most),
        CASE(others_see_nothing),
        CASE(a_new_fingerprint_retires_them),
        CASE(one_that_is_retired_by_hand_is_not_forgotten),
        CASE(the_first_to_expire_is_shown),
        CASE(retiring_ends_sessions_and_is_noted),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
