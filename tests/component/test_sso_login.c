/* How a login begins: where the browser is sent, with what, and what is remembered of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "services/auth-provider/setup.h"
#include "services/auth-provider/sso/login_store.h"
#include "tests/support/provider_desk.h"

#include <string.h>

#define PAGES   "{'Accept': 'text/html,*/*;q=0.8'}"
#define SECRET  "0123456789-_abcdefghijklmnopqrstuvwxyzABCDE"
#define START   "https://idp.example/sso?SAMLRequest="
#define COOKIE  "__Host-lk-login="
#define TLS_END "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None"

static desk_t desk;
static char provider_id[UUID_SIZE];

static int set_up(void **state)
{
    (void)state;
    provider_desk_open(&desk);
    desk_provider(&desk, "myorg", provider_id);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

static outcome_t ask(unsigned operation, const char *name, const char *query, const char *head)
{
    desk.head = head;
    outcome_t outcome = desk_ask(&desk, operation, name, NULL, query);
    desk.head = NULL;
    return outcome;
}

static outcome_t login(const char *query, const char *head)
{
    return ask(SSO_LOGIN, "myorg", query, head);
}

static int64_t requests(void)
{
    return desk_query(&desk, "SELECT COUNT(*) FROM authn_request");
}

static const char *text(void)
{
    assert_true(json_is_string(desk.body));
    return json_string_value(desk.body);
}

/* The secret of the cookie that was set. */
static void cookie_is(const char *name, const char *end, char out[SSO_TOKEN_SIZE])
{
    const char *header = desk_header(&desk, "Set-Cookie");
    assert_non_null(header);
    size_t name_length = strlen(name);
    assert_int_equal(strlen(header), name_length + SSO_TOKEN_SIZE - 1 + strlen(end));
    assert_memory_equal(header, name, name_length);
    assert_string_equal(header + name_length + SSO_TOKEN_SIZE - 1, end);
    memcpy(out, header + name_length, SSO_TOKEN_SIZE - 1);
    out[SSO_TOKEN_SIZE - 1] = '\0';
}

static void metadata_is_there_for_inactive_ones_too(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, provider_id, NULL, "{'active': false}"),
                     OUTCOME_OK);
    assert_int_equal(ask(SSO_METADATA, "myorg", NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk.media, MEDIA_SAML_METADATA);
    assert_non_null(strstr(text(), "entityID=\"https://lk.example/sso/saml/metadata/myorg\""));
    assert_non_null(strstr(text(), "Location=\"https://lk.example/sso/saml/auth/myorg\""));
    assert_int_equal(ask(SSO_METADATA, "other", NULL, NULL), OUTCOME_UNKNOWN);
}

static void a_browser_is_sent_to_the_identity_provider(void **state)
{
    (void)state;
    char secret[SSO_TOKEN_SIZE];
    uint8_t hash[LOGIN_HASH_SIZE];
    char sql[512], hex[2 * LOGIN_HASH_SIZE + 1];
    assert_int_equal(login("return_to=/portal?a=b", PAGES), OUTCOME_ELSEWHERE);
    const char *location = desk_header(&desk, "Location");
    assert_non_null(location);
    assert_memory_equal(location, START, strlen(START));
    const char *relay_state = strstr(location, "&RelayState=");
    assert_non_null(relay_state);
    relay_state += strlen("&RelayState=");
    assert_int_equal(strlen(relay_state), LOGIN_RELAY_SIZE - 1);
    assert_null(strstr(location, "&Signature="));
    cookie_is(COOKIE, TLS_END, secret);
    assert_null(strstr(location, secret));
    login_hash(secret, strlen(secret), hash);
    text_hex(hex, hash, sizeof(hash));
    assert_int_equal(
        text_format(sql, sizeof(sql),
                    "SELECT COUNT(*) FROM authn_request WHERE relay_state = '%s' AND return_to = "
                    "'/portal?a=b' AND lower(hex(browser)) = '%s' AND expires_at = %lld AND "
                    "provider_id = '%s' AND length(id) = 41",
                    relay_state, hex, (long long)(desk.now_utc_ms + LOGIN_REQUEST_MS), provider_id),
        STATUS_OK);
    assert_int_equal(desk_query(&desk, sql), 1);
}

