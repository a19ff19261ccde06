/* Log-out with each of its SQLite calls failing once: fault_drill.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/text.h"
#include "proto/auth_provider.h"
#include "tests/support/fault_drill.h"
#include "tests/support/logout_desk.h"

typedef struct {
    logout_desk_t f; /* begins with its desk */
    char session_id[UUID_SIZE], relay_state[LOGIN_RELAY_SIZE], answer[4096];
} fixture_t;
_Static_assert(offsetof(fixture_t, f.desk) == 0, "the drill takes it for a desk_t");

/* Changes with every change that an operation can make. */
static int64_t mark(const void *fixture)
{
    const fixture_t *it = fixture;
    return desk_query(&it->f.desk,
                      "SELECT (SELECT COUNT(*) FROM sso_session) + (SELECT COUNT(*) * 1000 + "
                      "COUNT(used_at) * 7 FROM authn_request) + (SELECT COUNT(*) * 1000003 FROM "
                      "sso_event) + (SELECT COUNT(*) * 101 FROM assertion_used)");
}

/* A session that stands, and a request of an earlier one that waits for its answer. */
static void open_fixture(void *fixture)
{
    fixture_t *it = fixture;
    char id[SAML_ID_MAX + 1], now[CLOCK_RFC3339_SIZE];
    logout_desk_open(&it->f);
    logout_desk_ann(&it->f, 'b');
    assert_int_equal(logout_desk_ask(&it->f, SSO_LOGOUT, 'b'), OUTCOME_ELSEWHERE);
    desk_text_of(&it->f.desk, "SELECT id FROM authn_request", id, sizeof(id));
    desk_text_of(&it->f.desk, "SELECT relay_state FROM authn_request", it->relay_state,
                 sizeof(it->relay_state));
    clock_format_time(it->f.desk.now_utc_ms, now);
    assert_int_equal(
        text_format(it->answer, sizeof(it->answer),
                    "<p:LogoutResponse xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
                    "xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r\" Version=\"2.0\" "
                    "IssueInstant=\"%s\" Destination=\"" LOGOUT_DESTINATION
                    "\" InResponseTo=\"%s\"><Issuer>https://idp.example/</Issuer><p:Status>"
                    "<p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>"
                    "</p:Status></p:LogoutResponse>",
                    now, id),
        STATUS_OK);
    logout_desk_ann(&it->f, 'a');
    desk_text_of(&it->f.desk, "SELECT id FROM sso_session", it->session_id, UUID_SIZE);
}

static void close_fixture(void *fixture)
{
    fixture_t *it = fixture;
    logout_desk_close(&it->f);
}

typedef enum { BROWSER, PROGRAM, REQUEST, ANSWER, REFUSED, ADMINISTRATOR, WAYS } way_t;

static bool ask(void *fixture, const void *asked)
{
    fixture_t *it = fixture;
    logout_desk_t *f = &it->f;
    const char *request = logout_desk_request(f, "_1", "<NameID>ann</NameID>");
    switch (*(const way_t *)asked) {
    case BROWSER:
        return logout_desk_ask(f, SSO_LOGOUT, 'a') == OUTCOME_ELSEWHERE;
    case PROGRAM:
        return logout_desk_ask(f, SSO_SESSION_END, 'a') == OUTCOME_OK;
    case REQUEST:
        return logout_desk_send(f, "myorg", true, request, "r", f->idp) == OUTCOME_ELSEWHERE;
    case ANSWER:
        return logout_desk_send(f, "myorg", false, it->answer, it->relay_state, f->idp) ==
               OUTCOME_ELSEWHERE;
    case REFUSED:
        return logout_desk_send(f, "myorg", true, request, "r", NULL) == OUTCOME_DENIED;
    case ADMINISTRATOR:
        return desk_ask(&f->desk, PROVIDER_SESSION_END, f->provider_id, it->session_id, NULL) ==
               OUTCOME_OK;
    case WAYS:
        break;
    }
    return false;
}

static void each_call_fails_once(void **state)
{
    (void)state;
    static const char *const names[WAYS] = {"browser", "program", "request",
                                            "answer",  "refused", "administrator"};
    static const fault_drill_t drill = {sizeof(fixture_t), open_fixture, close_fixture, ask, mark};
    for (way_t way = BROWSER; way < WAYS; way++)
        fault_drill(&drill, &way, true, 15, names[way]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
