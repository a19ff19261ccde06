/* Databases at start: made, upgraded once by however many, refused when newer or damaged. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/file.h"
#include "sample_migrations.h"
#include "services/common/gate.h"
#include "tests/component/sample_store.h"
#include "tests/support/migrated.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static scratch_t scratch;

static int set_up(void **state)
{
    (void)state;
    scratch = scratch_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

static void must_migrate(const store_spec_t *spec)
{
    err_t err = {0};
    if (migrate_once(spec, scratch.path, NULL, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
}

static void files_are_embedded_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"001-parent.sql", "002-child.sql", "003-written.sql"};
    assert_int_equal(sample_migration_count, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(sample_migrations[i].number, (int)i + 1);
        assert_string_equal(sample_migrations[i].name, names[i]);
    }
    /* Byte by byte what the file holds. */
    char path[512];
    char text[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", SAMPLE_FOLDER, names[0]);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(file, text, sizeof(text) - 1);
    (void)close(file);
    assert_true(length > 0);
    text[length] = '\0';
    assert_string_equal(sample_migrations[0].sql, text);
}

static void a_new_database_is_private_and_complete(void **state)
{
    (void)state;
    must_migrate(&sample_spec);
    struct stat info;
    assert_int_equal(stat(scratch_file(&scratch, "sample.db"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    store_t *store = NULL;
    err_t err = {0};
    assert_int_equal(store_open(&sample_spec, scratch.path, STORE_READER, &store, &err), STATUS_OK);
    assert_true(sample_has(store, "from-003"));
    assert_int_equal(stat(scratch_file(&scratch, "sample.db-wal"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    store_close(&store);
    must_migrate(&sample_spec); /* nothing left to do */
}

static void an_old_database_keeps_its_rows(void **state)
{
    (void)state;
    store_spec_t old = sample_spec;
    old.migration_count = 1;
    old.statement_count = PARENT_DELETE;
    must_migrate(&old);
    err_t err = {0};
    store_t *store = NULL;
    assert_int_equal(store_open(&old, scratch.path, STORE_WRITER, &store, &err), STATUS_OK);
    assert_int_equal(store_begin(store, &err), STATUS_OK);
    assert_int_equal(sample_insert(store, "old", &err), STATUS_OK);
    assert_int_equal(store_commit(store, &err), STATUS_OK);
    must_migrate(&sample_spec); /* while it is open */
    store_close(&store);
    assert_int_equal(store_open(&sample_spec, scratch.path, STORE_READER, &store, &err), STATUS_OK);
    assert_true(sample_has(store, "old"));
    assert_true(sample_has(store, "from-003"));
    store_close(&store);
}

/* 003 inserts a row without a guard: run twice, it fails. */
static void many_processes_apply_each_once(void **state)
{
    (void)state;
    enum { PROCESSES = 8 };
    enum { FOUND, MIGRATED, BAD };
    int start[2];
    assert_int_equal(pipe(start), 0);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            char byte;
            err_t err = {0};
            (void)close(start[1]);
            (void)!read(start[0], &byte, 1); /* all at once, when the parent closes its end */
            int64_t found = -1;
            status_t status = migrate_once(&sample_spec, scratch.path, &found, &err);
            if (status != STATUS_OK)
                (void)fprintf(stderr, "%s: %s\n", err.where, err.text);
            _exit(status != STATUS_OK ? BAD : found == 0 ? MIGRATED : found == 3 ? FOUND : BAD);
        }
    }
    (void)close(start[1]);
    (void)close(start[0]);
    int ended[] = {[FOUND] = 0, [MIGRATED] = 0, [BAD] = 0};
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        (void)waitpid(children[i], &status, 0);
        ended[WIFEXITED(status) && WEXITSTATUS(status) < BAD ? WEXITSTATUS(status) : BAD]++;
    }
    assert_int_equal(ended[BAD], 0);
    assert_int_equal(ended[MIGRATED], 1);
    must_migrate(&sample_spec);
}

static void a_newer_database_is_refused(void **state)
{
    (void)state;
    must_migrate(&sample_spec);
    store_spec_t old = sample_spec;
    old.migration_count = 2;
    err_t err = {0};
    assert_int_equal(migrate_once(&old, scratch.path, NULL, &err), STATUS_REFUSED);
    assert_non_null(strstr(err.text, "version 3"));
    assert_non_null(strstr(err.text, "up to 2"));
    must_migrate(&sample_spec);
}

static void a_failing_migration_leaves_the_one_before(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        status_t status;
    } cases[] = {
        {"CREATE TABLE half (id TEXT); INSERT INTO nowhere VALUES (1);", STATUS_SYSTEM},
        {"CREATE TABLE half (id TEXT); COMMIT;", STATUS_INVALID},
        {"INSERT INTO child (id, parent_id, place) VALUES ('c', 'nobody', 1);", STATUS_CORRUPT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scratch_remove(&scratch);
        scratch = scratch_make();
        migration_t migrations[] = {
            sample_migrations[0], sample_migrations[1], {3, "003-bad.sql", cases[i].sql}};
        store_spec_t spec = sample_spec;
        spec.migrations = migrations;
        err_t err = {0};
        assert_int_equal(migrate_once(&spec, scratch.path, NULL, &err), cases[i].status);
        if (strcmp(err.where, "003-bad.sql") != 0)
            fail_msg("%s: %s", err.where, err.text);
        spec.migration_count = 2;
        must_migrate(&spec);
        if (cases[i].status != STATUS_INVALID) /* which has already committed its half */
            must_migrate(&sample_spec);
    }
}

static void must_be_corrupt(void)
{
    err_t err = {0};
    assert_int_equal(migrate_once(&sample_spec, scratch.path, NULL, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.where, "sample.db"));
    if (strstr(err.text, "damaged") == NULL || strstr(err.text, "backup") == NULL)
        fail_msg("%s", err.text);
}

static void damage_is_told(void **state)
{
    (void)state;
    scratch_write(&scratch, "sample.db",
                  "This is not a database, and long enough to see that: "
                  "the header of one is a hundred bytes, of which 16 are "
                  "fixed: SQLite format 3.\n",
                  0600);
    must_be_corrupt();
    assert_int_equal(unlink(scratch_file(&scratch, "sample.db")), 0);
    must_migrate(&sample_spec);
    int file = open(scratch_file(&scratch, "sample.db"), O_RDWR | O_CLOEXEC);
    char page[4096];
    memset(page, 0xA5, sizeof(page));
    struct stat info;
    assert_int_equal(fstat(file, &info), 0);
    for (off_t at = 4096; at < info.st_size; at += 4096)
        assert_int_equal(pwrite(file, page, sizeof(page), at), sizeof(page));
    (void)close(file);
    must_be_corrupt();
}

static void spoil(void)
{
    int file = open(scratch_file(&scratch, "sample.db"), O_RDWR | O_CLOEXEC);
    char page[4096];
    memset(page, 0xA5, sizeof(page));
    assert_int_equal(pwrite(file, page, sizeof(page), 4096), sizeof(page));
    (void)close(file);
}

static void take(int *out_use)
{
    err_t err = {0};
    file_close(out_use);
    assert_int_equal(use_take(&sample_spec, scratch.path, USE_SHARED, out_use, &err), STATUS_OK);
}

static status_t stay(int *out_use)
{
    err_t err = {0};
    take(out_use);
    return migrate(&sample_spec, scratch.path, *out_use, NULL, &err);
}

/* Damage is what shows who looks. */
static void only_the_first_looks_for_damage(void **state)
{
    (void)state;
    AUTO(file_close) int first = -1;
    AUTO(file_close) int second = -1;
    AUTO(file_close) int third = -1;
    assert_int_equal(stay(&first), STATUS_OK);
    assert_int_equal(stay(&second), STATUS_OK);
    spoil();
    assert_int_equal(stay(&third), STATUS_OK);
    file_close(&first);
    assert_int_equal(stay(&third), STATUS_OK); /* the second is still there */
    file_close(&second);
    file_close(&third);
    assert_int_equal(stay(&first), STATUS_CORRUPT);
    assert_int_equal(stay(&second), STATUS_CORRUPT); /* who found it has not settled it */
}

static void who_looks_is_waited_for(void **state)
{
    (void)state;
    AUTO(file_close) int looks = -1;
    AUTO(file_close) int waits = -1;
    AUTO(file_close) int comes = -1;
    take(&looks);
    take(&waits);
    assert_int_equal(use_claim(looks), USE_FIRST);
    assert_int_equal(use_claim(waits), USE_UNSETTLED);
    use_settle(looks, true);
    assert_int_equal(use_claim(waits), USE_AMONG);
    file_close(&waits);
    take(&looks);
    take(&waits);
    assert_int_equal(use_claim(looks), USE_FIRST);
    assert_int_equal(use_claim(waits), USE_UNSETTLED);
    use_settle(looks, false);
    assert_int_equal(use_claim(waits), USE_FIRST);
    assert_int_equal(use_claim(looks), USE_UNSETTLED);
    take(&comes);
    assert_int_equal(use_claim(comes), USE_UNSETTLED);
    file_close(&waits); /* it has died */
    assert_int_equal(use_claim(looks), USE_FIRST);
    assert_int_equal(use_claim(comes), USE_UNSETTLED);
}

/* It has something to do before the others come. */
static void who_is_told_to_be_first_settles_it(void **state)
{
    (void)state;
    AUTO(file_close) int first = -1;
    AUTO(file_close) int second = -1;
    migrated_t found = {.first = false};
    err_t err = {0};
    take(&first);
    assert_int_equal(migrate(&sample_spec, scratch.path, first, &found, &err), STATUS_OK);
    assert_true(found.first);
    take(&second);
    assert_int_equal(use_claim(second), USE_UNSETTLED);
    use_settle(first, true);
    assert_int_equal(migrate(&sample_spec, scratch.path, second, &found, &err), STATUS_OK);
    assert_false(found.first);
    file_close(&first);
    take(&first);
    assert_int_equal(migrate(&sample_spec, scratch.path, first, &found, &err), STATUS_OK);
    assert_false(found.first); /* the second has it open */
}

/* Its holder may have been stopped. */
static void who_need_not_migrate_needs_no_gate(void **state)
{
    (void)state;
    must_migrate(&sample_spec);
    AUTO(gate_close) gate_t *gate = NULL;
    AUTO(file_close) int first = -1;
    AUTO(file_close) int second = -1;
    err_t err = {0};
    assert_int_equal(gate_open(scratch_file(&scratch, "sample.db"), &gate, &err), STATUS_OK);
    assert_int_equal(gate_take(gate, 0, &err), STATUS_OK);
    assert_int_equal(stay(&first), STATUS_OK);
    assert_int_equal(stay(&second), STATUS_OK);
}

static void a_missing_directory_is_an_error(void **state)
{
    (void)state;
    err_t err = {0};
    assert_int_equal(migrate_once(&sample_spec, scratch_file(&scratch, "nowhere"), NULL, &err),
                     STATUS_SYSTEM);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_embedded_in_order),
        WITH_FILE(many_processes_apply_each_once), /* first: it forks before SQLite is used */
        WITH_FILE(a_new_database_is_private_and_complete),
        WITH_FILE(an_old_database_keeps_its_rows),
        WITH_FILE(a_newer_database_is_refused),
        WITH_FILE(a_failing_migration_leaves_the_one_before),
        WITH_FILE(damage_is_told),
        WITH_FILE(only_the_first_looks_for_damage),
        WITH_FILE(who_looks_is_waited_for),
        WITH_FILE(who_is_told_to_be_first_settles_it),
        WITH_FILE(who_need_not_migrate_needs_no_gate),
        WITH_FILE(a_missing_directory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
