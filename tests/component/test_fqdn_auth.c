/* FQDN authentication: what goes with what, secrets, uniqueness. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/password.h"
#include "services/fqdn-auth/token.h"
#include "tests/support/fqdn_desk.h"

#include <sodium.h>
#include <sqlite3.h>
#include <string.h>

static desk_t desk;
static char id[UUID_SIZE], other[UUID_SIZE];

static int open_desk(bool sealed)
{
    fqdn_desk_open(&desk, sealed);
    fqdn_desk_connection_v1(&desk, id);
    fqdn_desk_connection_v1(&desk, other);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return open_desk(true);
}

static int set_up_without_digest(void **state)
{
    (void)state;
    return open_desk(false);
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static outcome_t set(const char *on, const char *body)
{
    return desk_ask(&desk, FQDN_AUTH_V1_SET, on, NULL, body);
}

static outcome_t change(const char *body)
{
    return desk_ask(&desk, FQDN_AUTH_V1_CHANGE, id, NULL, body);
}

static void read_it(void)
{
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V1_READ, id, NULL, NULL), OUTCOME_OK);
}

static bool is_on(const char *member)
{
    return json_is_true(json_object_get(desk.body, member));
}

static void empty_set_has_defaults(void **state)
{
    (void)state;
    assert_int_equal(set(id, "{}"), OUTCOME_DELETED);
    assert_non_null(strstr(desk.message, "unusable on outbound"));
    read_it();
    assert_string_equal(desk_text(&desk, "ip_authentication_method"), "tech-prefix");
    assert_string_equal(desk_text(&desk, "fqdn_outbound_authentication"),
                        "credential-authentication");
    static const char *const nulls[] = {"user_name",    "password",    "webhook_url",
                                        "failover_url", "tech_prefix", "ip_authentication_token",
                                        "p_charge_info"};
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        assert_null(desk_text(&desk, nulls[i]));
    assert_false(is_on("outbound_usable") || is_on("digest_ready"));
}

static void whole_set_and_what_is_kept(void **state)
{
    (void)state;
    assert_int_equal(
        set(id, "{'user_name': 'Office', 'password': 'correct horse', "
                "'ip_authentication_method': 'p-charge-info', "
                "'fqdn_outbound_authentication': 'ip-authentication', "
                "'webhook_url': 'https://a.example/h', 'failover_url': 'http://b.example/', "
                "'p_charge_info': '+13125550100', 'tech_prefix': '0471', "
                "'ip_authentication_token': 'a long enough token'}"),
        OUTCOME_DELETED);
    assert_string_equal(desk.message, "Saved.");
    read_it();
    assert_string_equal(desk_text(&desk, "user_name"), "Office");
    assert_string_equal(desk_text(&desk, "password"), "********");
    assert_string_equal(desk_text(&desk, "ip_authentication_token"), "********");
    assert_string_equal(desk_text(&desk, "p_charge_info"), "+13125550100");
    assert_true(is_on("outbound_usable") && is_on("digest_ready"));
    /* Two realms, three algorithms; nothing in the clear. */
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest d JOIN authentication a "
                                       "ON a.connection_id = d.connection_id "
                                       "AND a.generation = d.generation"),
                     6);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication WHERE "
                                       "user_name_key = 'office' AND "
                                       "password_hash LIKE '$argon2id$%' AND "
                                       "instr(token_sealed, 'long enough') = 0 AND "
                                       "length(token_hash) = 32"),
                     1);
}

static void set_replaces_and_put_changes(void **state)
{
    (void)state;
    assert_int_equal(change("{}"), OUTCOME_UNKNOWN);
    assert_int_equal(set(id, "{'user_name': 'a', 'password': 'correct horse', "
                             "'webhook_url': 'https://a.example/', 'tech_prefix': '0471'}"),
                     OUTCOME_DELETED);
    assert_int_equal(change("{'ip_authentication_method': 'token'}"), OUTCOME_DELETED);
    read_it();
    assert_string_equal(desk_text(&desk, "ip_authentication_method"), "token");
    assert_string_equal(desk_text(&desk, "webhook_url"), "https://a.example/");
    assert_string_equal(desk_text(&desk, "user_name"), "a");
    assert_true(is_on("digest_ready"));
    assert_int_equal(change("{'webhook_url': null}"), OUTCOME_DELETED);
    read_it();
    assert_null(desk_text(&desk, "webhook_url"));
    int64_t generation = desk_query(&desk, "SELECT generation FROM authentication");
    assert_int_equal(change("{}"), OUTCOME_DELETED);
    assert_int_equal(desk_query(&desk, "SELECT generation FROM authentication"), generation);
    assert_int_equal(change("{'password': 'another horse'}"), OUTCOME_DELETED);
    assert_int_not_equal(desk_query(&desk, "SELECT generation FROM authentication"), generation);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 6);
    assert_int_equal(set(id, "{'failover_url': 'https://b.example/'}"), OUTCOME_DELETED);
    read_it();
    assert_null(desk_text(&desk, "user_name"));
    assert_null(desk_text(&desk, "password"));
    assert_null(desk_text(&desk, "tech_prefix"));
    assert_string_equal(desk_text(&desk, "ip_authentication_method"), "tech-prefix");
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 0);
}

