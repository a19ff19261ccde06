/* Metadata fetched again: what is added, marked, retired; and what nothing may change. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "services/auth-provider/certificate.h"
#include "services/auth-provider/sso/refresh.h"
#include "tests/support/page_server.h"
#include "tests/support/provider_desk.h"

#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define GONE "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
#define KEY                                                                                        \
    "<KeyDescriptor use='signing'><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'><X509Data>"  \
    "<X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

enum { CERTIFICATES = 3, PAGE_SIZE = 16384 };

static issued_t issued[CERTIFICATES];
static certificate_t certificates[CERTIFICATES];
static char page[PAGE_SIZE];
static const char *slo = "";
static page_server_t *server;
static desk_t desk;
static char id[UUID_SIZE], url[64];

static int set_up_all(void **state)
{
    (void)state;
    static const page_t pages[] = {{.path = "/idp", .answer = page}};
    for (size_t i = 0; i < CERTIFICATES; i++) {
        issuer_make("idp.example.com", 1600000000, 2000000000, &issued[i]);
        if (certificate_from_der(issued[i].der, issued[i].length, &certificates[i]) != STATUS_OK)
            return -1;
    }
    server = page_server_start(pages, ARRAY_LEN(pages), NULL);
    return text_format(url, sizeof(url), "http://127.0.0.1:%d/idp", page_server_port(server)) !=
           STATUS_OK;
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

/* keys: "01" are the certificates 0 and 1, in this order. */
static void serve_as(const char *entity, const char *sso, const char *keys)
{
    char all[PAGE_SIZE / 2] = "", whole[PAGE_SIZE];
    for (size_t length = 0; *keys != '\0'; keys++, length = strlen(all))
        assert_int_equal(
            text_format(all + length, sizeof(all) - length, KEY, issued[*keys - '0'].base64),
            STATUS_OK);
    assert_int_equal(text_format(whole, sizeof(whole),
                                 HEAD
                                 "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' "
                                 "entityID='%s'><IDPSSODescriptor protocolSupportEnumeration="
                                 "'urn:oasis:names:tc:SAML:2.0:protocol'>%s%s<SingleSignOnService "
                                 "Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' "
                                 "Location='%s'/></IDPSSODescriptor></EntityDescriptor>",
                                 entity, all, slo, sso),
                     STATUS_OK);
    page_server_change(server, page, sizeof(page), whole);
}

static void serve(const char *keys)
{
    serve_as("https://idp.example/", "https://idp.example/sso", keys);
}

