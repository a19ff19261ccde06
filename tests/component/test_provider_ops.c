/* Authentication providers: made, read, deleted; who may see them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "tests/support/provider_desk.h"

#include <string.h>

static desk_t desk;

static int set_up(void **state)
{
    (void)state;
    provider_desk_open(&desk);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

#define NAMED(settings) "{'name': 'Okta', 'short_name': 'okta', 'settings': {" settings "}}"

static outcome_t create(const char *body)
{
    return desk_ask(&desk, PROVIDER_CREATE, NULL, NULL, body);
}

static void the_smallest_has_all_defaults(void **state)
{
    (void)state;
    assert_int_equal(create(NAMED(SETTINGS_NEEDED)), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "record_type"), "authentication_provider");
    assert_string_equal(desk_text(&desk, "organization_id"), DESK_ORGANIZATION);
    assert_int_equal(desk_number(&desk, "active"), 1);
    assert_null(desk_text(&desk, "settings_url"));
    assert_string_equal(desk_text(&desk, "activated_at"), desk_text(&desk, "created_at"));
    assert_string_equal(desk_text(&desk, "updated_at"), desk_text(&desk, "created_at"));
    assert_int_equal(json_array_size(json_object_get(desk.body, "warnings")), 0);
    static const char *const expected[][2] = {
        {"assertion_consumer_service_url", "https://lk.example/sso/saml/auth/okta"},
        {"service_provider_entity_id", "https://lk.example/sso/saml/metadata/okta"},
        {"service_provider_login_url", "https://lk.example/sso/okta"},
        {"idp_cert_fingerprint", PRINT_20},
        {"idp_cert_fingerprint_algorithm", "sha1"},
        {"name_identifier_format", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"},
        {"idp_certificate", NULL},
        {"idp_slo_target_url", NULL},
        {"idp_attribute_names", NULL},
        {"provision_groups", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const char *shown = desk_setting(&desk, expected[i][0]);
        if (expected[i][1] == NULL)
            assert_null(shown);
        else
            assert_string_equal(shown, expected[i][1]);
    }
}

static void what_is_read_is_what_was_made(void **state)
{
    (void)state;
    assert_int_equal(
        create(NAMED(SETTINGS_NEEDED
                     ", 'idp_attribute_names': {'email': 'mail'}, "
                     "'provision_groups': true, 'idp_slo_target_url': 'http://x.y/z'")),
        OUTCOME_OK);
    json_t *made = json_deep_copy(desk.body);
    char id[UUID_SIZE];
    text_cut(id, sizeof(id), desk_text(&desk, "id"));
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
    assert_true(json_equal(made, desk.body));
    assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, id, NULL, NULL), OUTCOME_OK);
    assert_true(json_equal(made, desk.body));
    json_decref(made);
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, id, NULL, NULL), OUTCOME_UNKNOWN);
}

static void an_inactive_one_was_never_activated(void **state)
{
    (void)state;
    assert_int_equal(
        create("{'name': 'a', 'short_name': 'a', 'active': false, 'settings': {" SETTINGS_NEEDED
               "}}"),
        OUTCOME_OK);
    assert_null(desk_text(&desk, "activated_at"));
}

static void every_fault_names_its_field(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "required /name"},
        {"{'name': ['Okta'], 'short_name': 'a', 'settings': {" SETTINGS_NEEDED "}}", "type /name"},
        {"{'name': 'a', 'short_name': 'a'}", "required /settings"},
        {"{'name': 'a', 'short_name': 'a', 'settings_url': null}", "required /settings"},
        {"{'name': 'a', 'short_name': 'a', 'settings': null}", "type /settings"},
        {"{'name': 'a', 'short_name': 'A', 'settings': {" SETTINGS_NEEDED "}}",
         "format /short_name"},
        {"{'name': 'a', 'short_name': '-a', 'settings': {" SETTINGS_NEEDED "}}",
         "format /short_name"},
        {"{'name': 'a', 'short_name': 'a', 'settings_url': 'ftp://x/', 'settings': "
         "{" SETTINGS_NEEDED "}}",
         "format /settings_url"},
        {NAMED("'idp_entity_id': ''"), "range /settings/idp_entity_id"},
        {NAMED(SETTINGS_NEEDED ", 'idp_cert_fingerprint_algorithm': 'md5'"),
         "choice /settings/idp_cert_fingerprint_algorithm"},
        {NAMED(SETTINGS_NEEDED ", 'idp_certificate': 'MIIB'"), "format /settings/idp_certificate"},
        {NAMED(SETTINGS_NEEDED ", 'idp_attribute_names': {'a': 1}"),
         "type /settings/idp_attribute_names"},
        {NAMED("'idp_entity_id': 'x', 'idp_sso_target_url': 'x', 'idp_cert_fingerprint': '" PRINT_20
               "'"),
         "format /settings/idp_sso_target_url"},
        {NAMED("'idp_entity_id': 'x', 'idp_sso_target_url': 'http://x/', 'idp_cert_fingerprint': "
               "'00:11'"),
         "format /settings/idp_cert_fingerprint"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(create(cases[i][0]), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
    }
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM provider"), 0);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM page_total"), 0);
}

static void warnings_name_both_lengths(void **state)
{
    (void)state;
    static const char *const fingerprints[] = {"1338C7BBC9FF4A70383AE3D95CCDDB2E501E80A7",
                                               "13 38 c7 BB C9FF4A70383AE3D95CCDDB2E501E80A7"};
    for (size_t i = 0; i < ARRAY_LEN(fingerprints); i++) {
        char body[1024], id[UUID_SIZE];
        assert_int_equal(
            text_format(body, sizeof(body),
                        NAMED("'idp_entity_id': 'x', 'idp_sso_target_url': 'http://x.y/', "
                              "'idp_cert_fingerprint_algorithm': 'sha256', "
                              "'idp_cert_fingerprint': '%s'"),
                        fingerprints[i]),
            STATUS_OK);
        assert_int_equal(create(body), OUTCOME_OK);
        assert_string_equal(desk_setting(&desk, "idp_cert_fingerprint"), fingerprints[i]);
        json_t *warnings = json_object_get(desk.body, "warnings");
        assert_int_equal(json_array_size(warnings), 1);
        const char *text = json_string_value(json_array_get(warnings, 0));
        assert_non_null(strstr(text, "20 bytes"));
        assert_non_null(strstr(text, "sha1"));
        assert_non_null(strstr(text, "sha256, which makes 32"));
        text_cut(id, sizeof(id), desk_text(&desk, "id"));
        assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, id, NULL, NULL), OUTCOME_OK);
    }
}

static void a_short_name_belongs_to_one(void **state)
{
    (void)state;
    char first[UUID_SIZE], second[UUID_SIZE];
    desk_provider(&desk, "okta", first);
    desk_provider(&desk, "other", second);
    desk.principal.organization_id[0] = '\0';
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    assert_int_equal(create(NAMED(SETTINGS_NEEDED)), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /short_name");
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_ORGANIZATION);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, second, NULL, "{'short_name': 'okta'}"),
                     OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /short_name");
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM provider"), 2);
    assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, first, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, second, NULL, "{'short_name': 'okta'}"),
                     OUTCOME_OK);
    assert_string_equal(desk_setting(&desk, "service_provider_login_url"),
                        "https://lk.example/sso/okta");
}

static void assert_two_faults(const char *first, const char *second)
{
    assert_string_equal(desk_fault(&desk), first);
    assert_int_equal(desk.faults.count, 2);
    assert_string_equal(desk.faults.items[1].where, second);
}

/* What only the worker finds is told at once too. */
static void a_taken_name_hides_no_other_fault(void **state)
{
    (void)state;
    static const char create_both[] = NAMED(SETTINGS_NEEDED ", 'idp_certificate': 'MIIB'");
    static const char change_both[] =
        "{'short_name': 'okta', 'settings': {'idp_certificate': 'MIIB'}}";
    static const char create_unfilled[] =
        "{'name': 'a', 'short_name': 'okta', 'settings_url': 'http://127.0.0.1:1/'}";
    static const char change_unfilled[] =
        "{'short_name': 'okta', 'settings_url': 'http://127.0.0.1:1/'}";
    char first[UUID_SIZE], second[UUID_SIZE];
    desk_provider(&desk, "okta", first);
    desk_provider(&desk, "other", second);
    assert_int_equal(create(create_both), OUTCOME_CONFLICT);
    assert_two_faults("taken /short_name", "/settings/idp_certificate");
    assert_non_null(strstr(desk.faults.items[1].message, "bare base64"));
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, second, NULL, change_both), OUTCOME_CONFLICT);
    assert_two_faults("taken /short_name", "/settings/idp_certificate");
    assert_int_equal(create(create_unfilled), OUTCOME_INVALID);
    assert_two_faults("rule /settings_url", "/short_name");
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, second, NULL, change_unfilled),
                     OUTCOME_INVALID);
    assert_two_faults("rule /settings_url", "/short_name");
    /* One's own name is taken by nobody else. */
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, first, NULL, change_unfilled),
                     OUTCOME_INVALID);
    assert_int_equal(desk.faults.count, 1);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM provider"), 2);
}

static void others_see_nothing(void **state)
{
    (void)state;
    static const unsigned operations[] = {PROVIDER_READ, PROVIDER_CHANGE, PROVIDER_DELETE};
    char id[UUID_SIZE];
    desk_provider(&desk, "okta", id);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        assert_int_equal(desk_ask(&desk, operations[i], id, NULL, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, "okta", NULL, NULL), OUTCOME_UNKNOWN);
    desk.principal.is_operator = true;
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
    for (char *at = id; *at != '\0'; at++)
        if (*at >= 'a' && *at <= 'f')
            *at = (char)(*at - 'a' + 'A');
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_smallest_has_all_defaults),       CASE(what_is_read_is_what_was_made),
        CASE(an_inactive_one_was_never_activated), CASE(every_fault_names_its_field),
        CASE(warnings_name_both_lengths),          CASE(a_short_name_belongs_to_one),
        CASE(a_taken_name_hides_no_other_fault),   CASE(others_see_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
