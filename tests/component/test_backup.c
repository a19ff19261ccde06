/* A copy of a store under a writer, and what is found wrong with one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "services/common/gate.h"
#include "services/common/sqlite.h"
#include "tests/component/copies.h"
#include "tests/support/await.h"
#include "tests/support/migrated.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 60000, FIRST_ROWS = 40000 };

/* ---- a writer that does not wait for anybody ---- */

typedef struct {
    atomic_bool stop;
    atomic_llong acknowledged; /* rows 1 to this are committed */
} writer_t;

static void write_row(store_t *store, int64_t number)
{
    AUTO(query_end) query_t *query = store_query(store, WRITTEN_INSERT);
    query_number(query, 1, 1);
    query_number(query, 2, number);
    query_text(query, 3,
               "padding that makes a row of about a hundred bytes, so that there are pages");
    must(query_run(query, NULL, &err));
}

static void write_group(store_t *store, gate_t *gate, int64_t first, int64_t last)
{
    must(gate_take(gate, clock_ms() + WAIT_MS, &err));
    must(store_begin(store, &err));
    for (int64_t i = first; i <= last; i++)
        write_row(store, i);
    must(store_commit(store, &err));
    must(store_checkpoint(store, 100, &err));
    gate_leave(gate);
}

static gate_t *open_gate(void)
{
    gate_t *gate = NULL;
    must(gate_open(scratch_file(&scratch, "sample.db"), &gate, &err));
    return gate;
}

static void fill(int64_t rows)
{
    AUTO(store_close) store_t *store = open_store(scratch.path, STORE_WRITER);
    AUTO(gate_close) gate_t *gate = open_gate();
    write_group(store, gate, 1, rows);
}

static void *run_writer(void *context)
{
    writer_t *writer = context;
    AUTO(store_close) store_t *store = open_store(scratch.path, STORE_WRITER);
    AUTO(gate_close) gate_t *gate = open_gate();
    while (!atomic_load(&writer->stop)) {
        int64_t next = atomic_load(&writer->acknowledged) + 1;
        write_group(store, gate, next, next);
        atomic_store(&writer->acknowledged, next);
    }
    return NULL;
}

static bool has_written(void *context)
{
    return atomic_load(&((writer_t *)context)->acknowledged) > FIRST_ROWS + 20;
}

/* ---- copies ---- */

static int64_t rows_of(const backup_facts_t *facts, const char *table)
{
    for (size_t i = 0; i < facts->table_count; i++)
        if (strcmp(facts->tables[i].name, table) == 0)
            return facts->tables[i].rows;
    return -1;
}

