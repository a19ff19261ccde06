/* Log-out: who is logged out by what, and who is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/text.h"
#include "proto/auth_provider.h"
#include "tests/support/logout_desk.h"

#include <string.h>

#define ANN    "<NameID>ann</NameID>"
#define FORMAT "urn:oasis:names:tc:SAML:1.1:nameid-format:"

static logout_desk_t f;

static int set_up(void **state)
{
    (void)state;
    logout_desk_open(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    logout_desk_close(&f);
    return 0;
}

static const char *location(void)
{
    const char *found = desk_header(&f.desk, "Location");
    assert_non_null(found);
    return found;
}

static outcome_t request(const char *id, const char *inside)
{
    return logout_desk_send(&f, "myorg", true, logout_desk_request(&f, id, inside), "r s", f.idp);
}

/* ---- by the browser ---- */

static void ours_ends_and_the_browser_goes_on(void **state)
{
    (void)state;
    logout_desk_ann(&f, 'a');
    logout_desk_ann(&f, 'b');
    assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, 'a'), OUTCOME_ELSEWHERE);
    assert_int_equal(logout_desk_sessions(&f), 1);
    assert_int_equal(logout_desk_ask(&f, SSO_SESSION_READ, 'a'), OUTCOME_UNAUTHENTICATED);
    assert_int_equal(logout_desk_ask(&f, SSO_SESSION_READ, 'b'), OUTCOME_OK);
    assert_int_equal(desk_query(&f.desk, "SELECT COUNT(*) FROM authn_request"), 1);
    assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, 'b'), OUTCOME_ELSEWHERE);
    assert_int_equal(strncmp(location(), LOGOUT_SLO "&SAMLRequest=", sizeof(LOGOUT_SLO) + 12), 0);
    assert_non_null(strstr(location(), "&RelayState="));
    assert_null(strstr(location(), "Signature"));
    const char *xml = logout_desk_message(location());
    assert_non_null(strstr(xml, "LogoutRequest"));
    assert_non_null(strstr(xml, ">ann</"));
    assert_non_null(strstr(xml, ">_s1</"));
    assert_non_null(strstr(xml, "Destination=\"" LOGOUT_SLO "\""));
    assert_non_null(
        strstr(desk_header(&f.desk, "Set-Cookie"), "__Host-lk-session=; Path=/; Max-Age=0"));
    assert_int_equal(logout_desk_sessions(&f), 0);
    assert_string_equal(logout_desk_reason(&f), "");
}

/* No cookie, one of nobody, one that has ended: all are shown the same, and nobody else goes. A
 * form of another site comes without the cookie, and must not take it from the browser either. */
static void without_a_session_nothing_ends(void **state)
{
    (void)state;
    logout_desk_ann(&f, 'a');
    static const char letters[] = {'\0', 'x'};
    for (size_t i = 0; i < sizeof(letters); i++) {
        assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, letters[i]), OUTCOME_ELSEWHERE);
        assert_string_equal(location(), "logged-out");
        bool takes_cookie = desk_header(&f.desk, "Set-Cookie") != NULL;
        assert_int_equal(takes_cookie, letters[i] != '\0');
    }
    assert_int_equal(logout_desk_sessions(&f), 1);
    assert_int_equal(desk_query(&f.desk, "SELECT COUNT(*) FROM sso_event"), 0);
}

static void change(const char *settings)
{
    char body[512];
    assert_int_equal(text_format(body, sizeof(body), "{'settings': {%s}}", settings), STATUS_OK);
    assert_int_equal(desk_ask(&f.desk, PROVIDER_CHANGE, f.provider_id, NULL, body), OUTCOME_OK);
}

static void some_providers_have_no_log_out(void **state)
{
    (void)state;
    change("'idp_slo_target_url': null");
    logout_desk_ann(&f, 'a');
    assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, 'a'), OUTCOME_ELSEWHERE);
    assert_string_equal(location(), "logged-out");
    assert_int_equal(logout_desk_sessions(&f), 0);
    logout_desk_ann(&f, 'a');
    assert_int_equal(request("_1", ANN), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "logout_message");
    assert_int_equal(logout_desk_sessions(&f), 1);
    change("'idp_slo_target_url': '" LOGOUT_SLO "', 'idp_certificate': null, "
           "'idp_cert_fingerprint': '" PRINT_32 "'"); /* all certificates are retired */
    logout_desk_ann(&f, 'b');
    assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, 'b'), OUTCOME_ELSEWHERE);
    assert_string_equal(location(), "logged-out");
    assert_int_equal(request("_2", ANN), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "certificate_retired");
}

