/* The board: what raises it, and when an answer stands no more. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/board.h"
#include "tests/support/scratch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
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

static board_t *open_board(bool alone)
{
    board_t *board = NULL;
    err_t err = {0};
    if (board_open(scratch.path, "svc", alone, &board, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return board;
}

static board_t *watch(void)
{
    board_t *board = NULL;
    err_t err = {0};
    if (board_watch(scratch.path, "svc", &board, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return board;
}

static bool stands(const board_t *watcher, const board_t *board, uint64_t version)
{
    return board_stands(watcher, board_id(board), version);
}

static void it_is_made_once_and_shared(void **state)
{
    (void)state;
    board_t *none = NULL;
    assert_int_equal(board_watch(scratch.path, "svc", &none, NULL), STATUS_UNKNOWN);
    assert_null(none);
    AUTO(board_close) board_t *first = open_board(false);
    AUTO(board_close) board_t *second = open_board(false);
    AUTO(board_close) board_t *watcher = watch();
    struct stat info;
    assert_int_equal(stat(scratch_file(&scratch, "svc.board"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    assert_true(board_id(first) != 0 && board_version(first) != 0);
    assert_true(board_id(first) == board_id(second) && board_id(first) == board_id(watcher));
    uint64_t version = board_version(second);
    assert_true(stands(watcher, first, version));
    assert_false(board_stands(watcher, board_id(first) ^ 2, version));
    board_raise(first);
    assert_false(stands(watcher, first, version));
    assert_true(board_version(watcher) == board_version(second));
    assert_true(stands(watcher, first, board_version(second)));
    board_raise(NULL);
    board_begin_change(NULL);
    board_end_change(NULL);
    board_mend(NULL);
    assert_true(board_version(NULL) == 0);
}

static void nothing_stands_while_it_changes(void **state)
{
    (void)state;
    AUTO(board_close) board_t *writer = open_board(false);
    AUTO(board_close) board_t *other = open_board(false);
    AUTO(board_close) board_t *watcher = watch();
    uint64_t version = board_version(other);
    board_begin_change(writer);
    assert_true(board_version(other) == 0);
    assert_false(stands(watcher, writer, version));
    assert_false(stands(watcher, writer, 0));
    board_raise(other); /* a lock-out begins meanwhile */
    assert_true(board_version(other) == 0);
    board_end_change(writer);
    assert_true(board_version(other) != 0 && board_version(other) != version);
    assert_false(stands(watcher, writer, version));
    version = board_version(other);
    board_mend(other); /* nobody died */
    assert_true(stands(watcher, writer, version));
}

/* Without its begin, and without an end: who comes next can't know how far it came. */
static void who_dies_in_a_change_is_mended(void **state)
{
    (void)state;
    AUTO(board_close) board_t *next = open_board(false);
    AUTO(board_close) board_t *watcher = watch();
    for (int i = 0; i < 2; i++) {
        uint64_t version = board_version(next);
        pid_t dies = fork();
        if (dies == 0) {
            board_t *writer = open_board(false);
            board_begin_change(writer);
            (void)kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(dies, NULL, 0), dies);
        assert_true(board_version(next) == 0);
        if (i == 0) {
            board_mend(next);
        } else {
            board_begin_change(next);
            assert_true(board_version(next) == 0);
            board_end_change(next);
        }
        assert_true(board_version(next) != 0);
        assert_false(stands(watcher, next, version));
    }
}

static void who_is_alone_makes_it_anew(void **state)
{
    (void)state;
    AUTO(board_close) board_t *old = open_board(false);
    AUTO(board_close) board_t *watcher = watch();
    uint64_t id = board_id(old);
    uint64_t version = board_version(old);
    AUTO(board_close) board_t *made = open_board(true);
    assert_true(board_id(made) != id && board_id(made) != 0);
    assert_true(board_version(made) != version && board_version(made) != 0);
    assert_false(board_stands(watcher, id, version));
    board_begin_change(old);
    assert_true(board_version(made) == 0);
    AUTO(board_close) board_t *next = open_board(true); /* who was in a change has died */
    assert_true(board_id(next) != id);
    assert_true(stands(watcher, made, board_version(made)));
    assert_false(board_stands(watcher, id, version));
}