static int set_up(void **state)
{
    (void)state;
    char body[256];
    slo = "";
    serve("0");
    provider_desk_open(&desk);
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'name': 'a', 'short_name': 'a', 'settings_url': '%s'}", url),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, PROVIDER_CREATE, NULL, NULL, body), OUTCOME_OK);
    text_cut(id, sizeof(id), desk_text(&desk, "id"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

static outcome_t refresh(void)
{
    return desk_ask(&desk, PROVIDER_REFRESH, id, NULL, NULL);
}

static void refresh_well(const char *keys)
{
    serve(keys);
    assert_int_equal(refresh(), OUTCOME_OK);
}

/* How each of the certificates stands: '+' live, '?' live and missing, 'x' retired, ' ' unknown. */
static const char *standing(void)
{
    static char marks[CERTIFICATES + 1];
    char sql[512];
    for (size_t i = 0; i < CERTIFICATES; i++) {
        assert_int_equal(text_format(sql, sizeof(sql),
                                     "SELECT COALESCE((SELECT CASE WHEN retired_at IS NOT NULL "
                                     "THEN 1 WHEN missing_since IS NOT NULL THEN 2 ELSE 3 END FROM "
                                     "certificate WHERE sha256 = '%s'), 0)",
                                     certificates[i].fingerprint),
                         STATUS_OK);
        marks[i] = " x?+"[desk_query(&desk, sql)];
    }
    return marks;
}

static bool shows(size_t which)
{
    assert_int_equal(desk_ask(&desk, PROVIDER_READ, id, NULL, NULL), OUTCOME_OK);
    return strcmp(desk_setting(&desk, "idp_cert_fingerprint"), certificates[which].fingerprint) ==
           0;
}

static void give(size_t which)
{
    char body[sizeof(issued[0].base64) + 64];
    assert_int_equal(text_format(body, sizeof(body), "{'certificate': '%s'}", issued[which].base64),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, CERTIFICATE_ADD, id, NULL, body), OUTCOME_OK);
}

static void retire(size_t which)
{
    assert_int_equal(desk_ask(&desk, CERTIFICATE_LIST, id, NULL, NULL), OUTCOME_OK);
    for (size_t i = 0; i < desk_count(&desk); i++) {
        const json_t *row = json_array_get(desk.body, i);
        if (strcmp(json_string_value(json_object_get(row, "fingerprint_sha256")),
                   certificates[which].fingerprint) != 0)
            continue;
        char one[UUID_SIZE];
        text_cut(one, sizeof(one), json_string_value(json_object_get(row, "id")));
        assert_int_equal(desk_ask(&desk, CERTIFICATE_RETIRE, id, one, NULL), OUTCOME_OK);
        return;
    }
    fail_msg("certificate %zu is not there", which);
}

/* The whole way: at no time is nothing accepted that the identity provider may sign with. */
static void a_roll_over_locks_nobody_out(void **state)
{
    (void)state;
    assert_string_equal(standing(), "+  ");
    refresh_well("01");
    assert_string_equal(standing(), "++ ");
    assert_true(shows(0));
    refresh_well("1");
    assert_string_equal(standing(), "?+ ");
    assert_true(shows(0));
    desk.now_utc_ms += 7 * DAY_MS - 1;
    refresh_well("1");
    assert_string_equal(standing(), "?+ ");
    assert_true(shows(0));
    desk.now_utc_ms += 1;
    refresh_well("1");
    assert_string_equal(standing(), "x+ ");
    assert_true(shows(1));
    assert_non_null(strstr(desk_setting(&desk, "idp_certificate"), "-----BEGIN CERTIFICATE-----"));
    assert_string_equal(desk_setting(&desk, "idp_cert_fingerprint_algorithm"), "sha256");
    assert_int_equal(json_array_size(json_object_get(desk.body, "warnings")), 0);
}

static void one_that_is_back_is_as_before(void **state)
{
    (void)state;
    refresh_well("1");
    assert_string_equal(standing(), "?+ ");
    desk.now_utc_ms += 6 * DAY_MS;
    refresh_well("01");
    assert_string_equal(standing(), "++ ");
    desk.now_utc_ms += 6 * DAY_MS;
    refresh_well("1");
    assert_string_equal(standing(), "?+ "); /* from now on it is counted anew */
    desk.now_utc_ms += 7 * DAY_MS;
    refresh_well("1");
    assert_string_equal(standing(), "x+ ");
    refresh_well("01");
    assert_string_equal(standing(), "++ "); /* retired by a refresh alone, it may be back too */
}

static void what_is_retired_by_hand_stays_so(void **state)
{
    (void)state;
    refresh_well("01");
    retire(1);
    refresh_well("01");
    assert_string_equal(standing(), "+x ");
    refresh_well("0");
    refresh_well("01");
    assert_string_equal(standing(), "+x ");
    refresh_well("1"); /* and one that was missing then */
    retire(0);
    refresh_well("01");
    assert_string_equal(standing(), "xx ");
}

static void what_is_given_by_hand_stays(void **state)
{
    (void)state;
    give(2);
    refresh_well("1");
    desk.now_utc_ms += 8 * DAY_MS;
    refresh_well("1");
    assert_string_equal(standing(), "x++");
    give(1); /* metadata's, and now by hand too */
    refresh_well("0");
    desk.now_utc_ms += 8 * DAY_MS;
    refresh_well("0");
    assert_string_equal(standing(), "+++");
}

/* Learned at a login by the fingerprint: it lives and ends with that, whatever metadata says. */
static void a_learned_one_ends_with_its_fingerprint(void **state)
{
    (void)state;
    assert_int_equal(desk_query(&desk, "UPDATE certificate SET source = 'learned' RETURNING 1"), 1);
    refresh_well("1");
    desk.now_utc_ms += 8 * DAY_MS;
    refresh_well("1");
    assert_string_equal(standing(), "++ ");
    assert_true(shows(0));
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL,
                              "{'settings': {'idp_cert_fingerprint': '" PRINT_32 "'}}"),
                     OUTCOME_OK);
    assert_string_equal(standing(), "xx ");
    refresh_well("01");
    assert_string_equal(standing(), "xx ");
}

