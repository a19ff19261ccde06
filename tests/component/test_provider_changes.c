/* Changes of authentication providers, and what they do to certificates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "proto/auth_provider.h"
#include "services/auth-provider/certificate_rows.h"
#include "tests/support/issuer.h"
#include "tests/support/provider_desk.h"

#include <string.h>

enum { CERTIFICATES = 3 };

static issued_t issued[CERTIFICATES];
static certificate_t certificates[CERTIFICATES];
static desk_t desk;
static char id[UUID_SIZE];

static int set_up_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < CERTIFICATES; i++) {
        issuer_make("idp.example.com", 1600000000, 2000000000, &issued[i]);
        if (certificate_from_der(issued[i].der, issued[i].length, &certificates[i]) != STATUS_OK)
            return -1;
    }
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < CERTIFICATES; i++) {
        certificate_clear(&certificates[i]);
        issuer_free(&issued[i]);
    }
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    provider_desk_open(&desk);
    desk_provider(&desk, "okta", id);
    desk.now_utc_ms += 1000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

static outcome_t change(const char *body)
{
    return desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body);
}

static void nothing_given_is_nothing_changed(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{}", "{'settings': {}}", "{'id': 'x', 'unknown': 1}",
                                         "{'settings': {'service_provider_entity_id': 'x'}}"};
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
    json_t *before = json_deep_copy(desk.body);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_int_equal(change(bodies[i]), OUTCOME_OK);
        assert_true(json_equal(before, desk.body));
    }
    json_decref(before);
}

static void what_is_given_is_merged(void **state)
{
    (void)state;
    assert_int_equal(change("{'name': 'New', 'settings': {'idp_entity_id': 'urn:x', "
                            "'idp_attribute_names': {'a': 'b'}, 'provision_groups': false}}"),
                     OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "name"), "New");
    assert_string_equal(desk_text(&desk, "short_name"), "okta");
    assert_string_equal(desk_setting(&desk, "idp_entity_id"), "urn:x");
    assert_string_equal(desk_setting(&desk, "idp_sso_target_url"), "https://idp.example/sso");
    assert_string_not_equal(desk_text(&desk, "updated_at"), desk_text(&desk, "created_at"));
    json_t *shown = json_deep_copy(desk.body);
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
    assert_true(json_equal(shown, desk.body));
    json_decref(shown);
    assert_int_equal(
        change("{'settings': {'idp_attribute_names': null, 'provision_groups': null}}"),
        OUTCOME_OK);
    assert_null(desk_setting(&desk, "idp_attribute_names"));
    assert_null(desk_setting(&desk, "provision_groups"));
}

static void settings_beside_a_url_win(void **state)
{
    (void)state;
    assert_int_equal(change("{'settings_url': 'http://127.0.0.1:1/', 'settings': {}}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "settings_url"), "http://127.0.0.1:1/");
    assert_int_equal(change("{'settings_url': 'http://127.0.0.1:1/'}"), OUTCOME_OK); /* the same */
    assert_int_equal(change("{'settings_url': null}"), OUTCOME_OK);
    assert_null(desk_text(&desk, "settings_url"));
}

static void faults_change_nothing(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'settings': null}", "type /settings"},
        {"{'name': null}", "type /name"},
        {"{'active': null}", "type /active"},
        {"{'name': 'x', 'settings': {'idp_certificate': 'x'}}", "format /settings/idp_certificate"},
        {"{'settings': {'idp_cert_fingerprint': null}}", "type /settings/idp_cert_fingerprint"},
        {"{'settings': {'idp_slo_target_url': '/x'}}", "format /settings/idp_slo_target_url"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(change(cases[i][0]), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
    }
    assert_int_equal(desk_query(&desk, "SELECT updated_at = created_at AND name = 'okta' "
                                       "FROM provider"),
                     1);
}

