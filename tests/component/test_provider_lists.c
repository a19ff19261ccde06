/* Lists of authentication providers: pages, orders, totals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/auth_provider.h"
#include "tests/support/provider_desk.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 23, THEIRS = 4 };

#define FORMAT(out, ...) assert_int_equal(text_format(out, sizeof(out), __VA_ARGS__), STATUS_OK)

static desk_t desk;
static char ids[ROWS][UUID_SIZE];

static void be(const char *organization, bool is_operator)
{
    text_cut(desk.principal.organization_id, UUID_SIZE, organization);
    desk.principal.is_operator = is_operator;
}

/* Names in another order than ages, cases mixed; some inactive; some changed later. */
static int set_up(void **state)
{
    (void)state;
    provider_desk_open(&desk);
    for (int i = 0; i < ROWS + THEIRS; i++) {
        char id[UUID_SIZE], short_name[16], body[128];
        be(i < ROWS ? DESK_ORGANIZATION : DESK_OTHERS, false);
        FORMAT(short_name, "p%02d", i * 7 % 31);
        desk_provider(&desk, short_name, id);
        desk.now_utc_ms += i % 3; /* often the same millisecond */
        FORMAT(body, "{'name': '%c%d', 'active': %s}", (i % 2 == 0 ? 'a' : 'A') + i * 5 % 13, i,
               i % 3 == 0 ? "false" : "true");
        if (i % 4 != 0 && desk_ask(&desk, PROVIDER_CHANGE, id, NULL, body) != OUTCOME_OK)
            abort();
        if (i < ROWS)
            text_cut(ids[i], UUID_SIZE, id);
    }
    be(DESK_ORGANIZATION, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provider_desk_close(&desk);
    return 0;
}

static void ask_page(const char *sort, int number, int size)
{
    char query[96];
    FORMAT(query, "sort=%s&page[number]=%d&page%%5Bsize%%5D=%d", sort, number, size);
    assert_int_equal(desk_ask(&desk, PROVIDER_LIST, NULL, NULL, query), OUTCOME_OK);
}

/* What a row is sorted by, as text that compares the same way. */
static const char *key_of(const json_t *row, const char *member)
{
    static char key[2][320];
    static unsigned turn;
    unsigned at = turn++ % 2;
    const json_t *value = json_object_get(row, member);
    const char *text =
        json_is_boolean(value) ? (json_is_true(value) ? "1" : "0") : json_string_value(value);
    FORMAT(key[at], "%s %s", text, json_string_value(json_object_get(row, "id")));
    if (strcmp(member, "name") == 0)
        text_fold(key[at], key[at], strlen(key[at]));
    return key[at];
}

static void assert_in_order(const json_t *rows, const char *sort)
{
    bool down = sort[0] == '-';
    for (size_t i = 1; i < json_array_size(rows); i++) {
        const char *before = key_of(json_array_get(rows, i - 1), sort + down);
        const char *after = key_of(json_array_get(rows, i), sort + down);
        int compared = strcmp(before, after);
        if (down ? compared <= 0 : compared >= 0)
            fail_msg("%s: %s, then %s", sort, before, after);
    }
}

static void pages_join_to_the_whole(const char *sort, int size, size_t total)
{
    json_t *joined = json_array();
    for (int number = 1; (size_t)(number - 1) * (size_t)size < total; number++) {
        ask_page(sort, number, size);
        assert_int_equal(desk.total, total);
        assert_true(desk_count(&desk) > 0 && desk_count(&desk) <= (size_t)size);
        json_array_extend(joined, desk.body);
    }
    assert_int_equal(json_array_size(joined), total);
    assert_in_order(joined, sort);
    ask_page(sort, 1, 250);
    assert_true(json_equal(joined, desk.body));
    json_decref(joined);
}

static void every_order_has_every_row_once(void **state)
{
    (void)state;
    const field_t *row = &provider_query_schema.rows[PROVIDER_QUERY_SORT];
    static const int sizes[] = {1, 4, 5, 20, 23};
    for (int sort = 0; sort < PROVIDER_SORTS; sort++)
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            be(DESK_ORGANIZATION, false);
            pages_join_to_the_whole(row->words[sort], sizes[i], ROWS);
            be(DESK_ORGANIZATION, true);
            pages_join_to_the_whole(row->words[sort], sizes[i], ROWS + THEIRS);
        }
}

static void the_latest_come_first_by_default(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, PROVIDER_LIST, NULL, NULL, NULL), OUTCOME_OK);
    assert_int_equal(desk_count(&desk), 20);
    assert_true(desk.was_quick);
    for (size_t i = 0; i < 20; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(desk.body, i), "id")),
                            ids[ROWS - 1 - i]);
}

