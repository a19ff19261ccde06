/* Connections, queries, transactions, savepoints and checkpoints on a real database. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/store.h"
#include "tests/component/sample_store.h"
#include "tests/support/migrated.h"
#include "tests/support/scratch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    scratch_t scratch;
    store_t *writer;
    store_t *reader;
    err_t err;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    f->scratch = scratch_make();
    *state = f;
    if (migrate_once(&sample_spec, f->scratch.path, NULL, &f->err) != STATUS_OK)
        return -1;
    return store_open(&sample_spec, f->scratch.path, STORE_WRITER, &f->writer, &f->err) ==
                       STATUS_OK &&
                   store_open(&sample_spec, f->scratch.path, STORE_READER, &f->reader, &f->err) ==
                       STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    store_close(&f->writer);
    store_close(&f->reader);
    scratch_remove(&f->scratch);
    free(f);
    return 0;
}

static void must(fixture_t *f, status_t status)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s: %s", status_name(status), f->err.where, f->err.text);
}

static void insert(fixture_t *f, const char *id)
{
    must(f, store_begin(f->writer, &f->err));
    must(f, sample_insert(f->writer, id, &f->err));
    must(f, store_commit(f->writer, &f->err));
}

static void values_come_back(void **state)
{
    fixture_t *f = *state;
    insert(f, "a");
    AUTO(query_end) query_t *query = store_query(f->reader, PARENT_GET);
    query_text(query, 1, "a");
    bool found = false;
    must(f, query_step(query, &found, &f->err));
    assert_true(found);
    size_t length = 99;
    assert_string_equal(query_column_text(query, 0, &length), "a");
    assert_int_equal(length, 1);
    assert_true(query_column_is_null(query, 2));
    assert_null(query_column_text(query, 2, &length));
    assert_int_equal(length, 0);
    assert_memory_equal(query_column_blob(query, 3, &length), "a", 1);
    assert_int_equal(query_column_number(query, 4), 7);
    char text[8];
    must(f, query_copy_text(query, 1, text, sizeof(text), &f->err));
    assert_string_equal(text, "a");
    must(f, query_copy_text(query, 2, text, sizeof(text), &f->err));
    assert_string_equal(text, "");
    memcpy(text, "kept", 5);
    assert_int_equal(query_copy_text(query, 1, text, 1, &f->err), STATUS_CORRUPT);
    assert_string_equal(text, "kept");
    assert_non_null(strstr(f->err.text, "name"));
    must(f, query_step(query, &found, &f->err));
    assert_false(found);
}

static void a_query_starts_with_nulls(void **state)
{
    fixture_t *f = *state;
    insert(f, "a");
    assert_true(sample_has(f->reader, "a"));
    AUTO(query_end) query_t *query = store_query(f->reader, PARENT_GET);
    bool found = true;
    must(f, query_step(query, &found, &f->err));
    assert_false(found); /* $1 is NULL, not the "a" of before */
}

static void an_ended_query_pins_nothing(void **state)
{
    fixture_t *f = *state;
    insert(f, "a");
    query_t *query = store_query(f->reader, PARENT_LIST);
    bool found = false;
    must(f, query_step(query, &found, &f->err));
    assert_true(found);
    insert(f, "b");
    assert_false(sample_has(f->reader, "b")); /* the open query pins the state of before */
    query_end(&query);
    assert_null(query);
    assert_true(sample_has(f->reader, "b"));
}

