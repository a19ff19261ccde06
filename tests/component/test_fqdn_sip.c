/* The facts of call authorization: whose user name, whose address by which method. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/credentials.h"
#include "services/fqdn-auth/sip_family.h"
#include "services/fqdn-auth/sql.h"
#include "tests/support/fqdn_desk.h"

#include <sqlite3.h>
#include <string.h>

#define NAME "pbx.example.com"
#define HERE "198.18.0.1"

static desk_t desk;
static char id[UUID_SIZE], other[UUID_SIZE];
static call_t call;
static sip_claims_t claims;

static void ask(unsigned operation, const char *on, const char *body)
{
    outcome_t outcome = desk_ask(&desk, operation, on, NULL, body);
    if (!outcome_is_success(outcome))
        fail_msg("%s: %s", body, desk_fault(&desk));
}

static void set(const char *on, const char *body)
{
    ask(FQDN_AUTH_V1_SET, on, body);
}

static void run(const char *sql)
{
    char path[STORE_PATH_SIZE];
    err_t err;
    sqlite3 *db = NULL;
    assert_int_equal(store_path(desk.spec->store, desk.scratch.path, path, &err), STATUS_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* As the resolver does. */
static void leads_to(const char *name, const char *address)
{
    ipnet_t net;
    err_t err;
    assert_int_equal(ipnet_parse(address, strlen(address), &net), STATUS_OK);
    AUTO(query_end) query_t *query = store_query(desk.writer, SQL_ADDRESS_ADD);
    query_text(query, 1, name);
    query_text(query, 2, "a");
    query_number(query, 3, 0);
    query_text(query, 4, "");
    query_blob(query, 5, net.first, sizeof(net.first));
    assert_int_equal(query_run(query, NULL, &err), STATUS_OK);
}

static void give_name(const char *on, const char *name)
{
    char body[512];
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'connection_id': '%s', 'fqdn': '%s', 'dns_record_type': 'a'}",
                                 on, name),
                     STATUS_OK);
    ask(FQDN_V1_CREATE, NULL, body);
}

