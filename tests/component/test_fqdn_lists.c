/* Lists of connections and FQDNs: orders, pages, filters, whose rows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/fqdn_desk.h"

#include <string.h>

enum { COUNT = 23 };

static desk_t desk;
static char ids[COUNT][UUID_SIZE];

/* Names that no order of making would give; every third is inactive, every other has v1's none. */
static void add(unsigned i)
{
    char body[160];
    assert_int_equal(
        text_format(body, sizeof(body), "{'connection_name': '%s %02u_100%%', 'active': %s}",
                    i % 2 == 0 ? "Office" : "office", i * 7 % COUNT, i % 3 == 0 ? "false" : "true"),
        STATUS_OK);
    assert_int_equal(
        desk_ask(&desk, i % 2 == 0 ? CONNECTION_V1_CREATE : CONNECTION_V2_CREATE, NULL, NULL, body),
        OUTCOME_CREATED);
    fqdn_desk_id(&desk, ids[i]);
}

static int set_up(void **state)
{
    (void)state;
    fqdn_desk_open(&desk, false);
    for (unsigned i = 0; i < COUNT; i++)
        add(i);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    char theirs[UUID_SIZE];
    fqdn_desk_connection_v1(&desk, theirs);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_ORGANIZATION);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static json_t *ask(unsigned operation, const char *query)
{
    assert_int_equal(desk_ask(&desk, operation, NULL, NULL, query), OUTCOME_OK);
    return desk.body;
}

static const char *id_at(const json_t *rows, size_t i)
{
    return json_string_value(json_object_get(json_array_get(rows, i), "id"));
}

static void newest_first(void **state)
{
    (void)state;
    json_t *rows = ask(CONNECTION_V1_LIST, "");
    assert_int_equal(json_array_size(rows), COUNT);
    assert_false(json_object_get(json_array_get(rows, 0), "fqdns") != NULL);
    assert_false(json_object_get(json_array_get(rows, 0), "fqdn_authentication") != NULL);
    for (size_t i = 0; i < COUNT; i++)
        assert_string_equal(id_at(rows, i), ids[COUNT - 1 - i]);
    rows = ask(CONNECTION_V1_LIST, "sort_direction=reverse&limit=2&offset=1");
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(id_at(rows, 0), ids[1]);
    assert_int_equal(desk.next_offset, 3);
    assert_true(desk.was_quick);
    rows = ask(CONNECTION_V2_LIST, "");
    assert_int_equal(json_array_size(rows), COUNT);
    assert_int_equal(desk.total, COUNT);
    assert_string_equal(id_at(rows, 0), ids[COUNT - 1]);
    assert_true(desk.was_quick);
}

/* Pages of every size and order, joined, are the same rows in the same order as one page. */
static void pages_join_to_the_whole(void **state)
{
    (void)state;
    static const char *const sorts[] = {"created_at",       "-created_at", "connection_name",
                                        "-connection_name", "active",      "-active"};
    static const int sizes[] = {1, 4, 11, 12, 22, 23};
    char query[96];
    for (size_t s = 0; s < ARRAY_LEN(sorts); s++) {
        assert_int_equal(text_format(query, sizeof(query), "sort=%s", sorts[s]), STATUS_OK);
        json_t *whole = json_incref(ask(CONNECTION_V2_LIST, query));
        for (size_t z = 0; z < ARRAY_LEN(sizes); z++) {
            json_t *joined = json_array();
            for (int number = 1; json_array_size(joined) < COUNT; number++) {
                assert_int_equal(text_format(query, sizeof(query),
                                             "sort=%s&page[number]=%d&page[size]=%d", sorts[s],
                                             number, sizes[z]),
                                 STATUS_OK);
                assert_true(json_array_size(ask(CONNECTION_V2_LIST, query)) > 0);
                json_array_extend(joined, desk.body);
            }
            assert_true(json_equal(joined, whole));
            json_decref(joined);
        }
        json_decref(whole);
    }
}