static void changes_are_counted(void **state)
{
    fixture_t *f = *state;
    insert(f, "a");
    must(f, store_begin(f->writer, &f->err));
    int64_t changes = -1;
    AUTO(query_end) query_t *rename = store_query(f->writer, PARENT_RENAME);
    query_text(rename, 1, "new");
    query_text(rename, 2, "a");
    must(f, query_run(rename, &changes, &f->err));
    assert_int_equal(changes, 1);
    rename = store_query(f->writer, PARENT_RENAME);
    query_text(rename, 1, "new");
    query_text(rename, 2, "nobody");
    must(f, query_run(rename, &changes, &f->err));
    assert_int_equal(changes, 0);
    AUTO(query_end) query_t *delete = store_query(f->writer, PARENT_DELETE);
    query_text(delete, 1, "a");
    bool row = false;
    must(f, query_step(delete, &row, &f->err));
    assert_true(row);
    assert_string_equal(query_column_text(delete, 0, NULL), "new");
    must(f, query_step(delete, &row, &f->err));
    assert_false(row);
    must(f, store_commit(f->writer, &f->err));
    assert_false(sample_has(f->reader, "a"));
}

static status_t insert_child(fixture_t *f, const char *id, const char *parent, int64_t place)
{
    AUTO(query_end) query_t *query = store_query(f->writer, CHILD_INSERT);
    query_text(query, 1, id);
    query_text(query, 2, parent);
    query_number_or_null(query, 3, place, place < 0);
    return query_run(query, NULL, &f->err);
}

static void broken_rules_are_named(void **state)
{
    fixture_t *f = *state;
    must(f, store_begin(f->writer, &f->err));
    must(f, sample_insert(f->writer, "a", &f->err));
    AUTO(query_end) query_t *same_id = store_query(f->writer, PARENT_INSERT);
    query_text(same_id, 1, "a");
    query_text(same_id, 2, "another name");
    query_number(same_id, 5, 7);
    assert_int_equal(query_run(same_id, NULL, &f->err), STATUS_CONFLICT);
    assert_string_equal(f->err.where, "parent.id");
    query_end(&same_id);
    assert_int_equal(sample_insert(f->writer, "A", &f->err), STATUS_CONFLICT);
    assert_string_equal(f->err.where, "parent_name");
    must(f, insert_child(f, "c", "a", 1));
    assert_int_equal(insert_child(f, "d", "a", 1), STATUS_CONFLICT);
    assert_string_equal(f->err.where, "child.parent_id, child.place");
    assert_int_equal(insert_child(f, "d", "nobody", 2), STATUS_CONFLICT);
    assert_int_equal(insert_child(f, "d", "a", -1), STATUS_SYSTEM);
    assert_string_equal(f->err.where, "child.place");
    AUTO(query_end) query_t *query = store_query(f->writer, PARENT_INSERT);
    query_text(query, 1, "b");
    query_text(query, 2, "b");
    query_number(query, 5, 1000);
    assert_int_equal(query_run(query, NULL, &f->err), STATUS_SYSTEM);
    assert_string_equal(f->err.where, "number_range");
    query_end(&query);
    must(f, insert_child(f, "e", "a", 5)); /* the transaction goes on */
    must(f, store_commit(f->writer, &f->err));
    assert_true(sample_has(f->reader, "a"));
}

static void wrong_binds_show_at_the_step(void **state)
{
    fixture_t *f = *state;
    AUTO(query_end) query_t *query = store_query(f->reader, PARENT_GET);
    query_text(query, 2, "there is no $2");
    query_text(query, 1, "a");
    bool found = true;
    assert_int_equal(query_step(query, &found, &f->err), STATUS_SYSTEM);
    assert_true(found);
    query_end(&query);
    assert_false(sample_has(f->reader, "a"));
}

static void a_reader_sees_one_state(void **state)
{
    fixture_t *f = *state;
    insert(f, "a");
    must(f, store_begin_read(f->reader, &f->err));
    assert_true(sample_has(f->reader, "a"));
    insert(f, "b");
    assert_false(sample_has(f->reader, "b"));
    store_end_read(f->reader);
    assert_true(sample_has(f->reader, "b"));
}

static void a_reader_cannot_write(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(sample_insert(f->reader, "a", &f->err), STATUS_SYSTEM);
    assert_false(sample_has(f->reader, "a"));
}