static int set_up(void **state)
{
    (void)state;
    fqdn_desk_open(&desk, true);
    fqdn_desk_connection_v1(&desk, id);
    fqdn_desk_connection_v1(&desk, other);
    give_name(id, NAME);
    give_name(other, NAME);
    leads_to(NAME, HERE);
    call = (call_t){.keeper = &desk.keeper};
    call.request.principal = desk.principal;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

/* ---- users ---- */

static status_t find_user(const char *name, sip_user_t *out)
{
    err_t err;
    return connection_family.find_user(&call, desk.reader, name, out, &err);
}

static void user_names_match_byte_for_byte(void **state)
{
    (void)state;
    sip_user_t user;
    set(id, "{'user_name': 'Office', 'password': 'correct horse'}");
    assert_int_equal(find_user("Office", &user), STATUS_OK);
    assert_int_equal(user.standing, REASON_NONE);
    assert_string_equal(user.subject, id);
    assert_string_equal(user.auth_id, id);
    assert_string_equal(user.organization_id, DESK_ORGANIZATION);
    assert_true(password_matches(user.password_hash, "correct horse", 13));
    assert_false(user.needs_source);
    assert_int_equal(find_user("office", &user), STATUS_UNKNOWN);
    assert_int_equal(find_user("OFFICE", &user), STATUS_UNKNOWN);
    assert_int_equal(find_user("Office ", &user), STATUS_UNKNOWN);
    assert_int_equal(find_user("", &user), STATUS_UNKNOWN);
}

static void users_stand_as_their_connections_do(void **state)
{
    (void)state;
    sip_user_t user;
    set(id, "{'user_name': 'office', 'password': 'correct horse'}");
    ask(FQDN_AUTH_V1_CHANGE, id, "{'user_name': 'Office'}");
    assert_int_equal(find_user("Office", &user), STATUS_OK);
    assert_int_equal(user.standing, REASON_PASSWORD_NEEDED);
    desk.keeper.seal = NULL; /* nobody has digests: passwords are compared */
    assert_int_equal(find_user("Office", &user), STATUS_OK);
    assert_int_equal(user.standing, REASON_NONE);
    desk.keeper.seal = desk.seal;
    ask(FQDN_AUTH_V1_CHANGE, id, "{'fqdn_outbound_authentication': 'ip-authentication'}");
    assert_int_equal(find_user("Office", &user), STATUS_OK);
    assert_int_equal(user.standing, REASON_NO_METHOD);
    ask(CONNECTION_V1_CHANGE, id, "{'active': false}");
    assert_int_equal(find_user("Office", &user), STATUS_OK);
    assert_int_equal(user.standing, REASON_DISABLED);
}

static void digests_are_found(void **state)
{
    (void)state;
    sip_user_t user;
    err_t err;
    uint8_t sealed[SEALED_HA1_MAX], ha1[HA1_SIZE_MAX], expected[HA1_SIZE_MAX];
    size_t length = 0;
    bool has = false;
    set(id, "{'user_name': 'office', 'password': 'correct horse'}");
    assert_int_equal(find_user("office", &user), STATUS_OK);
    assert_int_equal(connection_family.find_digest(desk.reader, &user, user.generation, "b",
                                                   "SHA-256", sealed, &length, &err),
                     STATUS_OK);
    seal_place_t place = {.service = desk.keeper.service,
                          .row_id = user.auth_id,
                          .realm = "b",
                          .algorithm = "SHA-256",
                          .generation = user.generation};
    assert_int_equal(seal_open_value(desk.seal, &place, sealed, length, ha1), STATUS_OK);
    assert_int_equal(digest_ha1(DIGEST_SHA_256, "office", "b", "correct horse", 13, expected),
                     STATUS_OK);
    assert_memory_equal(ha1, expected, HA1_SIZE_MAX);
    assert_int_equal(connection_family.find_digest(desk.reader, &user, user.generation, "c",
                                                   "SHA-256", sealed, &length, &err),
                     STATUS_UNKNOWN);
    assert_int_equal(connection_family.find_digest(desk.reader, &user, user.generation + 1, "b",
                                                   "SHA-256", sealed, &length, &err),
                     STATUS_UNKNOWN);
    assert_int_equal(
        connection_family.has_realm(desk.reader, &user, user.generation, "b", &has, &err),
        STATUS_OK);
    assert_true(has);
    assert_int_equal(
        connection_family.has_realm(desk.reader, &user, user.generation, "c", &has, &err),
        STATUS_OK);
    assert_false(has);
}

/* ---- lists ---- */

typedef struct {
    size_t count;
    char last[SIP_USER_MAX + 1];
    bool in_order;
} walked_t;

static status_t note_user(void *context, const sip_user_t *user, err_t *err)
{
    (void)err;
    walked_t *walked = context;
    walked->in_order = walked->in_order && strcmp(walked->last, user->username) < 0;
    walked->count++;
    text_cut(walked->last, sizeof(walked->last), user->username);
    return STATUS_OK;
}

static status_t no_range(void *context, const sip_range_t *range, err_t *err)
{
    (void)context;
    (void)range;
    return err_set(err, STATUS_REFUSED, "range", "none was to come");
}

static walked_t walk(void)
{
    walked_t walked = {.in_order = true};
    err_t err;
    assert_int_equal(connection_family.each_user(&call, desk.reader, note_user, &walked, &err),
                     STATUS_OK);
    assert_true(walked.in_order);
    return walked;
}

static void users_are_listed_in_order(void **state)
{
    (void)state;
    /* More than are read at once: 600 that are live, and a few that are not. */
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 610) "
        "INSERT INTO connection SELECT 'c' || i, '" DESK_ORGANIZATION
        "', 'n', 'n', i > 5, 'fqdn', 'UDP', x'90', x'80', x'80', 10 * i, 0 FROM n");
    run("INSERT INTO authentication SELECT id, printf('u%05d', created_at / 10), "
        "printf('u%05d', created_at / 10), 'hash', 0, 1, 'tech-prefix', CASE WHEN created_at > "
        "6050 THEN 'ip-authentication' ELSE 'credential-authentication' END, NULL, NULL, NULL, "
        "NULL, NULL, NULL, 0, 0 FROM connection WHERE id LIKE 'c%'");
    assert_int_equal(walk().count, 600);
    assert_string_equal(walk().last, "u00605");
    text_cut(call.request.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    assert_int_equal(walk().count, 0);
    call.request.principal.is_operator = true;
    assert_int_equal(walk().count, 600);
}

