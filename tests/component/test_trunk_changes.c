/* Changing authentication methods: PATCH, rotation, and what is stored of passwords. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/trunk_auth.h"
#include "services/trunk-auth/method_store.h"
#include "tests/support/trunk_desk.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hour_ms = 3600000;

static desk_t desk;
static char trunk[UUID_SIZE], other[UUID_SIZE], ip_uuid[UUID_SIZE], user_uuid[UUID_SIZE];

static int set_up(void **state)
{
    (void)state;
    trunk_desk_open(&desk, true);
    desk_trunk(&desk, trunk);
    desk_trunk(&desk, other);
    (void)desk_ask(&desk, METHOD_CREATE, trunk, NULL,
                   "{'type': 'ip', 'ip': '10.1.0.0/16', 'label': 'office', 'username': 'shown'}");
    desk_uuid(&desk, ip_uuid);
    (void)desk_ask(&desk, METHOD_CREATE, trunk, NULL,
                   "{'type': 'sipuser', 'username': 'Bob', 'password': 'first secret', "
                   "'ip': '192.0.2.1', 'enabled': false}");
    desk_uuid(&desk, user_uuid);
    desk.now_utc_ms += 24 * hour_ms;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static outcome_t change(const char *uuid, const char *body)
{
    return desk_ask(&desk, METHOD_CHANGE, trunk, uuid, body);
}

static outcome_t rotate(const char *body)
{
    return desk_ask(&desk, METHOD_ROTATE, trunk, user_uuid, body);
}

static outcome_t claim(const char *on, const char *ip)
{
    char body[128];
    assert_int_equal(text_format(body, sizeof(body), "{'type': 'ip', 'ip': '%s'}", ip), STATUS_OK);
    return desk_ask(&desk, METHOD_CREATE, on, NULL, body);
}

/* What a column of the sipuser method holds; "" for NULL. Static. */
static const char *stored(const char *column)
{
    static char text[PASSWORD_HASH_SIZE];
    char sql[200], path[STORE_PATH_SIZE];
    assert_int_equal(text_format(path, sizeof(path), "%s/trunk-auth.db", desk.scratch.path),
                     STATUS_OK);
    assert_int_equal(
        text_format(sql, sizeof(sql), "SELECT %s FROM method WHERE uuid = '%s'", column, user_uuid),
        STATUS_OK);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const void *bytes = sqlite3_column_text(statement, 0);
    text_cut(text, sizeof(text), bytes == NULL ? "" : bytes);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return text;
}

static bool hash_is_of(const char *column, const char *password)
{
    const char *hash = stored(column);
    return hash[0] != '\0' && password_matches(hash, password, strlen(password));
}

/* How many digests of the sipuser method open as HA1 of this password. Any other place fails. */
static int digests_of(const char *password)
{
    char path[STORE_PATH_SIZE];
    assert_int_equal(text_format(path, sizeof(path), "%s/trunk-auth.db", desk.scratch.path),
                     STATUS_OK);
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(
                         db, "SELECT method_uuid, generation, realm, algorithm, sealed FROM digest",
                         -1, &row, NULL),
                     SQLITE_OK);
    int count = 0;
    while (sqlite3_step(row) == SQLITE_ROW) {
        const void *uuid = sqlite3_column_text(row, 0), *realm = sqlite3_column_text(row, 2),
                   *name = sqlite3_column_text(row, 3);
        seal_place_t place = {.service = "trunk-auth",
                              .row_id = uuid,
                              .realm = realm,
                              .algorithm = name,
                              .generation = sqlite3_column_int64(row, 1)};
        uint8_t opened[HA1_SIZE_MAX], expected[HA1_SIZE_MAX];
        digest_t algorithm = DIGEST_MD5;
        while (strcmp(digest_name(algorithm), place.algorithm) != 0)
            algorithm++;
        size_t size = digest_size(algorithm);
        assert_int_equal(sqlite3_column_bytes(row, 4), size + SEAL_OVERHEAD);
        assert_int_equal(seal_open_value(desk.seal, &place, sqlite3_column_blob(row, 4),
                                         size + SEAL_OVERHEAD, opened),
                         STATUS_OK);
        assert_int_equal(
            digest_ha1(algorithm, "Bob", place.realm, password, strlen(password), expected),
            STATUS_OK);
        count += memcmp(opened, expected, size) == 0;
    }
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(db);
    return count;
}

enum { DIGESTS = 2 * DIGEST_ALGORITHMS }; /* the desk has two realms */