/* Whatever a person does to the file: who raises finds the one that is watched. */
static void each_raise_is_at_the_path(void **state)
{
    (void)state;
    AUTO(board_close) board_t *old = open_board(false);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(unlink(scratch_file(&scratch, "svc.board")), 0);
        AUTO(board_close) board_t *made = open_board(false);
        AUTO(board_close) board_t *watcher = watch();
        uint64_t version = board_version(made);
        assert_true(board_id(old) != board_id(made));
        assert_true(stands(watcher, made, version));
        if (i % 2 == 0) {
            board_raise(old);
        } else {
            board_begin_change(old);
            assert_false(stands(watcher, made, version));
            board_end_change(old);
        }
        assert_true(board_id(old) == board_id(made));
        assert_false(stands(watcher, made, version));
    }
    /* made between the two steps of a change */
    board_begin_change(old);
    assert_int_equal(unlink(scratch_file(&scratch, "svc.board")), 0);
    AUTO(board_close) board_t *made = open_board(false);
    uint64_t version = board_version(made);
    board_end_change(old);
    assert_true(board_version(made) != 0 && board_version(made) != version);
}

static void what_is_deleted_stands_no_more(void **state)
{
    (void)state;
    AUTO(board_close) board_t *board = open_board(false);
    AUTO(board_close) board_t *watcher = watch();
    uint64_t id = board_id(board);
    uint64_t version = board_version(board);
    assert_true(stands(watcher, board, version));
    assert_int_equal(unlink(scratch_file(&scratch, "svc.board")), 0);
    assert_false(stands(watcher, board, version));
    board_refresh(watcher);
    assert_false(stands(watcher, board, version));
    board_raise(board); /* makes it again */
    assert_true(board_id(board) != id);
    board_refresh(watcher);
    assert_true(stands(watcher, board, board_version(board)));
    assert_false(board_stands(watcher, id, version));
}

static void a_foreign_file_is_replaced(void **state)
{
    (void)state;
    board_t *none = NULL;
    static const char *const contents[] = {"", "x", "linekeeper-brd1"};
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        scratch_write(&scratch, "svc.board", contents[i], 0600);
        assert_int_equal(board_watch(scratch.path, "svc", &none, NULL), STATUS_UNKNOWN);
        AUTO(board_close) board_t *board = open_board(false);
        AUTO(board_close) board_t *watcher = watch();
        assert_true(stands(watcher, board, board_version(board)));
    }
    assert_int_equal(unlink(scratch_file(&scratch, "svc.board")), 0);
    assert_int_equal(symlink("/etc/hostname", scratch_file(&scratch, "svc.board")), 0);
    assert_int_equal(board_watch(scratch.path, "svc", &none, NULL), STATUS_UNKNOWN);
    AUTO(board_close) board_t *board = open_board(false);
    board_raise(board);
    struct stat info;
    assert_int_equal(lstat(scratch_file(&scratch, "svc.board"), &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(board_open("/nowhere", "svc", false, &none, NULL), STATUS_SYSTEM);
    char longest[1100];
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(board_open(longest, "svc", false, &none, NULL), STATUS_TOO_LARGE);
    assert_null(none);
}

/* ---- A number stands for the store, each process's word for an acknowledgement: no answer that
 * stands may be older. ---- */

enum { WRITERS = 3, WRITES = 300 };

typedef struct {
    atomic_uint_least64_t stored, acknowledged;
    atomic_flag gate;
    atomic_int running;
} world_t;

static world_t world;

static void *write_much(void *argument)
{
    (void)argument;
    AUTO(board_close) board_t *board = open_board(false);
    for (int i = 0; i < WRITES; i++) {
        while (atomic_flag_test_and_set(&world.gate))
            ;
        board_begin_change(board);
        uint64_t number = atomic_fetch_add(&world.stored, 1) + 1;
        board_end_change(board);
        atomic_store(&world.acknowledged, number);
        if (i % 64 == 63) /* somebody cleans up */
            (void)unlink(scratch_file(&scratch, "svc.board"));
        atomic_flag_clear(&world.gate);
    }
    (void)atomic_fetch_sub(&world.running, 1);
    return NULL;
}

static void no_answer_that_stands_is_old(void **state)
{
    (void)state;
    AUTO(board_close) board_t *worker = open_board(false);
    AUTO(board_close) board_t *watcher = watch();
    pthread_t threads[WRITERS];
    atomic_store(&world.running, WRITERS);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_much, NULL), 0);
    size_t stood = 0;
    size_t old = 0;
    bool last = false;
    while (!last || stood == 0) {
        last = atomic_load(&world.running) == 0;
        board_refresh(worker);
        uint64_t id = board_id(worker);
        uint64_t version = board_version(worker);
        uint64_t answer = atomic_load(&world.stored);
        board_refresh(watcher);
        for (int i = 0; i < 4; i++) {
            uint64_t acknowledged = atomic_load(&world.acknowledged);
            if (!board_stands(watcher, id, version))
                break;
            stood++;
            old += answer < acknowledged;
        }
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(stood > 0);
    assert_int_equal(old, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_made_once_and_shared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_stands_while_it_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_dies_in_a_change_is_mended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_alone_makes_it_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_raise_is_at_the_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_deleted_stands_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_foreign_file_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_answer_that_stands_is_old, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