static void no_address_suffices_alone(void **state)
{
    (void)state;
    err_t err;
    set(id, "{'fqdn_outbound_authentication': 'ip-authentication', 'tech_prefix': '0471'}");
    assert_int_equal(connection_family.each_range(&call, desk.reader, no_range, NULL, &err),
                     STATUS_OK);
}

/* ---- claims ---- */

static void find(const char *ip, const char *called, const char *token, const char *charge)
{
    sip_source_t source = {.called = called, .token = token, .p_charge_info = charge};
    err_t err;
    assert_int_equal(ipnet_parse(ip, strlen(ip), &source.address), STATUS_OK);
    assert_int_equal(connection_family.find_claims(&call, desk.reader, &source, &claims, &err),
                     STATUS_OK);
    assert_false(claims.more);
}

static void found_only(const char *subject, reason_t standing)
{
    assert_int_equal(claims.count, 1);
    assert_string_equal(claims.items[0].subject, subject);
    assert_string_equal(claims.items[0].auth_id, subject);
    assert_string_equal(claims.items[0].organization_id, DESK_ORGANIZATION);
    assert_int_equal(claims.items[0].standing, standing);
    assert_true(claims.items[0].until_utc_ms == INT64_MAX);
}

static reason_t standing_of(const char *subject)
{
    for (size_t i = 0; i < claims.count; i++)
        if (strcmp(claims.items[i].subject, subject) == 0)
            return claims.items[i].standing;
    fail_msg("%s claims nothing", subject);
    return REASON_COUNT;
}

#define BY(method, rest)                                                                           \
    "{'fqdn_outbound_authentication': 'ip-authentication', 'ip_authentication_method': '" method   \
    "', " rest "}"

static void a_tech_prefix_is_the_called_numbers_beginning(void **state)
{
    (void)state;
    static const char *const right[] = {"0471", "047113125550100", "sip:0471@x",
                                        "<sips:04711@x;user=phone>", "tel:04719"};
    static const char *const wrong[] = {"047", "0472", "+0471", "sip:1@0471", "sip:%30471@x", "x"};
    set(id, BY("tech-prefix", "'tech_prefix': '0471'"));
    set(other, BY("tech-prefix", "'tech_prefix': '0472'"));
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        find(HERE, right[i], NULL, NULL);
        found_only(id, REASON_NONE);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        find(HERE, strcmp(wrong[i], "0472") == 0 ? "0473" : wrong[i], NULL, NULL);
        assert_int_equal(standing_of(id), REASON_TECH_PREFIX_MISMATCH);
        assert_int_equal(standing_of(other), REASON_TECH_PREFIX_MISMATCH);
    }
    find(HERE, NULL, NULL, NULL);
    assert_int_equal(standing_of(id), REASON_TECH_PREFIX_MISMATCH);
    find("198.18.0.2", "0471", NULL, NULL);
    assert_int_equal(claims.count, 0);
}

static void a_token_is_compared_whole(void **state)
{
    (void)state;
    set(id, BY("token", "'ip_authentication_token': 'a token of calls'"));
    find(HERE, "0471", "a token of calls", NULL);
    found_only(id, REASON_NONE);
    static const char *const wrong[] = {NULL, "", "a token of call", "a token of calls ",
                                        "A token of calls"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        find(HERE, NULL, wrong[i], NULL);
        assert_int_equal(standing_of(id), REASON_TOKEN_MISMATCH);
    }
    find("::1", NULL, "a token of calls", NULL);
    assert_int_equal(claims.count, 0);
    desk.keeper.seal = NULL; /* without its key no token is known */
    find(HERE, NULL, "a token of calls", NULL);
    assert_int_equal(standing_of(id), REASON_TOKEN_MISMATCH);
}