static void urls_follow(void **state)
{
    (void)state;
    slo = "<SingleLogoutService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' "
          "Location='https://idp.example/out'/>";
    serve_as("https://idp.example/", "https://idp.example/other", "0");
    desk.now_utc_ms += 1000;
    assert_int_equal(refresh(), OUTCOME_OK);
    assert_string_equal(desk_setting(&desk, "idp_sso_target_url"), "https://idp.example/other");
    assert_string_equal(desk_setting(&desk, "idp_slo_target_url"), "https://idp.example/out");
    assert_string_not_equal(desk_text(&desk, "updated_at"), desk_text(&desk, "created_at"));
    slo = "";
    refresh_well("0");
    assert_null(desk_setting(&desk, "idp_slo_target_url"));
}

/* Everything but the time of the next fetch. */
static int64_t state_of_all(void)
{
    return desk_query(&desk, "SELECT (SELECT sum(length(der) + coalesce(retired_at, 1) + "
                             "coalesce(missing_since, 2)) FROM certificate) + (SELECT updated_at + "
                             "length(idp_cert_fingerprint || idp_sso_target_url) FROM provider)");
}

static void failures_change_nothing(void **state)
{
    (void)state;
    refresh_well("01");
    refresh_well("1");
    int64_t before = state_of_all();
    desk.now_utc_ms += 30 * DAY_MS;
    page_server_change(server, page, sizeof(page), GONE);
    assert_int_equal(refresh(), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /settings_url");
    assert_non_null(strstr(desk.faults.items[0].message, "410"));
    page_server_change(server, page, sizeof(page), HEAD "<a/>");
    assert_int_equal(refresh(), OUTCOME_INVALID);
    serve("");
    assert_int_equal(refresh(), OUTCOME_INVALID);
    serve_as("https://evil.example/", "https://evil.example/sso", "2");
    assert_int_equal(refresh(), OUTCOME_INVALID);
    assert_non_null(strstr(desk.faults.items[0].message, "entity id"));
    assert_int_equal(state_of_all(), before);
    assert_string_equal(standing(), "?+ ");
}

static void without_a_url_there_is_nothing_to_refresh(void **state)
{
    (void)state;
    char other[UUID_SIZE];
    desk_provider(&desk, "other", other);
    assert_int_equal(desk_ask(&desk, PROVIDER_REFRESH, other, NULL, NULL), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /settings_url");
    text_cut(desk.principal.organization_id, sizeof(desk.principal.organization_id), DESK_OTHERS);
    assert_int_equal(refresh(), OUTCOME_UNKNOWN);
}

static void a_url_that_changes_meanwhile_is_told(void **state)
{
    (void)state;
    serve("2");
    desk_call_t *late = desk_prepare(&desk, PROVIDER_REFRESH, id, NULL, NULL);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, "{'settings_url': null}"),
                     OUTCOME_OK);
    assert_int_equal(desk_finish(&desk, late), OUTCOME_INVALID);
    assert_string_equal(standing(), "+  ");
}