static void one_request_is_undone_alone(void **state)
{
    fixture_t *f = *state;
    must(f, store_begin(f->writer, &f->err));
    must(f, store_save(f->writer, &f->err));
    must(f, sample_insert(f->writer, "a", &f->err));
    must(f, store_keep(f->writer, &f->err));
    must(f, store_save(f->writer, &f->err));
    must(f, sample_insert(f->writer, "b", &f->err));
    assert_int_equal(sample_insert(f->writer, "a", &f->err), STATUS_CONFLICT);
    store_undo(f->writer);
    must(f, store_save(f->writer, &f->err));
    must(f, sample_insert(f->writer, "c", &f->err));
    must(f, store_keep(f->writer, &f->err));
    must(f, store_commit(f->writer, &f->err));
    assert_true(sample_has(f->reader, "a"));
    assert_false(sample_has(f->reader, "b"));
    assert_true(sample_has(f->reader, "c"));
}

static void nothing_of_a_rolled_back_transaction_stays(void **state)
{
    fixture_t *f = *state;
    must(f, store_begin(f->writer, &f->err));
    must(f, sample_insert(f->writer, "a", &f->err));
    store_rollback(f->writer);
    assert_false(sample_has(f->reader, "a"));
    assert_int_equal(store_commit(f->writer, &f->err), STATUS_SYSTEM);
    assert_int_equal(store_save(f->writer, &f->err), STATUS_SYSTEM);
    insert(f, "b");
    assert_true(sample_has(f->reader, "b"));
}

static void others_changes_show_in_data_version(void **state)
{
    fixture_t *f = *state;
    int64_t seen[2];
    for (int i = 0; i < 2; i++) {
        AUTO(query_end) query_t *query = store_query(f->reader, DATA_VERSION);
        bool found = false;
        must(f, query_step(query, &found, &f->err));
        seen[i] = query_column_number(query, 0);
        query_end(&query);
        if (i == 0)
            insert(f, "a");
    }
    assert_int_not_equal(seen[0], seen[1]);
}

static long long wal_size(const fixture_t *f)
{
    struct stat info;
    return stat(scratch_file(&f->scratch, "sample.db-wal"), &info) == 0 ? (long long)info.st_size
                                                                        : -1;
}

static long long database_size(const fixture_t *f)
{
    struct stat info;
    return stat(scratch_file(&f->scratch, "sample.db"), &info) == 0 ? (long long)info.st_size : -1;
}

static void write_rows(fixture_t *f, int64_t first, int64_t last)
{
    char padding[1001];
    memset(padding, 'p', sizeof(padding) - 1);
    padding[sizeof(padding) - 1] = '\0';
    must(f, store_begin(f->writer, &f->err));
    for (int64_t i = first; i <= last; i++) {
        AUTO(query_end) query_t *query = store_query(f->writer, WRITTEN_INSERT);
        query_number(query, 1, 1);
        query_number(query, 2, i);
        query_text(query, 3, padding);
        must(f, query_run(query, NULL, &f->err));
    }
    must(f, store_commit(f->writer, &f->err));
}

static void checkpoints_move_pages_only_when_asked_and_due(void **state)
{
    fixture_t *f = *state;
    long long before = database_size(f);
    for (int64_t i = 0; i < 60; i++)
        write_rows(f, i * 100, i * 100 + 99); /* over 1,500 pages: SQLite alone would checkpoint */
    assert_int_equal(database_size(f), before);
    must(f, store_checkpoint(f->writer, 100000, &f->err));
    assert_int_equal(database_size(f), before);
    must(f, store_checkpoint(f->writer, 1000, &f->err));
    assert_true(database_size(f) > before + 1500 * 4096LL);
    long long full = wal_size(f);
    write_rows(f, 10000, 10099); /* the WAL starts over */
    assert_true(wal_size(f) <= full);
    before = database_size(f);
    must(f, store_checkpoint(f->writer, 1000, &f->err));
    assert_int_equal(database_size(f), before); /* few pages wait now */
    must(f, store_checkpoint(f->writer, 0, &f->err));
    assert_true(database_size(f) > before);
}