static void one_of_the_pair_needs_the_other(void **state)
{
    (void)state;
    assert_int_equal(set(id, "{'user_name': 'a'}"), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "required /password");
    assert_int_equal(set(id, "{'password': 'correct horse'}"), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "required /user_name");
    assert_int_equal(set(id, "{}"), OUTCOME_DELETED);
    assert_int_equal(change("{'user_name': 'a'}"), OUTCOME_INVALID);
    assert_int_equal(change("{'user_name': 'a', 'password': 'correct horse'}"), OUTCOME_DELETED);
    assert_int_equal(change("{'password': 'another horse'}"), OUTCOME_DELETED);
    assert_int_equal(set(id, "{'user_name': 'a'}"), OUTCOME_INVALID); /* a set stands alone */
}

static void another_name_needs_the_password_again(void **state)
{
    (void)state;
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'correct horse'}"), OUTCOME_DELETED);
    assert_int_equal(change("{'user_name': 'bob'}"), OUTCOME_DELETED);
    assert_string_equal(desk.message, "Saved.");
    assert_int_equal(change("{'user_name': 'Bob'}"), OUTCOME_DELETED);
    assert_non_null(strstr(desk.message, "password is needed again"));
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 0);
    read_it();
    assert_string_equal(desk_text(&desk, "user_name"), "Bob");
    assert_string_equal(desk_text(&desk, "password"), "********");
    assert_true(is_on("outbound_usable") && !is_on("digest_ready"));
    assert_int_equal(change("{'password': 'correct horse'}"), OUTCOME_DELETED);
    read_it();
    assert_true(is_on("digest_ready"));
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 6);
}

/* Made for one name, the credentials are of no use to another that came in between. */
static void a_name_that_changes_while_hashing(void **state)
{
    (void)state;
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'correct horse'}"), OUTCOME_DELETED);
    desk_call_t *slow =
        desk_prepare(&desk, FQDN_AUTH_V1_CHANGE, id, NULL, "{'password': 'another horse'}");
    assert_int_equal(change("{'user_name': 'alice'}"), OUTCOME_DELETED);
    assert_int_equal(desk_finish(&desk, slow), OUTCOME_UNAVAILABLE);
    read_it();
    assert_string_equal(desk_text(&desk, "user_name"), "alice");
    assert_false(is_on("digest_ready"));
}

static void taken_among_all(void **state)
{
    (void)state;
    static const char body[] = "{'user_name': 'bob', 'password': 'correct horse', "
                               "'tech_prefix': '0471', "
                               "'ip_authentication_token': 'a long enough token'}";
    assert_int_equal(set(id, body), OUTCOME_DELETED);
    assert_int_equal(set(id, body), OUTCOME_DELETED); /* its own stands against nothing */
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    char theirs[UUID_SIZE];
    fqdn_desk_connection_v2(&desk, theirs);
    assert_int_equal(set(theirs, body), OUTCOME_CONFLICT);
    assert_int_equal(desk.faults.count, 3);
    assert_string_equal(desk.faults.items[0].where, "/user_name");
    assert_string_equal(desk.faults.items[0].message, "has already been taken");
    assert_string_equal(desk.faults.items[1].where, "/tech_prefix");
    assert_string_equal(desk.faults.items[2].where, "/ip_authentication_token");
    assert_int_equal(set(theirs, "{'user_name': 'BOB', 'password': 'correct horse'}"),
                     OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /user_name");
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V2_CHANGE, theirs, NULL, "{'tech_prefix': '0471'}"),
                     OUTCOME_CONFLICT);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication "
                                       "WHERE user_name IS NOT NULL"),
                     1);
}