static void a_charge_is_not_unique(void **state)
{
    (void)state;
    set(id, BY("p-charge-info", "'p_charge_info': '+13125550100'"));
    set(other, BY("p-charge-info", "'p_charge_info': '+13125550101'"));
    find(HERE, NULL, NULL, "<sip:+13125550100@example.com>;noa=2");
    found_only(id, REASON_NONE);
    find(HERE, NULL, NULL, "<sip:+1312555010@example.com>");
    assert_int_equal(standing_of(id), REASON_TOKEN_MISMATCH);
    ask(FQDN_AUTH_V1_CHANGE, other, "{'p_charge_info': '+13125550100'}");
    find(HERE, NULL, NULL, "+13125550100");
    assert_int_equal(claims.count, 2);
    assert_int_equal(standing_of(id), REASON_NONE);
    assert_int_equal(standing_of(other), REASON_NONE);
    ask(CONNECTION_V1_CHANGE, other, "{'active': false}");
    find(HERE, NULL, NULL, "+13125550100");
    assert_int_equal(standing_of(id), REASON_NONE);
    assert_int_equal(standing_of(other), REASON_DISABLED);
}

static void several_methods_of_one_call_make_several_claims(void **state)
{
    (void)state;
    set(id, BY("tech-prefix", "'tech_prefix': '0471'"));
    set(other, BY("token", "'ip_authentication_token': 'a token of calls'"));
    find(HERE, "0471", "a token of calls", NULL);
    assert_int_equal(claims.count, 2);
    assert_int_equal(standing_of(id), REASON_NONE);
    assert_int_equal(standing_of(other), REASON_NONE);
}

static void only_the_method_in_force_counts(void **state)
{
    (void)state;
    set(id, BY("token", "'tech_prefix': '0471', 'p_charge_info': '1'"));
    find(HERE, "0471", NULL, "1");
    assert_int_equal(standing_of(id), REASON_NO_METHOD); /* it has no token */
    assert_int_equal(standing_of(other), REASON_NO_METHOD);
    set(id, "{'tech_prefix': '0471'}");
    find(HERE, "0471", NULL, NULL);
    assert_int_equal(standing_of(id), REASON_PASSWORD_NEEDED);
    set(id, BY("tech-prefix", "'p_charge_info': '1'"));
    find(HERE, "0471", NULL, "1");
    assert_int_equal(standing_of(id), REASON_NO_METHOD);
    set(id, BY("p-charge-info", "'tech_prefix': '0471'"));
    find(HERE, "0471", NULL, "1");
    assert_int_equal(standing_of(id), REASON_NO_METHOD);
}

static void what_is_deleted_claims_nothing(void **state)
{
    (void)state;
    set(id, BY("tech-prefix", "'tech_prefix': '0471'"));
    ask(FQDN_V1_LIST, NULL, "");
    char fqdn[UUID_SIZE] = "";
    for (size_t i = 0; i < json_array_size(desk.body); i++) {
        const json_t *row = json_array_get(desk.body, i);
        if (strcmp(json_string_value(json_object_get(row, "connection_id")), id) == 0)
            text_cut(fqdn, sizeof(fqdn), json_string_value(json_object_get(row, "id")));
    }
    ask(FQDN_V1_DELETE, fqdn, NULL);
    find(HERE, "0471", NULL, NULL);
    found_only(other, REASON_NO_METHOD);
    ask(CONNECTION_V1_DELETE, other, NULL);
    find(HERE, "0471", NULL, NULL);
    assert_int_equal(claims.count, 0);
}