static void programs_are_told_where_to_go(void **state)
{
    (void)state;
    logout_desk_ann(&f, 'a');
    assert_int_equal(logout_desk_ask(&f, SSO_SESSION_END, 'a'), OUTCOME_OK);
    const char *url = desk_text(&f.desk, "logout_url");
    assert_non_null(url);
    assert_int_equal(strncmp(url, LOGOUT_SLO "&SAMLRequest=", sizeof(LOGOUT_SLO) + 12), 0);
    assert_int_equal(logout_desk_ask(&f, SSO_SESSION_END, 'a'), OUTCOME_UNAUTHENTICATED);
    change("'idp_slo_target_url': null");
    logout_desk_ann(&f, 'a');
    assert_int_equal(logout_desk_ask(&f, SSO_SESSION_END, 'a'), OUTCOME_OK);
    assert_null(desk_text(&f.desk, "logout_url"));
}

/* ---- what the identity provider answers ---- */

static outcome_t answer(const char *in_response_to, const char *relay_state, const char *status,
                        const signer_t *signer)
{
    static char xml[4096];
    char now[CLOCK_RFC3339_SIZE];
    clock_format_time(f.desk.now_utc_ms, now);
    assert_int_equal(
        text_format(xml, sizeof(xml),
                    "<p:LogoutResponse xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
                    "xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r\" Version=\"2.0\" "
                    "IssueInstant=\"%s\" Destination=\"" LOGOUT_DESTINATION
                    "\" InResponseTo=\"%s\"><Issuer>https://idp.example/</Issuer><p:Status>"
                    "<p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:%s\"/></p:Status>"
                    "</p:LogoutResponse>",
                    now, in_response_to, status),
        STATUS_OK);
    return logout_desk_send(&f, "myorg", false, xml, relay_state, signer);
}

static char asked_id[SAML_ID_MAX + 1], asked_relay[LOGIN_RELAY_SIZE];

static void ask_once(void)
{
    logout_desk_ann(&f, 'a');
    assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, 'a'), OUTCOME_ELSEWHERE);
    desk_text_of(&f.desk, "SELECT id FROM authn_request ORDER BY number DESC LIMIT 1", asked_id,
                 sizeof(asked_id));
    desk_text_of(&f.desk, "SELECT relay_state FROM authn_request ORDER BY number DESC LIMIT 1",
                 asked_relay, sizeof(asked_relay));
}

static void an_answer_is_taken_once(void **state)
{
    (void)state;
    ask_once();
    assert_int_equal(answer(asked_id, asked_relay, "Success", f.idp), OUTCOME_ELSEWHERE);
    assert_string_equal(location(), "../../logged-out?identity_provider=logged_out");
    assert_string_equal(logout_desk_reason(&f), "");
    assert_int_equal(answer(asked_id, asked_relay, "Success", f.idp), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "request_used");
    ask_once();
    assert_int_equal(answer(asked_id, asked_relay, "Responder", f.idp), OUTCOME_ELSEWHERE);
    assert_string_equal(location(), "../../logged-out?identity_provider=not_logged_out");
    assert_string_equal(logout_desk_reason(&f), "status");
}

static void an_answer_is_to_our_request(void **state)
{
    (void)state;
    ask_once();
    assert_int_equal(answer("_nobody", asked_relay, "Success", f.idp), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "request_unknown");
    assert_int_equal(answer(asked_id, NULL, "Success", f.idp), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "relay_state_mismatch");
    assert_int_equal(answer(asked_id, asked_relay, "Success", f.stranger), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "key_type");
    assert_int_equal(answer(asked_id, asked_relay, "Success", NULL), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "logout_unsigned");
    f.desk.now_utc_ms += LOGIN_REQUEST_MS;
    assert_int_equal(answer(asked_id, asked_relay, "Success", f.idp), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "request_expired");
    f.desk.now_utc_ms -= LOGIN_REQUEST_MS;
    assert_int_equal(answer(asked_id, asked_relay, "Success", f.idp), OUTCOME_ELSEWHERE);
}

/* ---- what the identity provider asks for ---- */

