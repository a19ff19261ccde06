/* Backup and restore with the Nth SQLite call failing, N = 1, 2, ... until they pass: nothing half
 * done, nothing left lying about, and the store is there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/file.h"
#include "services/common/restore.h"
#include "tests/component/copies.h"
#include "tests/support/sqlite_fault.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

static bool has_row(void)
{
    AUTO(store_close) store_t *store = open_store(scratch.path, STORE_READER);
    return sample_has(store, "from-003");
}

static status_t write_copy(void *context)
{
    (void)context;
    char target[STORE_PATH_SIZE];
    backup_facts_t facts;
    path_of("copy", target);
    (void)count_files("copy", true); /* of the run that met no failure */
    return backup_write(&sample_spec, scratch.path, target, NULL, NULL, &facts, &err);
}

static void no_copy_is_there(void *context, int code, status_t status)
{
    int *met = context;
    assert_int_equal(status, sqlite_fault_status(code));
    assert_int_equal(count_files("copy", false), 0);
    assert_true(has_row());
    (*met)++;
}

static void a_backup_is_whole_or_not_there(void **state)
{
    (void)state;
    int met = 0;
    sqlite_fault_each(write_copy, no_copy_is_there, &met);
    assert_true(met > 50);
    assert_int_equal(count_files("copy", true), 1);
}

static status_t put_back(void *context)
{
    (void)context;
    char aside[STORE_PATH_SIZE];
    backup_facts_t facts;
    (void)count_files(".before-", true);
    AUTO(file_close) int file = open(scratch_file(&scratch, "whole"), O_RDONLY | O_CLOEXEC);
    const restore_t how = {.copy = file, .name = "whole", .seal_key_file = "", .depth = RESTORE_DO};
    return restore_store(&sample_spec, scratch.path, &how, &facts, aside, &err);
}

/* A store that is too damaged to be folded is put aside as it is. */
static void the_store_is_whole(void *context, int code, status_t status)
{
    int *met = context;
    assert_true(status == sqlite_fault_status(code) ||
                (status == STATUS_OK && code == SQLITE_CORRUPT));
    assert_int_equal(count_files(".incoming-", false), 0);
    assert_int_equal(count_files(".before-", true) > 0, status == STATUS_OK);
    /* The copy is no WAL database before the first start, and can be opened all the same. */
    assert_int_equal(access(scratch_file(&scratch, sample_spec.file), F_OK), 0);
    assert_true(has_row());
    (*met)++;
}

static void a_restore_is_done_or_not(void **state)
{
    (void)state;
    int met = 0;
    backup_facts_t facts;
    back_up("whole", &facts);
    sqlite_fault_each(put_back, the_store_is_whole, &met);
    assert_true(met > 50);
    assert_true(has_row());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_is_whole_or_not_there, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(a_restore_is_done_or_not, copies_set_up, copies_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
