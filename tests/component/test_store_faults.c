/* Every store function with the Nth SQLite call failing, N = 1, 2, ... until it passes: no crash,
 * no leak (under ASan), the right status, outputs untouched, and the connection serves on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/store.h"
#include "tests/component/sample_store.h"
#include "tests/support/migrated.h"
#include "tests/support/scratch.h"
#include "tests/support/sqlite_fault.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    scratch_t scratch;
    store_t *writer;
    store_t *reader;
    err_t err;
    int met; /* runs that met a failure */
    int rows;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    f->scratch = scratch_make();
    *state = f;
    return migrate_once(&sample_spec, f->scratch.path, NULL, &f->err) == STATUS_OK &&
                   store_open(&sample_spec, f->scratch.path, STORE_WRITER, &f->writer, &f->err) ==
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

static status_t open_writer(void *context)
{
    fixture_t *f = context;
    store_close(&f->writer);
    return store_open(&sample_spec, f->scratch.path, STORE_WRITER, &f->writer, &f->err);
}

static void is_not_open(void *context, int code, status_t status)
{
    fixture_t *f = context;
    assert_int_equal(status, sqlite_fault_status(code));
    assert_int_equal(f->err.status, status);
    assert_null(f->writer);
    f->met++;
}

static void opening(void **state)
{
    fixture_t *f = *state;
    sqlite_fault_each(open_writer, is_not_open, f);
    assert_true(f->met > 5 * SAMPLE_STATEMENT_COUNT);
    assert_non_null(f->writer);
}

static status_t migrate_afresh(void *context)
{
    fixture_t *f = context;
    scratch_remove(&f->scratch);
    f->scratch = scratch_make();
    return migrate_once(&sample_spec, f->scratch.path, NULL, &f->err);
}

static void can_be_repeated(void *context, int code, status_t status)
{
    fixture_t *f = context;
    assert_int_equal(status, sqlite_fault_status(code));
    assert_int_equal(migrate_once(&sample_spec, f->scratch.path, NULL, &f->err), STATUS_OK);
    store_t *store = NULL;
    assert_int_equal(store_open(&sample_spec, f->scratch.path, STORE_READER, &store, &f->err),
                     STATUS_OK);
    assert_true(sample_has(store, "from-003"));
    store_close(&store);
    f->met++;
}

static void migrating(void **state)
{
    fixture_t *f = *state;
    store_close(&f->writer);
    store_close(&f->reader);
    sqlite_fault_each(migrate_afresh, can_be_repeated, f);
    assert_true(f->met > 5 * 12);
}

static status_t read_twice(void *context)
{
    fixture_t *f = context;
    status_t status = store_begin_read(f->reader, &f->err);
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        AUTO(query_end) query_t *query = store_query(f->reader, PARENT_GET);
        query_text(query, 1, "from-003");
        bool found = false;
        status = query_step(query, &found, &f->err);
        assert_true(found == (status == STATUS_OK));
    }
    store_end_read(f->reader);
    return status;
}

/* A failure in the COMMIT that ends a read harms nobody: read_twice is then right to be content. */
static void reads_on(void *context, int code, status_t status)
{
    fixture_t *f = context;
    assert_true(status == sqlite_fault_status(code) || status == STATUS_OK);
    assert_true(sample_has(f->reader, "from-003"));
    assert_int_equal(read_twice(f), STATUS_OK);
    f->met++;
}

static void reading(void **state)
{
    fixture_t *f = *state;
    sqlite_fault_each(read_twice, reads_on, f);
    assert_int_equal(f->met, 5 * (3 + 2 * 2));
}

/* A group of two requests under savepoints: the first fails by a rule and is undone. */
static status_t write_group(void *context)
{
    fixture_t *f = context;
    char id[16];
    (void)snprintf(id, sizeof(id), "row-%d", ++f->rows);
    status_t status = store_begin(f->writer, &f->err);
    if (status != STATUS_OK)
        return status;
    status = store_save(f->writer, &f->err);
    if (status == STATUS_OK) {
        status = sample_insert(f->writer, "from-003", &f->err);
        store_undo(f->writer);
        if (status == STATUS_CONFLICT)
            status = store_save(f->writer, &f->err);
    }
    if (status == STATUS_OK)
        status = sample_insert(f->writer, id, &f->err);
    if (status == STATUS_OK)
        status = store_keep(f->writer, &f->err);
    if (status != STATUS_OK) {
        store_rollback(f->writer);
        return status;
    }
    return store_commit(f->writer, &f->err);
}

/* Failed: nothing stored. Not failed: all stored. Then the connection writes and reads on. */
static void wrote_nothing(void *context, int code, status_t status)
{
    fixture_t *f = context;
    char id[16];
    (void)snprintf(id, sizeof(id), "row-%d", f->rows);
    assert_int_equal(status, sqlite_fault_status(code));
    assert_int_equal(f->err.status, status);
    assert_false(sample_has(f->reader, id));
    assert_int_equal(write_group(f), STATUS_OK);
    (void)snprintf(id, sizeof(id), "row-%d", f->rows);
    assert_true(sample_has(f->reader, id));
    f->met++;
}

static void writing(void **state)
{
    fixture_t *f = *state;
    sqlite_fault_each(write_group, wrote_nothing, f);
    assert_true(f->met >= 5 * 16);
}

static status_t rollback(void *context)
{
    fixture_t *f = context;
    char id[16];
    (void)snprintf(id, sizeof(id), "row-%d", ++f->rows);
    status_t status = store_begin(f->writer, &f->err);
    if (status == STATUS_OK)
        status = sample_insert(f->writer, id, &f->err);
    store_rollback(f->writer);
    return status;
}

static void nothing_leaks_into_the_next(void *context, int code, status_t status)
{
    fixture_t *f = context;
    char id[16];
    (void)snprintf(id, sizeof(id), "row-%d", f->rows);
    assert_true(status == sqlite_fault_status(code) || status == STATUS_OK);
    assert_int_equal(store_commit(f->writer, &f->err),
                     STATUS_SYSTEM); /* a doomed one least of all */
    assert_int_equal(write_group(f), STATUS_OK);
    assert_false(sample_has(f->reader, id));
    f->met++;
}

static void rolling_back(void **state)
{
    fixture_t *f = *state;
    sqlite_fault_each(rollback, nothing_leaks_into_the_next, f);
    assert_true(f->met > 5 * 6);
}

static status_t checkpoint(void *context)
{
    fixture_t *f = context;
    return store_checkpoint(f->writer, 0, &f->err);
}

static void may_be_repeated(void *context, int code, status_t status)
{
    fixture_t *f = context;
    assert_int_equal(status, sqlite_fault_status(code));
    assert_int_equal(store_checkpoint(f->writer, 0, &f->err), STATUS_OK);
    f->met++;
}

static void checkpointing(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(write_group(f), STATUS_OK);
    sqlite_fault_each(checkpoint, may_be_repeated, f);
    assert_int_equal(f->met, 5);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(opening), WITH_STORE(migrating),    WITH_STORE(reading),
        WITH_STORE(writing), WITH_STORE(rolling_back), WITH_STORE(checkpointing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
