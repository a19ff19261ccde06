/* Several processes write one WAL database through the gate while another checkpoints in a loop,
 * one reads, and one writer is killed: every acknowledged row is there afterwards.
 *
 * What is acknowledged is kept outside SQLite, in a file per writer, since the loss that this looks
 * for (gate.h) leaves a database that passes SQLite's own checks. LK_TEST_SECONDS lengthens it;
 * LK_TEST_WITHOUT_GATE=1 shows what happens to a checkpointer outside the gate (it may take
 * minutes). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "services/common/gate.h"
#include "tests/component/sample_store.h"
#include "tests/support/await.h"
#include "tests/support/migrated.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WRITERS = 4,
    KILLED = 3, /* the writer that dies in the middle */
    GROUP = 5,  /* rows of one commit */
    GATE_WAIT_MS = 10000,
};

/* What a process says of itself when it ends, through a file. */
typedef struct {
    int64_t turns;
    int64_t longest_wait_ms;
} tally_t;

static scratch_t scratch;
static int64_t end_ms;
static int run_seconds;

static void must(status_t status, const err_t *err)
{
    if (status == STATUS_OK)
        return;
    (void)fprintf(stderr, "%s: %s: %s\n", status_name(status), err->where, err->text);
    _exit(1);
}

static int open_file(const char *kind, int number)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%s-%d", kind, number);
    int file = open(scratch_file(&scratch, name), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0)
        _exit(1);
    return file;
}

static void take(gate_t *gate, tally_t *tally)
{
    err_t err = {0};
    int64_t start = clock_ms();
    must(gate_take(gate, start + GATE_WAIT_MS, &err), &err);
    int64_t waited = clock_ms() - start;
    tally->turns++;
    if (waited > tally->longest_wait_ms)
        tally->longest_wait_ms = waited;
}

static void finish(const char *kind, int number, const tally_t *tally)
{
    int file = open_file(kind, number);
    _exit(write(file, tally, sizeof(*tally)) == sizeof(*tally) ? 0 : 1);
}

static void write_group(store_t *store, int writer, int64_t first)
{
    err_t err = {0};
    must(store_begin(store, &err), &err);
    for (int64_t i = first; i < first + GROUP; i++) {
        must(store_save(store, &err), &err);
        AUTO(query_end) query_t *query = store_query(store, WRITTEN_INSERT);
        query_number(query, 1, writer);
        query_number(query, 2, i);
        query_text(query, 3, "some forty bytes that make the row longer");
        must(query_run(query, NULL, &err), &err);
        must(store_keep(store, &err), &err);
    }
    must(store_commit(store, &err), &err);
}

static store_t *open_store(store_role_t role)
{
    store_t *store = NULL;
    err_t err = {0};
    must(store_open(&sample_spec, scratch.path, role, &store, &err), &err);
    return store;
}

static gate_t *open_gate(void)
{
    gate_t *gate = NULL;
    err_t err = {0};
    must(gate_open(scratch_file(&scratch, sample_spec.file), &gate, &err), &err);
    return gate;
}

static void run_writer(int number)
{
    store_t *store = open_store(STORE_WRITER);
    gate_t *gate = open_gate();
    int acknowledged = open_file("acknowledged", number);
    tally_t tally = {0};
    for (int64_t next = 1; clock_ms() < end_ms; next += GROUP) {
        take(gate, &tally);
        write_group(store, number, next);
        gate_leave(gate);
        int64_t last = next + GROUP - 1;
        if (write(acknowledged, &last, sizeof(last)) != sizeof(last))
            _exit(1);
    }
    store_close(&store);
    finish("writer", number, &tally);
}

static void run_checkpointer(int number)
{
    store_t *store = open_store(STORE_WRITER);
    gate_t *gate = open_gate();
    tally_t tally = {0};
    err_t err = {0};
    const char *without = getenv("LK_TEST_WITHOUT_GATE");
    while (clock_ms() < end_ms) {
        if (without == NULL)
            take(gate, &tally);
        status_t status = store_checkpoint(store, 0, &err);
        if (status != STATUS_BUSY || without == NULL)
            must(status, &err);
        if (without == NULL)
            gate_leave(gate);
    }
    store_close(&store);
    finish("checkpointer", number, &tally);
}

/* Short read transactions, each of which must see whole groups and never fewer than before. */
static void run_reader(int number)
{
    store_t *store = open_store(STORE_READER);
    tally_t tally = {0};
    err_t err = {0};
    int64_t before = 0;
    while (clock_ms() < end_ms) {
        must(store_begin_read(store, &err), &err);
        AUTO(query_end) query_t *query = store_query(store, WRITTEN_COUNT);
        query_number(query, 1, 0);
        query_number(query, 2, before);
        query_number(query, 3, INT64_MAX);
        bool row = false;
        must(query_step(query, &row, &err), &err);
        int64_t more = query_column_number(query, 0);
        query_end(&query);
        store_end_read(store);
        if (more % GROUP != (before > 0 ? 1 : 0)) {
            (void)fprintf(stderr, "reader: %lld rows from %lld on\n", (long long)more,
                          (long long)before);
            _exit(1);
        }
        before += before > 0 ? more - 1 : more;
        tally.turns++;
    }
    store_close(&store);
    finish("reader", number, &tally);
}

