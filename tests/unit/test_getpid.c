/* getpid() without a system call: the kernel's number, in a forked child too. */
#include "common/getpid.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static bool is_right(void)
{
    return getpid() == (pid_t)syscall(SYS_getpid);
}

static void it_is_the_kernels(void **state)
{
    (void)state;
    getpid_keep();
    assert_true(is_right());
    assert_true(is_right());
}

static void a_child_has_its_own(void **state)
{
    (void)state;
    getpid_keep();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(is_right() ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_kernels),
        cmocka_unit_test(a_child_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
