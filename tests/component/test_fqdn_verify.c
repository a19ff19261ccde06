/* /verify of connections: the code of trunks, on other facts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/fqdn-auth/sql.h"
#include "tests/support/fqdn_desk.h"
#include "tests/support/sip_caller.h"

#include <string.h>

#define NAME "pbx.example.com"
#define HERE "198.18.0.1"

static desk_t desk;
static char id[UUID_SIZE], other[UUID_SIZE];

static void ask(unsigned operation, const char *on, const char *body)
{
    if (!outcome_is_success(desk_ask(&desk, operation, on, NULL, body)))
        fail_msg("%s: %s", body, desk_fault(&desk));
}

static void set(const char *on, const char *body)
{
    ask(FQDN_AUTH_V1_SET, on, body);
}

static void decides(const char *body, const char *reason)
{
    caller_decides(&desk, body, reason);
}

/* A connection with the name that leads here. */
static void make_connection(char out[UUID_SIZE])
{
    char body[256];
    fqdn_desk_connection_v1(&desk, out);
    assert_int_equal(
        text_format(body, sizeof(body),
                    "{'connection_id': '%s', 'fqdn': '" NAME "', 'dns_record_type': 'a'}", out),
        STATUS_OK);
    ask(FQDN_V1_CREATE, NULL, body);
}

static int set_up(void **state)
{
    (void)state;
    ipnet_t net;
    err_t err;
    fqdn_desk_open(&desk, true);
    make_connection(id);
    make_connection(other);
    assert_int_equal(ipnet_parse(HERE, strlen(HERE), &net), STATUS_OK);
    AUTO(query_end) query_t *query = store_query(desk.writer, SQL_ADDRESS_ADD);
    query_text(query, 1, NAME);
    query_text(query, 2, "a");
    query_number(query, 3, 0);
    query_text(query, 4, "");
    query_blob(query, 5, net.first, sizeof(net.first));
    assert_int_equal(query_run(query, NULL, &err), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static void by_password(void **state)
{
    (void)state;
    attempt_t attempt = bobs;
    set(id, "{'user_name': 'bob', 'password': 'first password'}");
    attempt.source = "203.0.113.9";
    caller_verifies(&desk, &attempt, PASSED);
    assert_string_equal(desk_text(&desk, "subject"), id);
    assert_string_equal(desk_text(&desk, "auth_id"), id);
    caller_verifies(&desk, &attempt, "replayed");
    attempt.password = "x";
    caller_verifies(&desk, &attempt, "wrong_password");
    attempt.username = "Bob";
    caller_verifies(&desk, &attempt, "unknown_user");
    decides("{'scheme': 'basic', 'username': 'bob', 'password': 'first password'}", PASSED);
    decides("{'scheme': 'basic', 'username': 'bob', 'password': 'x'}", "wrong_password");
    decides("{'source_address': '" HERE "', 'token': 'x'}", "password_needed");
}

/* The source and what its method asks for, or a challenge: never a yes for less. */
static void by_source(void **state)
{
    (void)state;
    set(id, "{'fqdn_outbound_authentication': 'ip-authentication', 'ip_authentication_method': "
            "'tech-prefix', 'tech_prefix': '0471'}");
    decides("{'source_address': '" HERE "', 'called': '04714930123'}", PASSED);
    assert_string_equal(desk_text(&desk, "subject"), id);
    decides("{'source_address': '" HERE "', 'called': 'sip:04714930123@example.com'}", PASSED);
    decides("{'source_address': '" HERE "', 'called': '04724930123'}", "password_needed");
    decides("{'source_address': '" HERE "'}", "password_needed");
    decides("{'called': '04714930123'}", "password_needed");
    decides("{'source_address': '198.18.0.2', 'called': '04714930123'}", "password_needed");
    decides("{'source_address': '" HERE "/32', 'called': '04714930123'}", "unknown_source");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_password, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_source, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