static const char *name_at(const json_t *rows, size_t i)
{
    return json_string_value(json_object_get(json_array_get(rows, i), "connection_name"));
}

static void orders(void **state)
{
    (void)state;
    json_t *rows = ask(CONNECTION_V2_LIST, "sort=connection_name");
    assert_string_equal(name_at(rows, 0) + 7, "00_100%");
    assert_string_equal(name_at(rows, COUNT - 1) + 7, "22_100%");
    rows = ask(CONNECTION_V1_LIST, "order_by=connection_name&sort_direction=reverse");
    assert_string_equal(name_at(rows, 0) + 7, "22_100%");
    rows = ask(CONNECTION_V1_LIST, "order_by=active");
    assert_true(json_is_false(json_object_get(json_array_get(rows, 0), "active")));
    assert_true(json_is_true(json_object_get(json_array_get(rows, COUNT - 1), "active")));
    rows = ask(CONNECTION_V1_LIST, "order_by=auth_type&sort_direction=reverse");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "auth_type")),
                        "fqdn");
    assert_true(json_is_null(json_object_get(json_array_get(rows, COUNT - 1), "auth_type")));
}

static void past_the_end(void **state)
{
    (void)state;
    assert_int_equal(
        json_array_size(ask(CONNECTION_V2_LIST, "page[number]=2147483647&page[size]=250")), 0);
    assert_int_equal(desk.total, COUNT);
    assert_int_equal(
        json_array_size(ask(CONNECTION_V2_LIST, "page[number]=9&filter[connection_name]"
                                                "[contains]=office")),
        0);
    assert_int_equal(desk.total, COUNT);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "page[number]=2")), 0);
    assert_int_equal(json_array_size(ask(CONNECTION_V1_LIST, "limit=5&offset=100")), 0);
    assert_int_equal(desk.next_offset, -1);
}

/* Who turns pages by age meets every row that was there once, whatever comes in between. */
static void rows_that_come_do_not_shift_pages_by_age(void **state)
{
    (void)state;
    char query[64], more[UUID_SIZE];
    size_t seen = 0;
    for (int number = 1; number <= 5; number++) {
        assert_int_equal(text_format(query, sizeof(query),
                                     "sort=created_at&page[number]=%d&page[size]=5", number),
                         STATUS_OK);
        json_t *rows = ask(CONNECTION_V2_LIST, query);
        for (size_t i = 0; i < json_array_size(rows) && seen < COUNT; i++)
            assert_string_equal(id_at(rows, i), ids[seen++]);
        if (number % 2 == 0)
            desk.now_utc_ms -= 5000; /* a clock that was set back */
        fqdn_desk_connection_v2(&desk, more);
    }
    assert_int_equal(seen, COUNT);
}

static void filters(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        {"filter[connection_name][contains]=OFFICE", COUNT},
        {"filter[connection_name][contains]=%2007_", 1},
        {"filter[connection_name][contains]=_100%25", COUNT},
        {"filter[connection_name][contains]=0%25%25", 0},
        {"filter[connection_name][contains]=office&page[size]=3", 3},
        {"filter[fqdn]=nobody.example", 0},
        {"filter[fqdn]=PBX.example", 1},
        {"filter[fqdn]=pbx.exampl", 0},
        {"filter[fqdn]=pbx.example&filter[connection_name][contains]=zzz", 0},
    };
    char body[160];
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'connection_id': '%s', 'fqdn': 'pbx.example', "
                                 "'dns_record_type': 'srv'}",
                                 ids[4]),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, FQDN_V1_CREATE, NULL, NULL, body), OUTCOME_CREATED);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t count = json_array_size(ask(CONNECTION_V2_LIST, cases[i].query));
        if (count != cases[i].count)
            fail_msg("%s: %zu rows", cases[i].query, count);
        assert_false(desk.was_quick);
    }
    assert_string_equal(id_at(ask(CONNECTION_V2_LIST, "filter[fqdn]=pbx.example"), 0), ids[4]);
    json_t *rows = ask(CONNECTION_V1_LIST, "with_fqdns=true&with_auth=true&sort_direction=reverse");
    assert_int_equal(json_array_size(json_object_get(json_array_get(rows, 4), "fqdns")), 1);
    assert_int_equal(json_array_size(json_object_get(json_array_get(rows, 5), "fqdns")), 0);
    assert_true(json_is_object(json_object_get(json_array_get(rows, 5), "fqdn_authentication")));
    assert_true(json_is_null(json_object_get(json_array_get(rows, 4), "fqdn_authentication")));
}