/* Both have looked and found it free; the database lets one of them have it. */
static void two_sets_of_one_name(void **state)
{
    (void)state;
    static const char body[] = "{'user_name': 'bob', 'password': 'correct horse'}";
    desk_call_t *first = desk_prepare(&desk, FQDN_AUTH_V1_SET, id, NULL, body);
    desk_call_t *second = desk_prepare(&desk, FQDN_AUTH_V1_SET, other, NULL, body);
    assert_int_equal(desk_finish(&desk, second), OUTCOME_DELETED);
    assert_int_equal(desk_finish(&desk, first), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /user_name");
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM authentication"), 1);
}

static void removed(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V1_REMOVE, id, NULL, NULL), OUTCOME_UNKNOWN);
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'correct horse'}"), OUTCOME_DELETED);
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V1_REMOVE, id, NULL, NULL), OUTCOME_DELETED);
    assert_int_equal(desk_query(&desk, "SELECT (SELECT count(*) FROM authentication) + "
                                       "(SELECT count(*) FROM digest)"),
                     0);
    assert_int_equal(desk_ask(&desk, CONNECTION_V1_READ, id, NULL, NULL), OUTCOME_OK);
    assert_null(desk_text(&desk, "auth_type"));
    assert_int_equal(set(other, "{'user_name': 'bob', 'password': 'correct horse'}"),
                     OUTCOME_DELETED);
}

static void refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'user_name': 'a b'}", "format /user_name"},
        {"{'user_name': 'a:b'}", "format /user_name"},
        {"{'user_name': ''}", "range /user_name"},
        {"{'user_name': null}", "type /user_name"},
        {"{'password': 'short'}", "range /password"},
        {"{'password': 'with\\ncontrol'}", "format /password"},
        {"{'password': '*********'}", "format /password"},
        {"{'password': null}", "type /password"},
        {"{'ip_authentication_method': 'ip'}", "choice /ip_authentication_method"},
        {"{'ip_authentication_method': null}", "type /ip_authentication_method"},
        {"{'fqdn_outbound_authentication': 'token'}", "choice /fqdn_outbound_authentication"},
        {"{'webhook_url': 'ftp://a.example/'}", "format /webhook_url"},
        {"{'failover_url': '/relative'}", "format /failover_url"},
        {"{'tech_prefix': '471'}", "range /tech_prefix"},
        {"{'tech_prefix': '04a1'}", "format /tech_prefix"},
        {"{'tech_prefix': null}", "type /tech_prefix"},
        {"{'ip_authentication_token': 'eleven char'}", "range /ip_authentication_token"},
        {"{'p_charge_info': 'a b'}", "format /p_charge_info"},
    };
    assert_int_equal(set(id, "{}"), OUTCOME_DELETED);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(set(id, cases[i][0]), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
        assert_int_equal(change(cases[i][0]), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
    }
}

static void without_a_seal(void **state)
{
    (void)state;
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'correct horse'}"), OUTCOME_DELETED);
    assert_string_equal(desk.message, "Saved.");
    read_it();
    assert_true(is_on("outbound_usable") && !is_on("digest_ready"));
    assert_int_equal(change("{'ip_authentication_token': 'a long enough token'}"), OUTCOME_INVALID);
    assert_string_equal(desk_fault(&desk), "rule /ip_authentication_token");
    assert_non_null(strstr(desk.faults.items[0].message, "LK_DIGEST"));
}

/* The sealed token opens in its own place only, and is what was given. */
static void the_token_can_be_had_back(void **state)
{
    (void)state;
    token_t token;
    char text[64] = "";
    token_make(&desk.keeper, id, "a long enough token", &token);
    seal_place_t place = {.service = "fqdn-auth", .row_id = id, .realm = "", .algorithm = "token"};
    assert_int_equal(
        seal_open_value(desk.seal, &place, token.sealed, token.sealed_length, (uint8_t *)text),
        STATUS_OK);
    assert_string_equal(text, "a long enough token");
    place.row_id = other;
    assert_int_equal(
        seal_open_value(desk.seal, &place, token.sealed, token.sealed_length, (uint8_t *)text),
        STATUS_CORRUPT);
    token_t again;
    token_make(&desk.keeper, other, "a long enough token", &again);
    assert_int_equal(again.hash_count, 1);
    assert_memory_equal(again.hashes[0], token.hashes[0], sizeof(token.hashes[0]));
}