static void a_request_is_answered(void **state)
{
    (void)state;
    logout_desk_ann(&f, 'a');
    assert_int_equal(request("_1", ANN), OUTCOME_ELSEWHERE);
    assert_int_equal(logout_desk_sessions(&f), 0);
    assert_int_equal(strncmp(location(), LOGOUT_SLO "&SAMLResponse=", sizeof(LOGOUT_SLO) + 13), 0);
    assert_non_null(strstr(location(), "&RelayState=r%20s"));
    const char *xml = logout_desk_message(location());
    assert_non_null(strstr(xml, "InResponseTo=\"_1\""));
    assert_non_null(strstr(xml, "status:Success"));
    assert_string_equal(logout_desk_reason(&f), "");
    assert_int_equal(request("_2", ANN), OUTCOME_ELSEWHERE); /* nobody is there any more */
}

static void a_request_works_once(void **state)
{
    (void)state;
    logout_desk_ann(&f, 'a');
    assert_int_equal(request("_1", ANN), OUTCOME_ELSEWHERE);
    logout_desk_ann(&f, 'b');
    assert_int_equal(request("_1", ANN), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "assertion_replayed");
    assert_int_equal(logout_desk_sessions(&f), 1);
}

/* Whose sessions end: those of one person, and of an index if there is one. */
static void only_those_who_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name_id, *format, *qualifier, *sp_qualifier, *index; /* of the session */
        const char *inside;                                              /* of the request */
        bool ends;
    } rows[] = {
        {"ann", "", "", "", "_s1", ANN, true},
        {"ann", "", "", "", "_s1", ANN "<p:SessionIndex>_s1</p:SessionIndex>", true},
        {"ann", "", "", "", "_s1", ANN "<p:SessionIndex>_s2</p:SessionIndex>", false},
        {"ann", "", "", "", "", ANN "<p:SessionIndex>_s1</p:SessionIndex>", false},
        {"ann", "", "", "", "_s1",
         ANN "<p:SessionIndex>_s2</p:SessionIndex><p:SessionIndex>_s1</p:SessionIndex>", true},
        {"bob", "", "", "", "_s1", ANN "<p:SessionIndex>_s1</p:SessionIndex>", false},
        {"Ann", "", "", "", "_s1", ANN, false},
        {"ann ", "", "", "", "_s1", ANN, false},
        {"ann", FORMAT "unspecified", "", "", "", ANN, true},
        {"ann", "", "", "", "", "<NameID Format=\"" FORMAT "unspecified\">ann</NameID>", true},
        {"ann", FORMAT "emailAddress", "", "", "", ANN, true},
        {"ann", "", "", "", "", "<NameID Format=\"" FORMAT "emailAddress\">ann</NameID>", true},
        {"ann", FORMAT "emailAddress", "", "", "",
         "<NameID Format=\"" FORMAT "X509SubjectName\">ann</NameID>", false},
        {"ann", FORMAT "emailAddress", "", "", "",
         "<NameID Format=\"" FORMAT "emailAddress\">ann</NameID>", true},
        {"ann", "", "q", "", "", ANN, false},
        {"ann", "", "q", "", "", "<NameID NameQualifier=\"q\">ann</NameID>", true},
        {"ann", "", "https://idp.example/", "", "", ANN, true},
        {"ann", "", "", "", "", "<NameID NameQualifier=\"https://idp.example/\">ann</NameID>",
         true},
        {"ann", "", "", "sp", "", ANN, false},
        {"ann", "", "", "https://lk.example/sso/saml/metadata/myorg", "", ANN, true},
        {"ann", "", "", "", "", "<NameID SPNameQualifier=\"sp\">ann</NameID>", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char id[16];
        const login_name_t name = {
            rows[i].name_id, rows[i].format, rows[i].qualifier, rows[i].sp_qualifier, "", ""};
        const login_name_t ann = {"ann", "", "", "", "", ""};
        logout_desk_begin(&f, f.provider_id, 'a', &name, rows[i].index);
        logout_desk_begin(&f, f.other_id, 'o', &ann, "_s1"); /* of the same name, elsewhere */
        assert_int_equal(text_format(id, sizeof(id), "_%zu", i), STATUS_OK);
        assert_int_equal(request(id, rows[i].inside), OUTCOME_ELSEWHERE);
        if (logout_desk_sessions(&f) != (rows[i].ends ? 1 : 2))
            fail_msg("row %zu", i);
        if (!rows[i].ends)
            assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, 'a'), OUTCOME_ELSEWHERE);
        assert_int_equal(logout_desk_ask(&f, SSO_SESSION_READ, 'o'), OUTCOME_OK);
        assert_int_equal(logout_desk_ask(&f, SSO_LOGOUT, 'o'), OUTCOME_ELSEWHERE);
    }
}