static void fqdn_lists(void **state)
{
    (void)state;
    char body[192], query[128];
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(text_format(body, sizeof(body),
                                     "{'connection_id': '%s', 'fqdn': 'h%u.example', "
                                     "'dns_record_type': '%s'}",
                                     ids[i / 3], i, i % 2 == 0 ? "a" : "srv"),
                         STATUS_OK);
        assert_int_equal(desk_ask(&desk, FQDN_V2_CREATE, NULL, NULL, body), OUTCOME_CREATED);
    }
    assert_int_equal(json_array_size(ask(FQDN_V1_LIST, "")), 6);
    assert_int_equal(json_array_size(ask(FQDN_V1_LIST, "limit=4")), 4);
    assert_int_equal(desk.next_offset, 4);
    assert_string_equal(json_string_value(json_object_get(json_array_get(desk.body, 0), "fqdn")),
                        "h5.example");
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "page[size]=4&page[number]=2")), 2);
    assert_int_equal(desk.total, 6);
    assert_string_equal(json_string_value(json_object_get(json_array_get(desk.body, 1), "fqdn")),
                        "h0.example");
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "filter[dns_record_type]=a")), 3);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "filter[port]=5060")), 3);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "filter[fqdn]=H1.example")), 1);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "filter[connection_id]=nonsense")), 0);
    char longer[128] = "filter[connection_id]=";
    memset(longer + strlen(longer), 'x', 100);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, longer)), 0);
    assert_int_equal(text_format(query, sizeof(query),
                                 "filter[connection_id]=%s&filter[dns_record_type]=srv", ids[1]),
                     STATUS_OK);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, query)), 2);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, query)), 0);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "")), 0);
    assert_int_equal(json_array_size(ask(FQDN_V1_LIST, "")), 0);
}

/* Every filter with every other finds what its parts have in common, for whoever asks. */
static void filters_join(void **state)
{
    (void)state;
    char body[192], query[256];
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(text_format(body, sizeof(body),
                                     "{'connection_id': '%s', 'fqdn': 'h%u.example', "
                                     "'dns_record_type': 'a', 'port': %u}",
                                     ids[i / 4], i % 2, 5060 + i / 2 % 2),
                         STATUS_OK);
        assert_int_equal(desk_ask(&desk, FQDN_V2_CREATE, NULL, NULL, body), OUTCOME_CREATED);
    }
    for (unsigned asks = 0; asks < 16; asks++) {
        bool by_connection = asks % 2 == 1, by_fqdn = asks / 2 % 2 == 1,
             by_port = asks / 4 % 2 == 1;
        desk.principal.is_operator = asks / 8 == 1;
        assert_int_equal(text_format(query, sizeof(query), "filter[dns_record_type]=a%s%s%s%s",
                                     by_connection ? "&filter[connection_id]=" : "",
                                     by_connection ? ids[1] : "",
                                     by_fqdn ? "&filter[fqdn]=h1.example" : "",
                                     by_port ? "&filter[port]=5061" : ""),
                         STATUS_OK);
        unsigned count = 8U >> (by_connection + by_fqdn + by_port);
        assert_int_equal(json_array_size(ask(FQDN_V2_LIST, query)), count);
        assert_int_equal(desk.total, count);
    }
    static const char both[] = "sort=-connection_name&filter[fqdn]=h0.example&"
                               "filter[connection_name][contains]=office";
    assert_int_equal(json_array_size(ask(CONNECTION_V2_LIST, both)), 2);
    assert_string_equal(id_at(desk.body, 0), ids[1]);
    desk.principal.is_operator = false;
    assert_int_equal(json_array_size(ask(CONNECTION_V2_LIST, both)), 2);
    text_cut(desk.principal.organization_id, UUID_SIZE, DESK_OTHERS);
    assert_int_equal(json_array_size(ask(CONNECTION_V2_LIST, both)), 0);
    assert_int_equal(json_array_size(ask(FQDN_V2_LIST, "filter[fqdn]=h0.example")), 0);
}