static void others_keys_see_nothing(void **state)
{
    (void)state;
    set(id, BY("tech-prefix", "'tech_prefix': '0471'"));
    text_cut(call.request.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    find(HERE, "0471", NULL, NULL);
    assert_int_equal(claims.count, 0);
    find(HERE, "0479", NULL, NULL);
    assert_int_equal(claims.count, 0);
    call.request.principal.is_operator = true;
    find(HERE, "0471", NULL, NULL);
    found_only(id, REASON_NONE);
}

static void an_unspecified_source_is_nobodys(void **state)
{
    (void)state;
    set(id, BY("tech-prefix", "'tech_prefix': '0471'"));
    leads_to(NAME, "0.0.0.0");
    leads_to(NAME, "224.0.0.1");
    find("0.0.0.0", "0471", NULL, NULL);
    assert_int_equal(claims.count, 0);
    find("224.0.0.1", "0471", NULL, NULL);
    assert_int_equal(claims.count, 0);
}

/* A crowd at one address must not keep the one whose prefix it is from calling. */
static void a_crowd_at_one_address_hides_nobody(void **state)
{
    (void)state;
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
        "INSERT INTO connection SELECT 'c' || i, '" DESK_ORGANIZATION
        "', 'n', 'n', 1, 'fqdn', 'UDP', x'90', x'80', x'80', i, 0 FROM n");
    run("INSERT INTO fqdn SELECT 'f' || id, id, organization_id, '" NAME
        "', 'a', 5060, created_at, 0 FROM connection WHERE id LIKE 'c%'");
    set(id, BY("tech-prefix", "'tech_prefix': '0471'"));
    find(HERE, "0471", NULL, NULL);
    found_only(id, REASON_NONE);
    find(HERE, "0479", NULL, NULL);
    assert_int_equal(claims.count, SIP_CLAIMS_MAX);
}

static void more_than_are_looked_at_stays_open(void **state)
{
    (void)state;
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1025) "
        "INSERT INTO connection SELECT 'c' || i, '" DESK_ORGANIZATION
        "', 'n', 'n', 1, 'fqdn', 'UDP', x'90', x'80', x'80', i, 0 FROM n");
    run("INSERT INTO authentication SELECT id, NULL, NULL, NULL, 0, 0, 'p-charge-info', "
        "'ip-authentication', NULL, NULL, NULL, '1', NULL, NULL, 0, 0 FROM connection "
        "WHERE id LIKE 'c%'");
    sip_source_t source = {.p_charge_info = "1"};
    err_t err;
    assert_int_equal(ipnet_parse(HERE, strlen(HERE), &source.address), STATUS_OK);
    assert_int_equal(connection_family.find_claims(&call, desk.reader, &source, &claims, &err),
                     STATUS_OK);
    assert_true(claims.more);
}

static void a_connection_comes_from_its_addresses(void **state)
{
    (void)state;
    sip_user_t user;
    sip_source_t source = {.port = 0};
    err_t err;
    bool may = false;
    set(id, "{'user_name': 'office', 'password': 'correct horse'}");
    assert_int_equal(find_user("office", &user), STATUS_OK);
    assert_int_equal(ipnet_parse(HERE, strlen(HERE), &source.address), STATUS_OK);
    assert_int_equal(
        connection_family.may_come_from(&call, desk.reader, &source, &user, &may, &err), STATUS_OK);
    assert_true(may);
    assert_int_equal(ipnet_parse("::1", 3, &source.address), STATUS_OK);
    assert_int_equal(
        connection_family.may_come_from(&call, desk.reader, &source, &user, &may, &err), STATUS_OK);
    assert_false(may);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(user_names_match_byte_for_byte),
        TEST(users_stand_as_their_connections_do),
        TEST(digests_are_found),
        TEST(users_are_listed_in_order),
        TEST(no_address_suffices_alone),
        TEST(a_tech_prefix_is_the_called_numbers_beginning),
        TEST(a_token_is_compared_whole),
        TEST(a_charge_is_not_unique),
        TEST(several_methods_of_one_call_make_several_claims),
        TEST(only_the_method_in_force_counts),
        TEST(what_is_deleted_claims_nothing),
        TEST(others_keys_see_nothing),
        TEST(an_unspecified_source_is_nobodys),
        TEST(a_crowd_at_one_address_hides_nobody),
        TEST(more_than_are_looked_at_stays_open),
        TEST(a_connection_comes_from_its_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