/* A key put in front, as it is done to change keys, does not make stored tokens free. */
static void a_new_seal_key_frees_no_token(void **state)
{
    (void)state;
    static const char body[] = "{'ip_authentication_token': 'a long enough token'}";
    assert_int_equal(set(id, body), OUTCOME_DELETED);
    scratch_write(&desk.scratch, "both.key",
                  "2:f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f\n"
                  "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
                  0600);
    err_t err = {0};
    seal_close(&desk.seal);
    assert_int_equal(seal_open_keys(scratch_file(&desk.scratch, "both.key"), &desk.seal, &err),
                     STATUS_OK);
    desk.keeper.seal = desk.seal;
    assert_int_equal(set(other, body), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /ip_authentication_token");
    assert_int_equal(set(id, body), OUTCOME_DELETED); /* its own; stored under the new key now */
    assert_int_equal(set(other, body), OUTCOME_CONFLICT);
}

static void every_fault_at_once(void **state)
{
    (void)state;
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'correct horse', "
                             "'tech_prefix': '0471'}"),
                     OUTCOME_DELETED);
    assert_int_equal(set(other, "{}"), OUTCOME_DELETED);
    assert_int_equal(desk_ask(&desk, FQDN_AUTH_V1_CHANGE, other, NULL,
                              "{'user_name': 'BOB', 'tech_prefix': '0471'}"),
                     OUTCOME_INVALID);
    assert_int_equal(desk.faults.count, 3);
    assert_string_equal(desk.faults.items[0].where, "/password");
    assert_string_equal(desk.faults.items[1].where, "/user_name");
    assert_string_equal(desk.faults.items[2].where, "/tech_prefix");
    /* What the body alone decides is told with what is wrong with single fields. */
    assert_int_equal(set(id, "{'user_name': 'bob', 'tech_prefix': 'x'}"), OUTCOME_INVALID);
    assert_int_equal(desk.faults.count, 2);
    assert_string_equal(desk.faults.items[0].where, "/tech_prefix");
    assert_string_equal(desk.faults.items[1].where, "/password");
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'short'}"), OUTCOME_INVALID);
    assert_int_equal(desk.faults.count, 1);
}

static void what_changes_nothing_leaves_updated_at(void **state)
{
    (void)state;
    static const char *const nothing[] = {
        "{}",
        "{'user_name': 'bob'}",
        "{'password': '********', 'webhook_url': null}",
        "{'ip_authentication_method': 'tech-prefix', 'tech_prefix': '0471'}",
    };
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'correct horse', "
                             "'tech_prefix': '0471'}"),
                     OUTCOME_DELETED);
    int64_t since = desk.now_utc_ms;
    desk.now_utc_ms += 5000;
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        assert_int_equal(change(nothing[i]), OUTCOME_DELETED);
        assert_int_equal(desk_query(&desk, "SELECT updated_at FROM authentication"), since);
    }
    assert_int_equal(change("{'tech_prefix': '0472'}"), OUTCOME_DELETED);
    assert_int_equal(desk_query(&desk, "SELECT updated_at FROM authentication"), since + 5000);
    desk.now_utc_ms -= 10000; /* a clock that is set back */
    assert_int_equal(change("{'tech_prefix': '0473'}"), OUTCOME_DELETED);
    assert_int_equal(desk_query(&desk, "SELECT updated_at FROM authentication"), since + 5000);
}

/* The words are true whatever the reason: here user_name has not changed. */
static void a_password_from_before_there_was_a_key(void **state)
{
    (void)state;
    desk.keeper.seal = NULL;
    assert_int_equal(set(id, "{'user_name': 'bob', 'password': 'correct horse'}"), OUTCOME_DELETED);
    desk.keeper.seal = desk.seal;
    assert_int_equal(change("{'tech_prefix': '0471'}"), OUTCOME_DELETED);
    assert_non_null(strstr(desk.message, "password is needed again"));
    assert_null(strstr(desk.message, "changed"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(empty_set_has_defaults),
        CASE(whole_set_and_what_is_kept),
        CASE(set_replaces_and_put_changes),
        CASE(one_of_the_pair_needs_the_other),
        CASE(another_name_needs_the_password_again),
        CASE(a_name_that_changes_while_hashing),
        CASE(taken_among_all),
        CASE(two_sets_of_one_name),
        CASE(removed),
        CASE(refused),
        cmocka_unit_test_setup_teardown(without_a_seal, set_up_without_digest, tear_down),
        CASE(the_token_can_be_had_back),
        CASE(a_new_seal_key_frees_no_token),
        CASE(every_fault_at_once),
        CASE(what_changes_nothing_leaves_updated_at),
        CASE(a_password_from_before_there_was_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