static void nothing_given_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(change(ip_uuid, "{}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-14");
    /* Fixed, read-only and unknown ones are ignored. */
    assert_int_equal(change(ip_uuid, "{'type': 'sipuser', 'uuid': 'x', 'username': 'new', "
                                     "'created_on': 5, 'colour': 'red'}"),
                     OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "username"), "shown");
    assert_string_equal(desk_text(&desk, "type"), "ip");
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-14");
}

static void each_field_by_itself(void **state)
{
    (void)state;
    assert_int_equal(change(ip_uuid, "{'label': 'branch'}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "label"), "branch");
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-15");
    assert_string_equal(desk_text(&desk, "created_on"), "2023-11-14");
    assert_int_equal(change(ip_uuid, "{'enabled': false}"), OUTCOME_OK);
    assert_int_equal(desk_number(&desk, "enabled"), false);
    assert_int_equal(change(ip_uuid, "{'expires_at': '2030-01-01T00:00:00Z'}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "expires_at"), "2030-01-01T00:00:00.000Z");
    assert_int_equal(change(ip_uuid, "{'ip': '10.2.3.4/24'}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "ip"), "10.2.3.0/24");
    assert_string_equal(desk_text(&desk, "label"), "branch");
    assert_int_equal(change(ip_uuid, "{'label': null, 'expires_at': null}"), OUTCOME_OK);
    assert_null(desk_text(&desk, "label"));
    assert_null(desk_text(&desk, "expires_at"));
    assert_int_equal(desk_ask(&desk, METHOD_READ, trunk, ip_uuid, NULL), OUTCOME_OK);
    assert_null(desk_text(&desk, "label"));
    assert_null(desk_text(&desk, "expires_at"));
    assert_string_equal(desk_text(&desk, "ip"), "10.2.3.0/24");
    assert_int_equal(desk_number(&desk, "enabled"), false);
    /* The old range is free, the new one is not. */
    assert_int_equal(claim(other, "10.1.0.0/16"), OUTCOME_CREATED);
    assert_int_equal(claim(other, "10.2.3.4"), OUTCOME_CONFLICT);
    assert_int_equal(change(user_uuid, "{'enabled': true, 'label': 'desk'}"), OUTCOME_OK);
    assert_int_equal(desk_number(&desk, "enabled"), true);
    assert_string_equal(desk_text(&desk, "username"), "Bob");
    assert_string_equal(desk_text(&desk, "ip"), "192.0.2.1");
}

static void refused_changes(void **state)
{
    (void)state;
    static const struct {
        bool of_user;
        const char *body;
        const char *fault;
    } cases[] = {
        {false, "{'password': 'new secret'}", "rule /password"},
        {false, "{'password': null}", "rule /password"},
        {false, "{'ip': null}", "type /ip"},
        {false, "{'ip': '010.1.1.1'}", "format /ip"},
        {false, "{'ip': '10.0.0.0/15'}", "range /ip"},
        {false, "{'ip': '224.0.0.1'}", "range /ip"},
        {false, "{'enabled': null}", "type /enabled"},
        {true, "{'ip': '192.0.2.9'}", "rule /ip"},
        {true, "{'ip': '192.0.2.9', 'password': 'new secret'}", "rule /ip"},
        {true, "{'password': null}", "type /password"},
        {true, "{'password': 'short'}", "range /password"},
        {true, "{'password': '*********'}", "format /password"}, /* one more than the mask */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(change(cases[i].of_user ? user_uuid : ip_uuid, cases[i].body),
                         OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i].fault);
    }
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM method WHERE updated_at > created_at"),
                     0);
    assert_true(hash_is_of("password_hash", "first secret"));
}

static void a_new_address_must_be_free(void **state)
{
    (void)state;
    assert_int_equal(claim(other, "10.2.0.0/16"), OUTCOME_CREATED);
    assert_int_equal(claim(trunk, "10.3.0.0/16"), OUTCOME_CREATED);
    assert_int_equal(change(ip_uuid, "{'ip': '10.2.3.4'}"), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /ip");
    assert_int_equal(change(ip_uuid, "{'ip': '10.3.0.0/16'}"), OUTCOME_CONFLICT);
    /* Its own claim does not stand against it. */
    assert_int_equal(change(ip_uuid, "{'ip': '10.1.0.0/16'}"), OUTCOME_OK);
    assert_int_equal(change(ip_uuid, "{'ip': '10.1.2.0/24'}"), OUTCOME_OK);
    assert_int_equal(change(ip_uuid, "{'ip': '10.1.0.0/16'}"), OUTCOME_OK);
    assert_int_equal(change(ip_uuid, "{'ip': '10.3.4.0/24'}"), OUTCOME_OK);
}

static void an_expired_claim_must_be_free_to_come_back(void **state)
{
    (void)state;
    assert_int_equal(change(ip_uuid, "{'expires_at': '2023-11-01T00:00:00Z'}"), OUTCOME_OK);
    /* While it is expired its address may be anything that is allowed. */
    assert_int_equal(claim(other, "10.1.2.3"), OUTCOME_CREATED);
    char theirs[UUID_SIZE];
    desk_uuid(&desk, theirs);
    assert_int_equal(change(ip_uuid, "{'label': 'old'}"), OUTCOME_OK);
    assert_int_equal(change(ip_uuid, "{'expires_at': '2023-11-02T00:00:00Z'}"), OUTCOME_OK);
    assert_int_equal(change(ip_uuid, "{'expires_at': '2030-01-01T00:00:00Z'}"), OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /expires_at");
    assert_int_equal(change(ip_uuid, "{'expires_at': null}"), OUTCOME_CONFLICT);
    assert_int_equal(change(ip_uuid, "{'expires_at': null, 'ip': '10.1.2.0/24'}"),
                     OUTCOME_CONFLICT);
    assert_string_equal(desk_fault(&desk), "taken /ip");
    assert_int_equal(change(ip_uuid, "{'expires_at': null, 'ip': '10.9.0.0/16'}"), OUTCOME_OK);
    assert_int_equal(change(ip_uuid, "{'expires_at': '2023-11-01T00:00:00Z', 'ip': '10.1.0.0/16'}"),
                     OUTCOME_OK);
    assert_int_equal(desk_ask(&desk, METHOD_DELETE, other, theirs, NULL), OUTCOME_DELETED);
    assert_int_equal(change(ip_uuid, "{'expires_at': null}"), OUTCOME_OK);
    assert_int_equal(claim(other, "10.1.2.3"), OUTCOME_CONFLICT);
}

static void a_new_password_replaces_at_once(void **state)
{
    (void)state;
    assert_int_equal(digests_of("first secret"), DIGESTS);
    assert_int_equal(change(user_uuid, "{'password': 'second secret'}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "password"), "********");
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-15");
    assert_true(hash_is_of("password_hash", "second secret"));
    assert_string_equal(stored("previous_hash"), "");
    assert_int_equal(digests_of("second secret"), DIGESTS);
    assert_int_equal(digests_of("first secret"), 0);
    /* It ends the grace of a rotation too. */
    assert_int_equal(rotate("{'password': 'third secret'}"), OUTCOME_OK);
    assert_int_equal(change(user_uuid, "{'password': 'fourth secret'}"), OUTCOME_OK);
    assert_string_equal(stored("previous_hash"), "");
    assert_string_equal(stored("previous_until"), "");
    assert_int_equal(digests_of("fourth secret"), DIGESTS);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), DIGESTS);
}

static int64_t previous_until(void)
{
    return strtoll(stored("previous_until"), NULL, 10);
}

static void rotation_keeps_the_old_password_for_a_while(void **state)
{
    (void)state;
    assert_int_equal(rotate("{'password': 'second secret'}"), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "password"), "********");
    assert_string_equal(desk_text(&desk, "updated_on"), "2023-11-15");
    assert_string_equal(desk_text(&desk, "uuid"), user_uuid);
    assert_true(hash_is_of("password_hash", "second secret"));
    assert_true(hash_is_of("previous_hash", "first secret"));
    assert_int_equal(previous_until(), desk.now_utc_ms + 24 * hour_ms);
    assert_int_equal(digests_of("second secret"), DIGESTS);
    assert_int_equal(digests_of("first secret"), DIGESTS);
    /* Once more within the time: the oldest is dropped. */
    assert_int_equal(rotate("{'password': 'third secret', 'grace_seconds': 604800}"), OUTCOME_OK);
    assert_true(hash_is_of("password_hash", "third secret"));
    assert_true(hash_is_of("previous_hash", "second secret"));
    assert_int_equal(previous_until(), desk.now_utc_ms + hour_ms * 24 * 7);
    assert_int_equal(digests_of("third secret"), DIGESTS);
    assert_int_equal(digests_of("second secret"), DIGESTS);
    assert_int_equal(digests_of("first secret"), 0);
    /* Without grace: at once. */
    assert_int_equal(rotate("{'password': 'fourth secret', 'grace_seconds': 0}"), OUTCOME_OK);
    assert_true(hash_is_of("password_hash", "fourth secret"));
    assert_string_equal(stored("previous_hash"), "");
    assert_int_equal(digests_of("fourth secret"), DIGESTS);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), DIGESTS);
}

static void refused_rotations(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "required /password"},
        {"{'password': 'short'}", "range /password"},
        {"{'password': '******'}", "format /password"},
        {"{'password': 'new secret', 'grace_seconds': -1}", "range /grace_seconds"},
        {"{'password': 'new secret', 'grace_seconds': 604801}", "range /grace_seconds"},
        {"{'password': 'new secret', 'grace_seconds': '60'}", "type /grace_seconds"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(rotate(cases[i][0]), OUTCOME_INVALID);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
    }
    assert_int_equal(desk_ask(&desk, METHOD_ROTATE, trunk, ip_uuid, "{'password': 'new secret'}"),
                     OUTCOME_INVALID);
    assert_string_equal(desk.message, "Only a sipuser method has a password to rotate.");
    assert_int_equal(desk_ask(&desk, METHOD_ROTATE, trunk, trunk, "{'password': 'new secret'}"),
                     OUTCOME_UNKNOWN);
    assert_true(hash_is_of("password_hash", "first secret"));
}

/* Both were prepared from the same state; the later write wins, and keeps the earlier's password
 * as the previous one. */
static void two_rotations_at_once(void **state)
{
    (void)state;
    desk_call_t *a = desk_prepare(&desk, METHOD_ROTATE, trunk, user_uuid, "{'password': 'from a'}");
    desk_call_t *b = desk_prepare(&desk, METHOD_ROTATE, trunk, user_uuid, "{'password': 'from b'}");
    assert_int_equal(desk_finish(&desk, b), OUTCOME_OK);
    assert_int_equal(desk_finish(&desk, a), OUTCOME_OK);
    assert_true(hash_is_of("password_hash", "from a"));
    assert_true(hash_is_of("previous_hash", "from b"));
    assert_int_equal(digests_of("from a"), DIGESTS);
    assert_int_equal(digests_of("from b"), DIGESTS);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 2 * DIGESTS);
}

static void a_method_that_goes_while_its_password_is_hashed(void **state)
{
    (void)state;
    desk_call_t *change_call =
        desk_prepare(&desk, METHOD_CHANGE, trunk, user_uuid, "{'password': 'new secret'}");
    desk_call_t *rotate_call =
        desk_prepare(&desk, METHOD_ROTATE, trunk, user_uuid, "{'password': 'new secret'}");
    assert_int_equal(desk_ask(&desk, METHOD_DELETE, trunk, user_uuid, NULL), OUTCOME_DELETED);
    assert_int_equal(desk_finish(&desk, change_call), OUTCOME_UNKNOWN);
    assert_int_equal(desk_finish(&desk, rotate_call), OUTCOME_UNKNOWN);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 0);
}