/* By itself only what came from metadata is refreshed: a client's own settings go before it. */
static void own_settings_end_the_daily_refresh(void **state)
{
    (void)state;
    static const char due[] = "SELECT count(*) FROM provider WHERE refresh_at IS NOT NULL";
    static const char soon[] = "SELECT (refresh_at - refreshed_at) * 8 / 86400000 FROM provider";
    assert_int_equal(desk_query(&desk, due), 1);
    assert_in_range(desk_query(&desk, soon), 7, 8);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, "{'name': 'b'}"), OUTCOME_OK);
    assert_int_equal(desk_query(&desk, due), 1);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL,
                              "{'settings': {'idp_cert_fingerprint': '" PRINT_32 "'}}"),
                     OUTCOME_OK);
    assert_int_equal(desk_query(&desk, due), 0);
    refresh_well("0");
    assert_int_equal(desk_query(&desk, due), 1);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, id, NULL, "{'settings_url': null}"),
                     OUTCOME_OK);
    assert_int_equal(desk_query(&desk, due), 0);
}

static void each_is_told_as_an_event(void **state)
{
    (void)state;
    refresh_well("0");
    refresh_well("01");
    assert_int_equal(desk_ask(&desk, PROVIDER_EVENTS, id, NULL, ""), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 2);
    const json_t *latest = json_array_get(desk.body, 0);
    assert_string_equal(json_string_value(json_object_get(latest, "kind")), "refresh");
    assert_true(json_is_true(json_object_get(latest, "succeeded")));
    assert_non_null(strstr(json_string_value(json_object_get(latest, "detail")), "1 new"));
    assert_int_equal(desk_ask(&desk, PROVIDER_EVENTS, id, NULL, "reason=metadata_unusable"),
                     OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 0);
    assert_int_equal(desk_ask(&desk, PROVIDER_EVENTS, id, NULL, "page[size]=1&page[number]=2"),
                     OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 1);
    assert_int_equal(desk.total, 2);
    text_cut(desk.principal.organization_id, sizeof(desk.principal.organization_id), DESK_OTHERS);
    assert_int_equal(desk_ask(&desk, PROVIDER_EVENTS, id, NULL, ""), OUTCOME_UNKNOWN);
}

static void when_it_is_fetched_next(void **state)
{
    (void)state;
    const setup_t setup = {.metadata_refresh_s = 86400};
    const int64_t now = 1000 * DAY_MS;
    metadata_t metadata = {.fresh_until_ms = INT64_MAX};
    for (int i = 0; i < 100; i++)
        assert_in_range(refresh_pause_ms(&setup, &metadata, now), DAY_MS - DAY_MS / 8, DAY_MS);
    metadata.fresh_until_ms = now + INT64_C(2) * REFRESH_SOONEST_MS;
    assert_int_equal(refresh_pause_ms(&setup, &metadata, now), 2 * REFRESH_SOONEST_MS);
    metadata.fresh_until_ms = now + 1;
    assert_int_equal(refresh_pause_ms(&setup, &metadata, now), REFRESH_SOONEST_MS);
    int64_t at = now + DAY_MS, last = 0;
    for (int i = 0; i < 20; i++) { /* each failure is waited for longer, up to a day */
        int64_t pause = refresh_retry_ms(&setup, now, at);
        assert_true(pause >= last && pause >= REFRESH_RETRY_MS && pause <= DAY_MS);
        last = pause;
        at += pause;
    }
    assert_int_equal(last, DAY_MS);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_roll_over_locks_nobody_out),
        CASE(one_that_is_back_is_as_before),
        CASE(what_is_retired_by_hand_stays_so),
        CASE(what_is_given_by_hand_stays),
        CASE(a_learned_one_ends_with_its_fingerprint),
        CASE(urls_follow),
        CASE(failures_change_nothing),
        CASE(without_a_url_there_is_nothing_to_refresh),
        CASE(a_url_that_changes_meanwhile_is_told),
        CASE(own_settings_end_the_daily_refresh),
        CASE(each_is_told_as_an_event),
        CASE(when_it_is_fetched_next),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
