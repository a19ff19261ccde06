/* The memory under processes that are killed at any instruction: what stands in it are whole facts,
 * and none of those that were acknowledged is missing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/await.h"
#include "tests/support/memory_desk.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 3, ROUNDS = 12, ENOUGH = 150, LONG_MS = 60000, NAMES = 1 << 16 };

static const int64_t now = MEMORY_NOW_MS;

/* What the processes have been told, in memory of the test's own. */
typedef struct {
    atomic_uint next; /* which fact comes next: each is used by two processes at least */
    atomic_uint fresh[NAMES];
} told_t;

static told_t *told;

static decision_t denial(unsigned number)
{
    decision_t made = {.at = now + number, .reason = (int)(number % REASON_COUNT)};
    (void)snprintf(made.username, sizeof(made.username), "user %u", number);
    (void)snprintf(made.operation, sizeof(made.operation), "op");
    return made;
}

static replay_t use(sip_memory_t *memory, unsigned number)
{
    return sip_replay_remember(memory, &number, sizeof(number), now, now + 60000);
}

/* Until it is killed. */
static void work(memory_desk_t *f)
{
    sip_memory_t *memory = memory_open_again(f, false);
    ipnet_t source = memory_net("203.0.113.1");
    for (;;) {
        unsigned number = atomic_fetch_add(&told->next, 1) / 2;
        if (number >= NAMES) {
            (void)pause(); /* the test is slow to kill it */
            continue;
        }
        if (use(memory, number) == REPLAY_FRESH)
            (void)atomic_fetch_add(&told->fresh[number], 1);
        decision_t made = denial(number);
        sip_ring_add(memory, &made);
        sip_lockout_fail(memory, "o", "u", &source, now);
        if (!sip_lockout_holds(memory, "o", "u", &source, now, NULL) && number > ENOUGH)
            _exit(1);
    }
}

static bool enough(void *context)
{
    unsigned next = atomic_load(&told->next);
    return next >= *(unsigned *)context || next / 2 >= NAMES;
}

static void start(memory_desk_t *f, pid_t *out)
{
    *out = fork();
    assert_true(*out >= 0);
    if (*out == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that has failed leaves nobody behind */
        work(f);
    }
}

/* All that were fresh once are known, and none was fresh twice. */
static void check_responses(memory_desk_t *f)
{
    size_t twice = 0;
    size_t forgotten = 0;
    unsigned last = atomic_load(&told->next) / 2;
    for (unsigned i = 0; i <= last && i < NAMES; i++) {
        twice += atomic_load(&told->fresh[i]) > 1;
        forgotten += atomic_load(&told->fresh[i]) > 0 && use(f->memory, i) != REPLAY_REPEATED;
    }
    assert_int_equal(twice, 0);
    assert_int_equal(forgotten, 0);
}

/* Writers that run may lap who reads, so how many can be read is told only when they rest. */
static void check_ring(memory_desk_t *f, size_t least)
{
    decision_t *read = calloc(SIP_RING, sizeof(*read));
    assert_non_null(read);
    size_t count = sip_ring_read(f->memory, read, SIP_RING);
    size_t torn = 0;
    for (size_t i = 0; i < count; i++) {
        decision_t made = denial((unsigned)(read[i].at - now));
        torn += strcmp(read[i].username, made.username) != 0 || read[i].reason != made.reason;
    }
    free(read);
    assert_true(count >= least);
    assert_int_equal(torn, 0);
}

static void killed_processes_leave_whole_facts(void **state)
{
    memory_desk_t *f = *state;
    pid_t processes[PROCESSES];
    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    for (size_t i = 0; i < PROCESSES; i++)
        start(f, &processes[i]);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned until = atomic_load(&told->next) + 4 * ENOUGH;
        assert_true(await(enough, &until, LONG_MS));
        pid_t *victim = &processes[round % PROCESSES];
        int ended = 0;
        assert_int_equal(kill(*victim, SIGKILL), 0);
        assert_int_equal(waitpid(*victim, &ended, 0), *victim);
        assert_true(WIFSIGNALED(ended)); /* nothing was wrong before */
        if (round + 1 < ROUNDS)
            start(f, victim);
        check_ring(f, 0);
    }
    for (size_t i = 0; i < PROCESSES; i++)
        if (kill(processes[i], SIGKILL) == 0)
            (void)waitpid(processes[i], NULL, 0);
    check_responses(f);
    check_ring(f, ENOUGH / 2);
    (void)munmap(told, sizeof(*told));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_processes_leave_whole_facts, memory_set_up,
                                        memory_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
