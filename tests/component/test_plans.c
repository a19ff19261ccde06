/* How SQLite goes about every statement of every service: an index leads to the rows, and nothing
 * is sorted whose size a client can grow. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "tests/support/migrated.h"
#include "tests/support/scratch.h"

#include <sqlite3.h>
#include <string.h>

extern const store_spec_t auth_provider_store, fqdn_auth_store, trunk_auth_store;

static bool holds(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* Of trunk-auth, for call authorization: every range, every user. */
static bool is_whole_list(const char *sql)
{
    return holds(sql, "m.claimed_until > $1 AND m.enabled = 1") ||
           holds(sql, "m.username_key IS NOT NULL AND m.enabled = 1");
}

/* What may be sorted: the rows of one page, to turn them round; the certificates of one provider,
 * which has few; the connections that have an FQDN in common; an organization's part of a list that
 * servers load, in the slow pool, rather than to walk everybody's. */
static bool may_sort(const char *sql, const char *plan)
{
    return holds(plan, "SCAN page") || holds(sql, "FROM certificate WHERE provider_id = $1") ||
           holds(sql, "(SELECT connection_id FROM fqdn WHERE") ||
           (is_whole_list(sql) && holds(sql, "t.organization_id = $2"));
}

/* What may walk a table: rows that are no table's; an operator's list in the order of an index, up
 * to its limit, or all of it; an operator's filter that no index leads to, for it counts
 * everybody's. */
static bool may_walk(const char *sql, const char *step)
{
    bool in_order =
        holds(step, " INDEX ") && holds(sql, " LIMIT ") && !holds(sql, "organization_id = $1");
    bool counts = holds(sql, "SELECT COUNT(*)") &&
                  holds(sql, "CAST($1 AS TEXT) IS NULL AND "
                             "CAST($2 AS TEXT) IS NULL") &&
                  !holds(sql, "fqdn = $3");
    bool whole = holds(step, " INDEX ") && is_whole_list(sql) && !holds(sql, "organization_id =");
    return whole || holds(step, "CONSTANT ROW") || holds(step, "SCAN page") || in_order || counts;
}

static void look_at(sqlite3 *db, const char *sql)
{
    char explain[4096], plan[4096] = "";
    sqlite3_stmt *steps = NULL;
    bool good = true;
    assert_int_equal(text_format(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql),
                     STATUS_OK);
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &steps, NULL), SQLITE_OK);
    while (sqlite3_step(steps) == SQLITE_ROW) {
        const void *step = sqlite3_column_text(steps, 3);
        size_t length = strlen(plan);
        assert_int_equal(
            text_format(plan + length, sizeof(plan) - length, "%s\n", (const char *)step),
            STATUS_OK);
        good = good && (!holds(step, "SCAN") || may_walk(sql, step));
    }
    (void)sqlite3_finalize(steps);
    if (!good || (holds(plan, "TEMP B-TREE") && !may_sort(sql, plan)))
        fail_msg("%s\n%s", sql, plan);
}

static void look_at_all(const store_spec_t *spec)
{
    scratch_t scratch = scratch_make();
    char path[STORE_PATH_SIZE];
    err_t err = {0};
    sqlite3 *db = NULL;
    assert_int_equal(migrate_once(spec, scratch.path, NULL, &err), STATUS_OK);
    assert_int_equal(store_path(spec, scratch.path, path, &err), STATUS_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_true(spec->statement_count > 0);
    for (size_t i = 0; i < spec->statement_count; i++)
        look_at(db, spec->statements[i]);
    (void)sqlite3_close(db);
    scratch_remove(&scratch);
}

static void of_auth_provider(void **state)
{
    (void)state;
    look_at_all(&auth_provider_store);
}

static void of_fqdn_auth(void **state)
{
    (void)state;
    look_at_all(&fqdn_auth_store);
}

static void of_trunk_auth(void **state)
{
    (void)state;
    look_at_all(&trunk_auth_store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_auth_provider),
        cmocka_unit_test(of_fqdn_auth),
        cmocka_unit_test(of_trunk_auth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
