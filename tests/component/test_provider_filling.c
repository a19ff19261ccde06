/* Settings from settings_url: what is taken, what stands in the way, nothing half done. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "services/auth-provider/certificate.h"
#include "tests/support/page_server.h"
#include "tests/support/provider_desk.h"

#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define METADATA(entity, slo, keys)                                                                \
    HEAD "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' entityID='" entity        \
         "'><IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>"  \
         "%s" keys slo "<SingleSignOnService "                                                     \
         "Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' "                           \
         "Location='https://idp.example/in'/></IDPSSODescriptor></EntityDescriptor>"
#define SLO                                                                                        \
    "<SingleLogoutService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' "           \
    "Location='https://idp.example/out'/>"
#define KEY                                                                                        \
    "<KeyDescriptor use='signing'><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'><X509Data>"  \
    "<X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"

enum { CERTIFICATES = 3, PAGE_SIZE = 16384 };

static issued_t issued[CERTIFICATES];
static certificate_t certificates[CERTIFICATES];
static char texts[3][PAGE_SIZE];
static page_server_t *server;
static desk_t desk;

/* {key} of the keys stands in %s: two certificates, then one, then none. */
static int make_pages(void)
{
    char keys[PAGE_SIZE / 2];
    return text_format(keys, sizeof(keys), KEY KEY, issued[0].base64, issued[1].base64) !=
               STATUS_OK ||
           text_format(texts[0], PAGE_SIZE, METADATA("https://a/", SLO, ""), keys) != STATUS_OK ||
           text_format(keys, sizeof(keys), KEY, issued[2].base64) != STATUS_OK ||
           text_format(texts[1], PAGE_SIZE, METADATA("https://b/", "", ""), keys) != STATUS_OK ||
           text_format(texts[2], PAGE_SIZE, METADATA("https://c/", "", ""), "") != STATUS_OK;
}

static int set_up_all(void **state)
{
    (void)state;
    static const page_t pages[] = {
        {.path = "/two", .answer = texts[0]},
        {.path = "/one", .answer = texts[1]},
        {.path = "/none", .answer = texts[2]},
        {.path = "/text", .answer = HEAD "hello"},
        {.path = "/gone", .answer = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"},
        {.path = "/silent", .answer = "", .holds = true},
        {.path = "/long", .answer = HEAD, .filler = 2 << 20},
    };
    for (size_t i = 0; i < CERTIFICATES; i++) {
        issuer_make("idp.example.com", 1600000000, 2000000000, &issued[i]);
        if (certificate_from_der(issued[i].der, issued[i].length, &certificates[i]) != STATUS_OK)
            return -1;
    }
    if (make_pages() != 0)
        return -1;
    server = page_server_start(pages, ARRAY_LEN(pages), NULL);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    page_server_stop(&server);
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
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

/* pattern: a body with the server's URL, up to the path, in the place of %s. Static. */
static const char *body_of(const char *pattern)
{
    static char body[1024];
    char port[16], url[64];
    size_t length = 0;
    assert_int_equal(text_format(port, sizeof(port), "%d", page_server_port(server)), STATUS_OK);
    assert_int_equal(text_format(url, sizeof(url), "http://127.0.0.1:%s", port), STATUS_OK);
    for (const char *at = pattern; *at != '\0'; at++) {
        const char *piece = *at == '@' ? url : at;
        size_t size = *at == '@' ? strlen(url) : 1;
        assert_true(length + size < sizeof(body));
        memcpy(body + length, piece, size);
        length += size;
    }
    body[length] = '\0';
    return body;
}

static outcome_t create(const char *pattern)
{
    return desk_ask(&desk, PROVIDER_CREATE, NULL, NULL, body_of(pattern));
}

static bool is_in_use(size_t which, bool wanted)
{
    char sql[256];
    assert_int_equal(text_format(sql, sizeof(sql),
                                 "SELECT count(*) FROM certificate WHERE sha256 = '%s' "
                                 "AND retired_at IS %s NULL AND source = 'metadata'",
                                 certificates[which].fingerprint, wanted ? "" : "NOT"),
                     STATUS_OK);
    return desk_query(&desk, sql) == 1;
}

static void metadata_makes_the_settings(void **state)
{
    (void)state;
    assert_int_equal(create("{'name': 'a', 'short_name': 'a', 'settings_url': '@/two'}"),
                     OUTCOME_OK);
    assert_string_equal(desk_setting(&desk, "idp_entity_id"), "https://a/");
    assert_string_equal(desk_setting(&desk, "idp_sso_target_url"), "https://idp.example/in");
    assert_string_equal(desk_setting(&desk, "idp_slo_target_url"), "https://idp.example/out");
    assert_string_equal(desk_setting(&desk, "idp_cert_fingerprint"), certificates[0].fingerprint);
    assert_string_equal(desk_setting(&desk, "idp_cert_fingerprint_algorithm"), "sha256");
    assert_non_null(strstr(desk_setting(&desk, "idp_certificate"), "-----BEGIN CERTIFICATE-----"));
    assert_string_equal(desk_setting(&desk, "name_identifier_format"),
                        "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified");
    assert_null(desk_setting(&desk, "idp_attribute_names"));
    assert_string_equal(desk_text(&desk, "settings_url"), strstr(body_of("@/two"), "http"));
    assert_int_equal(json_array_size(json_object_get(desk.body, "warnings")), 0);
    assert_true(is_in_use(0, true) && is_in_use(1, true));
}

static void settings_win_over_the_url(void **state)
{
    (void)state;
    int before = page_server_count(server);
    assert_int_equal(create("{'name': 'a', 'short_name': 'a', 'settings_url': '@/two', "
                            "'settings': {" SETTINGS_NEEDED "}}"),
                     OUTCOME_OK);
    assert_string_equal(desk_setting(&desk, "idp_cert_fingerprint"), PRINT_20);
    assert_int_equal(page_server_count(server), before);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate"), 0);
}

static void every_failure_names_its_step(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"@/none", "certificate"},        {"@/text", "XML"},
        {"@/gone", "HTTP status 410"},    {"@/long", "larger than 1 MiB"},
        {"@/missing", "HTTP status 404"}, {"http://127.0.0.1:1/", "was not accepted"},
    };
    char id[UUID_SIZE], pattern[256];
    desk_provider(&desk, "kept", id);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(text_format(pattern, sizeof(pattern),
                                     "{'name': 'a', 'short_name': 'a', 'settings_url': '%s'}",
                                     cases[i][0]),
                         STATUS_OK);
        assert_int_equal(create(pattern), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), "rule /settings_url");
        if (strstr(desk.faults.items[0].message, cases[i][1]) == NULL)
            fail_msg("%s: %s", cases[i][0], desk.faults.items[0].message);
        assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body_of(pattern)),
                         OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), "rule /settings_url");
    }
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM provider"), 1);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM provider WHERE short_name = 'kept' "
                                       "AND settings_url IS NULL"),
                     1);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate"), 0);
}