static void a_reader_in_the_way_is_no_error(void **state)
{
    fixture_t *f = *state;
    insert(f, "a");
    must(f, store_begin_read(f->reader, &f->err));
    assert_true(sample_has(f->reader, "a"));
    for (int64_t i = 0; i < 8; i++) /* far beyond the size where the WAL is made to start over */
        write_rows(f, i * 10000, i * 10000 + 9999);
    must(f, store_checkpoint(f->writer, 1000, &f->err));
    store_end_read(f->reader);
    must(f, store_checkpoint(f->writer, 0, &f->err));
    write_rows(f, 100000, 100000);
    assert_true(wal_size(f) <= 16777216); /* journal_size_limit gives the room back */
}

static void statements_are_checked_when_opened(void **state)
{
    fixture_t *f = *state;
    static const struct {
        const char *sql;
        status_t status;
    } cases[] = {
        {"SELECT id FROM parent WHERE id = $1 AND name = $2", STATUS_OK},
        {"SELECT id FROM parent WHERE id = $2 AND name = $1", STATUS_INVALID},
        {"SELECT id FROM parent WHERE id = $2", STATUS_INVALID},
        {"SELECT id FROM parent WHERE id = ?", STATUS_INVALID},
        {"SELECT id FROM parent; SELECT 1", STATUS_INVALID},
        {"", STATUS_INVALID},
        {NULL, STATUS_INVALID},
        {"SELECT id FROM nowhere", STATUS_SYSTEM},
        {"SELECT \"not_a_column\" FROM parent", STATUS_SYSTEM},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        store_spec_t spec = sample_spec;
        spec.statements = &cases[i].sql;
        spec.statement_count = 1;
        AUTO(store_close) store_t *store = NULL;
        assert_int_equal(store_open(&spec, f->scratch.path, STORE_READER, &store, &f->err),
                         cases[i].status);
        assert_true((store == NULL) == (cases[i].status != STATUS_OK));
    }
}

static void only_the_right_version_is_opened(void **state)
{
    fixture_t *f = *state;
    store_t *store = NULL;
    store_spec_t spec = sample_spec;
    spec.migration_count = 2;
    assert_int_equal(store_open(&spec, f->scratch.path, STORE_READER, &store, &f->err),
                     STATUS_REFUSED);
    assert_non_null(strstr(f->err.text, "version 3"));
    assert_non_null(strstr(f->err.text, "version 2"));
    assert_int_equal(store_open(&sample_spec, "/nowhere", STORE_READER, &store, &f->err),
                     STATUS_SYSTEM);
    char longer[STORE_PATH_SIZE + 1];
    memset(longer, 'd', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(store_open(&sample_spec, longer, STORE_READER, &store, &f->err),
                     STATUS_TOO_LARGE);
    assert_null(store);
    store_close(&store);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(values_come_back),
        WITH_STORE(a_query_starts_with_nulls),
        WITH_STORE(an_ended_query_pins_nothing),
        WITH_STORE(changes_are_counted),
        WITH_STORE(broken_rules_are_named),
        WITH_STORE(wrong_binds_show_at_the_step),
        WITH_STORE(a_reader_sees_one_state),
        WITH_STORE(a_reader_cannot_write),
        WITH_STORE(one_request_is_undone_alone),
        WITH_STORE(nothing_of_a_rolled_back_transaction_stays),
        WITH_STORE(others_changes_show_in_data_version),
        WITH_STORE(checkpoints_move_pages_only_when_asked_and_due),
        WITH_STORE(a_reader_in_the_way_is_no_error),
        WITH_STORE(statements_are_checked_when_opened),
        WITH_STORE(only_the_right_version_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