static void activation_is_remembered(void **state)
{
    (void)state;
    char first[32];
    text_cut(first, sizeof(first), desk_text(&desk, "activated_at"));
    assert_int_equal(change("{'active': true}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "activated_at"), first);
    assert_int_equal(change("{'active': false}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "activated_at"), first);
    desk.now_utc_ms += 1000;
    assert_int_equal(change("{'active': true}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "activated_at"), desk_text(&desk, "updated_at"));
    assert_string_not_equal(desk_text(&desk, "activated_at"), first);
}

/* ---- certificates ---- */

static void give_certificate(size_t which)
{
    char body[4096];
    assert_int_equal(text_format(body, sizeof(body), "{'settings': {'idp_certificate': '%s'}}",
                                 issued[which].base64),
                     STATUS_OK);
    desk.now_utc_ms++;
    assert_int_equal(change(body), OUTCOME_OK);
    assert_string_equal(desk_setting(&desk, "idp_certificate"), issued[which].base64);
}

static void give_fingerprint(const char *fingerprint)
{
    char body[512];
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'settings': {'idp_cert_fingerprint': '%s', "
                                 "'idp_cert_fingerprint_algorithm': 'sha256'}}",
                                 fingerprint),
                     STATUS_OK);
    desk.now_utc_ms++;
    assert_int_equal(change(body), OUTCOME_OK);
}

static int64_t stored(size_t which, const char *condition)
{
    char sql[256];
    assert_int_equal(text_format(sql, sizeof(sql),
                                 "SELECT count(*) FROM certificate WHERE sha256 = '%s' AND %s",
                                 certificates[which].fingerprint, condition),
                     STATUS_OK);
    return desk_query(&desk, sql);
}

static bool is_in_use(size_t which)
{
    return stored(which, "retired_at IS NULL") == 1;
}

static bool is_retired(size_t which)
{
    return stored(which, "retired_at IS NOT NULL") == 1;
}

static void a_new_certificate_retires_the_others(void **state)
{
    (void)state;
    give_certificate(0);
    assert_true(is_in_use(0));
    assert_int_equal(stored(0, "source = 'given' AND not_before = 1600000000000 "
                               "AND not_after = 2000000000000"),
                     1);
    give_certificate(1);
    assert_true(is_retired(0) && is_in_use(1));
    give_certificate(0);
    assert_true(is_in_use(0) && is_retired(1));
    assert_int_equal(change("{'settings': {'idp_certificate': null}}"), OUTCOME_OK);
    assert_true(is_retired(0) && is_retired(1));
}

static void a_new_fingerprint_retires_those_without_it(void **state)
{
    (void)state;
    give_certificate(0);
    give_fingerprint(PRINT_32);
    assert_true(is_retired(0));
    give_fingerprint(certificates[0].fingerprint);
    assert_true(is_in_use(0));
    give_fingerprint(certificates[0].fingerprint); /* no other: nothing happens */
    assert_true(is_in_use(0));
    give_certificate(1);
    assert_true(is_retired(0) && is_in_use(1));
    give_fingerprint(certificates[0].fingerprint);
    assert_true(is_retired(0) && is_in_use(1)); /* the fingerprint is none that is new */
}

static void both_at_once_keep_both(void **state)
{
    (void)state;
    give_certificate(0);
    char body[4096];
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'settings': {'idp_certificate': '%s', 'idp_cert_fingerprint': "
                                 "'%s', 'idp_cert_fingerprint_algorithm': 'sha256'}}",
                                 issued[1].base64, certificates[0].fingerprint),
                     STATUS_OK);
    assert_int_equal(change(body), OUTCOME_OK);
    assert_true(is_in_use(0) && is_in_use(1));
}

static void other_changes_retire_nothing(void **state)
{
    (void)state;
    give_certificate(0);
    assert_int_equal(change("{'name': 'x', 'settings': {'idp_entity_id': 'y', "
                            "'idp_cert_fingerprint': '1338c7bbc9ff4a70383ae3d95ccddb2e501e80a7'}}"),
                     OUTCOME_OK);
    assert_true(is_in_use(0));
}

static void a_certificate_may_come_as_pem(void **state)
{
    (void)state;
    char *pem = certificate_to_pem(&certificates[2]);
    json_t *body = json_pack("{s:{s:s}}", "settings", "idp_certificate", pem);
    char *text = json_dumps(body, 0);
    assert_int_equal(change(text), OUTCOME_OK);
    assert_string_equal(desk_setting(&desk, "idp_certificate"), pem);
    assert_true(is_in_use(2));
    free(text);
    json_decref(body);
    mem_free(pem);
}

static bool is_warned(void)
{
    const json_t *warnings = json_object_get(desk.body, "warnings");
    const char *text = json_string_value(json_array_get(warnings, 0));
    return text != NULL && strstr(text, "does not have the fingerprint") != NULL;
}

static void a_certificate_without_the_fingerprint_is_warned_of(void **state)
{
    (void)state;
    give_certificate(0);
    assert_true(is_warned());
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
    assert_true(is_warned());
    give_fingerprint(certificates[0].fingerprint);
    assert_false(is_warned());
    give_certificate(1);
    assert_true(is_warned());
    give_certificate(0);
    assert_false(is_warned());
    give_fingerprint(certificates[1].fingerprint);
    assert_int_equal(change("{'name': 'x'}"), OUTCOME_OK);
    assert_true(is_warned());
    assert_int_equal(change("{'settings': {'idp_certificate': null}}"), OUTCOME_OK);
    assert_false(is_warned());
}

/* More certificates than a provider can come to have: a store that is not ours. */
static void too_many_stored_are_no_small_matter(void **state)
{
    (void)state;
    give_certificate(0);
    assert_int_equal(
        desk_query(&desk,
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i "
                   "< 100) INSERT INTO certificate SELECT id || i, provider_id, source, der, "
                   "sha256 || i, not_before, not_after, NULL, NULL FROM certificate, n RETURNING "
                   "1"),
        1);
    assert_int_equal(change("{'settings': {'idp_certificate': null}}"), OUTCOME_INTERNAL);
    assert_int_equal(desk.status, STATUS_CORRUPT);
}

static void they_go_with_their_provider(void **state)
{
    (void)state;
    give_certificate(0);
    assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, id, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate"), 0);
}

/* However often it changes, no provider piles up certificates. */
static void retired_ones_are_forgotten_in_time(void **state)
{
    (void)state;
    give_certificate(0);
    for (int i = 0; i < CERTIFICATES_RETIRED_MAX + 3; i++) {
        issued_t further;
        issuer_make("idp.example.com", 1600000000, 2000000000, &further);
        text_cut(issued[1].base64, sizeof(issued[1].base64), further.base64);
        issuer_free(&further);
        give_certificate(1);
    }
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate"),
                     CERTIFICATES_RETIRED_MAX + 1);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate "
                                       "WHERE retired_at IS NULL"),
                     1);
    assert_false(is_retired(0)); /* the first to go */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(nothing_given_is_nothing_changed),
        CASE(what_is_given_is_merged),
        CASE(settings_beside_a_url_win),
        CASE(faults_change_nothing),
        CASE(activation_is_remembered),
        CASE(a_new_certificate_retires_the_others),
        CASE(a_new_fingerprint_retires_those_without_it),
        CASE(both_at_once_keep_both),
        CASE(other_changes_retire_nothing),
        CASE(a_certificate_may_come_as_pem),
        CASE(a_certificate_without_the_fingerprint_is_warned_of),
        CASE(too_many_stored_are_no_small_matter),
        CASE(they_go_with_their_provider),
        CASE(retired_ones_are_forgotten_in_time),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