static void several_tabs_are_one_browser(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool kept;
    } cases[] = {
        {"{'Cookie': '" COOKIE SECRET "'}", true},
        {"{'Cookie': 'a=b; " COOKIE SECRET "; c=d'}", true},
        {"{'Cookie': 'a=b;" COOKIE SECRET "'}", true},
        {"{'Cookie': 'lk-login=" SECRET "'}", false},
        {"{'Cookie': 'x" COOKIE SECRET "'}", false},
        {"{'Cookie': '" COOKIE SECRET "x'}", false},
        {"{'Cookie': '" COOKIE SECRET "; " COOKIE SECRET "'}", false},
        {"{'Cookie': '" COOKIE "0123456789+/abcdefghijklmnopqrstuvwxyzABCDE'}", false},
        {"{'Cookie': '" COOKIE "'}", false},
        {"{'Cookie': ''}", false},
        {"{}", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char secret[SSO_TOKEN_SIZE];
        assert_int_equal(login(NULL, cases[i].head), OUTCOME_ELSEWHERE);
        cookie_is(COOKIE, TLS_END, secret);
        if ((strcmp(secret, SECRET) == 0) != cases[i].kept)
            fail_msg("%s", cases[i].head);
    }
    assert_int_equal(requests(), ARRAY_LEN(cases));
    assert_int_equal(desk_query(&desk, "SELECT COUNT(DISTINCT id) FROM authn_request"),
                     ARRAY_LEN(cases));
    assert_int_equal(desk_query(&desk, "SELECT COUNT(DISTINCT relay_state) FROM authn_request"),
                     ARRAY_LEN(cases));
}

static void nobody_is_sent_elsewhere_afterwards(void **state)
{
    (void)state;
    static const char *const bad[] = {"//evil.example",    "https://evil.example/",
                                      "/%5Cevil.example",  "%2F%2Fevil.example",
                                      "/%09/evil.example", "portal",
                                      "/a%0d%0ab"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char query[64];
        assert_int_equal(text_format(query, sizeof(query), "return_to=%s", bad[i]), STATUS_OK);
        if (login(query, PAGES) != OUTCOME_BAD_QUERY)
            fail_msg("%s", bad[i]);
        assert_null(desk_header(&desk, "Location"));
        assert_null(desk_header(&desk, "Set-Cookie"));
    }
    assert_int_equal(requests(), 0);
}

static void an_inactive_or_unknown_one_logs_nobody_in(void **state)
{
    (void)state;
    assert_int_equal(ask(SSO_LOGIN, "nobody", NULL, PAGES), OUTCOME_UNKNOWN);
    assert_int_equal(ask(SSO_LOGIN, "My%20Org", NULL, PAGES), OUTCOME_UNKNOWN);
    assert_int_equal(desk_ask(&desk, PROVIDER_CHANGE, provider_id, NULL, "{'active': false}"),
                     OUTCOME_OK);
    assert_int_equal(login(NULL, PAGES), OUTCOME_FORBIDDEN);
    assert_null(desk_header(&desk, "Location"));
    assert_int_equal(requests(), 0);
}

static void plain_http_is_for_loopback_alone(void **state)
{
    (void)state;
    char secret[SSO_TOKEN_SIZE];
    const void *settings = desk.keeper.settings;
    setup_t other = *(const setup_t *)settings;
    desk.keeper.settings = &other;
    text_cut(other.public_url, sizeof(other.public_url), "http://lk.example");
    assert_int_equal(login(NULL, PAGES), OUTCOME_INTERNAL);
    assert_int_equal(desk.status, STATUS_INVALID);
    assert_null(desk_header(&desk, "Location"));
    assert_int_equal(requests(), 0);
    text_cut(other.public_url, sizeof(other.public_url), "http://127.0.0.1:8080");
    assert_int_equal(login(NULL, "{'Cookie': 'lk-login=" SECRET "'}"), OUTCOME_ELSEWHERE);
    cookie_is("lk-login=", "; Path=/; Max-Age=600; HttpOnly", secret);
    assert_string_equal(secret, SECRET);
    desk.keeper.settings = settings;
}

static void the_page_after_a_log_out_is_for_anybody(void **state)
{
    (void)state;
    assert_int_equal(ask(SSO_LOGGED_OUT, NULL, NULL, PAGES), OUTCOME_OK);
    assert_int_equal(desk.media, MEDIA_HTML);
    assert_non_null(strstr(text(), "<h1>You are logged out</h1>"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metadata_is_there_for_inactive_ones_too),
        TEST(a_browser_is_sent_to_the_identity_provider),
        TEST(several_tabs_are_one_browser),
        TEST(nobody_is_sent_elsewhere_afterwards),
        TEST(an_inactive_or_unknown_one_logs_nobody_in),
        TEST(plain_http_is_for_loopback_alone),
        TEST(the_page_after_a_log_out_is_for_anybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