static pid_t start(void (*run)(int), int number)
{
    pid_t child = fork();
    if (child == 0) {
        (void)alarm((unsigned)run_seconds + 60);
        run(number);
    }
    assert_true(child > 0);
    return child;
}

/* The last row that this writer saw committed; 0: none. */
static int64_t last_acknowledged(int writer)
{
    int file = open_file("acknowledged", writer);
    off_t size = lseek(file, 0, SEEK_END);
    int64_t last = 0;
    off_t whole = size / (off_t)sizeof(last);
    if (whole > 0)
        assert_int_equal(pread(file, &last, sizeof(last), (whole - 1) * (off_t)sizeof(last)),
                         sizeof(last));
    (void)close(file);
    return last;
}

static tally_t tally_of(const char *kind, int number)
{
    int file = open_file(kind, number);
    tally_t tally = {0};
    (void)!pread(file, &tally, sizeof(tally), 0);
    (void)close(file);
    (void)printf("%s %d: %lld turns, longest wait %lld ms\n", kind, number, (long long)tally.turns,
                 (long long)tally.longest_wait_ms);
    return tally;
}

static int64_t count(store_t *store, int writer, int64_t first, int64_t last)
{
    err_t err = {0};
    bool row = false;
    AUTO(query_end) query_t *query = store_query(store, WRITTEN_COUNT);
    query_number(query, 1, writer);
    query_number(query, 2, first);
    query_number(query, 3, last);
    must(query_step(query, &row, &err), &err);
    return query_column_number(query, 0);
}

static bool is_half_done(void *writer)
{
    int64_t half_ms = end_ms - (int64_t)run_seconds * 500;
    return clock_ms() >= half_ms && last_acknowledged(*(int *)writer) != 0;
}

static void wait_until_half(int writer)
{
    assert_true(await(is_half_done, &writer, (int)(end_ms - clock_ms())));
}

/* No SQLite in this process before the others are forked: a fork must not copy its locks. */
static void run_all(void)
{
    pid_t children[WRITERS + 2];
    for (int i = 0; i < WRITERS; i++)
        children[i] = start(run_writer, i);
    children[WRITERS] = start(run_checkpointer, 0);
    children[WRITERS + 1] = start(run_reader, 0);
    wait_until_half(KILLED);
    (void)kill(children[KILLED], SIGKILL);
    int bad = 0;
    for (int i = 0; i < WRITERS + 2; i++) {
        int status = 0;
        (void)waitpid(children[i], &status, 0);
        bad += i == KILLED ? !WIFSIGNALED(status) : status != 0;
    }
    assert_int_equal(bad, 0);
}

static void migrate_in_a_child(int number)
{
    (void)number;
    err_t err = {0};
    must(migrate_once(&sample_spec, scratch.path, NULL, &err), &err);
    _exit(0);
}

static void acknowledged_rows_stay(void **state)
{
    (void)state;
    int status = 0;
    (void)waitpid(start(migrate_in_a_child, 0), &status, 0);
    assert_int_equal(status, 0);
    end_ms = clock_ms() + (int64_t)run_seconds * 1000;
    run_all();

    store_t *store = open_store(STORE_READER);
    int64_t lost = 0;
    int64_t longest_ms = 0;
    for (int i = 0; i < WRITERS; i++) {
        int64_t last = last_acknowledged(i);
        assert_true(last > 0);
        int64_t stored = count(store, i, 1, last);
        int64_t beyond = count(store, i, last + 1, INT64_MAX);
        lost += last - stored;
        (void)printf("writer %d: %lld rows acknowledged, %lld of them stored, %lld beyond\n", i,
                     (long long)last, (long long)stored, (long long)beyond);
        /* Killed between its commit and its note of it: a whole group, or nothing. */
        assert_true(beyond == 0 || (i == KILLED && beyond == GROUP));
        if (i == KILLED)
            continue;
        tally_t tally = tally_of("writer", i);
        assert_int_equal(tally.turns * GROUP, last);
        if (tally.longest_wait_ms > longest_ms)
            longest_ms = tally.longest_wait_ms;
    }
    store_close(&store);
    assert_true(tally_of("reader", 0).turns > 0);
    (void)tally_of("checkpointer", 0);
    assert_int_equal(lost, 0);
    assert_true(longest_ms < GATE_WAIT_MS / 2);
    err_t err = {0};
    assert_int_equal(migrate_once(&sample_spec, scratch.path, NULL, &err),
                     STATUS_OK); /* quick_check */
}

int main(void)
{
    const char *seconds = getenv("LK_TEST_SECONDS");
    run_seconds = seconds == NULL ? 6 : (int)strtol(seconds, NULL, 10);
    scratch = scratch_make();
    const struct CMUnitTest tests[] = {cmocka_unit_test(acknowledged_rows_stay)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(&scratch);
    return failed;
}