/* A host that says nothing in all the time that the request had is at fault; one that had less,
 * since the request waited here, is not. */
static void silence_is_the_hosts_fault_or_ours(void **state)
{
    (void)state;
    static const struct {
        int64_t answer_ms, waited_ms;
        outcome_t outcome;
    } cases[] = {
        {400, 0, OUTCOME_INVALID},
        {10000, 9650, OUTCOME_UNAVAILABLE},
        {10000, 9900, OUTCOME_UNAVAILABLE}, /* nothing is left to ask in */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        desk.answer_ms = cases[i].answer_ms;
        desk.waited_ms = cases[i].waited_ms;
        assert_int_equal(create("{'name': 'a', 'short_name': 'a', 'settings_url': '@/silent'}"),
                         cases[i].outcome);
        if (cases[i].outcome == OUTCOME_INVALID) {
            assert_string_equal(desk_fault(&desk), "rule /settings_url");
            assert_non_null(strstr(desk.faults.items[0].message, "no answer within 0."));
        }
    }
}

static void a_new_url_replaces_the_settings(void **state)
{
    (void)state;
    char id[UUID_SIZE];
    assert_int_equal(create("{'name': 'a', 'short_name': 'a', 'settings_url': '@/two'}"),
                     OUTCOME_OK);
    text_cut(id, sizeof(id), desk_text(&desk, "id"));
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL,
                              "{'settings': {'idp_attribute_names': {'a': 'b'}}}"),
                     OUTCOME_OK);
    int before = page_server_count(server);
    assert_int_equal(
        desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body_of("{'settings_url': '@/two'}")),
        OUTCOME_OK);
    assert_int_equal(page_server_count(server), before); /* the same URL again */
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL,
                              body_of("{'settings_url': '@/one', 'name': 'b'}")),
                     OUTCOME_OK);
    assert_int_equal(page_server_count(server), before + 1);
    assert_string_equal(desk_text(&desk, "name"), "b");
    assert_string_equal(desk_setting(&desk, "idp_entity_id"), "https://b/");
    assert_null(desk_setting(&desk, "idp_attribute_names"));
    assert_null(desk_setting(&desk, "idp_slo_target_url"));
    assert_true(is_in_use(0, false) && is_in_use(1, false) && is_in_use(2, true));
    assert_int_equal(
        desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body_of("{'settings_url': '@/two'}")),
        OUTCOME_OK);
    assert_true(is_in_use(0, true) && is_in_use(1, true) && is_in_use(2, false));
}

/* A fingerprint of one's own ends the trust in all others that metadata brought. */
static void a_new_fingerprint_retires_metadatas_too(void **state)
{
    (void)state;
    char id[UUID_SIZE], body[512];
    assert_int_equal(create("{'name': 'a', 'short_name': 'a', 'settings_url': '@/two'}"),
                     OUTCOME_OK);
    text_cut(id, sizeof(id), desk_text(&desk, "id"));
    assert_int_equal(text_format(body, sizeof(body), "{'settings': {'idp_cert_fingerprint': '%s'}}",
                                 certificates[1].fingerprint),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body), OUTCOME_OK);
    assert_true(is_in_use(0, false) && is_in_use(1, true));
}

/* Two requests change the URL: what the second one was prepared for is not there any more. */
static void overlapping_changes_are_told(void **state)
{
    (void)state;
    char id[UUID_SIZE];
    desk_provider(&desk, "a", id);
    assert_int_equal(
        desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body_of("{'settings_url': '@/one'}")),
        OUTCOME_OK);
    desk_call_t *same =
        desk_prepare(&desk, PROVIDER_CHANGE, id, NULL, body_of("{'settings_url': '@/one'}"));
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, "{'settings_url': null}"),
                     OUTCOME_OK);
    assert_int_equal(desk_finish(&desk, same), OUTCOME_UNAVAILABLE);
    desk_call_t *late =
        desk_prepare(&desk, PROVIDER_CHANGE, id, NULL, body_of("{'settings_url': '@/two'}"));
    assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, id, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_finish(&desk, late), OUTCOME_UNKNOWN);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM certificate"), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(metadata_makes_the_settings),     CASE(settings_win_over_the_url),
        CASE(every_failure_names_its_step),    CASE(silence_is_the_hosts_fault_or_ours),
        CASE(a_new_url_replaces_the_settings), CASE(a_new_fingerprint_retires_metadatas_too),
        CASE(overlapping_changes_are_told),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