static void without_a_seal_there_are_no_digests(void **state)
{
    (void)state;
    desk.keeper.seal = NULL;
    assert_int_equal(rotate("{'password': 'second secret'}"), OUTCOME_OK);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), DIGESTS);
    assert_int_equal(digests_of("first secret"), DIGESTS);
    assert_int_equal(change(user_uuid, "{'password': 'third secret'}"), OUTCOME_OK);
    assert_int_equal(desk_query(&desk, "SELECT count(*) FROM digest"), 0);
    assert_true(hash_is_of("password_hash", "third secret"));
}

static bool file_holds(const char *name, const char *text)
{
    FILE *file = fopen(scratch_file(&desk.scratch, name), "rb");
    assert_non_null(file);
    static char bytes[4 * 1024 * 1024];
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    assert_true(length < sizeof(bytes));
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

static void no_password_is_stored(void **state)
{
    (void)state;
    assert_int_equal(rotate("{'password': 'second secret'}"), OUTCOME_OK);
    (void)desk_ask(&desk, METHOD_CREATE, trunk, NULL,
                   "{'type': 'ip', 'ip': '192.0.2.77', 'password': 'unused secret'}");
    static const char *const files[] = {"trunk-auth.db", "trunk-auth.db-wal"};
    static const char *const passwords[] = {"first secret", "second secret", "unused secret"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        for (size_t j = 0; j < ARRAY_LEN(passwords); j++)
            assert_false(file_holds(files[i], passwords[j]));
    assert_true(file_holds("trunk-auth.db-wal", "192.0.2.77"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(nothing_given_changes_nothing),
        CASE(each_field_by_itself),
        CASE(refused_changes),
        CASE(a_new_address_must_be_free),
        CASE(an_expired_claim_must_be_free_to_come_back),
        CASE(a_new_password_replaces_at_once),
        CASE(rotation_keeps_the_old_password_for_a_while),
        CASE(refused_rotations),
        CASE(two_rotations_at_once),
        CASE(a_method_that_goes_while_its_password_is_hashed),
        CASE(without_a_seal_there_are_no_digests),
        CASE(no_password_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