/* A request in which one text is another. */
static const char *changed(const char *what, const char *to)
{
    static char xml[8192];
    const char *whole = logout_desk_request(&f, "_1", ANN), *at = strstr(whole, what);
    assert_non_null(at);
    assert_int_equal(
        text_format(xml, sizeof(xml), "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(what)),
        STATUS_OK);
    return xml;
}

static void flawed_requests_end_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *what, *to, *reason;
    } rows[] = {
        {"Version=\"2.0\"", "Version=\"1.1\"", "version"},
        {"idp.example/<", "idp.example<", "issuer_mismatch"},
        {"<Issuer>https://idp.example/</Issuer>", "", "issuer_mismatch"},
        {"/logout/myorg", "/logout/other", "destination_mismatch"},
        {" Destination=\"" LOGOUT_DESTINATION "\"", "", "destination_missing"},
        {"ID=\"_1\"", "", "logout_message"},
        {"ID=\"_1\"", "ID=\"\"", "logout_message"},
        {"IssueInstant=\"2", "IssueInstant=\"1", "time_malformed"},
        {"IssueInstant=\"", "IssueInstant=\"x", "time_malformed"},
        {"IssueInstant=", "NotOnOrAfter=\"2001-01-01T00:00:00Z\" IssueInstant=", "logout_expired"},
        {"IssueInstant=", "NotOnOrAfter=\"soon\" IssueInstant=", "time_malformed"},
        {"<NameID>ann</NameID>", "", "logout_message"},
        {"<NameID>ann</NameID>", ANN ANN, "logout_message"},
        {"<NameID>ann</NameID>", "<EncryptedID/>", "logout_message"},
        {"<NameID>ann</NameID>", "<BaseID/>", "logout_message"},
        {"<NameID>ann</NameID>", "<NameID> </NameID>", "name_id_missing"},
        {"<NameID>ann</NameID>", "<NameID>a<!-- x -->nn</NameID>", "xml_forbidden_node"},
        {"<NameID>ann</NameID>", "<NameID><x/>ann</NameID>", "name_id_missing"},
        {"<NameID>ann</NameID>", ANN "<p:SessionIndex/>", "logout_message"},
        {"<NameID>ann</NameID>", ANN "text", "logout_message"},
        {"<NameID>ann</NameID>", ANN "<Assertion/>", "logout_message"},
        {"<NameID>ann</NameID>", ANN "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/>",
         "logout_message"},
        {"<p:LogoutRequest", "<!DOCTYPE p><p:LogoutRequest", "xml_doctype"},
        {"</p:LogoutRequest>", "", "xml_malformed"},
    };
    logout_desk_ann(&f, 'a');
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *xml = changed(rows[i].what, rows[i].to);
        outcome_t outcome = logout_desk_send(&f, "myorg", true, xml, NULL, f.idp);
        if (outcome != OUTCOME_DENIED || strcmp(logout_desk_reason(&f), rows[i].reason) != 0)
            fail_msg("row %zu: %d, %s", i, (int)outcome, logout_desk_reason(&f));
        assert_null(desk_header(&f.desk, "Location"));
    }
    assert_int_equal(logout_desk_sessions(&f), 1);
    assert_int_equal(
        desk_query(&f.desk, "SELECT COUNT(*) FROM sso_event WHERE name_id IS NOT NULL"), 0);
}

static void many_indexes(void **state)
{
    (void)state;
    char inside[4096] = ANN;
    logout_desk_ann(&f, 'a');
    for (int i = 0; i < 17; i++) {
        size_t length = strlen(inside);
        assert_int_equal(text_format(inside + length, sizeof(inside) - length,
                                     "<p:SessionIndex>%d</p:SessionIndex>", i),
                         STATUS_OK);
        char id[16];
        assert_int_equal(text_format(id, sizeof(id), "_%d", i), STATUS_OK);
        assert_int_equal(request(id, inside), i < 16 ? OUTCOME_ELSEWHERE : OUTCOME_DENIED);
    }
    assert_int_equal(logout_desk_sessions(&f), 1);
}

