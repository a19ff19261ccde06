/* Putting a copy back: in one step, by nobody else's side, and nothing is lost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/file.h"
#include "common/text.h"
#include "services/common/migrate.h"
#include "services/common/restore.h"
#include "services/common/use.h"
#include "tests/component/copies.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWNER = 12345 };

static status_t restore(const char *copy, restore_depth_t depth, char aside[STORE_PATH_SIZE])
{
    backup_facts_t facts;
    AUTO(file_close) int file = open(scratch_file(&scratch, copy), O_RDONLY | O_CLOEXEC);
    const restore_t how = {.copy = file, .name = copy, .seal_key_file = "", .depth = depth};
    return restore_store(&sample_spec, scratch.path, &how, &facts, aside, &err);
}

static bool is_litter(const char *name)
{
    return strstr(name, ".incoming-") != NULL || strstr(name, ".part") != NULL;
}

static void must_be_tidy(void)
{
    DIR *folder = opendir(scratch.path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        assert_false(is_litter(entry->d_name));
    (void)closedir(folder);
}

static bool has(const char *id)
{
    AUTO(store_close) store_t *store = open_store(scratch.path, STORE_READER);
    return sample_has(store, id);
}

static void insert(const char *id)
{
    AUTO(store_close) store_t *store = open_store(scratch.path, STORE_WRITER);
    must(store_begin(store, &err));
    must(sample_insert(store, id, &err));
    must(store_commit(store, &err));
}

static void a_copy_is_put_back_and_what_was_there_stays(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE] = "";
    insert("before");
    back_up("copy", &facts);
    insert("after");
    must(restore("copy", RESTORE_TRY, aside));
    assert_true(has("after"));
    assert_string_equal(aside, "");
    must(restore("copy", RESTORE_DO, aside));
    assert_true(has("before"));
    assert_false(has("after"));
    must_be_tidy();
    /* It is whole, and can be put back itself. */
    char again[STORE_PATH_SIZE];
    const char *name = strrchr(aside, '/') + 1;
    must(restore(name, RESTORE_DO, again));
    assert_true(has("after"));
    must(migrate(&sample_spec, scratch.path, NULL, &err));
}

static void a_store_in_use_is_not_replaced(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    AUTO(file_close) int use = -1;
    AUTO(file_close) int more = -1;
    back_up("copy", &facts);
    must(use_take(&sample_spec, scratch.path, USE_SHARED, &use, &err));
    must(use_take(&sample_spec, scratch.path, USE_SHARED, &more, &err));
    must(restore("copy", RESTORE_CHECK, aside));
    assert_int_equal(restore("copy", RESTORE_TRY, aside), STATUS_BUSY);
    assert_int_equal(restore("copy", RESTORE_DO, aside), STATUS_BUSY);
    file_close(&more);
    assert_int_equal(restore("copy", RESTORE_DO, aside), STATUS_BUSY);
    assert_non_null(strstr(err.text, "in use"));
    file_close(&use);
    /* An older program's process knows no such lock. */
    store_t *store = open_store(scratch.path, STORE_READER);
    assert_false(sample_has(store, "x"));
    assert_int_equal(restore("copy", RESTORE_DO, aside), STATUS_BUSY);
    store_close(&store);
    must_be_tidy();
    must(restore("copy", RESTORE_DO, aside));
}

static void nobody_starts_while_it_is_replaced(void **state)
{
    (void)state;
    backup_facts_t facts;
    char target[STORE_PATH_SIZE];
    AUTO(file_close) int use = -1;
    AUTO(file_close) int mine = -1;
    path_of("copy", target);
    must(use_take(&sample_spec, scratch.path, USE_ALONE, &use, &err));
    assert_int_equal(use_take(&sample_spec, scratch.path, USE_SHARED, &mine, &err), STATUS_BUSY);
    assert_int_equal(backup_write(&sample_spec, scratch.path, target, NULL, NULL, &facts, &err),
                     STATUS_BUSY);
}

static void a_damaged_copy_changes_nothing(void **state)
{
    (void)state;
    char aside[STORE_PATH_SIZE];
    insert("mine");
    scratch_write(&scratch, "copy", "no database at all", 0600);
    assert_int_equal(restore("copy", RESTORE_DO, aside), STATUS_CORRUPT);
    assert_string_equal(err.where, "copy");
    assert_true(has("mine"));
    must_be_tidy();
}

static void a_damaged_store_is_replaced_and_kept(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    char kept[32] = "";
    insert("before");
    back_up("copy", &facts);
    scratch_write(&scratch, "sample.db", "what a bad disk makes of it", 0600);
    scratch_write(&scratch, "sample.db-wal", "its WAL", 0600);
    must(restore("copy", RESTORE_DO, aside));
    assert_true(has("before"));
    AUTO(file_close) int file = open(aside, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(file, kept, sizeof(kept) - 1), 27);
    assert_string_equal(kept, "what a bad disk makes of it");
    assert_true(text_format(aside + strlen(aside), 5, "-wal") == STATUS_OK);
    assert_int_equal(access(aside, F_OK), 0);
}

static void a_wal_without_its_store_is_not_taken_for_the_copys(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    insert("before");
    back_up("copy", &facts);
    assert_int_equal(unlink(scratch_file(&scratch, "sample.db")), 0);
    scratch_write(&scratch, "sample.db-wal", "somebody else's", 0600);
    must(restore("copy", RESTORE_DO, aside));
    assert_string_equal(aside, "");
    assert_int_equal(access(scratch_file(&scratch, "sample.db-wal"), F_OK), -1);
    assert_int_equal(access(scratch_file(&scratch, "sample.db-wal.orphan"), F_OK), 0);
    assert_true(has("before"));
}

/* Root restores what another user runs. */
static void it_belongs_to_the_owner_of_the_directory(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    struct stat info;
    if (geteuid() != 0)
        skip();
    back_up("copy", &facts);
    assert_int_equal(unlink(scratch_file(&scratch, "sample.db.gate")), 0);
    assert_int_equal(chown(scratch.path, OWNER, OWNER), 0);
    must(restore("copy", RESTORE_DO, aside));
    assert_int_equal(stat(scratch_file(&scratch, "sample.db"), &info), 0);
    assert_int_equal(info.st_uid, OWNER);
    assert_int_equal(info.st_gid, OWNER);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(scratch_file(&scratch, "sample.db.gate"), &info), 0);
    assert_int_equal(info.st_uid, OWNER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_is_put_back_and_what_was_there_stays, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(a_store_in_use_is_not_replaced, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(nobody_starts_while_it_is_replaced, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_copy_changes_nothing, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_store_is_replaced_and_kept, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(a_wal_without_its_store_is_not_taken_for_the_copys,
                                        copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(it_belongs_to_the_owner_of_the_directory, copies_set_up,
                                        copies_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
