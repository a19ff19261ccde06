/* Putting a copy back: in one step, by nobody else's side, and nothing is lost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/file.h"
#include "common/text.h"
#include "services/common/restore.h"
#include "services/common/use.h"
#include "tests/component/copies.h"
#include "tests/support/migrated.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWNER = 12345, MANY = 2000 };

static status_t restore(const char *copy, restore_depth_t depth, char aside[STORE_PATH_SIZE])
{
    backup_facts_t facts;
    AUTO(file_close) int file = open(scratch_file(&scratch, copy), O_RDONLY | O_CLOEXEC);
    const restore_t how = {.copy = file, .name = copy, .seal_key_file = "", .depth = depth};
    return restore_store(&sample_spec, scratch.path, &how, &facts, aside, &err);
}

static void must_be_tidy(void)
{
    static const char *const litter[] = {".incoming-", ".outgoing-", ".part", ".staged"};
    for (size_t i = 0; i < ARRAY_LEN(litter); i++)
        assert_int_equal(count_files(litter[i], false), 0);
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
    must(migrate_once(&sample_spec, scratch.path, NULL, &err));
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

static void insert_many(void)
{
    store_t *store = open_store(scratch.path, STORE_WRITER);
    must(store_begin(store, &err));
    for (int i = 0; i < MANY; i++) {
        char id[32];
        assert_int_equal(text_format(id, sizeof(id), "in the WAL alone %d", i), STATUS_OK);
        must(sample_insert(store, id, &err));
    }
    must(store_commit(store, &err));
}

/* Rows that are in the WAL alone, as a killed process leaves them. */
static void leave_a_wal(void)
{
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        insert_many();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
}

static off_t size_of(const char *name)
{
    struct stat info;
    assert_int_equal(stat(scratch_file(&scratch, name), &info), 0);
    return info.st_size;
}

/* No file may get larger than that: stands for a disk that is nearly full. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_store_that_can_not_be_folded_is_left_as_it_is(void **state)
{
    (void)state;
    static const restore_depth_t depths[] = {RESTORE_STAGE, RESTORE_DO};
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    back_up("copy", &facts);
    leave_a_wal();
    assert_true(size_of("sample.db-wal") > size_of("copy"));
    limit_files((rlim_t)size_of("copy") + 8192);
    for (size_t i = 0; i < ARRAY_LEN(depths); i++)
        assert_int_equal(restore("copy", depths[i], aside), STATUS_SYSTEM);
    limit_files(RLIM_INFINITY);
    assert_true(size_of("sample.db-wal") > 0);
    assert_int_equal(count_files(".before-", false), 0);
    must_be_tidy();
    assert_true(has("in the WAL alone 0"));
    must(migrate_once(&sample_spec, scratch.path, NULL, &err));
    must(restore("copy", RESTORE_DO, aside));
    assert_false(has("in the WAL alone 0"));
}

static status_t put_staged(char aside[STORE_PATH_SIZE])
{
    return restore_staged(&sample_spec, scratch.path, aside, &err);
}

static void a_staged_copy_is_put_in_place_later(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE] = "";
    insert("before");
    back_up("copy", &facts);
    insert("after");
    assert_int_equal(put_staged(aside), STATUS_UNKNOWN);
    must(restore("copy", RESTORE_STAGE, aside));
    must(restore("copy", RESTORE_STAGE, aside)); /* anew, as after one that was given up */
    assert_true(has("after"));
    AUTO(file_close) int use = -1;
    must(use_take(&sample_spec, scratch.path, USE_SHARED, &use, &err));
    assert_int_equal(put_staged(aside), STATUS_BUSY);
    file_close(&use);
    must(put_staged(aside));
    assert_true(has("before"));
    assert_false(has("after"));
    assert_int_equal(count_files(".before-", false), 1);
    must_be_tidy();
    must(restore(strrchr(aside, '/') + 1, RESTORE_STAGE, aside));
    must(restore_unstage(&sample_spec, scratch.path, &err));
    must(restore_unstage(&sample_spec, scratch.path, &err));
    assert_int_equal(put_staged(aside), STATUS_UNKNOWN);
    assert_false(has("after"));
    must_be_tidy();
}

static void a_damaged_store_keeps_its_wal_until_it_is_replaced(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    back_up("copy", &facts);
    scratch_write(&scratch, "sample.db", "what a bad disk makes of it", 0600);
    scratch_write(&scratch, "sample.db-wal", "its WAL", 0600);
    must(restore("copy", RESTORE_STAGE, aside));
    assert_int_equal(size_of("sample.db"), 27);
    assert_int_equal(size_of("sample.db-wal"), 7);
    assert_int_equal(count_files(".before-", false), 0);
    must(put_staged(aside));
    assert_int_equal(size_of(strrchr(aside, '/') + 1), 27);
    assert_int_equal(count_files(".before-", false), 2);
}

/* What they left goes with the next one; what a living one works on stays. */
static void litter_of_killed_ones_is_cleared_away(void **state)
{
    (void)state;
    backup_facts_t facts;
    char aside[STORE_PATH_SIZE];
    back_up("copy", &facts);
    scratch_write(&scratch, "sample.db.incoming-killed", "half a copy", 0600);
    scratch_write(&scratch, "sample.db.incoming-killed-journal", "and its journal", 0600);
    scratch_write(&scratch, "sample.db.outgoing-killed", "half a copy", 0600);
    scratch_write(&scratch, "sample.db.incoming-of-somebody", "not ours", 0600);
    scratch_write(&scratch, "other.db.incoming-killed", "not this store's", 0600);
    scratch_write(&scratch, "sample.db.incoming-living", "", 0600);
    AUTO(file_close)
    int living = open(scratch_file(&scratch, "sample.db.incoming-living"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(living, LOCK_EX), 0);
    must(restore("copy", RESTORE_CHECK, aside));
    assert_int_equal(count_files("killed", false), 1);
    assert_int_equal(count_files("other.db.incoming-killed", false), 1);
    assert_int_equal(count_files("sample.db.incoming-", false), 2);
    assert_int_equal(count_files("sample.db.incoming-living", false), 1);
    assert_int_equal(count_files("sample.db.incoming-of-somebody", false), 1);
    file_close(&living);
    must(restore_unstage(&sample_spec, scratch.path, &err));
    assert_int_equal(count_files("sample.db.incoming-", false), 1);
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
        cmocka_unit_test_setup_teardown(a_store_that_can_not_be_folded_is_left_as_it_is,
                                        copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(a_staged_copy_is_put_in_place_later, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_store_keeps_its_wal_until_it_is_replaced,
                                        copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(litter_of_killed_ones_is_cleared_away, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(it_belongs_to_the_owner_of_the_directory, copies_set_up,
                                        copies_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