static void past_the_end_is_nothing(void **state)
{
    (void)state;
    ask_page("name", 2147483647, 250);
    assert_int_equal(desk_count(&desk), 0);
    assert_int_equal(desk.total, ROWS);
    be("01900000-0000-7000-8000-0000000000ff", false);
    ask_page("name", 1, 20);
    assert_int_equal(desk_count(&desk), 0);
    assert_int_equal(desk.total, 0);
}

static void totals_follow_every_change(void **state)
{
    (void)state;
    assert_int_equal(desk_ask(&desk, PROVIDER_DELETE, ids[3], NULL, NULL), OUTCOME_OK);
    ask_page("name", 1, 1);
    assert_int_equal(desk.total, ROWS - 1);
    be(DESK_ORGANIZATION, true);
    ask_page("name", 1, 1);
    assert_int_equal(desk.total, ROWS + THEIRS - 1);
    assert_int_equal(desk_query(&desk, "SELECT total FROM page_total WHERE owner = ''"),
                     desk_query(&desk, "SELECT count(*) FROM provider"));
}

/* However the clock goes, no two share a moment, and the later one has the later. */
static void stamps_rise(void **state)
{
    (void)state;
    char id[UUID_SIZE];
    desk.now_utc_ms -= 5000;
    desk_provider(&desk, "late", id);
    assert_int_equal(desk_query(&desk, "SELECT count(DISTINCT created_at) FROM provider"),
                     ROWS + THEIRS + 1);
    ask_page("created_at", 24, 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(desk.body, 0), "id")), id);
    ask_page("-created_at", 1, 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(desk.body, 0), "id")), id);
}

/* Who turns pages by time of creation while providers are made meets the old ones once. */
static void inserts_neither_repeat_nor_hide(void **state)
{
    (void)state;
    int met = 0;
    for (int number = 1; number <= 8; number++) {
        char short_name[16], id[UUID_SIZE];
        ask_page("created_at", number, 3);
        for (size_t i = 0; i < desk_count(&desk) && met < ROWS; i++, met++)
            assert_string_equal(
                json_string_value(json_object_get(json_array_get(desk.body, i), "id")), ids[met]);
        FORMAT(short_name, "new%d", number);
        desk_provider(&desk, short_name, id);
    }
    assert_int_equal(met, ROWS);
}

/* What takes long leaves the link thread: rows to skip, and bytes to write. */
static void long_ways_go_to_the_slow_pool(void **state)
{
    (void)state;
    enum { MORE = 24000 };
    (void)desk_query(
        &desk, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24000) "
               "INSERT INTO provider SELECT printf('%08x-0000-7000-8000-000000000000', i), "
               "organization_id, 'n', 'n', 'n' || i, 0, NULL, NULL, idp_cert_fingerprint, 'sha1', "
               "NULL, idp_entity_id, NULL, idp_sso_target_url, 'x', NULL, NULL, created_at + i, "
               "created_at, 0, 0, 0, 0, NULL, NULL, NULL FROM n, (SELECT * FROM provider WHERE "
               "short_name = 'p00') RETURNING 1");
    (void)desk_query(&desk, "UPDATE page_total SET total = total + 24000 WHERE owner = "
                            "(SELECT organization_id FROM provider WHERE short_name = 'p00') "
                            "RETURNING 1");
    ask_page("created_at", 1, 250);
    assert_true(desk.was_quick);
    assert_int_equal(desk.total, ROWS + MORE);
    ask_page("created_at", 96, 250);
    assert_true(desk.was_quick);
    ask_page("created_at", 48, 250);
    assert_false(desk.was_quick);
    assert_int_equal(desk_count(&desk), 250);
    (void)desk_query(&desk,
                     "UPDATE provider SET idp_entity_id = printf('%.1000c', 'x'), "
                     "idp_certificate = printf('%.20000c', 'x') WHERE id < '00000190' RETURNING 1");
    ask_page("created_at", 1, 20);
    assert_true(desk.was_quick);
    ask_page("created_at", 1, 250);
    assert_false(desk.was_quick);
    assert_int_equal(desk_count(&desk), 250);
}

static void faults_name_the_parameter(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"page[number]=0", "range page[number]"},
        {"page[size]=251", "range page[size]"},
        {"page[size]=0", "range page[size]"},
        {"page%5Bsize%5D=x", "type page[size]"},
        {"sort=email", "choice sort"},
        {"sort=--name", "choice sort"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(desk_ask(&desk, PROVIDER_LIST, NULL, NULL, cases[i][0]),
                         OUTCOME_BAD_QUERY);
        assert_string_equal(desk_fault(&desk), cases[i][1]);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(every_order_has_every_row_once),
        CASE(the_latest_come_first_by_default),
        CASE(past_the_end_is_nothing),
        CASE(totals_follow_every_change),
        CASE(stamps_rise),
        CASE(inserts_neither_repeat_nor_hide),
        CASE(long_ways_go_to_the_slow_pool),
        CASE(faults_name_the_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