static void must_be_plain(const char *name)
{
    char mode[2];
    struct stat info;
    AUTO(file_close) int file = open(scratch_file(&scratch, name), O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(file, mode, 2, 18), 2);
    assert_memory_equal(mode, "\1\1", 2); /* sqlite.org/fileformat2.html: no WAL */
    assert_int_equal(fstat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* How often the writer gets ahead while pages are copied. */
typedef struct {
    writer_t *writer;
    int64_t seen, changes;
} watch_t;

static bool has_gone_on(void *context)
{
    watch_t *watch = context;
    return atomic_load(&watch->writer->acknowledged) > watch->seen;
}

/* Each step waits for a commit: a copy that began anew after each would never end, and one that
 * held the gate would not see any. */
static void await_a_commit(void *context, int64_t done, int64_t all)
{
    watch_t *watch = context;
    assert_true(done <= all);
    watch->seen = atomic_load(&watch->writer->acknowledged);
    watch->changes += await(has_gone_on, watch, WAIT_MS);
}

static void a_copy_is_of_one_moment_and_holds_nobody_up(void **state)
{
    (void)state;
    fill(FIRST_ROWS);
    writer_t writer = {.acknowledged = FIRST_ROWS};
    watch_t watch = {.writer = &writer};
    backup_facts_t facts;
    char target[STORE_PATH_SIZE];
    pthread_t thread;
    path_of("copy", target);
    assert_int_equal(pthread_create(&thread, NULL, run_writer, &writer), 0);
    assert_true(await(has_written, &writer, WAIT_MS));
    int64_t before = atomic_load(&writer.acknowledged);
    must(backup_write(&sample_spec, scratch.path, target, await_a_commit, &watch, &facts, &err));
    int64_t after = atomic_load(&writer.acknowledged);
    atomic_store(&writer.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(watch.changes >= 2);
    int64_t rows = rows_of(&facts, "written");
    assert_true(rows >= before);
    assert_true(rows < after);
    assert_int_equal(facts.version, sample_spec.migration_count);
    assert_int_equal(facts.key_count, 0);
    must_be_plain("copy");
    assert_int_equal(access(scratch_file(&scratch, "copy.part"), F_OK), -1);
    assert_int_equal(access(scratch_file(&scratch, "copy-wal"), F_OK), -1);
}

static void the_source_is_left_as_it_is(void **state)
{
    (void)state;
    struct stat before, after;
    backup_facts_t facts;
    /* What a killed process leaves: rows that are in the WAL alone. */
    AUTO(store_close) store_t *store = open_store(scratch.path, STORE_WRITER);
    must(store_begin(store, &err));
    write_row(store, 1);
    must(store_commit(store, &err));
    assert_int_equal(stat(scratch_file(&scratch, "sample.db-wal"), &before), 0);
    assert_true(before.st_size > 0);
    back_up("copy", &facts);
    assert_int_equal(rows_of(&facts, "written"), 1);
    assert_int_equal(stat(scratch_file(&scratch, "sample.db-wal"), &after), 0);
    assert_int_equal(before.st_size, after.st_size);
}

static void nothing_is_overwritten(void **state)
{
    (void)state;
    backup_facts_t facts;
    char target[STORE_PATH_SIZE];
    path_of("copy", target);
    scratch_write(&scratch, "copy", "mine", 0600);
    assert_int_equal(backup_write(&sample_spec, scratch.path, target, NULL, NULL, &facts, &err),
                     STATUS_CONFLICT);
    assert_string_equal(err.where, target);
    assert_int_equal(unlink(target), 0);
    scratch_write(&scratch, "copy.part", "another's", 0600);
    assert_int_equal(backup_write(&sample_spec, scratch.path, target, NULL, NULL, &facts, &err),
                     STATUS_CONFLICT);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(access(scratch_file(&scratch, "copy.part"), F_OK), 0);
}

static void no_store_no_copy(void **state)
{
    (void)state;
    backup_facts_t facts;
    char target[STORE_PATH_SIZE];
    path_of("copy", target);
    assert_int_equal(unlink(scratch_file(&scratch, "sample.db")), 0);
    assert_int_equal(backup_write(&sample_spec, scratch.path, target, NULL, NULL, &facts, &err),
                     STATUS_UNKNOWN);
    assert_int_equal(access(scratch_file(&scratch, "copy.part"), F_OK), -1);
}

/* ---- what is wrong with a copy ---- */

static status_t check(const store_spec_t *spec, const char *keys, backup_facts_t *out)
{
    char path[STORE_PATH_SIZE];
    path_of("copy", path);
    return backup_check(spec, path, "the copy", keys, out, &err);
}

static void a_flipped_byte_is_found(void **state)
{
    (void)state;
    backup_facts_t facts;
    fill(2000);
    back_up("copy", &facts);
    must(check(&sample_spec, "", &facts));
    AUTO(file_close) int file = open(scratch_file(&scratch, "copy"), O_RDWR | O_CLOEXEC);
    off_t size = lseek(file, 0, SEEK_END);
    /* The header of each page but the first, in turn: what is in a row only a checksum can tell. */
    for (off_t at = 4096; at < size; at += (off_t)4096 * 7) {
        char byte = 0;
        assert_int_equal(pread(file, &byte, 1, at), 1);
        byte ^= 0x55;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        assert_int_equal(check(&sample_spec, "", &facts), STATUS_CORRUPT);
        assert_string_equal(err.where, "the copy");
        byte ^= 0x55;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
    }
    must(check(&sample_spec, "", &facts));
    assert_int_equal(ftruncate(file, size - 4096), 0);
    assert_int_equal(check(&sample_spec, "", &facts), STATUS_CORRUPT);
    assert_int_equal(ftruncate(file, 100), 0);
    assert_int_equal(check(&sample_spec, "", &facts), STATUS_CORRUPT);
}

static void a_newer_copy_is_refused(void **state)
{
    (void)state;
    backup_facts_t facts;
    back_up("copy", &facts);
    store_spec_t older = sample_spec;
    older.migration_count--;
    assert_int_equal(check(&older, "", &facts), STATUS_REFUSED);
    assert_non_null(strstr(err.text, "newer"));
}

static void another_services_copy_is_refused(void **state)
{
    (void)state;
    static const migration_t other[] = {{1, "001-other.sql", "CREATE TABLE other (id TEXT)"}};
    store_spec_t spec = {.file = "other.db", .migrations = other, .migration_count = 1};
    backup_facts_t facts;
    char target[STORE_PATH_SIZE];
    path_of("copy", target);
    must(migrate_once(&spec, scratch.path, NULL, &err));
    must(backup_write(&spec, scratch.path, target, NULL, NULL, &facts, &err));
    assert_int_equal(check(&sample_spec, "", &facts), STATUS_REFUSED);
    assert_non_null(strstr(err.text, "is no copy of sample.db"));
}

static void change(const char *sql)
{
    AUTO(sqlite_close) sqlite3 *db = NULL;
    must(sqlite_open(scratch_file(&scratch, sample_spec.file), 0, &db, "the store", &err));
    must(sqlite_execute(db, sql, sql, &err));
}

static status_t copy_changed(const char *sql)
{
    char target[STORE_PATH_SIZE];
    backup_facts_t facts;
    change(sql);
    path_of("copy", target);
    (void)unlink(target);
    return backup_write(&sample_spec, scratch.path, target, NULL, NULL, &facts, &err);
}

static void what_an_operator_may_add_is_copied(void **state)
{
    (void)state;
    fill(1);
    must(copy_changed("CREATE INDEX mine ON written (padding)"));
    must(copy_changed("ANALYZE")); /* makes sqlite_stat1 */
    assert_int_equal(
        copy_changed("CREATE TRIGGER mine_too AFTER INSERT ON written BEGIN SELECT 1; END"),
        STATUS_REFUSED);
    assert_non_null(strstr(err.text, "mine_too"));
    must(copy_changed("DROP TRIGGER mine_too"));
    assert_int_equal(copy_changed("CREATE TABLE mine_too (id)"), STATUS_REFUSED);
    must(copy_changed("DROP TABLE mine_too"));
    assert_int_equal(copy_changed("ALTER TABLE written RENAME TO read"), STATUS_REFUSED);
    assert_non_null(strstr(err.text, "is no copy of sample.db"));
}

/* ---- sent ---- */

/* While another one is under way. */
static void send_another(void *context, int64_t done, int64_t all)
{
    (void)context;
    (void)done;
    (void)all;
    backup_facts_t facts;
    AUTO(file_close) int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    must(backup_send(&sample_spec, scratch.path, nowhere, NULL, NULL, &facts, &err));
    assert_int_equal(count_files(".outgoing-", false), 1); /* the other's, which lives */
}

/* Of a process that is killed at its first page. */
static void die(void *context, int64_t done, int64_t all)
{
    (void)context;
    (void)done;
    (void)all;
    (void)raise(SIGKILL);
}

static void two_are_sent_at_once_and_killed_ones_leave_nothing(void **state)
{
    (void)state;
    backup_facts_t facts;
    fill(1);
    pid_t killed = fork();
    if (killed == 0)
        _exit(backup_send(&sample_spec, scratch.path, STDERR_FILENO, die, NULL, &facts, &err) !=
              STATUS_OK);
    int how = 0;
    assert_int_equal(waitpid(killed, &how, 0), killed);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(count_files(".outgoing-", false), 1);
    AUTO(file_close)
    int file = open(scratch_file(&scratch, "copy"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    /* In one process id, as all are in containers. */
    must(backup_send(&sample_spec, scratch.path, file, send_another, NULL, &facts, &err));
    assert_int_equal(rows_of(&facts, "written"), 1);
    must(check(&sample_spec, "", &facts));
    assert_int_equal(count_files(".outgoing-", false), 0);
}

static void who_does_not_read_leaves_nothing(void **state)
{
    (void)state;
    backup_facts_t facts;
    int ends[2];
    (void)signal(SIGPIPE, SIG_IGN);
    fill(2000);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(backup_send(&sample_spec, scratch.path, ends[1], NULL, NULL, &facts, &err),
                     STATUS_SYSTEM);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(count_files(".outgoing-", false), 0);
}

/* What seal.h puts in front of each value. */
static const migration_t sealed_migrations[] = {
    {1, "001-sealed.sql",
     "CREATE TABLE a (sealed BLOB NOT NULL); CREATE TABLE b (token_sealed BLOB, unsealed BLOB);"
     "INSERT INTO a VALUES (x'0000000299'), (x'0000000299'), (x'0000000799');"
     "INSERT INTO b VALUES (NULL, x'0000000499'), (x'0000000199', NULL);"}};
static const store_spec_t sealed_spec = {
    .file = "sealed.db", .migrations = sealed_migrations, .migration_count = 1};

static void the_keys_that_it_needs_are_found(void **state)
{
    (void)state;
    static const char one[] =
        "1:0000000000000000000000000000000000000000000000000000000000000001\n"
        "2:0000000000000000000000000000000000000000000000000000000000000002\n";
    static const char more[] =
        "7:0000000000000000000000000000000000000000000000000000000000000007\n";
    char keys[STORE_PATH_SIZE];
    char target[STORE_PATH_SIZE];
    char text[sizeof(one) + sizeof(more)];
    backup_facts_t facts;
    path_of("keys", keys);
    path_of("copy", target);
    scratch_write(&scratch, "keys", one, 0600);
    must(migrate_once(&sealed_spec, scratch.path, NULL, &err));
    must(backup_write(&sealed_spec, scratch.path, target, NULL, NULL, &facts, &err));
    const uint32_t wanted[] = {1, 2, 7};
    assert_int_equal(facts.key_count, 3);
    assert_memory_equal(facts.keys, wanted, sizeof(wanted));
    assert_int_equal(check(&sealed_spec, keys, &facts), STATUS_REFUSED);
    assert_non_null(strstr(err.text, "key 7"));
    (void)snprintf(text, sizeof(text), "%s%s", one, more);
    scratch_write(&scratch, "keys", text, 0600);
    must(check(&sealed_spec, keys, &facts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_is_of_one_moment_and_holds_nobody_up, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(the_source_is_left_as_it_is, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_overwritten, copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(no_store_no_copy, copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(a_flipped_byte_is_found, copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(a_newer_copy_is_refused, copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(another_services_copy_is_refused, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(what_an_operator_may_add_is_copied, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(two_are_sent_at_once_and_killed_ones_leave_nothing,
                                        copies_set_up, copies_tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_read_leaves_nothing, copies_set_up,
                                        copies_tear_down),
        cmocka_unit_test_setup_teardown(the_keys_that_it_needs_are_found, copies_set_up,
                                        copies_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