static void operators_see_all(void **state)
{
    (void)state;
    desk.principal.is_operator = true;
    static const char *const sorts[] = {"", "sort=connection_name", "sort=-active&page[size]=13",
                                        "sort=-active&page[size]=13&page[number]=2"};
    static const size_t counts[] = {COUNT + 1, COUNT + 1, 13, COUNT + 1 - 13};
    for (size_t i = 0; i < ARRAY_LEN(sorts); i++) {
        assert_int_equal(json_array_size(ask(CONNECTION_V2_LIST, sorts[i])), counts[i]);
        assert_int_equal(desk.total, COUNT + 1);
    }
    assert_int_equal(json_array_size(ask(CONNECTION_V1_LIST, "order_by=auth_type")), COUNT + 1);
    assert_int_equal(json_array_size(ask(CONNECTION_V2_LIST, "filter[connection_name][contains]="
                                                             "head")),
                     1);
}

static void long_pages_leave_the_link(void **state)
{
    (void)state;
    char more[UUID_SIZE];
    for (unsigned i = COUNT; i <= 100; i++)
        fqdn_desk_connection_v2(&desk, more);
    assert_int_equal(json_array_size(ask(CONNECTION_V2_LIST, "page[size]=100")), 100);
    assert_true(desk.was_quick);
    assert_int_equal(json_array_size(ask(CONNECTION_V2_LIST, "")), 101);
    assert_false(desk.was_quick);
}

static void bad_queries(void **state)
{
    (void)state;
    static const struct {
        unsigned operation;
        const char *query, *fault;
    } cases[] = {
        {CONNECTION_V1_LIST, "order_by=id", "choice order_by"},
        {CONNECTION_V1_LIST, "sort_direction=up", "choice sort_direction"},
        {CONNECTION_V1_LIST, "with_fqdns=maybe", "type with_fqdns"},
        {CONNECTION_V1_LIST, "limit=0", "range limit"},
        {CONNECTION_V2_LIST, "sort=auth_type", "choice sort"},
        {CONNECTION_V2_LIST, "page[size]=251", "range page[size]"},
        {CONNECTION_V2_LIST, "page[number]=0", "range page[number]"},
        {CONNECTION_V2_LIST, "filter[connection_name][contains]=ab",
         "range filter[connection_name][contains]"},
        {FQDN_V2_LIST, "filter[port]=http", "type filter[port]"},
        {FQDN_V2_LIST, "filter[dns_record_type]=mx", "choice filter[dns_record_type]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(desk_ask(&desk, cases[i].operation, NULL, NULL, cases[i].query),
                         OUTCOME_BAD_QUERY);
        assert_string_equal(desk_fault(&desk), cases[i].fault);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(newest_first),
        CASE(pages_join_to_the_whole),
        CASE(orders),
        CASE(past_the_end),
        CASE(rows_that_come_do_not_shift_pages_by_age),
        CASE(filters),
        CASE(fqdn_lists),
        CASE(operators_see_all),
        CASE(filters_join),
        CASE(long_pages_leave_the_link),
        CASE(bad_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
