/* The gate alone: exclusion, deadlines, a holder that dies or is stopped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "services/common/gate.h"
#include "tests/support/scratch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONG_MS = 10000 };

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

static gate_t *new_gate(void)
{
    gate_t *gate = NULL;
    err_t err = {0};
    if (gate_open(scratch_file(&scratch, "x.db"), &gate, &err) != STATUS_OK)
        abort();
    return gate;
}

static status_t take(gate_t *gate, int64_t wait_ms)
{
    return gate_take(gate, clock_ms() + wait_ms, NULL);
}

static void the_file_is_private(void **state)
{
    (void)state;
    AUTO(gate_close) gate_t *gate = new_gate();
    assert_int_equal(take(gate, 0), STATUS_OK);
    struct stat info;
    assert_int_equal(stat(scratch_file(&scratch, "x.db.gate"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    gate_t *none = NULL;
    err_t err = {0};
    assert_int_equal(gate_open("/nowhere/x.db", &none, &err), STATUS_SYSTEM);
    assert_null(none);
    gate_close(&none);
}

static void a_held_gate_times_out(void **state)
{
    (void)state;
    AUTO(gate_close) gate_t *holder = new_gate();
    AUTO(gate_close) gate_t *other = new_gate();
    assert_int_equal(take(holder, 0), STATUS_OK);
    static const int64_t waits[] = {0, 20, 137, 300};
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        int64_t start = clock_ms();
        assert_int_equal(take(other, waits[i]), STATUS_TIMEOUT);
        int64_t took = clock_ms() - start;
        assert_true(took >= waits[i]);
        assert_true(took < waits[i] + LONG_MS / 2);
    }
    gate_leave(holder);
    assert_int_equal(take(other, 0), STATUS_OK);
    assert_int_equal(take(holder, 0), STATUS_TIMEOUT);
    gate_close(&other); /* lets go */
    assert_int_equal(take(holder, 0), STATUS_OK);
}

/* As in a program that reads them from a signalfd. */
static void a_wait_ends_with_all_signals_blocked(void **state)
{
    (void)state;
    AUTO(gate_close) gate_t *holder = new_gate();
    AUTO(gate_close) gate_t *other = new_gate();
    assert_int_equal(take(holder, 0), STATUS_OK);
    sigset_t all;
    sigset_t before;
    sigset_t after;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int64_t start = clock_ms();
    status_t status = take(other, 137);
    int64_t took = clock_ms() - start;
    (void)pthread_sigmask(SIG_SETMASK, &before, &after);
    assert_int_equal(status, STATUS_TIMEOUT);
    assert_true(took >= 137 && took < LONG_MS / 2);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        assert_int_equal(sigismember(&after, number), 1); /* they are blocked again */
}

enum { THREADS = 4, TURNS = 500 };

static atomic_int inside;
static atomic_int collisions;
static atomic_int failures;

static void *take_turns(void *argument)
{
    (void)argument;
    AUTO(gate_close) gate_t *gate = new_gate();
    for (int i = 0; i < TURNS; i++) {
        if (take(gate, LONG_MS) != STATUS_OK) {
            atomic_fetch_add(&failures, 1);
            return NULL;
        }
        if (atomic_fetch_add(&inside, 1) != 0)
            atomic_fetch_add(&collisions, 1);
        atomic_fetch_sub(&inside, 1);
        gate_leave(gate);
    }
    return NULL;
}

static void threads_exclude_each_other(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(atomic_load(&collisions), 0);
}

/* A process that holds the gate until SIGUSR1 or its death. */
static pid_t start_holder(void)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sigset_t wake;
        int number = 0;
        (void)sigemptyset(&wake);
        (void)sigaddset(&wake, SIGUSR1);
        (void)sigprocmask(SIG_BLOCK, &wake, NULL);
        gate_t *gate = new_gate();
        if (take(gate, LONG_MS) != STATUS_OK || write(ready[1], "r", 1) != 1)
            _exit(1);
        (void)alarm(60);
        (void)sigwait(&wake, &number);
        gate_leave(gate);
        (void)pause();
        _exit(0);
    }
    (void)close(ready[1]);
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return child;
}

static void end(pid_t child)
{
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static void a_dead_holder_holds_nothing(void **state)
{
    (void)state;
    pid_t child = start_holder();
    AUTO(gate_close) gate_t *gate = new_gate();
    assert_int_equal(take(gate, 0), STATUS_TIMEOUT);
    end(child);
    assert_int_equal(take(gate, LONG_MS), STATUS_OK);
}

static void a_stopped_holder_costs_the_deadline_only(void **state)
{
    (void)state;
    pid_t child = start_holder();
    AUTO(gate_close) gate_t *gate = new_gate();
    (void)kill(child, SIGSTOP);
    int status = 0;
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    int64_t start = clock_ms();
    assert_int_equal(take(gate, 400), STATUS_TIMEOUT);
    int64_t took = clock_ms() - start;
    assert_true(took >= 400 && took < LONG_MS / 2);
    (void)kill(child, SIGUSR1);
    (void)kill(child, SIGCONT);
    assert_int_equal(take(gate, LONG_MS), STATUS_OK);
    end(child);
}

static void a_deleted_gate_is_made_again(void **state)
{
    (void)state;
    AUTO(gate_close) gate_t *old = new_gate();
    assert_int_equal(unlink(scratch_file(&scratch, "x.db.gate")), 0);
    AUTO(gate_close) gate_t *new = new_gate();
    assert_int_equal(take(new, 0), STATUS_OK);
    assert_int_equal(take(old, 100), STATUS_TIMEOUT);
    gate_leave(new);
    assert_int_equal(take(old, 0), STATUS_OK);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(the_file_is_private),
        WITH_FILE(a_held_gate_times_out),
        WITH_FILE(a_wait_ends_with_all_signals_blocked),
        WITH_FILE(threads_exclude_each_other),
        WITH_FILE(a_dead_holder_holds_nothing),
        WITH_FILE(a_stopped_holder_costs_the_deadline_only),
        WITH_FILE(a_deleted_gate_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