static void a_request_is_signed_by_its_provider_and_fresh(void **state)
{
    (void)state;
    logout_desk_ann(&f, 'a');
    const char *xml = logout_desk_request(&f, "_1", ANN);
    assert_int_equal(logout_desk_send(&f, "myorg", true, xml, NULL, NULL), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "logout_unsigned");
    assert_int_equal(logout_desk_send(&f, "myorg", true, xml, NULL, f.stranger), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "key_type");
    /* What one provider's identity provider signs is nothing to another's. */
    assert_int_equal(logout_desk_send(&f, "other", true, xml, NULL, f.stranger), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "destination_mismatch");
    assert_int_equal(logout_desk_send(&f, "nobody", true, xml, NULL, f.idp), OUTCOME_UNKNOWN);
    /* As a LogoutResponse it is none. */
    assert_int_equal(logout_desk_send(&f, "myorg", false, xml, NULL, f.idp), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "logout_message");
    const int64_t shifts[] = {5 * 60000 + 60000, -60001};
    for (size_t i = 0; i < ARRAY_LEN(shifts); i++) {
        f.desk.now_utc_ms += shifts[i];
        assert_int_equal(logout_desk_send(&f, "myorg", true, xml, NULL, f.idp), OUTCOME_DENIED);
        assert_string_equal(logout_desk_reason(&f), "logout_expired");
        f.desk.now_utc_ms -= shifts[i];
    }
    assert_int_equal(logout_desk_sessions(&f), 1);
    f.desk.now_utc_ms += 5 * 60000 + 59999;
    assert_int_equal(logout_desk_send(&f, "myorg", true, xml, NULL, f.idp), OUTCOME_ELSEWHERE);
    assert_int_equal(logout_desk_sessions(&f), 0);
}

static void an_inactive_provider_takes_nothing(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&f.desk, PROVIDER_CHANGE, f.provider_id, NULL, "{'active': false}"),
                     OUTCOME_OK);
    assert_int_equal(request("_1", ANN), OUTCOME_DENIED);
    assert_string_equal(logout_desk_reason(&f), "provider_inactive");
}

/* ---- pages ---- */

static void the_page_says_how_it_went(void **state)
{
    (void)state;
    static const struct {
        const char *query, *text;
    } rows[] = {{NULL, "uses this browser next"},
                {"identity_provider=logged_out", "Here, and at your identity provider."},
                {"identity_provider=not_logged_out", "not at your identity provider"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(desk_ask(&f.desk, SSO_LOGGED_OUT, NULL, NULL, rows[i].query), OUTCOME_OK);
        assert_non_null(strstr(json_string_value(f.desk.body), rows[i].text));
    }
    logout_desk_ann(&f, 'a');
    assert_int_equal(request("", ANN), OUTCOME_DENIED);
    assert_null(strstr(json_string_value(f.desk.body), "logout_message"));
    assert_non_null(strstr(json_string_value(f.desk.body), "The log-out failed"));
}

static void metadata_lists_what_there_is(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&f.desk, SSO_METADATA, "myorg", NULL, NULL), OUTCOME_OK);
    const char *xml = json_string_value(f.desk.body);
    assert_non_null(strstr(xml, "SingleLogoutService"));
    assert_non_null(strstr(xml, LOGOUT_DESTINATION));
    change("'idp_slo_target_url': null");
    assert_int_equal(desk_ask(&f.desk, SSO_METADATA, "myorg", NULL, NULL), OUTCOME_OK);
    assert_null(strstr(json_string_value(f.desk.body), "SingleLogoutService"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(ours_ends_and_the_browser_goes_on),
        CASE(without_a_session_nothing_ends),
        CASE(some_providers_have_no_log_out),
        CASE(programs_are_told_where_to_go),
        CASE(an_answer_is_taken_once),
        CASE(an_answer_is_to_our_request),
        CASE(a_request_is_answered),
        CASE(a_request_works_once),
        CASE(only_those_who_are_named),
        CASE(flawed_requests_end_nothing),
        CASE(many_indexes),
        CASE(a_request_is_signed_by_its_provider_and_fresh),
        CASE(an_inactive_provider_takes_nothing),
        CASE(the_page_says_how_it_went),
        CASE(metadata_lists_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
